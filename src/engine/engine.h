/* The WebAssembly engine behind a narrow interface: load, instantiate, call, globals, traps.
 *
 * Only this folder knows which engine it is. A call runs on a stack of the library's own,
 * so that the guest's depth does not depend on the caller's, and an import can suspend it. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eryx/error.h>

#include "memory/slot.h"

#define ENGINE_MAX_ARGUMENTS 12
#define ENGINE_MAX_EXPORTS 24
#define ENGINE_MAX_GLOBALS 32

typedef struct engine engine_t;                   /* compiled code; any thread */
typedef struct engine_instance engine_instance_t; /* one thread at a time */

/* One value; the size is the engine's. */
typedef union engine_value {
    int32_t i32;
    uint32_t u32;
    int64_t i64;
    uint64_t u64;
    uint64_t whole[2];
} engine_value_t;

typedef enum engine_reply {
    ENGINE_RETURN, /* the result is in values[0] */
    ENGINE_REFUSE, /* trap; the import's owner knows why */
    ENGINE_WAIT    /* suspend the call; only where .suspends is set */
} engine_reply_t;

/* A function the guest imports. values: the arguments in, the result out. When a suspended
 * call is resumed, the function is called again with the arguments. */
typedef struct engine_import {
    const char *module, *name;
    const char *parameters; /* "i" i32, "I" i64 */
    const char *results;    /* at most one */
    bool suspends;
    engine_reply_t (*call)(void *context, engine_value_t *values);
} engine_import_t;

/* Functions of one concern. */
typedef struct engine_import_table {
    const engine_import_t *items;
    size_t count;
} engine_import_table_t;

/* A function the guest exports. */
typedef struct engine_export {
    const char *name;
    const char *parameters, *results;
    bool optional;
} engine_export_t;

/* What a mutable global is to be in a fresh instance. */
typedef struct engine_global {
    const char *name;
    int64_t value;
} engine_global_t;

typedef struct engine_description {
    const engine_import_table_t *const *imports; /* must outlive the engine, as must exports */
    size_t import_tables;
    const engine_export_t *exports; /* at most ENGINE_MAX_EXPORTS */
    size_t export_count;
    const engine_global_t *globals; /* read by engine_open only */
    size_t global_count;
    uint32_t constant_start, constant_end; /* of linear memory: no one may write there */
    const char *cache_folder; /* for compiled extensions (extension/cache.h); engine_open only */
    bool fuel;                /* the code counts what it executes */
} engine_description_t;

/* Loads precompiled code from the start of the file. Trusts it: it is machine code.
 * Errors: ERYX_ERR_FORMAT (an import or export that does not fit, named), _VERSION (not
 * made by this engine and configuration), _ENGINE, _MEMORY. */
int engine_open(int fd, const engine_description_t *description, engine_t **out,
                eryx_error_t *error);
/* After all its instances. */
void engine_close(engine_t *engine);

/* Makes an instance whose linear memory is the slot, grown or not, which stays the caller's and
 * must outlive it. context is given to the imports. */
int engine_instantiate(engine_t *engine, memory_slot_t *slot, void *context,
                       engine_instance_t **out, eryx_error_t *error);
void engine_instance_free(engine_instance_t *instance);

/* Value of an exported i32 global. False if there is none. */
bool engine_global_get(engine_instance_t *instance, const char *name, uint32_t *out);

/* Sets the mutable globals to what they are in a fresh instance, and takes over a size of
 * the slot that was changed from outside. */
bool engine_instance_reset(engine_instance_t *instance);

/* The mutable globals, in an order that is the engine's: at most ENGINE_MAX_GLOBALS. */
size_t engine_globals_get(const engine_instance_t *instance, int64_t *out);
bool engine_globals_set(engine_instance_t *instance, const int64_t *values, size_t count);

/* Whether memory's size, globals and the number of functions in the table are those of a new instance,
 * whose table had so many (engine_table_count). NULL, or what differs. */
const char *engine_instance_differs(const engine_instance_t *instance, uint32_t table_count);
uint32_t engine_table_count(const engine_instance_t *instance);

/* Whether the guest has the optional export. */
bool engine_has_export(const engine_instance_t *instance, size_t index);

typedef enum engine_state { ENGINE_DONE, ENGINE_SUSPENDED, ENGINE_TRAPPED } engine_state_t;

typedef enum engine_trap_kind {
    ENGINE_TRAP_MEMORY,      /* a load or store that memory protection refused */
    ENGINE_TRAP_STACK,       /* wasm stack exhausted */
    ENGINE_TRAP_UNREACHABLE, /* abort() */
    ENGINE_TRAP_IMPORT,      /* an import answered ENGINE_REFUSE */
    ENGINE_TRAP_FUEL,        /* none left */
    ENGINE_TRAP_OTHER
} engine_trap_kind_t;

typedef struct engine_trap {
    engine_trap_kind_t kind;
    char message[160]; /* the engine's, in one line */
} engine_trap_t;

/* Calls an export; one call at a time. DONE: *result is its result, if it has one. After
 * TRAPPED the instance may only be freed. */
engine_state_t engine_call(engine_instance_t *instance, size_t export,
                           const engine_value_t *arguments, engine_value_t *result);
/* Goes on with a suspended call. */
engine_state_t engine_resume(engine_instance_t *instance, engine_value_t *result);
/* Ends a suspended call; the instance may then only be freed. */
void engine_cancel(engine_instance_t *instance);
const engine_trap_t *engine_trap(const engine_instance_t *instance);

/* What the guest may still execute, in instructions; a new instance has ENGINE_FUEL_ENDLESS. Nothing
 * and 0 where the code does not count. */
#define ENGINE_FUEL_ENDLESS ((uint64_t)1 << 62)
void engine_fuel_set(engine_instance_t *instance, uint64_t fuel);
uint64_t engine_fuel_get(const engine_instance_t *instance);

/* Gives back memory of the call stack after deep recursion. Cheap when there was none. */
void engine_trim(engine_instance_t *instance);

/* Bytes of machine code and metadata. */
uint64_t engine_code_bytes(const engine_t *engine);

#endif
