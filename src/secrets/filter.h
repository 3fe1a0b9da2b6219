/* Replaces placeholders by values, or values by placeholders, in a stream of bytes.
 *
 * The stream may be cut anywhere: what could be the beginning of a match is held back until more
 * bytes tell, at most as many as the longest pattern has. Everything is overwritten in place: what
 * comes out has the length of what went in. Bytes that look like a boundary of HTTP's chunked coding
 * ("\r\n1f\r\n") inside a match are left alone and do not hide it.
 *
 * Whoever cannot wait for more bytes asks for what is held. Scrubbing then gives up to three letters as
 * they are (ordinary text often ends like a value begins); of more than three it gives the
 * placeholder's, and what follows is still matched: of a value that comes in pieces a program sees at
 * most three letters. Inserting gives them as they are, and forgets them. */
#ifndef SECRETS_FILTER_H
#define SECRETS_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "secrets/matcher.h"
#include "secrets/secrets.h"

#define FILTER_SHOWN_MAX 3 /* letters of a possible value that are let go when asked for */

typedef enum filter_direction { FILTER_SCRUB, FILTER_INSERT } filter_direction_t;

typedef struct filter_gap {
    uint64_t start, end;
} filter_gap_t;

/* Positions count the bytes of the stream. */
typedef struct filter {
    const matcher_t *matcher;
    filter_direction_t direction;
    uint64_t allowed; /* FILTER_INSERT: which secrets */
    buffer_t held;
    uint64_t position; /* of the next byte */
    uint32_t state;    /* of all bytes */
    uint32_t joined;   /* of all bytes but the boundaries of chunks; 0: the same as `state` */
    /* A boundary that is being read, and the state before it. */
    uint8_t boundary, boundary_length;
    uint32_t before;
    uint64_t boundary_start;
    filter_gap_t *gaps; /* boundaries in what is held */
    size_t gap_count, gap_capacity;
    int32_t back;   /* pattern that ended just now, and has bits in the next character; -1: none */
    uint8_t header; /* FILTER_INSERT: how much of a header's name was read */
    bool failed;    /* out of memory */
    bool replaced;  /* something was */
} filter_t;

/* secrets outlives the filter. */
void filter_init(filter_t *filter, const secrets_t *secrets, filter_direction_t direction,
                 uint64_t allowed);
/* Wipes what is held. */
void filter_free(filter_t *filter);
/* Appends to out what can be let go. False when out of memory: the stream cannot go on. */
bool filter_push(filter_t *filter, const void *data, size_t length, buffer_t *out);
/* Appends what is held; see above. */
bool filter_release(filter_t *filter, buffer_t *out);
/* Same at the end of the stream; the filter can be used for another one. */
bool filter_finish(filter_t *filter, buffer_t *out);
/* A piece of something in place, which may begin and end within values: what is not whole stays. False:
 * out of memory. */
bool filter_piece(filter_t *filter, char *text, size_t length);
/* A whole stream in place; if memory is out, nothing of it is shown. */
void filter_text(filter_t *filter, char *text, size_t length);

#endif
