/* A tree of files in the host's memory, as a source: read-only, shared by all that mount it. */
#ifndef MOUNT_TREE_H
#define MOUNT_TREE_H

#include <stdbool.h>

#include <eryx/mount.h>

typedef struct tree tree_t;

typedef struct tree_limits {
    uint64_t bytes; /* contents, targets of links and names */
    uint32_t files; /* directories and links too */
} tree_limits_t;

/* Why something was not added. */
typedef enum tree_result {
    TREE_OK,
    TREE_MEMORY,
    TREE_NAME,     /* leads out of the tree, is too long, or empty */
    TREE_CONFLICT, /* a file where a directory is needed, or the other way round */
    TREE_MISSING,  /* the file that a hard link is of */
    TREE_BYTES,    /* limits */
    TREE_FILES
} tree_result_t;

/* An empty tree; NULL when out of memory. */
tree_t *tree_new(const tree_limits_t *limits);
void tree_free(tree_t *tree);
const char *tree_reason(tree_result_t result);

/* path: as archives write it; `./`, slashes in front and doubled slashes don't count. Directories
 * above are made. What is there already is replaced, but a directory stays one. */
tree_result_t tree_add_directory(tree_t *tree, const char *path, int64_t modified_ns);
/* An empty file; its content comes by tree_append. */
tree_result_t tree_add_file(tree_t *tree, const char *path, int64_t modified_ns);
tree_result_t tree_append(tree_t *tree, const void *data, size_t length);
/* The file added last gets no more content: gives spare memory back. */
void tree_finish_file(tree_t *tree);
tree_result_t tree_add_symlink(tree_t *tree, const char *path, const char *target,
                               int64_t modified_ns);
/* Another name for a file that is there. */
tree_result_t tree_add_link(tree_t *tree, const char *path, const char *of);

/* What a tree has at a path. Valid while the tree is not changed. */
typedef struct tree_entry {
    const char *path; /* "" is the root */
    eryx_file_kind_t kind;
    const char *data; /* of a file, or the target of a symbolic link; NULL: nothing */
    size_t length;
    int64_t modified_ns;
} tree_entry_t;

/* False: nothing is there. path: as providers get it. */
bool tree_get(const tree_t *tree, const char *path, tree_entry_t *out);
/* All but the root, in the order they were added, directories before what is in them, until visit
 * returns false. Whether it never did. */
bool tree_walk(const tree_t *tree, bool (*visit)(void *env, const tree_entry_t *entry), void *env);

/* Takes the tree over, also when it fails (NULL: out of memory). */
eryx_source_t *tree_source(tree_t *tree);

#endif
