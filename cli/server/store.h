/* Where sessions are kept outside of this process, for other servers and for later. Used by many
 * threads and processes at once. A folder: on one machine, or shared between servers by a file
 * system with working flock (NFSv4, CephFS, ...). */
#ifndef ERYX_CLI_SERVER_STORE_H
#define ERYX_CLI_SERVER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct store;

/* Which version of a session somebody has; all zero: none. */
struct store_mark {
    ino_t inode;
    int64_t seconds, nanoseconds;
    off_t size;
};

/* Makes the folder if there is none. NULL with a message. */
struct store *store_open(const char *directory);
void store_close(struct store *store);

/* A lock that other servers respect: a number for store_unlock; -1 with errno, EWOULDBLOCK if
 * another one has it. id: letters, digits, - and _. */
int store_lock(struct store *store, const char *id);
void store_unlock(int lock);

/* The mark of what the store has; all zero if it has none. */
struct store_mark store_look(struct store *store, const char *id);
bool store_same(const struct store_mark *a, const struct store_mark *b);

/* The bytes of a session, for free(). NULL with errno: ENOENT, EFBIG (more than max), ... */
void *store_read(struct store *store, const char *id, size_t max, size_t *length,
                 struct store_mark *mark);
/* Replaces it as a whole. False with errno. */
bool store_write(struct store *store, const char *id, const void *data, size_t length,
                 struct store_mark *mark);
/* False with errno; ENOENT is success. */
bool store_remove(struct store *store, const char *id);

#endif
