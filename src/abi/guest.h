/* The guest side of one instance: the world eryx:sandbox spoken to a core module.
 *
 * A guest runs one execution at a time as a state machine: guest_start, then guest_continue
 * whenever something it waits for may have happened, until it ends or traps. The calling
 * thread is only held while guest code runs. Imports are in imports*.c and invoke.c,
 * built-ins for waiting in builtins.c, exports here and in calls.c. */
#ifndef ABI_GUEST_H
#define ABI_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eryx/error.h>

#include "abi/waitables.h"
#include "base/buffer.h"
#include "engine/engine.h"
#include "engine/library.h"
#include "memory/slot.h"

/* What the guest exports and imports, for engine_open. */
extern const engine_export_t guest_exports[];
extern const size_t guest_export_count;
extern const engine_import_table_t *const guest_imports[];
extern const size_t guest_import_tables;

/* Where the guest's standard streams end. stream: 1 stdout, 2 stderr. */
typedef struct guest_streams {
    /* False: the execution is over, a limit was exceeded. */
    bool (*write)(void *env, int stream, const char *data, size_t length);
    /* As eryx_input_fn. */
    ptrdiff_t (*read)(void *env, char *buffer, size_t capacity);
    /* As eryx_trace_fn; NULL: dropped. */
    void (*trace)(void *env, uint32_t lineno, const char *event, size_t event_length,
                  const char *context, size_t context_length);
    /* Samples can be asked for by setting *wanted and then a bit of *word, both in linear memory. False: none
     * will be. NULL: none are wanted. */
    bool (*sample_begin)(void *env, uint32_t *word, uint32_t bit, uint32_t *wanted);
    /* One that was asked for, or that the guest makes up: nothing in it was checked. cut: there are more
     * frames. */
    void (*sample)(void *env, const char *frames, size_t length, bool cut);
    /* Compiled code of the execution's program, as in imports_code.c. NULL: none is known or kept. */
    int32_t (*code_find)(void *env, char *buffer, size_t capacity);
    void (*code_keep)(void *env, const char *code, size_t length);
    void *env;
} guest_streams_t;

typedef struct guest_settings {
    const char *const *argv;
    size_t argc;
    const char *const *environ; /* "NAME=value" */
    size_t environ_count;
    const char *filename;
    bool script, last_value, trace;
    uint32_t trace_locals;
    uint32_t display; /* an eryx_display_t */
    /* As in eryx_limits_t. */
    uint64_t file_system_bytes;
    uint32_t files, open_files, recursion;
} guest_settings_t;

typedef struct guest_exception {
    char *type, *message, *traceback; /* from malloc; NULL is "" */
    bool exits;                       /* SystemExit */
    int exit_code;
} guest_exception_t;

typedef enum guest_status {
    GUEST_WAITING, /* for guest_deadline(), or to be cancelled */
    GUEST_ENDED,   /* guest_failed() tells how */
    GUEST_EXITED,  /* os._exit: guest->exit_code; the instance must not run again */
    GUEST_TRAPPED, /* guest_trap_message() tells why; the instance must not run again */
    GUEST_REFUSED  /* its memory is full: nothing was run */
} guest_status_t;

typedef enum guest_phase {
    PHASE_IDLE,
    PHASE_HELPER,  /* in an export that may not wait */
    PHASE_RUNNING, /* in execute or its callback */
    PHASE_YIELDED, /* to be called back at once */
    PHASE_BLOCKED, /* suspended in waitable-set.wait */
    PHASE_WAITING  /* returned WAIT: no stack is held */
} guest_phase_t;

typedef struct guest {
    memory_slot_t *slot;
    engine_t *engine;
    engine_instance_t *instance;
    engine_code_t *prepared;  /* an extension about to be loaded */
    struct library_job *job;  /* one that is being compiled */
    uint64_t *extension_left; /* bytes that the sandbox may still load; NULL: any */
    guest_streams_t streams;
    uint32_t arena;     /* address of struct { u32 pointer, capacity; }, 0: none */
    uint32_t exit_slot; /* address of the code of os._exit, 0: none */
    waitables_t waitables;
    struct net_sandbox *net; /* of the sandbox; NULL: no network is granted */
    struct calls *calls;     /* of the sandbox; NULL or empty: no callbacks */
    struct mounts *mounts;   /* of the sandbox; NULL: none */
    struct tls *tls;         /* of the sandbox */
    guest_phase_t phase;
    bool untouched; /* nothing but the image's own code has run: see sandbox/codes.h */
    uint32_t set;   /* what it waits for in PHASE_WAITING and _BLOCKED */
    bool returned;  /* task-return was called in this execution */
    bool failed;
    bool exited;
    int exit_code;
    uint64_t
        clock_ahead;   /* nanoseconds, modulo 2^64: the guest's monotonic clock less the host's */
    const char *fault; /* why an import refused, and which */
    const char *fault_in;
} guest_t;

/* Makes the instance of a guest whose slot equals the image. */
int guest_open(guest_t *guest, engine_t *engine, memory_slot_t *slot, eryx_error_t *error);
void guest_close(guest_t *guest);
/* False: it has loaded extensions beside those of the image, which stay in the instance. */
bool guest_can_reset(const guest_t *guest);
/* After slot_recycle: everything outside of linear memory as in a new instance. */
bool guest_reset(guest_t *guest);

/* Whether the trap was one of memory protection, which an armed poll page causes. */
bool guest_trapped_on_memory(const guest_t *guest);
bool guest_out_of_fuel(const guest_t *guest);
/* One sentence without a full stop. */
void guest_trap_message(const guest_t *guest, char *out, size_t capacity);

/* GUEST_ENDED, _EXITED, _TRAPPED or _REFUSED. */
guest_status_t guest_configure(guest_t *guest, const guest_settings_t *settings);
/* Starts an execution. */
guest_status_t guest_start(guest_t *guest, const char *code, size_t length);
/* Goes on with it, if it can. */
guest_status_t guest_continue(guest_t *guest);
/* When a waiting guest is to be continued (clock_monotonic). */
uint64_t guest_deadline(const guest_t *guest);
/* Whether the execution waits in a way that can be cancelled: the program sees that its main task
 * is. */
bool guest_can_cancel(const guest_t *guest);
guest_status_t guest_cancel_task(guest_t *guest);
/* Calls that an execution has left behind are over. */
void guest_abandon_calls(guest_t *guest);
/* Gives up an execution; the instance must not run again. */
void guest_cancel(guest_t *guest);

/* After GUEST_ENDED: whether an exception ended it, and then which. */
bool guest_failed(const guest_t *guest);
guest_status_t guest_exception(guest_t *guest, guest_exception_t *out);

/* What a guest is outside of linear memory while none of its code is on a stack. */
typedef struct guest_image {
    int64_t globals[ENGINE_MAX_GLOBALS];
    size_t global_count;
    guest_phase_t phase; /* _IDLE, _YIELDED or _WAITING */
    uint32_t set;
    uint64_t clock; /* what the guest's monotonic clock said */
    bool returned, failed;
    buffer_t waitables; /* as of waitables_save */
    engine_libraries_t libraries;
} guest_image_t;

/* False while guest code is on a stack: running, or blocked in a call that is not awaited. */
bool guest_can_save(const guest_t *guest);
/* Writes over *out, which is all zero or an earlier image. False when out of memory. */
bool guest_save(const guest_t *guest, guest_image_t *out);
/* Makes a guest that was just opened, in memory of the image's time, what it was. Calls that it
 * waited for are to be given to it with waitables_own. Not NULL: an image that makes no
 * sense, or no memory. */
const char *guest_load(guest_t *guest, const guest_image_t *image);
void guest_image_free(guest_image_t *image);

/* An answer of the guest: bytes, or why there are none (text). */
typedef struct guest_answer {
    bool failed;
    bool too_long; /* nothing was copied; length says how much it is */
    char *data;    /* from malloc, a NUL follows; NULL if empty */
    size_t length;
} guest_answer_t;

/* All four: GUEST_ENDED, _EXITED, _TRAPPED or _REFUSED, between executions (guest_result also
 * after GUEST_ENDED). max: of a good answer's bytes. name NULL: the last expression. */
guest_status_t guest_result(guest_t *guest, const char *name, uint64_t max, guest_answer_t *out);
guest_status_t guest_snapshot(guest_t *guest, bool skip_unpicklable, uint64_t max,
                              guest_answer_t *out);
guest_status_t guest_restore(guest_t *guest, const void *data, size_t length, guest_answer_t *out);
guest_status_t guest_clear(guest_t *guest);
/* The guest is a copy of another: reseeds what must not repeat. Also while it waits. */
guest_status_t guest_wake(guest_t *guest);
/* Between executions: its memory is about to become an image. */
guest_status_t guest_settle(guest_t *guest);

#endif
