/* Trees in memory: nodes found by a hash of their path; a directory has its entries in a list. */
#define _GNU_SOURCE
#include "mount/tree.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "mount/source.h"

/* Content, shared by hard links. */
typedef struct body {
    uint32_t links;
    uint64_t inode;
    int64_t modified_ns;
    buffer_t bytes; /* or the target of a symbolic link */
} body_t;

typedef struct node node_t;
struct node {
    char *path; /* in the tree; "" is the root */
    size_t length;
    uint32_t hash;
    eryx_file_kind_t kind;
    body_t *body;
    node_t *next_in_bucket;
    node_t *first, *last; /* entries of a directory, in the order they were added */
    node_t *next;
};

struct tree {
    tree_limits_t limits;
    uint64_t bytes, last_inode;
    uint32_t files;
    node_t **buckets;
    uint32_t mask;
    node_t *root;
    node_t *filling; /* the file that tree_append adds to */
};

/* What a node takes beside its content and its name. */
enum { NODE_COST = 192, BUCKETS_FIRST = 64 };

/* --- Nodes -------------------------------------------------------------------------------- */

static uint32_t hash_path(const char *path, size_t length) {
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (uint8_t)path[i]) * 16777619u;
    return hash;
}

static node_t *find(const tree_t *tree, const char *path, size_t length) {
    uint32_t hash = hash_path(path, length);
    node_t *node = tree->buckets[hash & tree->mask];
    while (node &&
           (node->hash != hash || node->length != length || memcmp(node->path, path, length) != 0))
        node = node->next_in_bucket;
    return node;
}

static void body_release(body_t *body) {
    if (body && --body->links == 0) {
        buffer_free(&body->bytes);
        free(body);
    }
}

static bool grow_buckets(tree_t *tree) {
    if (tree->files <= tree->mask)
        return true;
    uint32_t size = (tree->mask + 1) * 2;
    node_t **buckets = calloc(size, sizeof *buckets);
    if (!buckets)
        return false;
    for (uint32_t i = 0; i <= tree->mask; i++) {
        for (node_t *node = tree->buckets[i], *next; node; node = next) {
            next = node->next_in_bucket;
            node->next_in_bucket = buckets[node->hash & (size - 1)];
            buckets[node->hash & (size - 1)] = node;
        }
    }
    free(tree->buckets);
    tree->buckets = buckets;
    tree->mask = size - 1;
    return true;
}

static bool charge(tree_t *tree, uint64_t bytes) {
    if (bytes > tree->limits.bytes - tree->bytes)
        return false;
    tree->bytes += bytes;
    return true;
}

static tree_result_t add_node(tree_t *tree, node_t *parent, const char *path, size_t length,
                              eryx_file_kind_t kind, body_t *body, node_t **out) {
    if (tree->files >= tree->limits.files)
        return TREE_FILES;
    if (!charge(tree, NODE_COST + length))
        return TREE_BYTES;
    node_t *node = grow_buckets(tree) ? calloc(1, sizeof *node) : NULL;
    char *copy = node ? strndup(path, length) : NULL;
    if (!copy) {
        free(node);
        return TREE_MEMORY;
    }
    *node = (node_t){.path = copy,
                     .length = length,
                     .hash = hash_path(path, length),
                     .kind = kind,
                     .body = body};
    body->links++;
    node_t **bucket = &tree->buckets[node->hash & tree->mask];
    node->next_in_bucket = *bucket;
    *bucket = node;
    if (parent && parent->last)
        parent->last->next = node;
    else if (parent)
        parent->first = node;
    if (parent)
        parent->last = node;
    tree->files++;
    *out = node;
    return TREE_OK;
}

static body_t *body_new(tree_t *tree, int64_t modified_ns) {
    body_t *body = calloc(1, sizeof *body);
    if (body) {
        body->inode = ++tree->last_inode;
        body->modified_ns = modified_ns;
    }
    return body;
}

tree_t *tree_new(const tree_limits_t *limits) {
    tree_t *tree = calloc(1, sizeof *tree);
    if (!tree)
        return NULL;
    tree->limits = *limits;
    tree->buckets = calloc(BUCKETS_FIRST, sizeof *tree->buckets);
    tree->mask = BUCKETS_FIRST - 1;
    body_t *body = tree->buckets ? body_new(tree, 0) : NULL;
    /* The root is there whatever the limits are. */
    tree->limits.files = UINT32_MAX;
    tree->limits.bytes = UINT64_MAX;
    if (!body || add_node(tree, NULL, "", 0, ERYX_FILE_DIRECTORY, body, &tree->root) != TREE_OK) {
        if (body && body->links == 0)
            free(body);
        tree_free(tree);
        return NULL;
    }
    tree->limits = *limits;
    tree->files = 0;
    tree->bytes = 0;
    return tree;
}

void tree_free(tree_t *tree) {
    if (!tree)
        return;
    for (uint32_t i = 0; tree->buckets && i <= tree->mask; i++) {
        for (node_t *node = tree->buckets[i], *next; node; node = next) {
            next = node->next_in_bucket;
            body_release(node->body);
            free(node->path);
            free(node);
        }
    }
    free(tree->buckets);
    free(tree);
}

const char *tree_reason(tree_result_t result) {
    switch (result) {
    case TREE_OK:
        return "no error";
    case TREE_MEMORY:
        return "out of memory";
    case TREE_NAME:
        return "the name is empty, too long, or leads out of the tree";
    case TREE_CONFLICT:
        return "a file is where a directory is needed, or the other way round";
    case TREE_MISSING:
        return "a hard link to a file that is not there";
    case TREE_BYTES:
        return "more content than max_bytes";
    case TREE_FILES:
        return "more files than max_files";
    }
    return "unknown";
}

/* --- Adding ------------------------------------------------------------------------------- */

/* The path as providers get it. */
static tree_result_t normalise(const char *path, char out[SOURCE_PATH_MAX], size_t *length) {
    *length = 0;
    while (*path) {
        size_t size = strcspn(path, "/");
        bool dot = size == 1 && path[0] == '.';
        if (size > SOURCE_NAME_MAX || (size == 2 && path[0] == '.' && path[1] == '.') ||
            *length + size + 2 > SOURCE_PATH_MAX)
            return TREE_NAME;
        if (size > 0 && !dot) {
            if (*length > 0)
                out[(*length)++] = '/';
            memcpy(out + *length, path, size);
            *length += size;
        }
        path += size + (path[size] == '/');
    }
    out[*length] = '\0';
    return TREE_OK;
}

static size_t parent_length(const char *path, size_t length) {
    while (length > 0 && path[length - 1] != '/')
        length--;
    return length > 0 ? length - 1 : 0;
}

/* The directory at a path that was normalised; it and those above are made where there are none. */
static tree_result_t enter(tree_t *tree, const char *path, size_t length, int64_t modified_ns,
                           node_t **out) {
    node_t *at = tree->root;
    for (size_t end = 0; end < length;) {
        const char *slash = memchr(path + end + (end > 0), '/', length - end - (end > 0));
        end = slash ? (size_t)(slash - path) : length;
        node_t *next = find(tree, path, end);
        if (!next) {
            body_t *body = body_new(tree, modified_ns);
            tree_result_t result =
                body ? add_node(tree, at, path, end, ERYX_FILE_DIRECTORY, body, &next)
                     : TREE_MEMORY;
            if (result != TREE_OK) {
                free(body);
                return result;
            }
        }
        if (next->kind != ERYX_FILE_DIRECTORY)
            return TREE_CONFLICT;
        at = next;
    }
    *out = at;
    return TREE_OK;
}

tree_result_t tree_add_directory(tree_t *tree, const char *path, int64_t modified_ns) {
    char clean[SOURCE_PATH_MAX];
    size_t length;
    node_t *node;
    tree_result_t result = normalise(path, clean, &length);
    if (result == TREE_OK)
        result = enter(tree, clean, length, modified_ns, &node);
    if (result == TREE_OK)
        node->body->modified_ns = modified_ns;
    return result;
}

/* Takes over a reference of the body (a body without links is freed on failure). */
static tree_result_t add_leaf(tree_t *tree, const char *path, eryx_file_kind_t kind, body_t *body,
                              node_t **out) {
    char clean[SOURCE_PATH_MAX];
    size_t length;
    node_t *parent = NULL, *node = NULL;
    tree_result_t result = body ? normalise(path, clean, &length) : TREE_MEMORY;
    if (result == TREE_OK && length == 0)
        result = TREE_NAME;
    if (result == TREE_OK)
        result = enter(tree, clean, parent_length(clean, length), body->modified_ns, &parent);
    if (result == TREE_OK)
        node = find(tree, clean, length);
    if (node && node->kind == ERYX_FILE_DIRECTORY)
        result = TREE_CONFLICT;
    if (result == TREE_OK && node) {
        body->links++;
        body_release(node->body);
        node->body = body;
        node->kind = kind;
    } else if (result == TREE_OK) {
        result = add_node(tree, parent, clean, length, kind, body, &node);
    }
    if (result != TREE_OK && body && body->links == 0) {
        buffer_free(&body->bytes);
        free(body);
    }
    *out = node;
    return result;
}

tree_result_t tree_add_file(tree_t *tree, const char *path, int64_t modified_ns) {
    node_t *node;
    tree->filling = NULL;
    tree_result_t result =
        add_leaf(tree, path, ERYX_FILE_REGULAR, body_new(tree, modified_ns), &node);
    if (result == TREE_OK)
        tree->filling = node;
    return result;
}

tree_result_t tree_append(tree_t *tree, const void *data, size_t length) {
    if (!charge(tree, length))
        return TREE_BYTES;
    return buffer_append(&tree->filling->body->bytes, data, length) ? TREE_OK : TREE_MEMORY;
}

void tree_finish_file(tree_t *tree) {
    buffer_t *bytes = &tree->filling->body->bytes;
    if (!bytes->data)
        return;
    char *smaller = realloc(bytes->data, bytes->length + 1);
    if (smaller) {
        bytes->data = smaller;
        bytes->capacity = bytes->length + 1;
    }
}

tree_result_t tree_add_symlink(tree_t *tree, const char *path, const char *target,
                               int64_t modified_ns) {
    node_t *node;
    size_t length = strlen(target);
    if (length == 0 || length >= SOURCE_PATH_MAX)
        return TREE_NAME;
    if (!charge(tree, length))
        return TREE_BYTES;
    body_t *body = body_new(tree, modified_ns);
    if (body && !buffer_append(&body->bytes, target, length)) {
        free(body);
        body = NULL;
    }
    return add_leaf(tree, path, ERYX_FILE_SYMLINK, body, &node);
}

tree_result_t tree_add_link(tree_t *tree, const char *path, const char *of) {
    char clean[SOURCE_PATH_MAX];
    size_t length;
    node_t *node;
    tree_result_t result = normalise(of, clean, &length);
    if (result != TREE_OK)
        return result;
    const node_t *file = find(tree, clean, length);
    if (!file || file->kind == ERYX_FILE_DIRECTORY)
        return TREE_MISSING;
    return add_leaf(tree, path, file->kind, file->body, &node);
}

/* --- Looking ------------------------------------------------------------------------------ */

static tree_entry_t entry_of(const node_t *node) {
    const buffer_t *bytes = &node->body->bytes;
    return (tree_entry_t){node->path, node->kind, bytes->data, bytes->length,
                          node->body->modified_ns};
}

bool tree_get(const tree_t *tree, const char *path, tree_entry_t *out) {
    const node_t *node = find(tree, path, strlen(path));
    if (node)
        *out = entry_of(node);
    return node;
}

/* Recursion as deep as a path has names, which SOURCE_PATH_MAX bounds. */
static bool walk(const node_t *directory, bool (*visit)(void *env, const tree_entry_t *entry),
                 void *env) {
    for (const node_t *node = directory->first; node; node = node->next) {
        tree_entry_t entry = entry_of(node);
        if (!visit(env, &entry) || (node->first && !walk(node, visit, env)))
            return false;
    }
    return true;
}

bool tree_walk(const tree_t *tree, bool (*visit)(void *env, const tree_entry_t *entry), void *env) {
    return walk(tree->root, visit, env);
}

/* --- The provider ------------------------------------------------------------------------- */

/* -ELOOP for a link in the way. */
static int look_up(const tree_t *tree, const char *path, node_t **out) {
    size_t length = strlen(path);
    *out = find(tree, path, length);
    if (*out)
        return 0;
    for (length = parent_length(path, length);; length = parent_length(path, length)) {
        const node_t *above = find(tree, path, length);
        if (above && above->kind == ERYX_FILE_DIRECTORY)
            return -ENOENT;
        if (above)
            return above->kind == ERYX_FILE_SYMLINK ? -ELOOP : -ENOTDIR;
    }
}

static void put_stat(const node_t *node, eryx_file_stat_t *out) {
    const body_t *body = node->body;
    *out = (eryx_file_stat_t){
        .kind = node->kind,
        .links = body->links,
        .inode = body->inode,
        .size = body->bytes.length,
        .accessed_ns = body->modified_ns,
        .modified_ns = body->modified_ns,
        .changed_ns = body->modified_ns,
    };
}

static int tree_stat(void *env, const char *path, eryx_file_stat_t *out) {
    node_t *node;
    int error = look_up(env, path, &node);
    if (!error)
        put_stat(node, out);
    return error;
}

/* An open file, or a directory that is being read. */
typedef struct opened {
    const node_t *node, *next;
} opened_t;

static int tree_open(void *env, const char *path, uint32_t flags, void **file) {
    node_t *node;
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
    *opened = (opened_t){node, node->first};
    *file = opened;
    return 0;
}

static void tree_close(void *env, void *file) {
    (void)env;
    free(file);
}

static int tree_status(void *env, void *file, eryx_file_stat_t *out) {
    (void)env;
    put_stat(((const opened_t *)file)->node, out);
    return 0;
}

static ptrdiff_t tree_read(void *env, void *file, uint64_t offset, void *buffer, size_t capacity) {
    (void)env;
    const buffer_t *bytes = &((const opened_t *)file)->node->body->bytes;
    if (offset >= bytes->length)
        return 0;
    size_t left = bytes->length - (size_t)offset;
    size_t count = left < capacity ? left : capacity;
    memcpy(buffer, bytes->data + offset, count);
    return (ptrdiff_t)count;
}

static int tree_next_entry(void *env, void *file, eryx_file_entry_t *out) {
    (void)env;
    opened_t *opened = file;
    const node_t *node = opened->next;
    if (!node)
        return 0;
    const char *slash = strrchr(node->path, '/');
    const char *name = slash ? slash + 1 : node->path;
    *out = (eryx_file_entry_t){name, node->length - (size_t)(name - node->path), node->kind};
    opened->next = node->next;
    return 1;
}

static ptrdiff_t tree_readlink(void *env, const char *path, char *buffer, size_t capacity) {
    node_t *node;
    int error = look_up(env, path, &node);
    if (error)
        return error;
    if (node->kind != ERYX_FILE_SYMLINK)
        return -EINVAL;
    size_t length = node->body->bytes.length;
    memcpy(buffer, node->body->bytes.data, length < capacity ? length : capacity);
    return (ptrdiff_t)(length < capacity ? length : capacity);
}

static void tree_finalize(void *env) {
    tree_free(env);
}

static const eryx_provider_t provider = {
    .size = sizeof provider,
    .stat = tree_stat,
    .open = tree_open,
    .close = tree_close,
    .status = tree_status,
    .read = tree_read,
    .next_entry = tree_next_entry,
    .readlink = tree_readlink,
    .finalize = tree_finalize,
};

eryx_source_t *tree_source(tree_t *tree) {
    eryx_source_t *source = source_new(&provider, tree);
    if (!source)
        tree_free(tree);
    return source;
}
