#define _GNU_SOURCE
#include "base/cache_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TEMPORARY "tmp."
#define STALE_SECONDS 3600 /* a temporary file that old is of a process that died */

bool cache_folder_init(cache_folder_t *folder, const char *given, const char *name,
                       uint64_t bytes_max) {
    *folder = (cache_folder_t){NULL, bytes_max};
    if (given && !given[0])
        return true;
    if (given) {
        folder->path = strdup(given);
        return folder->path != NULL;
    }
    const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (base && base[0] == '/')
        return asprintf(&folder->path, "%s/eryx/%s", base, name) >= 0;
    if (home && home[0] == '/')
        return asprintf(&folder->path, "%s/.cache/eryx/%s", home, name) >= 0;
    return true;
}

void cache_folder_free(cache_folder_t *folder) {
    free(folder->path);
    folder->path = NULL;
}

static bool is_ours(const struct stat *info) {
    return info->st_uid == geteuid() && (info->st_mode & 022) == 0;
}

int cache_folder_open(const cache_folder_t *folder) {
    struct stat info;
    if (!folder->path)
        return -1;
    int fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &info) == 0 && is_ours(&info))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

int cache_folder_make(const cache_folder_t *folder) {
    char part[PATH_MAX];
    size_t length = folder->path ? strlen(folder->path) : sizeof part;
    if (length >= sizeof part)
        return -1;
    for (size_t i = 1; i <= length; i++) {
        if (folder->path[i] != '/' && folder->path[i] != 0)
            continue;
        memcpy(part, folder->path, i);
        part[i] = 0;
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return -1;
    }
    return cache_folder_open(folder);
}

void cache_name(const uint8_t hash[CACHE_HASH_BYTES], const char *suffix,
                char out[CACHE_NAME_BYTES]) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < CACHE_HASH_BYTES; i++) {
        out[2 * i] = digits[hash[i] >> 4];
        out[2 * i + 1] = digits[hash[i] & 15];
    }
    snprintf(out + 2 * (size_t)CACHE_HASH_BYTES, CACHE_SUFFIX_MAX, "%s", suffix);
}

int cache_file_open(int folder, const char *name) {
    struct stat info;
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -1;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || !is_ours(&info)) {
        close(fd);
        return -1;
    }
    futimens(fd, NULL);
    return fd;
}

/* --- Keeping ------------------------------------------------------------------------------ */

typedef struct kept {
    char name[CACHE_NAME_BYTES];
    struct timespec used;
    uint64_t bytes;
} kept_t;

static int compare_use(const void *left, const void *right) {
    const kept_t *a = left, *b = right;
    if (a->used.tv_sec != b->used.tv_sec)
        return a->used.tv_sec < b->used.tv_sec ? -1 : 1;
    return (a->used.tv_nsec > b->used.tv_nsec) - (a->used.tv_nsec < b->used.tv_nsec);
}

static bool is_kept(const char *name) {
    size_t digits = strspn(name, "0123456789abcdef");
    return digits == 2 * (size_t)CACHE_HASH_BYTES && name[digits] == '.' &&
           strlen(name) < CACHE_NAME_BYTES;
}

/* All files, and their size; removes temporary ones that no one will finish. */
static kept_t *list(int folder, size_t *count, uint64_t *total) {
    kept_t *files = NULL;
    size_t capacity = 0;
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = copy >= 0 ? fdopendir(copy) : NULL;
    if (!entries && copy >= 0)
        close(copy);
    *count = 0;
    *total = 0;
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        struct stat info;
        if (fstatat(folder, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (strncmp(entry->d_name, TEMPORARY, strlen(TEMPORARY)) == 0 &&
            info.st_mtim.tv_sec + STALE_SECONDS < time(NULL))
            unlinkat(folder, entry->d_name, 0);
        if (!is_kept(entry->d_name))
            continue;
        if (*count == capacity) {
            capacity = capacity ? 2 * capacity : 64;
            kept_t *grown = realloc(files, capacity * sizeof *files);
            if (!grown)
                break;
            files = grown;
        }
        kept_t *file = &files[(*count)++];
        snprintf(file->name, sizeof file->name, "%s", entry->d_name);
        file->used = info.st_mtim;
        file->bytes = (uint64_t)info.st_blocks * 512; /* images have holes */
        *total += file->bytes;
    }
    if (entries)
        closedir(entries);
    return files;
}

static void evict(int folder, uint64_t bytes, uint64_t bytes_max) {
    size_t count;
    uint64_t total;
    kept_t *files = list(folder, &count, &total);
    if (!files)
        return;
    if (total + bytes > bytes_max)
        qsort(files, count, sizeof *files, compare_use);
    for (size_t i = 0; i < count && total + bytes > bytes_max; i++)
        if (unlinkat(folder, files[i].name, 0) == 0)
            total -= files[i].bytes;
    free(files);
}

bool cache_write(int fd, const void *data, size_t length) {
    const uint8_t *next = data;
    while (length > 0) {
        ssize_t done = write(fd, next, length);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        next += done;
        length -= (size_t)done;
    }
    return true;
}

int cache_file_begin(const cache_folder_t *folder, int fd, uint64_t bytes,
                     char temporary[CACHE_NAME_BYTES]) {
    static atomic_uint number;
    if (bytes > folder->bytes_max / 4)
        return -1;
    evict(fd, bytes, folder->bytes_max);
    snprintf(temporary, CACHE_NAME_BYTES, TEMPORARY "%ld.%u.%lx", (long)getpid(),
             atomic_fetch_add(&number, 1), (unsigned long)time(NULL));
    return openat(fd, temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

bool cache_file_end(int folder, int file, const char *temporary, const char *name, bool done) {
    if (close(file) == 0 && done && renameat(folder, temporary, folder, name) == 0)
        return true;
    unlinkat(folder, temporary, 0);
    return false;
}
