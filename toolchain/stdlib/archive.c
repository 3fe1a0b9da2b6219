/* Building the archive of the standard library.
 *
 * Equal contents are stored once: a third of the time zones are other names of one. */
#include "stdlib/archive.h"

#include <stdlib.h>
#include <string.h>

#define DATA_ALIGN 16u

static bool path_is_good(const char *path)
{
    if (!path[0])
        return false;
    for (const char *part = path;; part++) {
        size_t length = strcspn(part, "/");
        if (length == 0 || (length == 1 && part[0] == '.') ||
            (length == 2 && part[0] == '.' && part[1] == '.'))
            return false;
        part += length;
        if (!*part)
            return true;
    }
}

static bool add(struct archive_builder *builder, const char *path, size_t path_length,
                const uint8_t *data, size_t size, bool is_directory)
{
    if (builder->count == builder->capacity) {
        size_t capacity = builder->capacity ? builder->capacity * 2 : 256;
        struct archive_item *items = realloc(builder->items, capacity * sizeof *items);
        if (!items)
            goto no_memory;
        builder->items = items;
        builder->capacity = capacity;
    }
    struct archive_item item = {.path = strndup(path, path_length),
                                .data = is_directory ? NULL : malloc(size ? size : 1),
                                .size = size,
                                .order = builder->count,
                                .is_directory = is_directory};
    if (!item.path || (!is_directory && !item.data)) {
        free(item.path);
        free(item.data);
        goto no_memory;
    }
    if (size > 0)
        memcpy(item.data, data, size);
    builder->items[builder->count++] = item;
    return true;
no_memory:
    step_error("out of memory; close other programs and run again");
    return false;
}

bool archive_add(struct archive_builder *builder, const char *path, const uint8_t *data,
                 size_t size)
{
    if (!path_is_good(path)) {
        step_error("'%s' is no path for a file in the archive", path);
        return false;
    }
    return add(builder, path, strlen(path), data, size, false);
}

bool archive_add_directory(struct archive_builder *builder, const char *path)
{
    if (!path_is_good(path)) {
        step_error("'%s' is no path for a directory in the archive", path);
        return false;
    }
    return add(builder, path, strlen(path), NULL, 0, true);
}

static bool add_parents(struct archive_builder *builder)
{
    for (size_t i = 0, count = builder->count; i < count; i++)
        for (size_t at = 0; builder->items[i].path[at]; at++)
            if (builder->items[i].path[at] == '/' &&
                !add(builder, builder->items[i].path, at, NULL, 0, true))
                return false;
    return true;
}

static int compare_items(const void *left, const void *right)
{
    const struct archive_item *a = left, *b = right;
    int by_path = strcmp(a->path, b->path);
    return by_path ? by_path : (a->order > b->order) - (a->order < b->order);
}

/* One item a path is left: the last added. */
static bool sort(struct archive_builder *builder)
{
    qsort(builder->items, builder->count, sizeof builder->items[0], compare_items);
    size_t kept = 0;
    for (size_t i = 0; i < builder->count; i++) {
        struct archive_item *item = &builder->items[i];
        struct archive_item *last = kept ? &builder->items[kept - 1] : NULL;
        if (!last || strcmp(last->path, item->path) != 0) {
            builder->items[kept++] = *item;
            continue;
        }
        if (last->is_directory != item->is_directory) {
            step_error("%s is a file and a directory too", item->path);
            return false;
        }
        free(last->path);
        free(last->data);
        *last = *item;
        *item = (struct archive_item){0};
    }
    builder->count = kept;
    return true;
}

struct content {
    uint64_t hash;
    const struct archive_item *item;
    uint32_t *data_offset; /* in the entry */
};

static uint64_t hash_bytes(const uint8_t *data, size_t size)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ data[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* Equal contents next to each other, among them in the order of paths. */
static int compare_contents(const void *left, const void *right)
{
    const struct content *a = left, *b = right;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    if (a->item->size != b->item->size)
        return a->item->size < b->item->size ? -1 : 1;
    int by_bytes = memcmp(a->item->data, b->item->data, a->item->size);
    return by_bytes ? by_bytes : (a->item > b->item) - (a->item < b->item);
}

/* Points the entries of files with equal contents at each other: data_offset becomes the index
 * (+ 1) of the item that holds the data. */
static bool find_owners(const struct archive_builder *builder, struct archive_entry *entries)
{
    struct content *contents = calloc(builder->count + 1, sizeof *contents);
    if (!contents) {
        step_error("out of memory; close other programs and run again");
        return false;
    }
    size_t count = 0;
    for (size_t i = 0; i < builder->count; i++) {
        const struct archive_item *item = &builder->items[i];
        if (!item->is_directory)
            contents[count++] =
                (struct content){hash_bytes(item->data, item->size), item, &entries[i].data_offset};
    }
    qsort(contents, count, sizeof *contents, compare_contents);
    for (size_t i = 0, first = 0; i < count; i++) {
        const struct archive_item *a = contents[first].item, *b = contents[i].item;
        if (a->size != b->size || memcmp(a->data, b->data, a->size) != 0)
            first = i;
        *contents[i].data_offset = (uint32_t)(contents[first].item - builder->items) + 1;
    }
    free(contents);
    return true;
}

/* Turns owners into offsets; the last offset is the size. */
static uint64_t lay_out(const struct archive_builder *builder, struct archive_entry *entries)
{
    uint64_t at = sizeof(struct archive_header) + builder->count * sizeof *entries;
    for (size_t i = 0; i < builder->count; i++) {
        entries[i].path_offset = (uint32_t)at;
        entries[i].path_length = (uint32_t)strlen(builder->items[i].path);
        entries[i].mtime = ARCHIVE_MTIME;
        entries[i].kind = builder->items[i].is_directory ? ARCHIVE_DIRECTORY : ARCHIVE_FILE;
        at += entries[i].path_length;
    }
    for (size_t i = 0; i < builder->count; i++) {
        if (builder->items[i].is_directory)
            continue;
        size_t owner = entries[i].data_offset - 1;
        entries[i].data_length = (uint32_t)builder->items[i].size;
        if (owner != i) { /* the owner comes first and has its offset already */
            entries[i].data_offset = entries[owner].data_offset;
            continue;
        }
        at = (at + DATA_ALIGN - 1) / DATA_ALIGN * DATA_ALIGN;
        entries[i].data_offset = (uint32_t)at;
        at += builder->items[i].size;
    }
    return at;
}

static bool write_bytes(const struct archive_builder *builder, const struct archive_entry *entries,
                        size_t size, struct file_bytes *out)
{
    uint8_t *data = calloc(1, size + 1);
    if (!data)
        return false;
    struct archive_header header = {
        .magic = "", .entry_count = (uint32_t)builder->count, .total_bytes = (uint32_t)size};
    memcpy(header.magic, ARCHIVE_MAGIC, sizeof header.magic);
    memcpy(data, &header, sizeof header);
    memcpy(data + sizeof header, entries, builder->count * sizeof *entries);
    for (size_t i = 0; i < builder->count; i++) {
        const struct archive_item *item = &builder->items[i];
        memcpy(data + entries[i].path_offset, item->path, entries[i].path_length);
        if (item->size > 0)
            memcpy(data + entries[i].data_offset, item->data, item->size);
    }
    *out = (struct file_bytes){data, size};
    return true;
}

bool archive_encode(struct archive_builder *builder, struct file_bytes *out)
{
    if (!add_parents(builder) || !sort(builder))
        return false;
    uint64_t bound = sizeof(struct archive_header);
    for (size_t i = 0; i < builder->count; i++)
        bound += sizeof(struct archive_entry) + strlen(builder->items[i].path) + DATA_ALIGN +
                 builder->items[i].size;
    if (bound > UINT32_MAX) {
        step_error("the archive would be larger than 4 GiB");
        return false;
    }
    struct archive_entry *entries = calloc(builder->count + 1, sizeof *entries);
    bool done = entries && find_owners(builder, entries);
    if (done)
        done = write_bytes(builder, entries, (size_t)lay_out(builder, entries), out);
    if (!done)
        step_error("cannot make the archive: out of memory");
    free(entries);
    return done;
}

void archive_free(struct archive_builder *builder)
{
    for (size_t i = 0; i < builder->count; i++) {
        free(builder->items[i].path);
        free(builder->items[i].data);
    }
    free(builder->items);
    *builder = (struct archive_builder){0};
}
