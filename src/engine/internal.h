/* What engine.c and instance.c share. */
#ifndef ENGINE_INTERNAL_H
#define ENGINE_INTERNAL_H

#include <wasm.h>
#include <wasmtime.h>

#include "engine/engine.h"
#include "engine/stack.h"

/* A mutable global, to be reset when an instance is recycled. */
typedef struct fresh_global {
    char *name;
    bool given; /* value comes from the runtime file, not from the module */
    int64_t value;
} fresh_global_t;

struct engine {
    engine_description_t description;
    wasm_engine_t *engine;
    wasmtime_module_t *module;
    wasmtime_linker_t *linker;
    wasmtime_instance_pre_t *pre;
    stack_cache_t stacks;
    bool has_export[ENGINE_MAX_EXPORTS];
    fresh_global_t globals[ENGINE_MAX_GLOBALS];
    size_t global_count;
};

/* A call that an import suspended: where its result goes. */
typedef struct suspension {
    const engine_import_t *import;
    engine_value_t values[ENGINE_MAX_ARGUMENTS];
    wasmtime_val_t *results;
    wasm_trap_t **trap;
} suspension_t;

struct engine_instance {
    engine_t *engine;
    memory_slot_t *slot;
    void *context;
    engine_stack_t *stack; /* of its calls, once there was one */
    wasmtime_store_t *store;
    wasmtime_context_t *store_context;
    wasmtime_instance_t instance;
    wasmtime_memory_t memory;
    wasmtime_func_t exports[ENGINE_MAX_EXPORTS];
    wasmtime_global_t globals[ENGINE_MAX_GLOBALS];
    wasmtime_val_t global_values[ENGINE_MAX_GLOBALS];
    /* The call in flight. The engine keeps pointers to these until the call is over. */
    wasmtime_call_future_t *call;
    size_t called;
    wasmtime_val_t arguments[ENGINE_MAX_ARGUMENTS];
    wasmtime_val_t result;
    wasm_trap_t *trap;
    wasmtime_error_t *error;
    suspension_t suspension;
    bool refused;
    engine_trap_t last_trap;
};

/* The instance that the calling thread is making or running: the engine's memory and stack
 * callbacks have no other way to know. */
extern _Thread_local engine_instance_t *engine_current;

wasm_trap_t *engine_import_called(void *env, wasmtime_caller_t *caller,
                                  wasmtime_val_raw_t *values, size_t count);
void engine_import_suspending(void *env, wasmtime_caller_t *caller, const wasmtime_val_t *arguments,
                              size_t argument_count, wasmtime_val_t *results, size_t result_count,
                              wasm_trap_t **trap, wasmtime_async_continuation_t *continuation);
wasmtime_error_t *engine_memory_new(void *env, const wasm_memorytype_t *type, size_t minimum,
                                    size_t maximum, size_t reserved, size_t guard,
                                    wasmtime_linear_memory_t *out);
wasmtime_error_t *engine_stack_new(void *env, size_t size, bool zeroed,
                                   wasmtime_stack_memory_t *out);
/* Turns the engine's error into ours and frees it. */
int engine_error_take(wasmtime_error_t *taken, int code, const char *what, eryx_error_t *error);

#endif
