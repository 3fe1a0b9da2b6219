/* Files of this machine: looking, opening and reading.
 *
 * What is opened is first found with O_PATH, which has no effect on devices and FIFOs, then looked
 * at, and only then opened for real, by its descriptor: nothing can be put in its place in between.
 */
#define _GNU_SOURCE
#include "mount/host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file_system.h"
#include "mount/source.h"

static eryx_file_kind_t kind_of(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFREG:
        return ERYX_FILE_REGULAR;
    case S_IFDIR:
        return ERYX_FILE_DIRECTORY;
    case S_IFLNK:
        return ERYX_FILE_SYMLINK;
    case S_IFIFO:
        return ERYX_FILE_FIFO;
    case S_IFSOCK:
        return ERYX_FILE_SOCKET;
    case S_IFCHR:
        return ERYX_FILE_CHARACTER_DEVICE;
    case S_IFBLK:
        return ERYX_FILE_BLOCK_DEVICE;
    default:
        return ERYX_FILE_UNKNOWN;
    }
}

static int64_t nanoseconds(const struct timespec *time) {
    int64_t result;
    if (__builtin_mul_overflow((int64_t)time->tv_sec, INT64_C(1000000000), &result) ||
        __builtin_add_overflow(result, (int64_t)time->tv_nsec, &result))
        return 0;
    return result;
}

void host_put_stat(const struct stat *from, eryx_file_stat_t *to) {
    *to = (eryx_file_stat_t){
        .kind = kind_of(from->st_mode),
        .links = from->st_nlink > UINT32_MAX ? UINT32_MAX : (uint32_t)from->st_nlink,
        .inode = from->st_ino,
        .size = (uint64_t)from->st_size,
        .accessed_ns = nanoseconds(&from->st_atim),
        .modified_ns = nanoseconds(&from->st_mtim),
        .changed_ns = nanoseconds(&from->st_ctim),
    };
}

int host_resolve(const host_files_t *files, const char *path) {
    if (!files->is_file)
        return resolve_path(&files->root, path);
    if (*path)
        return -ENOTDIR;
    int fd = fcntl(files->root.fd, F_DUPFD_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

static int host_stat(void *env, const char *path, eryx_file_stat_t *out) {
    struct stat status;
    int fd = host_resolve(env, path);
    if (fd < 0)
        return fd;
    int error = fstat(fd, &status) == 0 ? 0 : -errno;
    close(fd);
    if (!error)
        host_put_stat(&status, out);
    return error;
}

int host_reopen(int fd, int flags) {
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int opened = open(path, flags | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    return opened < 0 ? -errno : opened;
}

static int open_regular(int fd, uint32_t flags, host_file_t *file) {
    bool writes = flags & (ERYX_OPEN_WRITE | ERYX_OPEN_TRUNCATE);
    if (flags & ERYX_OPEN_DIRECTORY)
        return -ENOTDIR;
    file->fd = host_reopen(fd, writes ? O_RDWR : O_RDONLY);
    if (file->fd == -EACCES && writes)
        file->fd = host_reopen(fd, O_WRONLY);
    if (file->fd < 0)
        return file->fd;
    if ((flags & ERYX_OPEN_TRUNCATE) && ftruncate(file->fd, 0) != 0) {
        int error = -errno;
        close(file->fd);
        return error;
    }
    return 0;
}

static int open_directory(int fd, host_file_t *file) {
    file->fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file->fd < 0)
        return -errno;
    file->directory = fdopendir(file->fd);
    if (file->directory)
        return 0;
    int error = -errno;
    close(file->fd);
    return error;
}

static int open_found(int fd, uint32_t flags, host_file_t *file) {
    struct stat status;
    if (fstat(fd, &status) != 0)
        return -errno;
    switch (status.st_mode & S_IFMT) {
    case S_IFREG:
        return open_regular(fd, flags, file);
    case S_IFDIR:
        return flags & ERYX_OPEN_DIRECTORY ? open_directory(fd, file) : -EISDIR;
    case S_IFLNK:
        return -ELOOP;
    default:
        return -EACCES; /* devices, FIFOs, sockets */
    }
}

static int open_path(const host_files_t *files, const char *path, uint32_t flags,
                     host_file_t *file) {
    if ((flags & ERYX_OPEN_CREATE) && !files->is_file) {
        int error = host_create(files, path, flags & ERYX_OPEN_WRITE ? O_RDWR : O_RDONLY, file);
        if (error != -EEXIST || flags & ERYX_OPEN_EXCLUSIVE)
            return error;
    }
    int fd = host_resolve(files, path);
    if (fd < 0)
        return fd;
    int error = open_found(fd, flags, file);
    close(fd);
    return error;
}

static int host_open(void *env, const char *path, uint32_t flags, void **out) {
    host_file_t *file = calloc(1, sizeof *file);
    int error = file ? open_path(env, path, flags, file) : -ENOMEM;
    if (error)
        free(file);
    else
        *out = file;
    return error;
}

static void host_close(void *env, void *opened) {
    (void)env;
    host_file_t *file = opened;
    if (file->directory)
        closedir(file->directory);
    else
        close(file->fd);
    free(file);
}

static int host_status(void *env, void *opened, eryx_file_stat_t *out) {
    (void)env;
    struct stat status;
    if (fstat(((const host_file_t *)opened)->fd, &status) != 0)
        return -errno;
    host_put_stat(&status, out);
    return 0;
}

static ptrdiff_t host_read(void *env, void *opened, uint64_t offset, void *buffer,
                           size_t capacity) {
    (void)env;
    const host_file_t *file = opened;
    size_t done = 0;
    if (offset > INT64_MAX - capacity)
        return 0;
    while (done < capacity) {
        ssize_t got =
            pread(file->fd, (char *)buffer + done, capacity - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return done > 0 ? (ptrdiff_t)done : -errno;
        done += (size_t)got;
        if (got == 0 || done < capacity)
            break; /* a short read of a regular file is its end */
    }
    return (ptrdiff_t)done;
}

static int host_next_entry(void *env, void *opened, eryx_file_entry_t *out) {
    (void)env;
    host_file_t *file = opened;
    if (!file->directory)
        return -ENOTDIR;
    errno = 0;
    const struct dirent *entry = readdir(file->directory);
    if (!entry)
        return -errno;
    struct stat status;
    mode_t mode = DTTOIF(entry->d_type);
    if (entry->d_type == DT_UNKNOWN &&
        fstatat(file->fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0)
        mode = status.st_mode;
    *out = (eryx_file_entry_t){entry->d_name, strlen(entry->d_name), kind_of(mode)};
    return 1;
}

static ptrdiff_t host_readlink(void *env, const char *path, char *buffer, size_t capacity) {
    int fd = host_resolve(env, path);
    if (fd < 0)
        return fd;
    ptrdiff_t length = readlinkat(fd, "", buffer, capacity);
    if (length < 0)
        length = errno == ENOENT ? -EINVAL : -errno; /* no link */
    close(fd);
    return length;
}

static void host_finalize(void *env) {
    host_files_t *files = env;
    close(files->root.fd);
    free(files);
}

static const eryx_provider_t provider = {
    .size = sizeof provider,
    .stat = host_stat,
    .open = host_open,
    .close = host_close,
    .status = host_status,
    .read = host_read,
    .next_entry = host_next_entry,
    .readlink = host_readlink,
    .write = host_write,
    .resize = host_resize,
    .sync = host_sync,
    .set_times = host_set_times,
    .make_directory = host_make_directory,
    .remove_directory = host_remove_directory,
    .remove_file = host_remove_file,
    .rename = host_rename,
    .link = host_link,
    .finalize = host_finalize,
};

int host_descriptor(const eryx_source_t *source, const void *opened) {
    const host_file_t *file = opened;
    if (source->provider.open != host_open || file->directory)
        return -1;
    int flags = fcntl(file->fd, F_GETFL);
    return flags >= 0 && (flags & O_ACCMODE) != O_WRONLY ? file->fd : -1;
}

void host_force_walk(eryx_source_t *source) {
    ((host_files_t *)source->env)->root.walking = true;
}

/* File systems whose files are the kernel's insides. */
static bool is_kernel_file_system(int fd) {
    static const unsigned long magics[] = {
        PROC_SUPER_MAGIC, SYSFS_MAGIC,        DEBUGFS_MAGIC,       TRACEFS_MAGIC,  SECURITYFS_MAGIC,
        BPF_FS_MAGIC,     CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, PSTOREFS_MAGIC, EFIVARFS_MAGIC};
    return file_system_among(fd, magics, sizeof magics / sizeof magics[0]);
}

static int check_root(int fd, const char *path, struct stat *status, eryx_error_t *error) {
    if (fstat(fd, status) != 0)
        return error_set(error, ERYX_ERR_IO, "cannot look at %.150s: %s", path, strerror(errno));
    if (!S_ISDIR(status->st_mode) && !S_ISREG(status->st_mode))
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "%.150s is neither a directory nor a regular file", path);
    if (is_kernel_file_system(fd))
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "%.150s belongs to the kernel (/proc, /sys or the like), which is never "
                         "shown to programs",
                         path);
    return ERYX_OK;
}

int eryx_source_new_path(const char *path, eryx_source_t **out, eryx_error_t *error) {
    if (!out || !path)
        return error_set(error, ERYX_ERR_ARGUMENT, "%s is NULL", out ? "path" : "out");
    *out = NULL;
    struct stat status;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return error_set(error, ERYX_ERR_IO, "cannot open %.150s: %s", path, strerror(errno));
    int result = check_root(fd, path, &status, error);
    host_files_t *files = result == ERYX_OK ? calloc(1, sizeof *files) : NULL;
    if (files)
        *out = source_new(&provider, files);
    if (!*out) {
        free(files);
        close(fd);
        return result != ERYX_OK ? result
                                 : error_set(error, ERYX_ERR_MEMORY, "out of memory for a source");
    }
    files->is_file = S_ISREG(status.st_mode);
    resolve_init(&files->root, fd, status.st_dev);
    return ERYX_OK;
}
