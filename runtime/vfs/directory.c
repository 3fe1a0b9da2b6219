/* Names of a directory: an array in order of creation, so that reading it is stable while
 * it changes, and a hash index over the array, so that finding a name takes constant time. */
#include "vfs_internal.h"

#include <stdlib.h>
#include <string.h>

enum { ENTRY_MINIMUM = 4 };

static uint32_t hash_name(const char *name, size_t length)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (uint8_t)name[i]) * 16777619u;
    }
    return hash;
}

static uint64_t entry_charge(const struct directory_entry *entry)
{
    return sizeof *entry + (entry->name_owned ? entry->length : 0u);
}

struct directory_entry *directory_find(const struct directory *directory, const char *name,
                                       size_t length)
{
    if (!directory->index_slots) {
        return NULL;
    }
    uint32_t hash = hash_name(name, length);
    uint32_t mask = directory->index_slots - 1;
    for (uint32_t at = hash & mask; directory->index[at]; at = (at + 1) & mask) {
        struct directory_entry *entry = &directory->entries[directory->index[at] - 1];
        if (entry->inode && entry->hash == hash && entry->length == length &&
            memcmp(entry->name, name, length) == 0) {
            return entry;
        }
    }
    return NULL;
}

static void index_entry(struct directory *directory, uint32_t position)
{
    uint32_t mask = directory->index_slots - 1;
    uint32_t at = directory->entries[position].hash & mask;
    while (directory->index[at]) {
        at = (at + 1) & mask;
    }
    directory->index[at] = position + 1;
}

static void squeeze_entries(struct directory *directory)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < directory->entries_used; i++) {
        if (directory->entries[i].inode) {
            directory->entries[kept++] = directory->entries[i];
        }
    }
    directory->entries_used = kept;
}

/* Makes room for one more entry: drops the removed ones, and doubles when few were. */
static int make_room(struct directory *directory)
{
    if (directory->entries_used < directory->entry_slots) {
        return 0;
    }
    if (directory->entries_live > directory->entry_slots / 2 || !directory->entry_slots) {
        uint32_t slots = directory->entry_slots ? directory->entry_slots * 2 : ENTRY_MINIMUM;
        uint32_t *index = malloc(slots * 2 * sizeof *index);
        if (!index) {
            return -VFS_ENOMEM;
        }
        struct directory_entry *entries = realloc(directory->entries, slots * sizeof *entries);
        if (!entries) {
            free(index);
            return -VFS_ENOMEM;
        }
        free(directory->index);
        directory->index = index;
        directory->index_slots = slots * 2;
        directory->entries = entries;
        directory->entry_slots = slots;
    }
    squeeze_entries(directory);
    memset(directory->index, 0, directory->index_slots * sizeof *directory->index);
    for (uint32_t i = 0; i < directory->entries_used; i++) {
        index_entry(directory, i);
    }
    return 0;
}

int directory_add(struct vfs *fs, struct directory *directory, const char *name, size_t length,
                  struct vfs_inode *inode, bool copy)
{
    struct directory_entry entry = {
        .name = name,
        .inode = inode,
        .hash = hash_name(name, length),
        .length = (uint8_t)length,
        .name_owned = copy,
    };
    int error = usage_charge(fs, entry_charge(&entry));
    if (error) {
        return error;
    }
    char *owned = NULL;
    if (copy) {
        owned = malloc(length);
        if (!owned) {
            usage_refund(fs, entry_charge(&entry));
            return -VFS_ENOMEM;
        }
        memcpy(owned, name, length);
        entry.name = owned;
    }
    error = make_room(directory);
    if (error) {
        free(owned);
        usage_refund(fs, entry_charge(&entry));
        return error;
    }
    entry.order = ++directory->last_order;
    directory->entries[directory->entries_used] = entry;
    index_entry(directory, directory->entries_used);
    directory->entries_used++;
    directory->entries_live++;
    return 0;
}

void directory_remove(struct vfs *fs, struct directory *directory, struct directory_entry *entry)
{
    usage_refund(fs, entry_charge(entry));
    if (entry->name_owned) {
        free((char *)(uintptr_t)entry->name);
    }
    entry->name = NULL;
    entry->inode = NULL;
    directory->entries_live--;
    if (!directory->entries_live && directory->entry_slots > ENTRY_MINIMUM) {
        uint64_t order = directory->last_order;
        directory_clear(fs, directory);
        directory->last_order = order; /* readers of this directory go on from theirs */
    }
}

struct directory_entry *directory_after(const struct directory *directory, uint64_t order)
{
    uint32_t low = 0, high = directory->entries_used;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (directory->entries[middle].order <= order) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    while (low < directory->entries_used && !directory->entries[low].inode) {
        low++;
    }
    return low < directory->entries_used ? &directory->entries[low] : NULL;
}

struct directory_entry *directory_last(struct directory *directory)
{
    while (directory->entries_used && !directory->entries[directory->entries_used - 1].inode) {
        directory->entries_used--;
    }
    return directory->entries_used ? &directory->entries[directory->entries_used - 1] : NULL;
}

/* Leaves parent and number of subdirectories, which aren't about the entries' memory. */
void directory_clear(struct vfs *fs, struct directory *directory)
{
    for (uint32_t i = 0; i < directory->entries_used; i++) {
        struct directory_entry *entry = &directory->entries[i];
        if (!entry->inode) {
            continue;
        }
        usage_refund(fs, entry_charge(entry));
        if (entry->name_owned) {
            free((char *)(uintptr_t)entry->name);
        }
    }
    free(directory->entries);
    free(directory->index);
    *directory = (struct directory){
        .parent = directory->parent,
        .subdirectories = directory->subdirectories,
    };
}
