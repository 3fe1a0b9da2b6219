/* The file format of checkpoints.
 *
 *     header      CHECKPOINT_HEADER_BYTES, below; all numbers little-endian
 *     body        one zstd frame of raw_bytes:
 *                   state of guest and host     write.c and read.c, field by field
 *                   pages of linear memory      count, numbers ascending, contents
 *                   pages of the savepoint      the same, while an execution waits
 *
 * A page's content is stored as its difference (exclusive or) from what the reader has already: the
 * runtime's image; for the savepoint, linear memory. Most of it is zeros then, which zstd
 * writes and reads fast. A page number with PAGE_EQUAL has no content: no difference.
 *
 * A checkpoint belongs to the runtime file whose identity it has: module and image. One that is
 * incremental has only pages that changed since the one named by `base`, whose id is the sha256 of
 * the whole of it. The sha256 guards against accidents, not against forgery; a forged
 * checkpoint can do in the sandbox what a program can, and nothing outside. */
#ifndef CHECKPOINT_FORMAT_H
#define CHECKPOINT_FORMAT_H

#include <stdint.h>

#include <eryx/checkpoint.h>

#include "base/buffer.h"
#include "checkpoint/state.h"

#define CHECKPOINT_MAGIC "ERYXCKP\n"
#define CHECKPOINT_VERSION 2u
#define CHECKPOINT_HEADER_BYTES 160u
#define PAGE_EQUAL (UINT32_C(1) << 31)

enum { CHECKPOINT_INCREMENTAL = 1, CHECKPOINT_EXECUTING = 2, CHECKPOINT_FLAGS = 3 };

typedef struct checkpoint_header {
    char magic[8];
    uint32_t version, flags;
    uint8_t identity[32]; /* of the runtime file */
    uint8_t base[32];     /* id of the one before, if incremental */
    uint64_t created;     /* nanoseconds since 1970 */
    uint64_t body_bytes, raw_bytes;
    uint64_t memory_bytes;
    uint32_t pages, page_bytes;
    uint32_t calls, reserved;
    uint8_t id[32]; /* sha256 of all, with this field zero */
} checkpoint_header_t;

_Static_assert(sizeof(checkpoint_header_t) == CHECKPOINT_HEADER_BYTES, "no padding");

/* What a runtime's checkpoints are bound to. */
void checkpoint_identity(const eryx_runtime_t *runtime, uint8_t out[32]);

/* Writes one of a sandbox that state_check let pass. Errors: ERYX_ERR_MEMORY. */
int checkpoint_write(eryx_sandbox_t *sandbox, bool incremental, int level, buffer_t *out,
                     eryx_error_t *error);

/* Checks size, magic, version and id; identity NULL: any. Errors: ERYX_ERR_FORMAT, _VERSION. */
int checkpoint_check(const void *data, size_t length, const uint8_t *identity,
                     checkpoint_header_t *out, eryx_error_t *error);

/* Reads one that was checked into a fresh slot, or one that holds its base; its state into *state.
 * last: no other is read on top of it. host_max: bytes that the state may take. Errors: ERYX_ERR_FORMAT, _LIMIT, _MEMORY; the slot is then in
 * no state that can be used. */
int checkpoint_read(const void *data, const checkpoint_header_t *header, memory_slot_t *slot,
                    uint64_t host_max, bool last, session_state_t *state, eryx_error_t *error);

#endif
