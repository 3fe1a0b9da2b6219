/* See cache.h. A file is the code (ELF, of the engine), then a trailer. */
#define _GNU_SOURCE
#include "extension/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "image/sha256.h"

#define TRAILER_MAGIC "ERYXEXT1"
#define SUFFIX ".cwasm"
#define NAME_BYTES (2 * SHA256_BYTES + sizeof SUFFIX)
#define TEMPORARY "tmp."
#define STALE_SECONDS 3600 /* a temporary file that old is of a process that died */

typedef struct trailer {
    char magic[8];
    uint64_t code_length;
    uint8_t key[SHA256_BYTES];
    extension_needs_t needs;
    uint8_t sha256[SHA256_BYTES]; /* of all fields before */
} trailer_t;

_Static_assert(sizeof(trailer_t) == 96, "no padding");

bool cache_init(extension_cache_t *cache, const char *folder) {
    cache->folder = NULL;
    if (folder && !folder[0])
        return true;
    if (folder) {
        cache->folder = strdup(folder);
        return cache->folder != NULL;
    }
    const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (base && base[0] == '/')
        return asprintf(&cache->folder, "%s/eryx/extensions", base) >= 0;
    if (home && home[0] == '/')
        return asprintf(&cache->folder, "%s/.cache/eryx/extensions", home) >= 0;
    return true;
}

void cache_free(extension_cache_t *cache) {
    free(cache->folder);
    cache->folder = NULL;
}

static void seal(const trailer_t *trailer, uint8_t out[SHA256_BYTES]) {
    sha256_digest(trailer, offsetof(trailer_t, sha256), out);
}

static void file_name(const uint8_t key[32], char out[NAME_BYTES]) {
    sha256_hex(key, out);
    memcpy(out + (size_t)2 * SHA256_BYTES, SUFFIX, sizeof SUFFIX);
}

/* The folder, if only the user can have written to it; -1 otherwise. */
static int open_folder(const char *path) {
    struct stat info;
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder >= 0 && fstat(folder, &info) == 0 && info.st_uid == geteuid() &&
        (info.st_mode & 022) == 0)
        return folder;
    if (folder >= 0)
        close(folder);
    return -1;
}

static bool make_folder(const char *path) {
    char part[PATH_MAX];
    size_t length = strlen(path);
    if (length >= sizeof part)
        return false;
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != 0)
            continue;
        memcpy(part, path, i);
        part[i] = 0;
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return false;
    }
    return true;
}

static bool read_trailer(int fd, const uint8_t key[32], extension_needs_t *needs) {
    struct stat info;
    trailer_t trailer;
    uint8_t sum[SHA256_BYTES];
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_uid != geteuid() ||
        (info.st_mode & 022) != 0 || info.st_size < (off_t)sizeof trailer)
        return false;
    off_t at = info.st_size - (off_t)sizeof trailer;
    if (pread(fd, &trailer, sizeof trailer, at) != (ssize_t)sizeof trailer)
        return false;
    seal(&trailer, sum);
    *needs = trailer.needs;
    return memcmp(trailer.magic, TRAILER_MAGIC, sizeof trailer.magic) == 0 &&
           memcmp(trailer.sha256, sum, sizeof sum) == 0 &&
           memcmp(trailer.key, key, sizeof trailer.key) == 0 && trailer.code_length == (uint64_t)at;
}

int cache_find(const extension_cache_t *cache, const uint8_t key[32], extension_needs_t *needs) {
    char name[NAME_BYTES];
    int folder = cache->folder ? open_folder(cache->folder) : -1;
    if (folder < 0)
        return -1;
    file_name(key, name);
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && !read_trailer(fd, key, needs)) {
        unlinkat(folder, name, 0);
        close(fd);
        fd = -1;
    }
    if (fd >= 0)
        futimens(fd, NULL); /* the time of use: the oldest are dropped first */
    close(folder);
    return fd;
}

/* --- Keeping ------------------------------------------------------------------------------ */

typedef struct kept {
    char name[NAME_BYTES];
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
    size_t length = strlen(name);
    return length == NAME_BYTES - 1 && strcmp(name + length - strlen(SUFFIX), SUFFIX) == 0;
}

/* All files, and their size; removes temporary ones that no one will finish. */
static kept_t *list(int folder, size_t *count, uint64_t *total) {
    kept_t *files = NULL;
    size_t capacity = 0;
    int copy = dup(folder);
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
        memcpy(file->name, entry->d_name, sizeof file->name);
        file->used = info.st_mtim;
        file->bytes = (uint64_t)info.st_size;
        *total += file->bytes;
    }
    if (entries)
        closedir(entries);
    return files;
}

/* Makes room for that many bytes. */
static void evict(int folder, uint64_t bytes) {
    size_t count;
    uint64_t total;
    kept_t *files = list(folder, &count, &total);
    if (!files)
        return;
    if (total + bytes > CACHE_BYTES_MAX)
        qsort(files, count, sizeof *files, compare_use);
    for (size_t i = 0; i < count && total + bytes > CACHE_BYTES_MAX; i++)
        if (unlinkat(folder, files[i].name, 0) == 0)
            total -= files[i].bytes;
    free(files);
}

static bool write_all(int fd, const void *data, size_t length) {
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

void cache_keep(const extension_cache_t *cache, const uint8_t key[32],
                const extension_needs_t *needs, const void *code, size_t length) {
    char name[NAME_BYTES], temporary[64];
    if (!cache->folder || length > CACHE_BYTES_MAX / 4 || !make_folder(cache->folder))
        return;
    int folder = open_folder(cache->folder);
    if (folder < 0)
        return;
    evict(folder, length);
    trailer_t trailer = {.magic = TRAILER_MAGIC, .code_length = length, .needs = *needs};
    memcpy(trailer.key, key, sizeof trailer.key);
    seal(&trailer, trailer.sha256);
    file_name(key, name);
    /* The address of the code tells threads apart. */
    snprintf(temporary, sizeof temporary, TEMPORARY "%ld.%p", (long)getpid(), code);
    int fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0) {
        bool done = write_all(fd, code, length) && write_all(fd, &trailer, sizeof trailer);
        if (close(fd) != 0 || !done || renameat(folder, temporary, folder, name) != 0)
            unlinkat(folder, temporary, 0);
    }
    close(folder);
}
