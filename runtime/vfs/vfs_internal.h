/* Layout of the file system in memory, and the parts that make it up:
 * content.c (data of files), directory.c (names), inode.c (life of inodes), lookup.c (paths),
 * outside.c (what is in mounts), mount.c (where they are), overlay.c (changes over them). */
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

/* A mount. Its inodes refer to it, the tree too until it is unmounted. */
struct vfs_mount {
    struct vfs_mount *next;
    struct vfs_inode *point; /* NULL: unmounted */
    struct vfs_inode *upper; /* of an overlay over a directory: its root, inside */
    uint32_t number;
    uint32_t references;
    uint8_t flags; /* enum vfs_mount_flags */
    size_t path_length;
    char path[]; /* of the point */
};

/* Where an inode is in a mount. */
struct place {
    struct vfs_mount *mount;
    uint32_t length;
    char path[];
};

/* What is kept of an open inode outside: its number at the host, 0 for directories. */
struct outside {
    uint64_t file;
    unsigned flags; /* of vfs_open, to open it again */
};

/* Entries of a directory outside, as vfs_outside.list gives them. */
struct listing {
    uint32_t used;
    uint32_t count;
    uint8_t bytes[];
};

/* Only inside: a name of an overlay that is no more. */
enum { VFS_WHITEOUT = 255 };

struct vfs_inode {
    uint64_t number;
    struct vfs_time accessed, modified, changed;
    uint32_t links; /* names it has */
    uint32_t references;
    uint8_t kind;
    uint8_t device;
    bool pooled;             /* part of an array that is freed with the file system */
    bool merged;             /* a directory inside, over the one at `place` */
    bool mount_point;        /* something is mounted over it */
    struct place *place;     /* NULL: all of it is inside */
    struct listing *listing; /* of the directory at `place`, while it is read */
    union {
        struct content content;
        struct directory directory;
        struct symlink symlink;
        struct outside outside;
    };
};

struct vfs {
    struct vfs_host host;
    struct vfs_limits limits;
    struct vfs_usage usage;
    uint64_t last_number;
    struct vfs_inode *root;
    struct vfs_inode *pool; /* inodes of the archive */
    struct vfs_mount *mounts;
    struct vfs_inode *whiteout; /* made with the first overlay */
    char *link_target;          /* what vfs_readlink gave last, if it was outside */
};

/* Takes bytes from the allowance: VFS_ENOSPC when there aren't that many. */
int usage_charge(struct vfs *fs, uint64_t bytes);
void usage_refund(struct vfs *fs, uint64_t bytes);
uint64_t usage_left(const struct vfs *fs);

int64_t content_read(const struct content *content, uint64_t offset, uint8_t *buffer,
                     size_t length);
int64_t content_write(struct vfs *fs, struct content *content, uint64_t offset, const uint8_t *data,
                      size_t length);
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
/* Frees what is below a directory, without recursion. */
void free_below(struct vfs *fs, struct vfs_inode *top);
/* Frees it when neither names nor references are left. */
void inode_settle(struct vfs *fs, struct vfs_inode *inode);
void inode_touch(struct vfs *fs, struct vfs_inode *inode);
/* Gives an inode its name in a directory, and takes it away. Both touch the directory. */
int inode_attach(struct vfs *fs, struct vfs_inode *parent, const char *name, size_t length,
                 struct vfs_inode *inode);
void inode_detach(struct vfs *fs, struct vfs_inode *parent, struct directory_entry *entry);
/* The part of detaching that is left when the entry has been put to another use. */
void inode_unname(struct vfs *fs, struct vfs_inode *parent, struct vfs_inode *inode);

enum lookup_last { LAST_NAME, LAST_DOT, LAST_DOTDOT, LAST_ROOT };

/* Where a path leads. With LAST_NAME: the directory, the last name and what it names (NULL:
 * nothing); otherwise only the inode. If that is outside, `mount` is set, and instead of inodes there
 * is the place; `name` is the last one of its path. */
struct lookup {
    struct vfs_inode *parent;
    const char *name;
    size_t name_length;
    struct vfs_inode *inode;
    enum lookup_last last;
    bool slash;      /* the path ends in one: only a directory will do */
    char *expansion; /* memory that `name` may point to */
    struct vfs_mount *mount;
    char *path; /* in the mount */
    size_t path_length;
    bool exists; /* outside, and then: */
    struct vfs_stat status;
    uint64_t file; /* not 0: it is open already, see lookup_open */
};

/* A link as the last component gives: its target; itself unless a slash comes after it; its target
 * unless a slash comes after it (creating files); always itself (making and removing names). */
enum lookup_mode { LOOKUP_FOLLOW, LOOKUP_LINK, LOOKUP_CREATE, LOOKUP_NAME };

/* After success, lookup_end must be called. */
int lookup_begin(struct vfs *fs, struct vfs_path path, enum lookup_mode mode,
                 struct lookup *lookup);
/* The same to open something that is there, for reading: a file outside may then be open at the end, which
 * saves a question to the host. It is the caller's. */
int lookup_open(struct vfs *fs, struct vfs_path path, enum lookup_mode mode, struct lookup *lookup);
void lookup_end(struct lookup *lookup);
/* What is at the end; 0 with *found false when nothing is. */
enum vfs_kind lookup_kind(const struct lookup *lookup, bool *found);

/* --- Mounts ------------------------------------------------------------------------------ */

static inline bool inode_is_outside(const struct vfs_inode *inode)
{
    return inode->place && !inode->merged;
}

struct place *place_new(struct vfs_mount *mount, const char *path, size_t length);
void place_free(struct place *place);
/* The directory above a mount. */
struct vfs_inode *mount_parent(const struct vfs_mount *mount);
struct vfs_mount *mount_at(const struct vfs *fs, const struct vfs_inode *point);
/* Whether the lookup ended at a mount, whose name cannot be changed. */
bool lookup_is_mount(const struct lookup *lookup);

int outside_stat(struct vfs *fs, struct vfs_mount *mount, const char *path, size_t length,
                 struct vfs_stat *stat);
int outside_open_file(struct vfs *fs, struct vfs_mount *mount, const char *path, size_t length,
                      uint64_t *file, struct vfs_stat *stat);
/* *target: to be freed. */
int outside_readlink(struct vfs *fs, struct vfs_mount *mount, const char *path, size_t length,
                     char **target, size_t *target_length);
int outside_open(struct vfs *fs, struct lookup *lookup, unsigned flags, struct vfs_inode **inode);
/* Gives back what an inode holds outside. */
void outside_close(struct vfs *fs, struct vfs_inode *inode);
int outside_status(struct vfs *fs, struct vfs_inode *inode, struct vfs_stat *stat);
int64_t outside_read(struct vfs *fs, struct vfs_inode *inode, uint64_t offset, void *buffer,
                     size_t length);
int64_t outside_write(struct vfs *fs, struct vfs_inode *inode, uint64_t offset, const void *data,
                      size_t length);
int outside_resize(struct vfs *fs, struct vfs_inode *inode, uint64_t size);
int outside_sync(struct vfs *fs, struct vfs_inode *inode);
int outside_set_times(struct vfs *fs, const struct vfs_mount *mount, const char *path,
                      size_t length, const struct vfs_time *accessed,
                      const struct vfs_time *modified);
/* What the host would say of mkdir, rmdir, unlink and symlink, but in the order in which Linux does. */
int outside_check(enum vfs_change change, const struct lookup *lookup);
/* mkdir, rmdir and unlink, checked; of a mount that can be written. */
int outside_change(struct vfs *fs, enum vfs_change change, const struct lookup *lookup);
int outside_symlink(struct vfs *fs, const struct lookup *lookup, const char *target, size_t length);
/* rename and link; both ends are outside. */
int outside_change_two(struct vfs *fs, enum vfs_change change, const struct lookup *from,
                       const struct lookup *to);
/* Reads the directory at the inode's place, unless it has been. */
int outside_list(struct vfs *fs, struct vfs_inode *inode);
/* The entry at *at, which is moved on. False: the end. */
bool listing_next(const struct listing *listing, uint32_t *at, struct vfs_dirent *entry);
int outside_read_directory(struct vfs *fs, struct vfs_inode *directory, uint64_t *cursor,
                           struct vfs_dirent *entry);

/* --- Overlays ----------------------------------------------------------------------------- */

bool inode_is_whiteout(const struct vfs_inode *inode);
/* Whether the lookup ended outside where changes stay inside. */
bool overlay_covers(const struct lookup *lookup);
/* Makes it a lookup that ended inside: its directory is there then, and with_copy what it
 * found too. */
int overlay_enter(struct vfs *fs, struct lookup *lookup, bool with_copy);
/* Takes a name away, be it inside, outside or both. */
int overlay_detach(struct vfs *fs, struct vfs_inode *parent, const char *name, size_t length);
/* Whether a directory inside has something of this name outside. */
int overlay_has_below(struct vfs *fs, const struct vfs_inode *directory, const char *name,
                      size_t length, bool *found);
/* 0, or -VFS_ENOTEMPTY. Any directory inside. */
int overlay_check_empty(struct vfs *fs, struct vfs_inode *directory);
/* The merged directory for a place, or NULL. */
struct vfs_inode *overlay_upper(const struct place *place);
int overlay_read_directory(struct vfs *fs, struct vfs_inode *directory, uint64_t *cursor,
                           struct vfs_dirent *dirent);

#endif
