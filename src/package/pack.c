#define _GNU_SOURCE
#include "package/pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "mount/source.h"

#define MAGIC "ERYXPAK1"

typedef struct header {
    char magic[8];
    uint64_t length; /* of all */
    uint32_t nodes, reserved;
} header_t;

typedef struct pack_node {
    uint64_t data, size; /* of a file, or the target of a symbolic link */
    int64_t modified_ns;
    uint32_t name, first; /* first entry of a directory */
    uint32_t count;       /* of entries */
    uint16_t name_length;
    uint16_t kind; /* eryx_file_kind_t */
} pack_node_t;

_Static_assert(sizeof(header_t) == 24 && sizeof(pack_node_t) == 40, "no padding");

/* --- Writing ------------------------------------------------------------------------------ */

typedef struct item {
    tree_entry_t entry;
    uint32_t depth;
} item_t;

typedef struct items {
    item_t *list;
    size_t count, capacity;
} items_t;

static bool collect(void *env, const tree_entry_t *entry) {
    items_t *items = env;
    if (items->count == items->capacity) {
        size_t capacity = items->capacity ? 2 * items->capacity : 256;
        item_t *list = realloc(items->list, capacity * sizeof *list);
        if (!list)
            return false;
        items->list = list;
        items->capacity = capacity;
    }
    uint32_t depth = 0;
    for (const char *at = entry->path; *at; at++)
        depth += *at == '/';
    items->list[items->count++] = (item_t){*entry, depth + 1};
    return true;
}

/* Name by name, so that entries of one directory stand together, and directories in the order of those
 * they are in. */
static int compare_paths(const char *a, const char *b) {
    for (;; a++, b++) {
        int left = *a == '/' ? 1 : (*a ? (uint8_t)*a + 1 : 0);
        int right = *b == '/' ? 1 : (*b ? (uint8_t)*b + 1 : 0);
        if (left != right || !*a)
            return left - right;
    }
}

static int compare_items(const void *left, const void *right) {
    const item_t *a = left, *b = right;
    if (a->depth != b->depth)
        return a->depth < b->depth ? -1 : 1;
    return compare_paths(a->entry.path, b->entry.path);
}

static const char *name_of(const tree_entry_t *entry) {
    const char *slash = strrchr(entry->path, '/');
    return slash ? slash + 1 : entry->path;
}

static bool is_parent(const tree_entry_t *directory, const tree_entry_t *entry) {
    size_t length = strlen(directory->path);
    return (size_t)(name_of(entry) - entry->path) == (length > 0 ? length + 1 : 0) &&
           strncmp(directory->path, entry->path, length) == 0;
}

/* items[0] is the root. Entries of the directories come in the order of the directories. */
static void fill_nodes(const items_t *items, pack_node_t *nodes, uint64_t names, uint64_t *data) {
    size_t next = 1;
    for (size_t i = 0; i < items->count; i++) {
        const tree_entry_t *entry = &items->list[i].entry;
        bool directory = entry->kind == ERYX_FILE_DIRECTORY;
        size_t length = strlen(name_of(entry));
        nodes[i] = (pack_node_t){.kind = (uint16_t)entry->kind,
                                 .modified_ns = entry->modified_ns,
                                 .name = (uint32_t)names,
                                 .name_length = (uint16_t)length,
                                 .data = *data,
                                 .size = directory ? 0 : entry->length,
                                 .first = (uint32_t)next};
        names += length;
        *data += nodes[i].size;
        while (directory && next < items->count && is_parent(entry, &items->list[next].entry)) {
            nodes[i].count++;
            next++;
        }
    }
}

static bool put_contents(const items_t *items, buffer_t *out) {
    bool done = true;
    for (size_t i = 0; i < items->count && done; i++)
        done = buffer_append(out, name_of(&items->list[i].entry),
                             strlen(name_of(&items->list[i].entry)));
    for (size_t i = 0; i < items->count && done; i++) {
        const tree_entry_t *entry = &items->list[i].entry;
        if (entry->kind != ERYX_FILE_DIRECTORY && entry->length > 0)
            done = buffer_append(out, entry->data, entry->length);
    }
    return done;
}

int pack_write(const tree_t *tree, buffer_t *out, eryx_error_t *error) {
    items_t items = {0};
    tree_entry_t root = {.path = "", .kind = ERYX_FILE_DIRECTORY};
    uint64_t names = 0;
    pack_node_t *nodes = NULL;
    bool done = collect(&items, &root) && tree_walk(tree, collect, &items);
    if (done && items.count > 0) { /* the root at least */
        items.list[0].depth = 0;
        qsort(items.list, items.count, sizeof *items.list, compare_items);
        for (size_t i = 0; i < items.count; i++)
            names += strlen(name_of(&items.list[i].entry));
        nodes = calloc(items.count, sizeof *nodes);
    }
    header_t header = {.magic = MAGIC, .nodes = (uint32_t)items.count};
    uint64_t start = sizeof header + items.count * sizeof *nodes;
    header.length = start + names;
    if (nodes && header.length < UINT32_MAX) {
        fill_nodes(&items, nodes, start, &header.length);
        done = buffer_append(out, &header, sizeof header) &&
               buffer_append(out, nodes, items.count * sizeof *nodes) && put_contents(&items, out);
    } else {
        done = false;
    }
    free(nodes);
    free(items.list);
    return done ? ERYX_OK : error_set(error, ERYX_ERR_MEMORY, "out of memory for packages");
}

/* --- Reading ------------------------------------------------------------------------------ */

typedef struct pack {
    const uint8_t *data;
    const pack_node_t *nodes;
    uint64_t length;
    uint32_t count;
    void (*release)(const void *data, size_t length);
} pack_t;

static const char *text_at(const pack_t *pack, uint64_t at) {
    return (const char *)pack->data + at;
}

static bool node_is_good(const pack_t *pack, const pack_node_t *node) {
    return node->name <= pack->length && node->name_length <= pack->length - node->name &&
           node->data <= pack->length && node->size <= pack->length - node->data &&
           node->first <= pack->count && node->count <= pack->count - node->first;
}

static const pack_node_t *find_entry(const pack_t *pack, const pack_node_t *directory,
                                     const char *name, size_t length) {
    size_t low = 0, high = node_is_good(pack, directory) ? directory->count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const pack_node_t *node = &pack->nodes[directory->first + middle];
        if (!node_is_good(pack, node))
            return NULL;
        size_t common = length < node->name_length ? length : node->name_length;
        int order = memcmp(name, text_at(pack, node->name), common);
        if (order == 0)
            order = (length > node->name_length) - (length < node->name_length);
        if (order == 0)
            return node;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static int look_up(const pack_t *pack, const char *path, const pack_node_t **out) {
    const pack_node_t *node = pack->nodes;
    while (*path) {
        size_t length = strcspn(path, "/");
        if (node->kind != ERYX_FILE_DIRECTORY)
            return node->kind == ERYX_FILE_SYMLINK ? -ELOOP : -ENOTDIR;
        node = find_entry(pack, node, path, length);
        if (!node)
            return -ENOENT;
        path += length + (path[length] == '/');
    }
    *out = node;
    return 0;
}

static void put_stat(const pack_t *pack, const pack_node_t *node, eryx_file_stat_t *out) {
    *out = (eryx_file_stat_t){
        .kind = (eryx_file_kind_t)node->kind,
        .links = 1,
        .inode = (uint64_t)(node - pack->nodes) + 1,
        .size = node->size,
        .accessed_ns = node->modified_ns,
        .modified_ns = node->modified_ns,
        .changed_ns = node->modified_ns,
    };
}

static int pack_stat(void *env, const char *path, eryx_file_stat_t *out) {
    const pack_node_t *node;
    int error = look_up(env, path, &node);
    if (!error)
        put_stat(env, node, out);
    return error;
}

typedef struct opened {
    const pack_node_t *node;
    uint32_t next; /* entry of a directory */
} opened_t;

static int pack_open(void *env, const char *path, uint32_t flags, void **file) {
    const pack_node_t *node;
    int error = look_up(env, path, &node);
    if (error)
        return error;
    if (node->kind == ERYX_FILE_SYMLINK)
        return -ELOOP;
    bool directory = node->kind == ERYX_FILE_DIRECTORY;
    if (directory != !!(flags & ERYX_OPEN_DIRECTORY))
        return directory ? -EISDIR : -ENOTDIR;
    opened_t *opened = malloc(sizeof *opened);
    if (!opened)
        return -ENOMEM;
    *opened = (opened_t){node, 0};
    *file = opened;
    return 0;
}

static void pack_close(void *env, void *file) {
    (void)env;
    free(file);
}

static int pack_status(void *env, void *file, eryx_file_stat_t *out) {
    put_stat(env, ((const opened_t *)file)->node, out);
    return 0;
}

static ptrdiff_t pack_read(void *env, void *file, uint64_t offset, void *buffer, size_t capacity) {
    const pack_node_t *node = ((const opened_t *)file)->node;
    if (!node_is_good(env, node))
        return -EIO;
    if (offset >= node->size)
        return 0;
    uint64_t left = node->size - offset;
    size_t count = left < capacity ? (size_t)left : capacity;
    memcpy(buffer, text_at(env, node->data + offset), count);
    return (ptrdiff_t)count;
}

static int pack_next_entry(void *env, void *file, eryx_file_entry_t *out) {
    const pack_t *pack = env;
    opened_t *opened = file;
    if (!node_is_good(pack, opened->node))
        return -EIO;
    if (opened->next >= opened->node->count)
        return 0;
    const pack_node_t *node = &pack->nodes[opened->node->first + opened->next++];
    if (!node_is_good(pack, node))
        return -EIO;
    *out = (eryx_file_entry_t){text_at(pack, node->name), node->name_length,
                               (eryx_file_kind_t)node->kind};
    return 1;
}

static ptrdiff_t pack_readlink(void *env, const char *path, char *buffer, size_t capacity) {
    const pack_node_t *node;
    int error = look_up(env, path, &node);
    if (error)
        return error;
    if (node->kind != ERYX_FILE_SYMLINK || !node_is_good(env, node))
        return -EINVAL;
    size_t length = node->size < capacity ? (size_t)node->size : capacity;
    memcpy(buffer, text_at(env, node->data), length);
    return (ptrdiff_t)length;
}

static void pack_finalize(void *env) {
    pack_t *pack = env;
    if (pack->release)
        pack->release(pack->data, (size_t)pack->length);
    free(pack);
}

static const eryx_provider_t provider = {
    .size = sizeof provider,
    .stat = pack_stat,
    .open = pack_open,
    .close = pack_close,
    .status = pack_status,
    .read = pack_read,
    .next_entry = pack_next_entry,
    .readlink = pack_readlink,
    .finalize = pack_finalize,
};

int pack_source(const void *data, size_t length, void (*release)(const void *data, size_t length),
                eryx_source_t **out, eryx_error_t *error) {
    const header_t *header = data;
    if (length < sizeof *header || memcmp(header->magic, MAGIC, sizeof header->magic) != 0 ||
        header->length != length || header->nodes == 0 ||
        header->nodes > (length - sizeof *header) / sizeof(pack_node_t))
        return error_set(error, ERYX_ERR_FORMAT, "corrupt runtime file: its packages");
    pack_t *pack = malloc(sizeof *pack);
    if (pack)
        *pack = (pack_t){data, (const pack_node_t *)(header + 1), length, header->nodes, release};
    *out = pack ? source_new(&provider, pack) : NULL;
    if (*out)
        return ERYX_OK;
    free(pack);
    return error_set(error, ERYX_ERR_MEMORY, "out of memory for packages");
}
