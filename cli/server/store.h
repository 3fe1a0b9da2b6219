/* Where sessions are kept outside of this process, for other servers and for later. Used by many
 * threads and processes at once, and by many machines if the store is shared between them.
 *
 * Who works with a session takes it first. In a folder that is a lock; elsewhere it is a lease that
 * is renewed in the background and ends by itself when its server does. A lease only keeps servers
 * out of each other's way: that nobody overwrites what another one has written is because each
 * writing names the version it follows, and fails if that is not the stored one.
 *
 * Calls may block for as long as the network does: never in the thread of an event loop. */
#ifndef ERYX_CLI_SERVER_STORE_H
#define ERYX_CLI_SERVER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store_types.h"

struct store;
struct store_hold; /* a session that was taken */

/* A folder, which is made if there is none, or a URL: file:///..., redis://..., rediss://...,
 * s3://.... Whether a store on the network can be reached is not tried. NULL with a message. */
struct store *store_open(const char *place);
/* What was taken from it must have been released. */
void store_close(struct store *store);
/* For messages: without user and password. Valid as long as the store. */
const char *store_name(const struct store *store);

/* Whether the last that was heard of it is an error that makes it unusable; out then has it. Does
 * not block. */
bool store_is_down(struct store *store, struct store_error *out);

/* NULL with an error: STORE_BUSY if somebody else has it. id: letters, digits, - and _, at most 64.
 */
struct store_hold *store_take(struct store *store, const char *id, struct store_error *error);
void store_release(struct store_hold *hold);

/* The mark of what the store has; an empty one if it has none. */
bool store_look(struct store *store, const char *id, struct store_mark *mark,
                struct store_error *error);
bool store_same(const struct store_mark *a, const struct store_mark *b);

/* The bytes of a session, for free(). NULL with an error. */
void *store_read(struct store *store, const char *id, size_t max, size_t *length,
                 struct store_mark *mark, struct store_error *error);
/* Replaces the version *mark (empty: there is none) as a whole; *mark is then the new one. With an
 * error, STORE_LOST if there is another version, nothing has changed. */
bool store_write(struct store_hold *hold, const void *data, size_t length, struct store_mark *mark,
                 struct store_error *error);
/* Success if there is none. */
bool store_remove(struct store_hold *hold, struct store_error *error);

#endif
