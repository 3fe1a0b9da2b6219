/* Events of running programs on their way to Python: a list with a lock.
 *
 * Programs run without the GIL and on stacks of the library's own, where no Python code may run.
 * So what they ask of the host (calls, output, traces, input) becomes an event, which a thread of
 * Python takes out and handles. An eventfd tells when there is something to take. */
#ifndef ERYX_PYTHON_INBOX_H
#define ERYX_PYTHON_INBOX_H

#include <eryx.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum event_kind {
    EVENT_CALL = 1,   /* number: of the callback; call */
    EVENT_CANCEL = 2, /* call: only a name for it, not owned */
    EVENT_OUTPUT = 3, /* number: stream; data */
    EVENT_INPUT = 4,  /* number: bytes wanted; the program waits for box_answer */
    EVENT_TRACE = 5,  /* number: line; data: event (split bytes) and context */
    EVENT_DONE = 6,   /* outcome; the last one of an execution */
    EVENT_NET = 7,    /* number: kind; data: net_record_t and three strings */
    EVENT_SAMPLE =
        8 /* number: of frames; data: sample_record_t, then of each frame_record_t and two strings */
} event_kind_t;

typedef struct box box_t;

/* Followed by name, address and reason, NUL-terminated. */
typedef struct net_record {
    bool allowed;
    uint32_t socket;
    uint64_t bytes_in, bytes_out;
} net_record_t;

typedef struct sample_record {
    bool cut;
    uint64_t time_ns, cpu_ns;
} sample_record_t;

/* Followed by function and file, NUL-terminated. Not aligned. */
typedef struct frame_record {
    uint32_t line, first_line;
} frame_record_t;

typedef struct event {
    struct event *next;
    box_t *box; /* of EVENT_DONE: with the execution's reference */
    event_kind_t kind;
    uint32_t number;
    eryx_call_t *call;
    eryx_outcome_t *outcome;
    size_t length, split;
    char data[];
} event_t;

typedef struct inbox {
    pthread_mutex_t lock;
    pthread_cond_t room;
    event_t *first, **last;
    size_t bytes; /* of the events' data */
    int fd;       /* eventfd; -1: whoever posts also takes, so nobody is to be woken or to wait */
    bool closed;
} inbox_t;

/* False, with errno: no descriptor left. */
bool inbox_init(inbox_t *inbox, bool with_fd);
/* Frees what was not taken. */
void inbox_destroy(inbox_t *inbox);

/* NULL: out of memory. */
event_t *event_new(box_t *box, event_kind_t kind, uint32_t number, size_t length);
/* Gives back what the event still owns. */
void event_free(event_t *event);

void inbox_post(inbox_t *inbox, event_t *event);
/* All events, oldest first; the caller's. */
event_t *inbox_take(inbox_t *inbox);

/* Whether so much data waits that who makes more should wait; waiting until that is over. */
bool inbox_full(inbox_t *inbox);
void inbox_wait_room(inbox_t *inbox);
/* Nobody waits for room any more. */
void inbox_close(inbox_t *inbox);

#endif
