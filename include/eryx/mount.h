/* Mounts: files that the host shows to programs.
 *
 * A source is what can be shown: a directory or file of this machine, an archive, or whatever a
 * provider makes up. A mount shows a source at a path of a sandbox, read-only, read-write, or as an
 * overlay: programs see the source and may change everything, but what they write stays in the
 * sandbox's memory. Nothing else of the host can be reached. The source follows no symbolic
 * links: they are resolved in the sandbox's own tree, so that `..` and absolute targets lead to
 * files of the sandbox, never of the host (openat2(2) with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS; operations
 * and errors are those of wasi:filesystem@0.2). Programs cannot make symbolic links in directories of
 * this machine, nor open devices, FIFOs and sockets there. */
#ifndef ERYX_MOUNT_H
#define ERYX_MOUNT_H

#include <stddef.h>
#include <stdint.h>

#include <eryx/error.h>
#include <eryx/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- Sources ------------------------------------------------------------------------------ */

/* Thread-safe and shared: any thread may make, mount and free it. Every mount of it holds a reference, so it may be freed while it is
 * mounted. */
typedef struct eryx_source eryx_source_t;

/* A directory or regular file of this machine. What is in a directory is seen as it is at any
 * time, without other file systems that are mounted in it. The path is looked up once; it stays the
 * same directory when it is renamed.
 * Errors: ERYX_ERR_ARGUMENT (NULL, neither directory nor regular file, or of a file system like
 * /proc), _IO (cannot be opened), _MEMORY. */
ERYX_API int eryx_source_new_path(const char *path, eryx_source_t **out, eryx_error_t *error);

typedef struct eryx_archive_options {
    size_t size; /* sizeof(eryx_archive_options_t), set by eryx_archive_options_init */
    /* What it may become in the host's memory: contents and about 200 bytes a file. Default 1 GiB. */
    uint64_t max_bytes;
    uint32_t max_files; /* directories and links too; default 100,000 */
    /* How many times the bytes of the archive its contents may have, where they are more than 16 MiB; 0:
     * any. Default 200. */
    uint32_t max_ratio;
} eryx_archive_options_t;

/* Sets the defaults. Any thread. */
ERYX_API void eryx_archive_options_init(eryx_archive_options_t *options);

/* The contents of an archive, read at once: tar (plain, or compressed with gzip, bzip2, xz or zstd) or zip, as
 * wheels are. It can be mounted read-only or as an overlay. Archives are not trusted: one with a name that
 * leads out of it, a broken or encrypted one is refused; what is neither file, directory nor link is left
 * out. data is not needed afterwards. options NULL: defaults.
 * Errors: ERYX_ERR_ARGUMENT, _FORMAT, _LIMIT, _MEMORY, _IO (libarchive is not installed; the
 * file cannot be read). */
ERYX_API int eryx_source_new_archive(const void *data, size_t length,
                                     const eryx_archive_options_t *options, eryx_source_t **out,
                                     eryx_error_t *error);
ERYX_API int eryx_source_new_archive_file(const char *path, const eryx_archive_options_t *options,
                                          eryx_source_t **out, eryx_error_t *error);

/* A file of a tree in memory. */
typedef struct eryx_tree_file {
    const char *path; /* relative; directories above are made */
    const void *data;
    size_t length;
    int64_t modified_ns; /* since 1970 */
} eryx_tree_file_t;

/* A directory with these files. Everything is copied. Read-only or as an overlay.
 * Errors: ERYX_ERR_ARGUMENT (also: a path that leads out of it), _MEMORY. */
ERYX_API int eryx_source_new_tree(const eryx_tree_file_t *files, size_t count, eryx_source_t **out,
                                  eryx_error_t *error);

/* Gives the caller's reference back. NULL is allowed. */
ERYX_API void eryx_source_free(eryx_source_t *source);

/* --- Providers ---------------------------------------------------------------------------- */

typedef enum eryx_file_kind {
    ERYX_FILE_UNKNOWN = 0,
    ERYX_FILE_BLOCK_DEVICE = 1,
    ERYX_FILE_CHARACTER_DEVICE = 2,
    ERYX_FILE_DIRECTORY = 3,
    ERYX_FILE_FIFO = 4,
    ERYX_FILE_SYMLINK = 5,
    ERYX_FILE_REGULAR = 6,
    ERYX_FILE_SOCKET = 7
} eryx_file_kind_t;

typedef struct eryx_file_stat {
    eryx_file_kind_t kind;
    uint32_t links;
    uint64_t inode;                               /* the same number: the same file */
    uint64_t size;                                /* bytes */
    int64_t accessed_ns, modified_ns, changed_ns; /* since 1970; before it is shown as 1970 */
} eryx_file_stat_t;

typedef struct eryx_file_entry {
    const char *name; /* valid until the next call for this directory */
    size_t length;    /* 1 to 255; others are left out */
    eryx_file_kind_t kind;
} eryx_file_entry_t;

typedef enum eryx_open_flags {
    ERYX_OPEN_CREATE = 1,    /* make the file if there is none */
    ERYX_OPEN_DIRECTORY = 2, /* for next_entry; only a directory will do */
    ERYX_OPEN_EXCLUSIVE = 4, /* with CREATE: there must be none */
    ERYX_OPEN_TRUNCATE = 8,
    ERYX_OPEN_WRITE = 16
} eryx_open_flags_t;

/* Functions that make up a file system. Paths are names with single slashes between them, without
 * `.` and `..`, each up to 255 bytes and all up to 4,095; "" is the root. They are not checked to
 * be UTF-8. A component before the last that is a symbolic link, or the last one when it is to be
 * opened: -ELOOP. All return 0 (or a count) or a negative errno value, are called on a thread that
 * uses a sandbox, with 1 MiB of stack, by several threads if the source is mounted in several
 * sandboxes, must not call into a sandbox, and should not wait: programs cannot be interrupted in
 * them. Only stat, open, close, status, read and next_entry are needed; without those that write,
 * programs get EROFS. */
typedef struct eryx_provider {
    size_t size; /* sizeof(eryx_provider_t), set by eryx_provider_init */
    int (*stat)(void *env, const char *path, eryx_file_stat_t *out);
    /* Regular files and, with ERYX_OPEN_DIRECTORY, directories. *file is given to the functions
     * below until it is closed. */
    int (*open)(void *env, const char *path, uint32_t flags, void **file);
    void (*close)(void *env, void *file);
    int (*status)(void *env, void *file, eryx_file_stat_t *out);
    /* Less than capacity only at the end of the file. */
    ptrdiff_t (*read)(void *env, void *file, uint64_t offset, void *buffer, size_t capacity);
    /* 1: *out is the next entry of the directory (`.` and `..` are left out), 0: there is none. */
    int (*next_entry)(void *env, void *directory, eryx_file_entry_t *out);
    /* The length of the target, cut to capacity. */
    ptrdiff_t (*readlink)(void *env, const char *path, char *buffer, size_t capacity);
    /* At least one byte. */
    ptrdiff_t (*write)(void *env, void *file, uint64_t offset, const void *data, size_t length);
    int (*resize)(void *env, void *file, uint64_t size);
    int (*sync)(void *env, void *file);
    /* NULL leaves a time as it is. A symbolic link itself, not its target. */
    int (*set_times)(void *env, const char *path, const int64_t *accessed_ns,
                     const int64_t *modified_ns);
    int (*make_directory)(void *env, const char *path);
    int (*remove_directory)(void *env, const char *path);
    int (*remove_file)(void *env, const char *path);
    int (*rename)(void *env, const char *from, const char *to);
    int (*link)(void *env, const char *from, const char *to);
    int (*symlink)(void *env, const char *target, const char *path);
    /* Called once with env when the source is no longer used. May be NULL. */
    void (*finalize)(void *env);
} eryx_provider_t;

/* Sets all functions to NULL. Any thread. */
ERYX_API void eryx_provider_init(eryx_provider_t *provider);

/* The table is copied; env is passed to its functions. If this fails finalize is not called.
 * Errors: ERYX_ERR_ARGUMENT (a function that is needed is missing), _MEMORY. */
ERYX_API int eryx_source_new_provider(const eryx_provider_t *provider, void *env,
                                      eryx_source_t **out, eryx_error_t *error);

/* --- Mounts ------------------------------------------------------------------------------- */

typedef enum eryx_mount_mode {
    ERYX_MOUNT_READ_ONLY = 0,
    ERYX_MOUNT_READ_WRITE = 1,
    ERYX_MOUNT_OVERLAY = 2
} eryx_mount_mode_t;

typedef struct eryx_mount {
    size_t size; /* sizeof(eryx_mount_t), set by eryx_mount_init */
    /* Absolute path in the sandbox, such as "/data": no `.`, `..` or symbolic links in it, not "/",
     * and not above or below another mount. What leads there is made; what is there is
     * covered. Copied. */
    const char *target;
    eryx_source_t *source; /* gets a reference */
    eryx_mount_mode_t mode;
    /* Read-write: by how much the sandbox may make the files of the source larger, all together,
     * and by how many files and directories more. Past it programs get ENOSPC. Defaults 1 GiB and
     * 100,000. */
    uint64_t max_bytes;
    uint64_t max_files;
} eryx_mount_t;

/* Sets the defaults. Any thread. */
ERYX_API void eryx_mount_init(eryx_mount_t *mount);

struct eryx_sandbox;

/* Shows a source in a sandbox from the next execution on. The same is done with those of
 * eryx_sandbox_options_t.mounts. If something is mounted at the target, it is replaced. The
 * thread that uses the sandbox.
 * Errors: ERYX_ERR_ARGUMENT (also: target not allowed), _LIMIT (64 mounts), _STATE (executing),
 * _MEMORY. */
ERYX_API int eryx_sandbox_add_mount(struct eryx_sandbox *sandbox, const eryx_mount_t *mount,
                                    eryx_error_t *error);

/* Files that the program has open there fail from then on. What an overlay held is gone.
 * Errors: ERYX_ERR_ARGUMENT (nothing is mounted there), _STATE (executing). */
ERYX_API int eryx_sandbox_remove_mount(struct eryx_sandbox *sandbox, const char *target,
                                       eryx_error_t *error);

#ifdef __cplusplus
}
#endif
#endif
