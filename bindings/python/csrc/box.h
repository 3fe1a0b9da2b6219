/* A sandbox with what stands for its host: callbacks, output, input and traces that become events.
 * Knows nothing of Python: everything here runs with or without the GIL, on any thread.
 *
 * References: the Python object has one, an execution that goes on has one. */
#ifndef ERYX_PYTHON_BOX_H
#define ERYX_PYTHON_BOX_H

#include "inbox.h"

#include <stdatomic.h>

typedef struct driver driver_t;

/* What a callback's env points to. */
typedef struct box_callback {
    box_t *box;
    uint32_t number;
} box_callback_t;

typedef enum box_input {
    INPUT_NONE = 0,
    INPUT_BYTES = 1, /* from `input` */
    INPUT_ASKED = 2  /* by events */
} box_input_t;

struct box {
    atomic_uint references;
    eryx_sandbox_t *sandbox; /* NULL: closed */
    inbox_t *inbox;          /* where events go: own, or that of the driver */
    inbox_t own;
    box_callback_t *callbacks;
    void *token;   /* of Python, owned; used with the GIL only */
    event_t *done; /* made in advance: telling the end cannot fail */

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t answered, settled;
    eryx_execution_t *execution; /* while it can be cancelled */
    unsigned running;            /* threads that are inside of eryx_execution_run */
    bool cancel_later;           /* when it waits */
    driver_t *driver;            /* that drives it */
    box_t *next, *previous;      /* of the driver's list, under its lock */

    box_input_t input_kind;
    char *input; /* all there is, or the answer */
    size_t input_length, input_at;
    bool input_waits, input_closed;
};

/* NULL: out of memory. callback_count entries of `callbacks` are filled in. */
box_t *box_new(size_t callback_count);
void box_retain(box_t *box);
/* The last one frees the sandbox. */
void box_release(box_t *box);

/* Points the options to the box. */
void box_fill_callback(box_t *box, uint32_t number, eryx_callback_t *callback);
void box_fill_options(box_t *box, eryx_sandbox_options_t *options, bool output, bool trace,
                      bool sample);
void box_fill_net(box_t *box, eryx_net_options_t *options);

/* One thread more or less is inside of eryx_execution_run. Locked. */
void box_count_running(box_t *box, int difference);
/* Waits until none is; false if that takes longer. Locked. */
bool box_wait_settled(box_t *box, uint64_t timeout_ns);

/* What the program reads next, after EVENT_INPUT; length 0: the end. False: out of memory. */
bool box_answer(box_t *box, const char *data, size_t length);
/* A program that waits for input, or asks for some, gets an error. */
void box_close_input(box_t *box, bool closed);

/* Asks the execution to end, if one goes on. One that is running would be interrupted: unless
 * `now`, that is put off until it waits. */
void box_cancel(box_t *box, bool now);

#endif
