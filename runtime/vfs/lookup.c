/* Path resolution (POSIX.1-2024, 4.16): `.`, `..`, symbolic links, trailing slashes. */
#include "vfs_internal.h"

#include <stdlib.h>
#include <string.h>

struct walk {
    struct vfs *fs;
    struct vfs_inode *current; /* a directory inside; NULL: outside, and then: */
    struct vfs_mount *mount;
    char *path; /* of a directory there, reached without links; room for VFS_PATH_MAX */
    size_t path_length;
    const char *at, *end;
    char *expansion;
    unsigned links_followed;
    enum lookup_mode mode;
    bool opens; /* see lookup_open */
};

/* Goes on with `front`, then what is left of the text. */
static int replace_text(struct walk *walk, const char *front, size_t length)
{
    size_t rest = (size_t)(walk->end - walk->at);
    if (length + rest >= VFS_PATH_MAX) {
        return -VFS_ENAMETOOLONG;
    }
    char *text = malloc(length + rest + 1);
    if (!text) {
        return -VFS_ENOMEM;
    }
    memcpy(text, front, length);
    memcpy(text + length, walk->at, rest);
    free(walk->expansion);
    walk->expansion = text;
    walk->at = text;
    walk->end = text + length + rest;
    return 0;
}

static void go_inside(struct walk *walk, struct vfs_inode *directory)
{
    walk->current = directory;
    walk->mount = NULL;
}

/* Over an overlay: begins again at its top, since the rest of the way may lead past what is inside. */
static int begin_again(struct walk *walk)
{
    int error = replace_text(walk, "/", 1);
    if (!error) {
        error = replace_text(walk, walk->path, walk->path_length);
    }
    go_inside(walk, walk->mount->upper);
    return error;
}

/* Goes on with the target of a link in place of the component just read. */
static int expand(struct walk *walk, const char *target, size_t length)
{
    if (++walk->links_followed > VFS_SYMLINK_MAX) {
        return -VFS_ELOOP;
    }
    int error = replace_text(walk, target, length);
    if (!error && length && target[0] == '/') {
        go_inside(walk, walk->fs->root);
    }
    return error;
}

static void skip_slashes(struct walk *walk)
{
    while (walk->at < walk->end && *walk->at == '/') {
        walk->at++;
    }
}

static int step_up(struct walk *walk)
{
    if (!walk->current->directory.parent) {
        return -VFS_ENOENT;
    }
    walk->current = walk->current->directory.parent;
    return 0;
}

static int step_up_outside(struct walk *walk)
{
    size_t length = walk->path_length;
    if (length == 0) {
        if (!walk->mount->point) {
            return -VFS_ENOENT;
        }
        go_inside(walk, mount_parent(walk->mount));
        return 0;
    }
    while (length > 0 && walk->path[length - 1] != '/') {
        length--;
    }
    walk->path_length = length ? length - 1 : 0;
    return walk->mount->upper ? begin_again(walk) : 0;
}

/* Handles `.` and `..`. 1: it was one of them. */
static int step_dots(struct walk *walk, const char *name, size_t length, struct lookup *lookup)
{
    if (length == 1 && name[0] == '.') {
        lookup->last = LAST_DOT;
        return 1;
    }
    if (length == 2 && name[0] == '.' && name[1] == '.') {
        lookup->last = LAST_DOTDOT;
        int error = walk->mount ? step_up_outside(walk) : step_up(walk);
        return error ? error : 1;
    }
    return 0;
}

static bool follows(enum lookup_mode mode, bool slash)
{
    return mode == LOOKUP_FOLLOW || mode == (slash ? LOOKUP_LINK : LOOKUP_CREATE);
}

/* The component at walk->at, past which it moves on. */
struct component {
    const char *name;
    size_t length;
    bool last, slash; /* a slash comes after it */
};

static int read_component(struct walk *walk, struct component *out)
{
    const char *name = walk->at;
    while (walk->at < walk->end && *walk->at != '/') {
        walk->at++;
    }
    const char *after = walk->at;
    while (after < walk->end && *after == '/') {
        after++;
    }
    *out = (struct component){
        .name = name,
        .length = (size_t)(walk->at - name),
        .last = after == walk->end,
        .slash = walk->at < walk->end,
    };
    return out->length > VFS_NAME_MAX ? -VFS_ENAMETOOLONG : 0;
}

static int go_outside(struct walk *walk, struct vfs_mount *mount, const char *path, size_t length)
{
    if (!walk->path) {
        walk->path = malloc(VFS_PATH_MAX);
    }
    if (!walk->path) {
        return -VFS_ENOMEM;
    }
    memcpy(walk->path, path, length);
    walk->path_length = length;
    walk->mount = mount;
    walk->current = NULL;
    return 0;
}

static int finish(struct lookup *lookup, const struct component *component)
{
    lookup->name = component->name;
    lookup->name_length = component->length;
    lookup->last = LAST_NAME;
    lookup->slash = component->slash;
    return 1;
}

/* The path in the mount is at its end, or at its last name. */
static int finish_outside(struct walk *walk, struct lookup *lookup, int stat_error)
{
    if (stat_error && stat_error != -VFS_ENOENT) {
        return stat_error == -VFS_ELINK ? -VFS_ELOOP : stat_error;
    }
    lookup->mount = walk->mount;
    lookup->path = walk->path;
    lookup->path_length = walk->path_length;
    lookup->exists = !stat_error;
    walk->path = NULL;
    return 1;
}

static int stat_here(struct walk *walk, struct lookup *lookup)
{
    return outside_stat(walk->fs, walk->mount, walk->path, walk->path_length, &lookup->status);
}

/* Adds a name to walk->path; its length before that. */
static size_t append(struct walk *walk, const char *name, size_t length)
{
    size_t before = walk->path_length;
    if (before) {
        walk->path[walk->path_length++] = '/';
    }
    memcpy(walk->path + walk->path_length, name, length);
    walk->path_length += length;
    return before;
}

/* The status of what is at the path, or the open file. */
static int open_or_stat(struct walk *walk, struct lookup *lookup, bool slash)
{
    if (walk->opens && !slash) {
        int error = outside_open_file(walk->fs, walk->mount, walk->path, walk->path_length,
                                      &lookup->file, &lookup->status);
        if (!error || error == -VFS_ENOENT) {
            return error;
        }
    }
    return stat_here(walk, lookup);
}

/* All that is left at once, if there are no dots in it and the host finds no links: one question
 * instead of one a component. 0: it has to be done step by step. */
static int try_whole(struct walk *walk, struct lookup *lookup)
{
    const char *start = walk->at;
    size_t before = walk->path_length;
    struct component component;
    for (bool last = false; !last; last = component.last) {
        while (walk->at < walk->end && *walk->at == '/') {
            walk->at++;
        }
        int error = read_component(walk, &component);
        if (error) {
            return error;
        }
        bool dots = component.name[0] == '.' &&
                    (component.length == 1 || (component.length == 2 && component.name[1] == '.'));
        if (dots || walk->path_length + component.length + 1 >= VFS_PATH_MAX) {
            break;
        }
        append(walk, component.name, component.length);
        if (!component.last) {
            continue;
        }
        int failed = open_or_stat(walk, lookup, component.slash);
        bool follow =
            !failed && lookup->status.kind == VFS_SYMLINK && follows(walk->mode, component.slash);
        bool makes = walk->mode == LOOKUP_CREATE || walk->mode == LOOKUP_NAME;
        bool unsure = failed == -VFS_ENOENT && makes; /* whether its directory is there */
        if (failed != -VFS_ELINK && !follow && !unsure) {
            finish(lookup, &component);
            return finish_outside(walk, lookup, failed);
        }
        break;
    }
    walk->at = start;
    walk->path_length = before;
    return 0;
}

static int expand_outside(struct walk *walk, size_t before)
{
    char *target = NULL;
    size_t length = 0;
    int error =
        outside_readlink(walk->fs, walk->mount, walk->path, walk->path_length, &target, &length);
    walk->path_length = before;
    if (!error) {
        error = expand(walk, target, length);
    }
    free(target);
    return !error && walk->mount && walk->mount->upper ? begin_again(walk) : error;
}

/* One component outside. 1: the result is in *lookup. */
static int step_outside(struct walk *walk, struct lookup *lookup)
{
    struct component component;
    int error = read_component(walk, &component);
    if (error) {
        return error;
    }
    int dots = step_dots(walk, component.name, component.length, lookup);
    if (dots) {
        return dots < 0 ? dots : 0;
    }
    if (walk->path_length + component.length + 1 >= VFS_PATH_MAX) {
        return -VFS_ENAMETOOLONG;
    }
    size_t before = append(walk, component.name, component.length);
    error = stat_here(walk, lookup);
    bool link = !error && lookup->status.kind == VFS_SYMLINK;
    if (link && (!component.last || follows(walk->mode, component.slash))) {
        return expand_outside(walk, before);
    }
    if (component.last) {
        finish(lookup, &component);
        return finish_outside(walk, lookup, error);
    }
    if (error) {
        return error == -VFS_ELINK ? -VFS_ELOOP : error;
    }
    return lookup->status.kind == VFS_DIRECTORY ? 0 : -VFS_ENOTDIR;
}

/* What a name inside stands for: past a mount point, and without what an overlay removed. */
static struct vfs_inode *named(struct walk *walk, const struct component *component,
                               struct vfs_mount **mount)
{
    const struct vfs_inode *directory = walk->current;
    struct directory_entry *entry =
        directory_find(&directory->directory, component->name, component->length);
    struct vfs_inode *inode = entry ? entry->inode : NULL;
    *mount = NULL;
    if (inode && inode->mount_point) {
        *mount = mount_at(walk->fs, inode);
        return (*mount)->upper ? (*mount)->upper : inode;
    }
    if (inode && inode->kind == VFS_WHITEOUT) {
        return NULL;
    }
    return inode;
}

static int enter_mount(struct walk *walk, struct lookup *lookup, struct vfs_mount *mount,
                       const struct component *component)
{
    if (!component->last) {
        return mount->flags & VFS_MOUNT_FILE ? -VFS_ENOTDIR : go_outside(walk, mount, "", 0);
    }
    finish(lookup, component);
    lookup->parent = walk->current;
    int error = go_outside(walk, mount, "", 0);
    return error ? error : finish_outside(walk, lookup, stat_here(walk, lookup));
}

/* One component. 1: the path is at its end and the result is in *lookup. */
static int step(struct walk *walk, struct lookup *lookup)
{
    const char *start = walk->at;
    struct component component;
    int error = read_component(walk, &component);
    if (error) {
        return error;
    }
    int dots = step_dots(walk, component.name, component.length, lookup);
    if (dots) {
        return dots < 0 ? dots : 0;
    }
    const struct vfs_inode *directory = walk->current;
    struct vfs_mount *mount;
    struct vfs_inode *inode = named(walk, &component, &mount);
    if (!inode && directory->merged &&
        !directory_find(&directory->directory, component.name, component.length)) {
        walk->at = start;
        return go_outside(walk, directory->place->mount, directory->place->path,
                          directory->place->length);
    }
    if (mount && !mount->upper) {
        return enter_mount(walk, lookup, mount, &component);
    }
    if (inode && inode->kind == VFS_SYMLINK &&
        (!component.last || follows(walk->mode, component.slash))) {
        return expand(walk, inode->symlink.target, inode->symlink.length);
    }
    if (component.last) {
        lookup->parent = walk->current;
        lookup->inode = inode;
        return finish(lookup, &component);
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

/* The path is at its end in a directory. */
static int finish_directory(struct walk *walk, struct lookup *lookup)
{
    lookup->slash = true;
    if (walk->mount) {
        return finish_outside(walk, lookup, stat_here(walk, lookup));
    }
    lookup->inode = walk->current;
    return 1;
}

static int walk_path(struct walk *walk, struct lookup *lookup)
{
    bool whole = true; /* is worth a try */
    int result = 0;
    while (result == 0) {
        skip_slashes(walk);
        if (walk->at == walk->end) {
            return finish_directory(walk, lookup);
        }
        lookup->last = LAST_ROOT;
        if (walk->mount && whole) {
            result = try_whole(walk, lookup);
            whole = false;
        } else {
            result = walk->mount ? step_outside(walk, lookup) : step(walk, lookup);
        }
    }
    return result;
}

/* At an open directory outside. */
static int start_outside(struct walk *walk, const struct place *place)
{
    int error = go_outside(walk, place->mount, place->path, place->length);
    return !error && place->mount->upper ? begin_again(walk) : error;
}

static int start(struct walk *walk, struct vfs_path path)
{
    struct vfs_inode *base = path.text[0] == '/' ? walk->fs->root : path.base;
    if (base->kind != VFS_DIRECTORY) {
        return -VFS_ENOTDIR;
    }
    walk->current = base;
    return inode_is_outside(base) ? start_outside(walk, base->place) : 0;
}

static int look_up(struct vfs *fs, struct vfs_path path, enum lookup_mode mode, bool opens,
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
        .at = path.text,
        .end = path.text + path.length,
        .mode = mode,
        .opens = opens,
    };
    *lookup = (struct lookup){.last = LAST_ROOT};
    int result = start(&walk, path);
    if (!result) {
        result = walk_path(&walk, lookup);
    }
    free(walk.path);
    if (result < 0) {
        free(walk.expansion);
        return result;
    }
    lookup->expansion = walk.expansion;
    return 0;
}

int lookup_begin(struct vfs *fs, struct vfs_path path, enum lookup_mode mode, struct lookup *lookup)
{
    return look_up(fs, path, mode, false, lookup);
}

int lookup_open(struct vfs *fs, struct vfs_path path, enum lookup_mode mode, struct lookup *lookup)
{
    return look_up(fs, path, mode, true, lookup);
}

void lookup_end(struct lookup *lookup)
{
    free(lookup->expansion);
    free(lookup->path);
    lookup->expansion = lookup->path = NULL;
}

enum vfs_kind lookup_kind(const struct lookup *lookup, bool *found)
{
    *found = lookup->mount ? lookup->exists : lookup->inode != NULL;
    if (!*found) {
        return VFS_UNKNOWN;
    }
    return lookup->mount ? lookup->status.kind : (enum vfs_kind)lookup->inode->kind;
}
