/* See known_files.h. A place is found by the key's first bytes, and overwritten when two files want it. */
#define _GNU_SOURCE
#include "extension/known_files.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file_system.h"
#include "image/sha256.h"

#define INDEX_NAME "files"
#define RECORD_MAGIC "ERYXFIL1"
#define PLACES 2048u
/* How long ago the last change must be: clocks of file systems are coarse. */
#define SETTLED_SECONDS 2

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif
#define ZFS_MAGIC 0x2fc12fc1
#define BCACHEFS_MAGIC 0xca451a4e

typedef struct record {
    char magic[8];
    uint8_t key[SHA256_BYTES];
    uint8_t sha256[SHA256_BYTES];
    uint8_t seal[SHA256_BYTES]; /* of all fields before: places are written without a lock */
    uint8_t unused[24];
} record_t;

_Static_assert(sizeof(record_t) == 128, "no padding");

/* Not tmpfs: writing through a mapping leaves its times alone. */
static bool keeps_times(int fd) {
    static const unsigned long magics[] = {EXT4_SUPER_MAGIC,     BTRFS_SUPER_MAGIC, XFS_SUPER_MAGIC,
                                           F2FS_SUPER_MAGIC,     ZFS_MAGIC,         BCACHEFS_MAGIC,
                                           OVERLAYFS_SUPER_MAGIC};
    return file_system_among(fd, magics, sizeof magics / sizeof magics[0]);
}

static bool settled(const struct timespec *changed) {
    struct timespec now;
    return clock_gettime(CLOCK_REALTIME, &now) == 0 &&
           changed->tv_sec + SETTLED_SECONDS < now.tv_sec;
}

bool file_identity(int fd, file_identity_t *out) {
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        return false;
    const uint64_t facts[] = {info.st_dev,
                              info.st_ino,
                              (uint64_t)info.st_size,
                              (uint64_t)info.st_mtim.tv_sec,
                              (uint64_t)info.st_mtim.tv_nsec,
                              (uint64_t)info.st_ctim.tv_sec,
                              (uint64_t)info.st_ctim.tv_nsec};
    sha256_digest(facts, sizeof facts, out->key);
    out->size = (uint64_t)info.st_size;
    out->lasting = settled(&info.st_ctim) && settled(&info.st_mtim) && keeps_times(fd);
    return true;
}

static off_t place_of(const file_identity_t *identity) {
    uint32_t number;
    memcpy(&number, identity->key, sizeof number);
    return (off_t)(number % PLACES) * (off_t)sizeof(record_t);
}

static void seal(const record_t *record, uint8_t out[SHA256_BYTES]) {
    sha256_digest(record, offsetof(record_t, seal), out);
}

bool known_files_find(const cache_folder_t *cache, const file_identity_t *identity,
                      uint8_t sha256[32]) {
    record_t record;
    uint8_t sum[SHA256_BYTES];
    int folder = identity->lasting ? cache_folder_open(cache) : -1;
    int fd = folder >= 0 ? cache_file_open(folder, INDEX_NAME) : -1;
    bool found =
        fd >= 0 && pread(fd, &record, sizeof record, place_of(identity)) == (ssize_t)sizeof record;
    if (found) {
        seal(&record, sum);
        found = memcmp(record.magic, RECORD_MAGIC, sizeof record.magic) == 0 &&
                memcmp(record.key, identity->key, sizeof record.key) == 0 &&
                memcmp(record.seal, sum, sizeof sum) == 0;
    }
    if (found)
        memcpy(sha256, record.sha256, sizeof record.sha256);
    if (fd >= 0)
        close(fd);
    if (folder >= 0)
        close(folder);
    return found;
}

void known_files_keep(const cache_folder_t *cache, const file_identity_t *identity,
                      const uint8_t sha256[32]) {
    record_t record = {.magic = RECORD_MAGIC};
    int folder = identity->lasting ? cache_folder_make(cache) : -1;
    if (folder < 0)
        return;
    memcpy(record.key, identity->key, sizeof record.key);
    memcpy(record.sha256, sha256, sizeof record.sha256);
    seal(&record, record.seal);
    int fd =
        openat(folder, INDEX_NAME, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd >= 0) {
        /* A record cut short is one whose seal is wrong. */
        ssize_t done = pwrite(fd, &record, sizeof record, place_of(identity));
        (void)done;
        close(fd);
    }
    close(folder);
}
