/* Stopping executions: from other threads, and when their wall or CPU time is up.
 *
 * A control belongs to one sandbox and is the only thing other threads touch. Between
 * control_begin and control_end a stop makes the poll page unreadable; at any other time it
 * does nothing, so a late stop never hits the next execution. An execution that waits has its guest
 * paused: it is then only woken, through the control's condition and its place in a queue.
 *
 * Wall time passes while the guest runs and while it waits for something that has not happened;
 * not while it could go on and its host does something else, so that the time of one sandbox is
 * not used up by others. CPU time is that of the thread that runs the guest. Its clock costs a
 * system call, so it is read when a guest starts or stops running, only if there is a limit, and
 * by the watchdog when the limit could be reached at the earliest.
 *
 * Samples: while a guest runs, the watchdog asks it for one in every interval, by setting a bit of a word in
 * its memory (runtime/python/sample.c), under the control's lock. The guest changes the word without atomic
 * operations; the worst is that a request is lost, and the next one counts.
 *
 * The watchdog is one thread per runtime, started when the first deadline is set. A control
 * has at most one place in its heap. Setting a deadline later than that place costs nothing:
 * the watchdog finds out when it gets there. */
#ifndef SANDBOX_WATCHDOG_H
#define SANDBOX_WATCHDOG_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <eryx/usage.h>

#include "base/heap.h"
#include "memory/slot.h"
#include "sandbox/queue.h"

typedef enum stop_reason { STOP_NONE, STOP_INTERRUPT, STOP_WALL_TIME, STOP_CPU_TIME } stop_reason_t;

/* CPU time of one execution in nanoseconds. */
typedef struct cpu_meter {
    uint64_t limit; /* CLOCK_NEVER: none */
    bool on;        /* there is one, or it is sampled; otherwise nothing is measured */
    uint64_t used;  /* by what ran before, without what is running */
    uint64_t start; /* reading of `clock` when the guest began to run */
    clockid_t clock;
} cpu_meter_t;

/* What a paused execution waits for. */
typedef struct control_wait {
    eryx_wait_t kind;
    uint32_t count;
    char callback[256];
} control_wait_t;

/* Of the running execution. */
typedef struct sampler {
    uint64_t interval; /* 0: none */
    uint64_t next;     /* when to ask */
    uint64_t cpu;      /* what was used at the last sample */
    uint32_t *word, *wanted;
    uint32_t bit;
    bool asked;
} sampler_t;

typedef struct control {
    pthread_mutex_t lock; /* taken after the watchdog's, never before */
    pthread_cond_t wake;
    memory_slot_t *slot; /* of the running execution, else NULL */
    stop_reason_t stop;
    bool running;       /* guest code runs, or is about to */
    bool cancelled;     /* while paused: the execution is to be cancelled */
    bool woken;         /* something happened since the last resumption */
    queue_item_t *item; /* of the execution; NULL: in no queue */
    uint64_t deadline;  /* wall time; CLOCK_NEVER: none */
    uint64_t started;   /* deadline and started move on while the host lets the guest wait */
    uint64_t ready_at;  /* while paused: when it could go on, CLOCK_NEVER: not yet */
    cpu_meter_t cpu;
    sampler_t sampler;
    bool measured;      /* CPU time is, and what is waited for noted */
    uint64_t cpu_total; /* of executions that are over */
    control_wait_t wait;
    struct watchdog *watchdog;
    uint64_t placed;   /* key of `place`, CLOCK_NEVER: not in the heap */
    heap_item_t place; /* guarded by the watchdog's lock */
    struct control *next;
} control_t;

typedef struct watchdog {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    bool started, stopping;
    heap_t heap;
    control_t *idle; /* controls for reuse; their places may still be in the heap */
} watchdog_t;

bool watchdog_init(watchdog_t *watchdog);
/* All controls must have been released. */
void watchdog_destroy(watchdog_t *watchdog);

/* NULL when out of memory. */
control_t *control_acquire(watchdog_t *watchdog);
void control_release(watchdog_t *watchdog, control_t *control);

/* An execution starts in the slot, on the calling thread. Limits in nanoseconds, 0: none. False:
 * they cannot be watched (no memory, no thread), nothing has begun. */
bool control_begin(control_t *control, memory_slot_t *slot, uint64_t wall_limit,
                   uint64_t cpu_limit);
/* How long the execution took. cpu: 0 unless there is a limit, or it is sampled. */
typedef struct control_times {
    uint64_t wall, cpu;
} control_times_t;
/* It is over; tells why it was to stop, if it was. The poll page is readable again. times: may be
 * NULL. */
stop_reason_t control_end(control_t *control, control_times_t *times);
/* The same so far, while it is paused. */
void control_measure(control_t *control, control_times_t *out);
/* Counts times as used that were used elsewhere. Right after control_begin. */
void control_used(control_t *control, const control_times_t *times);
/* The execution waits until it is woken or the time comes (CLOCK_NEVER: never, 0: it could go on
 * at once): from now on it can be cancelled. */
void control_pause(control_t *control, uint64_t until);
/* It is about to go on; tells whether it is to be cancelled, and forgets that. */
bool control_resume(control_t *control);
/* Where the execution is told of in a queue; NULL: nowhere. */
void control_watch(control_t *control, queue_item_t *item);
/* Something that a waiting execution may wait for has happened. Any thread. */
void control_wake(control_t *control);
/* Cancels a paused execution, stops a running one. Any thread. */
void control_cancel(control_t *control);
/* Whether a paused execution has a reason to go on before its deadline. */
bool control_woken(control_t *control);
/* Stops the running execution, if there is one. The first reason counts. */
void control_stop(control_t *control, stop_reason_t reason);
/* Whether the execution is to stop. */
stop_reason_t control_stopping(control_t *control);
/* From the guest's thread: it is asked for samples from now on, until control_end. False: there is no
 * thread for that. */
bool control_sample(control_t *control, uint64_t interval, uint32_t *word, uint32_t bit,
                    uint32_t *wanted);
/* A sample came; false: it was not asked for. *cpu: what was used since the last one. */
bool control_sampled(control_t *control, uint64_t *cpu);
/* A new sandbox has the control: whether it is measured. */
void control_measured(control_t *control, bool measured);
void control_note_wait(control_t *control, const control_wait_t *wait);
/* What can be seen from any thread; locks the control until control_looked. */
void control_look(control_t *control, eryx_usage_t *out);
void control_looked(control_t *control);
/* Waits until the time comes or the execution has a reason to go on; false: the time came. */
bool control_wait(control_t *control, uint64_t until);

#endif
