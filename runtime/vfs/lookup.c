/* Path resolution (POSIX.1-2024, 4.16): `.`, `..`, symbolic links, trailing slashes. */
#include "vfs_internal.h"

#include <stdlib.h>
#include <string.h>

struct walk {
    struct vfs *fs;
    struct vfs_inode *current; /* always a directory */
    const char *at, *end;
    char *expansion;
    unsigned links_followed;
    enum lookup_mode mode;
};

/* Goes on with the target of a link in place of the component just read. */
static int expand(struct walk *walk, const struct symlink *link)
{
    if (++walk->links_followed > VFS_SYMLINK_MAX) {
        return -VFS_ELOOP;
    }
    size_t rest = (size_t)(walk->end - walk->at);
    if (link->length + rest >= VFS_PATH_MAX) {
        return -VFS_ENAMETOOLONG;
    }
    char *text = malloc(link->length + rest);
    if (!text) {
        return -VFS_ENOMEM;
    }
    memcpy(text, link->target, link->length);
    memcpy(text + link->length, walk->at, rest);
    free(walk->expansion);
    walk->expansion = text;
    walk->at = text;
    walk->end = text + link->length + rest;
    if (text[0] == '/') {
        walk->current = walk->fs->root;
    }
    return 0;
}

static void skip_slashes(struct walk *walk)
{
    while (walk->at < walk->end && *walk->at == '/') {
        walk->at++;
    }
}

/* Handles `.` and `..`. 1: it was one of them. */
static int step_dots(struct walk *walk, const char *name, size_t length, struct lookup *lookup)
{
    if (length == 1 && name[0] == '.') {
        lookup->last = LAST_DOT;
        return 1;
    }
    if (length == 2 && name[0] == '.' && name[1] == '.') {
        if (!walk->current->directory.parent) {
            return -VFS_ENOENT;
        }
        walk->current = walk->current->directory.parent;
        lookup->last = LAST_DOTDOT;
        return 1;
    }
    return 0;
}

static bool follows(enum lookup_mode mode, bool slash)
{
    return mode == LOOKUP_FOLLOW || mode == (slash ? LOOKUP_LINK : LOOKUP_CREATE);
}

/* One component. 1: the path is at its end and the result is in *lookup. */
static int step(struct walk *walk, struct lookup *lookup)
{
    const char *name = walk->at;
    while (walk->at < walk->end && *walk->at != '/') {
        walk->at++;
    }
    size_t length = (size_t)(walk->at - name);
    if (length > VFS_NAME_MAX) {
        return -VFS_ENAMETOOLONG;
    }
    int dots = step_dots(walk, name, length, lookup);
    if (dots) {
        return dots < 0 ? dots : 0;
    }
    bool slash = walk->at < walk->end;
    const char *after = walk->at;
    while (after < walk->end && *after == '/') {
        after++;
    }
    bool last = after == walk->end;
    struct directory_entry *entry = directory_find(&walk->current->directory, name, length);
    struct vfs_inode *inode = entry ? entry->inode : NULL;
    if (inode && inode->kind == VFS_SYMLINK && (!last || follows(walk->mode, slash))) {
        return expand(walk, &inode->symlink);
    }
    if (last) {
        lookup->parent = walk->current;
        lookup->name = name;
        lookup->name_length = length;
        lookup->inode = inode;
        lookup->last = LAST_NAME;
        lookup->slash = slash;
        return 1;
    }
    if (!inode) {
        return -VFS_ENOENT;
    }
    if (inode->kind != VFS_DIRECTORY) {
        return -VFS_ENOTDIR;
    }
    walk->current = inode;
    return 0;
}

int lookup_begin(struct vfs *fs, struct vfs_path path, enum lookup_mode mode,
                 struct lookup *lookup)
{
    if (path.length == 0) {
        return -VFS_ENOENT;
    }
    if (path.length >= VFS_PATH_MAX) {
        return -VFS_ENAMETOOLONG;
    }
    if (memchr(path.text, 0, path.length)) {
        return -VFS_EINVAL;
    }
    struct walk walk = {
        .fs = fs,
        .current = path.text[0] == '/' ? fs->root : path.base,
        .at = path.text,
        .end = path.text + path.length,
        .mode = mode,
    };
    if (walk.current->kind != VFS_DIRECTORY) {
        return -VFS_ENOTDIR;
    }
    *lookup = (struct lookup){.last = LAST_ROOT};
    int result = 0;
    while (result == 0) {
        skip_slashes(&walk);
        if (walk.at == walk.end) {
            lookup->inode = walk.current;
            lookup->slash = true;
            break;
        }
        lookup->last = LAST_ROOT;
        result = step(&walk, lookup);
    }
    if (result < 0) {
        free(walk.expansion);
        return result;
    }
    lookup->expansion = walk.expansion;
    return 0;
}

void lookup_end(struct lookup *lookup)
{
    free(lookup->expansion);
    lookup->expansion = NULL;
}
