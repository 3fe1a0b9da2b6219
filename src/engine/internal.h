/* What engine.c and instance.c share. */
#ifndef ENGINE_INTERNAL_H
#define ENGINE_INTERNAL_H

#include <wasm.h>
#include <wasmtime.h>

#include <pthread.h>
#include <stdatomic.h>

#include "engine/engine.h"
#include "engine/library.h"
#include "engine/stack.h"
#include "extension/cache.h"

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
    cache_folder_t cache;
    engine_libraries_t preloaded; /* what every instance begins with */
    pthread_mutex_t codes_lock;
    engine_code_t *codes;      /* the last used first; each with a reference */
    pthread_mutex_t compiling; /* held by the one job that runs */
    pthread_cond_t jobs_over, mapped;
    size_t jobs; /* under codes_lock */
};

/* An import of an extension. */
typedef enum code_import_kind {
    CODE_MEMORY,
    CODE_TABLE,
    CODE_STACK_POINTER,
    CODE_MEMORY_BASE,
    CODE_TABLE_BASE,
    CODE_DATA_ADDRESS,     /* GOT.mem */
    CODE_FUNCTION_ADDRESS, /* GOT.func */
    CODE_FUNCTION
} code_import_kind_t;

typedef struct code_import {
    code_import_kind_t kind;
    bool weak, mutable_;
    const char *module;    /* static */
    const char *name;      /* in the facts */
    wasm_functype_t *type; /* of weak functions */
} code_import_t;

struct engine_code {
    atomic_uint references;
    uint8_t hash[ENGINE_HASH_BYTES];
    extension_needs_t needs;
    wasmtime_module_t *module;   /* see engine_code_module */
    _Atomic(engine_t *) mapping; /* not NULL: the module is being made, under its codes_lock */
    bool weak_functions;
    code_import_t *imports;
    size_t import_count;
    const char **functions; /* names of exported functions; their slots are in this order */
    size_t function_count;
    cache_facts_t facts; /* imports and functions as they are kept, see code_facts.c */
    engine_code_t *next;
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
    wasmtime_table_t table;
    bool has_table;
    uint32_t next_slot; /* of the table's room; 0: not looked at yet */
    engine_libraries_t libraries;
    wasmtime_instance_t *loaded; /* of each */
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

wasm_trap_t *engine_import_called(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *values,
                                  size_t count);
void engine_import_suspending(void *env, wasmtime_caller_t *caller, const wasmtime_val_t *arguments,
                              size_t argument_count, wasmtime_val_t *results, size_t result_count,
                              wasm_trap_t **trap, wasmtime_async_continuation_t *continuation);
wasmtime_error_t *engine_memory_new(void *env, const wasm_memorytype_t *type, size_t minimum,
                                    size_t maximum, size_t reserved, size_t guard,
                                    wasmtime_linear_memory_t *out);
wasmtime_error_t *engine_stack_new(void *env, size_t size, bool zeroed,
                                   wasmtime_stack_memory_t *out);
/* Part of opening and closing an engine. */
bool engine_codes_init(engine_t *engine, const char *cache_folder);
void engine_codes_destroy(engine_t *engine);
void engine_code_retain(engine_code_t *code);
/* code_facts.c: imports and functions, from the module or from the facts of the cache, and from the module what
 * those lack. False: out of memory, or the facts make no sense. */
bool code_facts_gather(engine_code_t *code);
bool code_facts_read(engine_code_t *code);
bool code_facts_complete(engine_code_t *code);
void code_facts_free(engine_code_t *code);
/* code_map.c: takes the descriptor over. False: the file is damaged. After true the module may still be on its
 * way; engine_code_module waits, and gives NULL if it then was damaged. */
bool engine_code_map(engine_t *engine, engine_code_t *code, int fd);
wasmtime_module_t *engine_code_module(const engine_code_t *code);
/* Takes it out of memory and off the disk. */
void engine_code_forget(engine_t *engine, engine_code_t *code);
/* As engine_run_later, without waiting for others. */
bool engine_run_aside(engine_t *engine, void (*run)(void *env), void *env);
/* Turns the engine's error into ours and frees it. */
int engine_error_take(wasmtime_error_t *taken, int code, const char *what, eryx_error_t *error);

#endif
