/* Random operations on runtime/vfs and on a naive model of a file system: a list of names and
 * a list of nodes, searched from the front. Results, errors and contents must be the same.
 * With a small allowance, an operation may fail for lack of space, and then changes nothing. */
#include "vfs.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NODES = 200, NAMES = 300, TARGET = 24, MISSING = -1000, DATA_MAX = 220000 };

struct node {
    int kind; /* 0: free */
    int names;
    char target[TARGET];
    uint8_t *data;
    size_t size;
};

struct name {
    int directory, node; /* node -1: free */
    char text[4];
};

static struct node nodes[NODES];
static struct name names[NAMES];

struct input {
    const uint8_t *data;
    size_t left;
};

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "fuzz_vfs: line %d: %s\n", __LINE__, #condition);                      \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static unsigned take(struct input *input, unsigned below)
{
    if (!input->left) {
        return 0;
    }
    input->left--;
    return *input->data++ % below;
}

static int find_name(int directory, const char *text)
{
    for (int i = 0; i < NAMES; i++) {
        if (names[i].node >= 0 && names[i].directory == directory && !strcmp(names[i].text, text)) {
            return i;
        }
    }
    return -1;
}

static int parent_of(int node)
{
    for (int i = 0; i < NAMES; i++) {
        if (names[i].node == node) {
            return names[i].directory;
        }
    }
    return 0;
}

struct place {
    int directory; /* -1: the path ends in a dot name or the root */
    char text[4];
    int node; /* MISSING: nothing there */
    bool slash;
};

/* Follows a path of short names. The last link is followed when `follow`, or when a slash comes
 * after it and not `name_only`. */
static int walk(const char *path, int start, bool follow, bool name_only, int depth,
                struct place *place)
{
    int current = *path == '/' ? 0 : start;
    *place = (struct place){.directory = -1, .node = current, .slash = true};
    while (*(path += strspn(path, "/"))) {
        size_t length = strcspn(path, "/");
        char text[4] = {0};
        memcpy(text, path, length);
        path += length;
        bool slash = *path == '/';
        bool last = !path[strspn(path, "/")];
        *place = (struct place){.directory = -1, .node = current, .slash = true};
        if (!strcmp(text, ".")) {
            continue;
        }
        if (!strcmp(text, "..")) {
            current = place->node = parent_of(current);
            continue;
        }
        int at = find_name(current, text);
        int node = at < 0 ? MISSING : names[at].node;
        if (node >= 0 && nodes[node].kind == VFS_SYMLINK &&
            (!last || follow || (slash && !name_only))) {
            char joined[4096];
            if (depth == VFS_SYMLINK_MAX) {
                return -VFS_ELOOP;
            }
            CHECK((size_t)snprintf(joined, sizeof joined, "%s%s", nodes[node].target, path) <
                  sizeof joined);
            return walk(joined, current, follow, name_only, depth + 1, place);
        }
        if (last) {
            *place = (struct place){.directory = current, .node = node, .slash = slash};
            memcpy(place->text, text, sizeof text);
            return 0;
        }
        if (node == MISSING) {
            return -VFS_ENOENT;
        }
        if (nodes[node].kind != VFS_DIRECTORY) {
            return -VFS_ENOTDIR;
        }
        current = node;
        *place = (struct place){.directory = -1, .node = current, .slash = true};
    }
    return 0;
}

static bool is_empty(int directory)
{
    for (int i = 0; i < NAMES; i++) {
        if (names[i].node >= 0 && names[i].directory == directory) {
            return false;
        }
    }
    return true;
}

static void add_name(const struct place *place, int node)
{
    for (int i = 0; i < NAMES; i++) {
        if (names[i].node < 0) {
            names[i].directory = place->directory;
            names[i].node = node;
            memcpy(names[i].text, place->text, sizeof names[i].text);
            nodes[node].names++;
            return;
        }
    }
    abort(); /* operations stop well before */
}

static int add_node(const struct place *place, int kind)
{
    for (int i = 1; i < NODES; i++) {
        if (!nodes[i].kind) {
            nodes[i] = (struct node){.kind = kind};
            add_name(place, i);
            return i;
        }
    }
    abort();
}

static void drop_name(const struct place *place)
{
    struct name *name = &names[find_name(place->directory, place->text)];
    struct node *node = &nodes[name->node];
    name->node = -1;
    if (--node->names == 0) {
        free(node->data);
        *node = (struct node){0};
    }
}

static int expect_free(const struct place *place, bool directory)
{
    if (place->node != MISSING) {
        return -VFS_EEXIST;
    }
    return place->slash && !directory ? -VFS_ENOENT : 0;
}

static int expect_unlink(const struct place *place)
{
    if (place->node == MISSING) {
        return -VFS_ENOENT;
    }
    if (nodes[place->node].kind == VFS_DIRECTORY) {
        return -VFS_EISDIR;
    }
    return place->slash ? -VFS_ENOTDIR : 0;
}

static int expect_rename(const struct place *from, const struct place *to)
{
    if (from->directory < 0 || to->directory < 0) {
        return -VFS_EBUSY;
    }
    if (from->node == MISSING) {
        return -VFS_ENOENT;
    }
    bool directory = nodes[from->node].kind == VFS_DIRECTORY;
    if (!directory && (from->slash || to->slash)) {
        return -VFS_ENOTDIR;
    }
    for (int at = to->directory; directory && at; at = parent_of(at)) {
        if (at == from->node) {
            return -VFS_EINVAL;
        }
    }
    if (to->node == MISSING || to->node == from->node) {
        return 0;
    }
    bool onto_directory = nodes[to->node].kind == VFS_DIRECTORY;
    for (int at = from->directory; onto_directory && at; at = parent_of(at)) {
        if (at == to->node) {
            return -VFS_ENOTEMPTY;
        }
    }
    if (directory != onto_directory) {
        return directory ? -VFS_ENOTDIR : -VFS_EISDIR;
    }
    return directory && !is_empty(to->node) ? -VFS_ENOTEMPTY : 0;
}

static void make_path(struct input *input, char *path, bool for_link)
{
    static const char *const parts[] = {"a", "b", "c", "dd", ".", ".."};
    unsigned count = 1 + take(input, 3);
    path[0] = 0;
    for (unsigned i = 0; i < count; i++) {
        strcat(path, parts[take(input, for_link ? 4 : 6)]);
        strcat(path, i + 1 < count || take(input, 8) == 7 ? "/" : "");
    }
}

static struct vfs_path at(struct vfs *fs, const char *path)
{
    return (struct vfs_path){vfs_root(fs), path, strlen(path)};
}

static void rmdir_both(struct vfs *fs, const char *path)
{
    struct place place;
    int expected = walk(path, 0, false, true, 0, &place);
    int error = vfs_rmdir(fs, at(fs, path));
    if (!expected && place.directory < 0) { /* `.`, `..` and the root differ in the error only */
        CHECK(error == -VFS_EINVAL || error == -VFS_ENOTEMPTY || error == -VFS_EBUSY);
        return;
    }
    if (!expected) {
        expected = place.node == MISSING                     ? -VFS_ENOENT
                   : nodes[place.node].kind != VFS_DIRECTORY ? -VFS_ENOTDIR
                   : !is_empty(place.node)                   ? -VFS_ENOTEMPTY
                                                             : 0;
    }
    CHECK(error == expected);
    if (!error) {
        drop_name(&place);
    }
}

static void make_both(struct vfs *fs, const char *path, const char *target)
{
    struct place place;
    int expected = walk(path, 0, false, true, 0, &place);
    expected = expected ? expected : expect_free(&place, !target);
    int error = target ? vfs_symlink(fs, target, strlen(target), at(fs, path))
                       : vfs_mkdir(fs, at(fs, path));
    CHECK(error == expected || (!expected && error == -VFS_ENOSPC));
    if (!error) {
        int node = add_node(&place, target ? VFS_SYMLINK : VFS_DIRECTORY);
        snprintf(nodes[node].target, TARGET, "%s", target ? target : "");
    }
}

static void unlink_both(struct vfs *fs, const char *path)
{
    struct place place;
    int expected = walk(path, 0, false, true, 0, &place);
    expected = expected ? expected : expect_unlink(&place);
    CHECK(vfs_unlink(fs, at(fs, path)) == expected);
    if (!expected) {
        drop_name(&place);
    }
}

static void rename_both(struct vfs *fs, const char *path, const char *other)
{
    struct place from, to;
    int expected = walk(path, 0, false, true, 0, &from);
    expected = expected ? expected : walk(other, 0, false, true, 0, &to);
    expected = expected ? expected : expect_rename(&from, &to);
    int error = vfs_rename(fs, at(fs, path), at(fs, other));
    CHECK(error == expected || (!expected && error == -VFS_ENOSPC));
    if (!error && from.node != to.node) {
        nodes[from.node].names++; /* it survives the drop */
        if (to.node != MISSING) {
            drop_name(&to);
        }
        drop_name(&from);
        nodes[from.node].names--;
        add_name(&to, from.node);
    }
}

static void link_both(struct vfs *fs, const char *path, const char *other, bool follow)
{
    struct place from, to;
    int expected = walk(path, 0, follow, false, 0, &from);
    if (!expected && from.node == MISSING) {
        expected = -VFS_ENOENT;
    }
    if (!expected && from.slash && nodes[from.node].kind != VFS_DIRECTORY) {
        expected = -VFS_ENOTDIR;
    }
    expected = expected ? expected : walk(other, 0, false, true, 0, &to);
    expected = expected ? expected : expect_free(&to, false);
    if (!expected && nodes[from.node].kind == VFS_DIRECTORY) {
        expected = -VFS_EPERM;
    }
    int error = vfs_link(fs, at(fs, path), follow, at(fs, other));
    CHECK(error == expected || (!expected && error == -VFS_ENOSPC));
    if (!error) {
        add_name(&to, from.node);
    }
}

static void resize_node(struct node *node, size_t size)
{
    node->data = realloc(node->data, size + 1);
    CHECK(node->data);
    if (size > node->size) {
        memset(node->data + node->size, 0, size - node->size);
    }
    node->size = size;
}

static void change_both(struct vfs *fs, struct vfs_inode *inode, struct node *node,
                        struct input *input)
{
    static uint8_t block[40000];
    size_t offset = take(input, 256) * (take(input, 2) ? 1u : 700u);
    size_t length = take(input, 256) * (take(input, 4) ? 1u : 150u);
    if (take(input, 4) == 0) {
        CHECK(vfs_truncate(fs, inode, offset) == 0);
        resize_node(node, offset);
        return;
    }
    memset(block, (int)take(input, 256), length);
    uint64_t room = vfs_write_room(fs, inode, offset, length);
    int64_t count = vfs_write(fs, inode, offset, block, length);
    CHECK(count == (int64_t)length || count == -VFS_ENOSPC || (count > 0 && room < length));
    CHECK(room == 0 || count >= (int64_t)room);
    if (count > 0) {
        size_t end = offset + (size_t)count;
        resize_node(node, end > node->size ? end : node->size);
        memcpy(node->data + offset, block, (size_t)count);
    }
}

static void open_both(struct vfs *fs, const char *path, struct input *input)
{
    struct place place;
    bool create = take(input, 2);
    int expected = walk(path, 0, true, false, 0, &place);
    if (expected == 0 && place.node == MISSING) {
        expected = -VFS_ENOENT;
    } else if (expected == 0 && nodes[place.node].kind == VFS_DIRECTORY) {
        expected = -VFS_EISDIR;
    } else if (expected == 0 && place.slash) {
        expected = -VFS_ENOTDIR;
    }
    struct vfs_inode *inode = NULL;
    int error = vfs_open(fs, at(fs, path), VFS_OPEN_WRITE | (create ? VFS_OPEN_CREATE : 0), &inode);
    if (create && (expected == -VFS_ENOENT || place.slash)) {
        /* Slashes before links are Linux's matter (test_vfs_kernel.c): take its word. */
        CHECK(error == 0 || error == -VFS_ENOENT || error == -VFS_EISDIR || error == -VFS_ENOSPC ||
              error == expected);
        if (!error) {
            CHECK(walk(path, 0, true, false, 0, &place) == 0 && place.node == MISSING);
            place.node = add_node(&place, VFS_FILE);
        }
    } else {
        CHECK(error == expected);
    }
    if (!error) {
        change_both(fs, inode, &nodes[place.node], input);
        vfs_close(fs, inode);
    }
}

static void compare_node(struct vfs *fs, struct vfs_path path, const struct node *node)
{
    static uint8_t data[DATA_MAX];
    struct vfs_stat stat;
    struct vfs_inode *inode;
    CHECK(vfs_stat_path(fs, path, false, &stat) == 0);
    CHECK(stat.kind == (enum vfs_kind)node->kind);
    if (node->kind != VFS_FILE) {
        return;
    }
    CHECK(stat.size == node->size && stat.links == (uint32_t)node->names);
    CHECK(vfs_open(fs, path, 0, &inode) == 0);
    CHECK(vfs_read(fs, inode, 0, data, sizeof data) == (int64_t)node->size);
    CHECK(!node->size || !memcmp(data, node->data, node->size));
    vfs_close(fs, inode);
}

static void compare_below(struct vfs *fs, struct vfs_inode *directory, int model)
{
    struct vfs_dirent entry;
    uint64_t cursor = 0;
    int left = 0;
    for (int i = 0; i < NAMES; i++) {
        left += names[i].node >= 0 && names[i].directory == model;
    }
    while (vfs_read_directory(fs, directory, &cursor, &entry) == 1) {
        char text[4] = {0};
        CHECK(entry.length < sizeof text);
        memcpy(text, entry.name, entry.length);
        int name = find_name(model, text);
        CHECK(name >= 0);
        struct vfs_path path = {directory, text, entry.length};
        compare_node(fs, path, &nodes[names[name].node]);
        struct vfs_inode *inode;
        if (entry.kind == VFS_DIRECTORY) {
            CHECK(vfs_open(fs, path, 0, &inode) == 0);
            compare_below(fs, inode, names[name].node);
            vfs_close(fs, inode);
        }
        left--;
    }
    CHECK(left == 0);
}

static void operate(struct vfs *fs, struct input *input)
{
    char path[32], other[32];
    unsigned operation = take(input, 9);
    make_path(input, path, false);
    make_path(input, other, operation == 1);
    switch (operation) {
    case 0:
        make_both(fs, path, NULL);
        break;
    case 1:
        make_both(fs, path, other);
        break;
    case 2:
        rmdir_both(fs, path);
        break;
    case 3:
        unlink_both(fs, path);
        break;
    case 4:
    case 5:
        rename_both(fs, path, other);
        break;
    case 6:
        link_both(fs, path, other, take(input, 2));
        break;
    default:
        open_both(fs, path, input);
        break;
    }
}

static struct vfs_time now(void)
{
    return (struct vfs_time){0};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct vfs_host host = {.now = now};
    struct input input = {data, size};
    struct vfs *fs = vfs_new(&host);
    struct vfs_limits limits = vfs_get_limits(fs);
    limits.total_bytes = take(&input, 4) ? limits.total_bytes : take(&input, 256) * 2000u;
    vfs_set_limits(fs, &limits);
    memset(nodes, 0, sizeof nodes);
    for (int i = 0; i < NAMES; i++) {
        names[i].node = -1;
    }
    nodes[0] = (struct node){.kind = VFS_DIRECTORY, .names = 1};
    for (int count = 0; input.left && count < NODES - 10; count++) {
        operate(fs, &input);
    }
    compare_below(fs, vfs_root(fs), 0);
    struct vfs_usage usage = vfs_get_usage(fs);
    CHECK(usage.open_files == 0 && usage.total_bytes <= limits.total_bytes);
    for (int i = 0; i < NODES; i++) {
        usage.inodes -= nodes[i].kind != 0;
        free(nodes[i].data);
    }
    CHECK(usage.inodes == 0);
    vfs_free(fs);
    return 0;
}
