/* Layout of the file system in memory, and the parts that make it up:
 * content.c (data of files), directory.c (names), inode.c (life of inodes), lookup.c (paths). */
#ifndef ERYX_VFS_INTERNAL_H
#define ERYX_VFS_INTERNAL_H

#include "vfs.h"

/* Data of a file: chunks of CHUNK_BYTES; one that isn't there is a hole, or what the archive
 * has at its place. The first grows by doubling, so that small files stay small. Bytes of a
 * chunk beyond the size of the file are zero. */
struct content {
    uint64_t size;
    const uint8_t *base; /* in the archive */
    uint64_t base_length;
    uint8_t **chunks;
    uint32_t chunk_slots;
    uint32_t first_capacity;
};

struct directory_entry {
    const char *name;
    struct vfs_inode *inode; /* NULL: removed */
    uint64_t order;          /* grows within the directory */
    uint32_t hash;
    uint8_t length;
    bool name_owned;
};

/* Entries in the order of their making, and an open-addressing index over them. */
struct directory {
    struct directory_entry *entries;
    uint32_t *index; /* position + 1; 0: free */
    uint32_t entry_slots, entries_used, entries_live;
    uint32_t index_slots;
    uint32_t subdirectories;
    uint64_t last_order;
    struct vfs_inode *parent; /* NULL once removed; the root is its own */
};

struct symlink {
    char *target;
    uint32_t length;
};

struct vfs_inode {
    uint64_t number;
    struct vfs_time accessed, modified, changed;
    uint32_t links; /* names it has */
    uint32_t references;
    uint8_t kind;
    uint8_t device;
    bool pooled; /* part of an array that is freed with the file system */
    union {
        struct content content;
        struct directory directory;
        struct symlink symlink;
    };
};

struct vfs {
    struct vfs_host host;
    struct vfs_limits limits;
    struct vfs_usage usage;
    uint64_t last_number;
    struct vfs_inode *root;
    struct vfs_inode *pool; /* inodes of the archive */
};

/* Takes bytes from the allowance: VFS_ENOSPC when there aren't that many. */
int usage_charge(struct vfs *fs, uint64_t bytes);
void usage_refund(struct vfs *fs, uint64_t bytes);
uint64_t usage_left(const struct vfs *fs);

int64_t content_read(const struct content *content, uint64_t offset, uint8_t *buffer,
                     size_t length);
int64_t content_write(struct vfs *fs, struct content *content, uint64_t offset,
                      const uint8_t *data, size_t length);
int content_resize(struct vfs *fs, struct content *content, uint64_t size);
uint64_t content_room(const struct vfs *fs, const struct content *content, uint64_t offset,
                      uint64_t length);
void content_clear(struct vfs *fs, struct content *content);

struct directory_entry *directory_find(const struct directory *directory, const char *name,
                                       size_t length);
/* The name must not exist. `copy`: it isn't part of an archive. */
int directory_add(struct vfs *fs, struct directory *directory, const char *name, size_t length,
                  struct vfs_inode *inode, bool copy);
void directory_remove(struct vfs *fs, struct directory *directory, struct directory_entry *entry);
struct directory_entry *directory_after(const struct directory *directory, uint64_t order);
/* The newest entry, or NULL. Only for a directory that is being freed: spoils its index. */
struct directory_entry *directory_last(struct directory *directory);
void directory_clear(struct vfs *fs, struct directory *directory);

/* A new inode without a name, or NULL with *error set. */
struct vfs_inode *inode_new(struct vfs *fs, enum vfs_kind kind, int *error);
void inode_init(struct vfs *fs, struct vfs_inode *inode, enum vfs_kind kind, struct vfs_time now);
/* Frees it when neither names nor references are left. */
void inode_settle(struct vfs *fs, struct vfs_inode *inode);
void inode_touch(struct vfs *fs, struct vfs_inode *inode);
/* Gives an inode its name in a directory, and takes it away. Both touch the directory. */
int inode_attach(struct vfs *fs, struct vfs_inode *parent, const char *name, size_t length,
                 struct vfs_inode *inode);
void inode_detach(struct vfs *fs, struct vfs_inode *parent, struct directory_entry *entry);

enum lookup_last { LAST_NAME, LAST_DOT, LAST_DOTDOT, LAST_ROOT };

/* Where a path leads. With LAST_NAME: the directory, the last name and what it names (NULL:
 * nothing); otherwise only the inode. */
struct lookup {
    struct vfs_inode *parent;
    const char *name;
    size_t name_length;
    struct vfs_inode *inode;
    enum lookup_last last;
    bool slash; /* the path ends in one: only a directory will do */
    char *expansion; /* memory that `name` may point to */
};

/* A link as the last component gives: its target; itself unless a slash comes after it; its target
 * unless a slash comes after it (creating files); always itself (making and removing names). */
enum lookup_mode { LOOKUP_FOLLOW, LOOKUP_LINK, LOOKUP_CREATE, LOOKUP_NAME };

/* After success, lookup_end must be called. */
int lookup_begin(struct vfs *fs, struct vfs_path path, enum lookup_mode mode,
                 struct lookup *lookup);
void lookup_end(struct lookup *lookup);

#endif
