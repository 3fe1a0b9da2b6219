/* Instances and calls. A call is a future of the engine that runs on a fiber; polling it
 * runs the guest until it returns, traps, or an import suspends it. */
#define _GNU_SOURCE
#include "engine/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

_Thread_local engine_instance_t *engine_current;

static uint8_t *memory_get(void *env, size_t *size, size_t *capacity) {
    memory_slot_t *slot = env;
    *size = slot->size;
    *capacity = MEMORY_RESERVE_BYTES;
    return slot->base;
}

static wasmtime_error_t *memory_grow(void *env, size_t size) {
    return slot_grow(env, size) ? NULL : wasmtime_error_new("memory limit");
}

wasmtime_error_t *engine_memory_new(void *env, const wasm_memorytype_t *type, size_t minimum,
                                    size_t maximum, size_t reserved, size_t guard,
                                    wasmtime_linear_memory_t *out) {
    (void)env, (void)type, (void)maximum;
    memory_slot_t *slot = engine_current ? engine_current->slot : NULL;
    if (!slot || minimum > slot->size || reserved != MEMORY_RESERVE_BYTES ||
        guard > MEMORY_GUARD_BYTES)
        return wasmtime_error_new("the module's memory is not the one of the runtime file");
    slot->size = minimum;
    *out = (wasmtime_linear_memory_t){slot, memory_get, memory_grow, NULL};
    return NULL;
}

static uint8_t *stack_get(void *env, size_t *length) {
    engine_stack_t *stack = env;
    *length = stack->usable;
    return stack_top(stack);
}

static void stack_drop(void *env) {
    stack_release(env);
}

wasmtime_error_t *engine_stack_new(void *env, size_t size, bool zeroed,
                                   wasmtime_stack_memory_t *out) {
    (void)zeroed;
    engine_t *engine = env;
    engine_stack_t *stack = stack_acquire(&engine->stacks, size);
    if (!stack)
        return wasmtime_error_new("out of memory for a call stack");
    if (engine_current)
        engine_current->stack = stack;
    *out = (wasmtime_stack_memory_t){stack, stack_get, stack_drop};
    return NULL;
}

/* Runs the future until it is ready; instantiation never suspends. The engine wants a memory of the size
 * that the module names, which engine_memory_new makes it meanwhile, and asks again when it is reset. */
static int instantiate(engine_instance_t *self, eryx_error_t *error) {
    size_t size = self->slot->size;
    wasmtime_call_future_t *future = wasmtime_instance_pre_instantiate_async(
        self->engine->pre, self->store_context, &self->instance, &self->trap, &self->error);
    engine_instance_t *outer = engine_current;
    engine_current = self;
    bool ready = wasmtime_call_future_poll(future);
    engine_current = outer;
    self->slot->size = size;
    wasmtime_call_future_delete(future);
    if (self->error)
        return engine_error_take(self->error, ERYX_ERR_ENGINE, "cannot make an instance", error);
    if (self->trap || !ready) {
        if (self->trap)
            wasm_trap_delete(self->trap);
        return error_set(error, ERYX_ERR_ENGINE, "cannot make an instance: it traps");
    }
    return ERYX_OK;
}

static bool get_export(engine_instance_t *self, const char *name, wasmtime_extern_kind_t kind,
                       wasmtime_extern_t *out) {
    if (!wasmtime_instance_export_get(self->store_context, &self->instance, name, strlen(name),
                                      out))
        return false;
    if (out->kind == kind)
        return true;
    wasmtime_extern_delete(out);
    return false;
}

/* The types were checked when the module was loaded. */
static void find_exports(engine_instance_t *self) {
    const engine_t *engine = self->engine;
    wasmtime_extern_t item;
    if (get_export(self, "memory", WASMTIME_EXTERN_MEMORY, &item))
        self->memory = item.of.memory;
    self->has_table = get_export(self, "__indirect_function_table", WASMTIME_EXTERN_TABLE, &item);
    if (self->has_table)
        self->table = item.of.table;
    for (size_t i = 0; i < engine->description.export_count; i++)
        if (engine->has_export[i] &&
            get_export(self, engine->description.exports[i].name, WASMTIME_EXTERN_FUNC, &item))
            self->exports[i] = item.of.func;
    for (size_t i = 0; i < engine->global_count; i++) {
        const fresh_global_t *fresh = &engine->globals[i];
        if (!get_export(self, fresh->name, WASMTIME_EXTERN_GLOBAL, &item))
            continue;
        self->globals[i] = item.of.global;
        wasmtime_val_t *value = &self->global_values[i];
        wasmtime_global_get(self->store_context, &item.of.global, value);
        if (fresh->given && value->kind == WASMTIME_I32)
            value->of.i32 = (int32_t)fresh->value;
        else if (fresh->given && value->kind == WASMTIME_I64)
            value->of.i64 = fresh->value;
    }
}

int engine_instantiate(engine_t *engine, memory_slot_t *slot, void *context,
                       engine_instance_t **out, eryx_error_t *error) {
    engine_instance_t *self = calloc(1, sizeof *self);
    if (!self)
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for a new sandbox");
    self->engine = engine;
    self->slot = slot;
    self->context = context;
    self->store = wasmtime_store_new(engine->engine, self, NULL);
    self->store_context = wasmtime_store_context(self->store);
    engine_fuel_set(self, ENGINE_FUEL_ENDLESS);
    int status = instantiate(self, error);
    if (status != ERYX_OK) {
        wasmtime_store_delete(self->store);
        free(self);
        return status;
    }
    find_exports(self);
    if (!engine_instance_reset(self))
        status = error_set(error, ERYX_ERR_ENGINE, "cannot set the globals of an instance");
    if (status == ERYX_OK)
        status = engine_libraries_restore(self, &engine->preloaded, error);
    if (status == ERYX_OK)
        *out = self;
    else
        engine_instance_free(self);
    return status;
}

static void forget_call(engine_instance_t *self) {
    if (self->call)
        wasmtime_call_future_delete(self->call);
    if (self->trap)
        wasm_trap_delete(self->trap);
    if (self->error)
        wasmtime_error_delete(self->error);
    self->call = NULL;
    self->trap = NULL;
    self->error = NULL;
}

void engine_instance_free(engine_instance_t *instance) {
    if (!instance)
        return;
    forget_call(instance);
    wasmtime_store_delete(instance->store);
    engine_libraries_free(&instance->libraries);
    free(instance->loaded);
    free(instance);
}

bool engine_global_get(engine_instance_t *instance, const char *name, uint32_t *out) {
    wasmtime_extern_t item;
    if (!get_export(instance, name, WASMTIME_EXTERN_GLOBAL, &item))
        return false;
    wasmtime_val_t value;
    wasmtime_global_get(instance->store_context, &item.of.global, &value);
    *out = (uint32_t)value.of.i32;
    return value.kind == WASMTIME_I32;
}

/* Growing by nothing makes the engine ask for the size again. */
bool engine_instance_reset(engine_instance_t *instance) {
    uint64_t before;
    wasmtime_error_t *failed = NULL;
    if (wasmtime_memory_data_size(instance->store_context, &instance->memory) !=
        instance->slot->size)
        failed = wasmtime_memory_grow(instance->store_context, &instance->memory, 0, &before);
    for (size_t i = 0; !failed && i < instance->engine->global_count; i++)
        failed = wasmtime_global_set(instance->store_context, &instance->globals[i],
                                     &instance->global_values[i]);
    if (failed)
        wasmtime_error_delete(failed);
    return !failed;
}

uint32_t engine_table_count(const engine_instance_t *instance) {
    uint32_t count = 0;
    if (!instance->has_table)
        return 0;
    uint64_t size = wasmtime_table_size(instance->store_context, &instance->table);
    for (uint64_t i = 0; i < size; i++) {
        wasmtime_val_t value;
        if (!wasmtime_table_get(instance->store_context, &instance->table, i, &value))
            continue;
        count += value.kind == WASMTIME_FUNCREF && !wasmtime_funcref_is_null(&value.of.funcref);
        wasmtime_val_unroot(&value);
    }
    return count;
}

const char *engine_instance_differs(const engine_instance_t *instance, uint32_t table_count) {
    if (wasmtime_memory_data_size(instance->store_context, &instance->memory) !=
        instance->slot->size)
        return "the size of memory";
    for (size_t i = 0; i < instance->engine->global_count; i++) {
        const wasmtime_val_t *wanted = &instance->global_values[i];
        wasmtime_val_t value;
        wasmtime_global_get(instance->store_context, &instance->globals[i], &value);
        if (value.kind != wanted->kind ||
            (value.kind == WASMTIME_I64 ? value.of.i64 != wanted->of.i64
                                        : value.of.i32 != wanted->of.i32))
            return instance->engine->globals[i].name;
    }
    return engine_table_count(instance) == table_count ? NULL : "the table of functions";
}

size_t engine_globals_get(const engine_instance_t *instance, int64_t *out) {
    size_t count = instance->engine->global_count;
    for (size_t i = 0; i < count; i++) {
        wasmtime_val_t value;
        wasmtime_global_get(instance->store_context, &instance->globals[i], &value);
        out[i] = value.kind == WASMTIME_I64 ? value.of.i64 : value.of.i32;
    }
    return count;
}

bool engine_globals_set(engine_instance_t *instance, const int64_t *values, size_t count) {
    wasmtime_error_t *failed = NULL;
    if (count != instance->engine->global_count)
        return false;
    for (size_t i = 0; i < count && !failed; i++) {
        wasmtime_val_t value = instance->global_values[i];
        if (value.kind == WASMTIME_I64)
            value.of.i64 = values[i];
        else
            value.of.i32 = (int32_t)values[i];
        failed = wasmtime_global_set(instance->store_context, &instance->globals[i], &value);
    }
    if (failed)
        wasmtime_error_delete(failed);
    return !failed;
}

bool engine_has_export(const engine_instance_t *instance, size_t index) {
    return instance->engine->has_export[index];
}

wasm_trap_t *engine_import_called(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *values,
                                  size_t count) {
    (void)count;
    const engine_import_t *import = env;
    engine_instance_t *self = wasmtime_context_get_data(wasmtime_caller_context(caller));
    if (import->call(self->context, (engine_value_t *)values) == ENGINE_RETURN)
        return NULL;
    self->refused = true;
    return wasmtime_trap_new(import->name, strlen(import->name));
}

/* Asks the import; true when the guest can go on (or trap). */
static bool import_settled(void *env) {
    engine_instance_t *self = env;
    suspension_t *suspension = &self->suspension;
    const engine_import_t *import = suspension->import;
    engine_value_t values[ENGINE_MAX_ARGUMENTS];
    memcpy(values, suspension->values, sizeof values);
    engine_reply_t reply = import->call(self->context, values);
    if (reply == ENGINE_WAIT)
        return false;
    if (reply == ENGINE_REFUSE) {
        self->refused = true;
        *suspension->trap = wasmtime_trap_new(import->name, strlen(import->name));
    } else if (import->results[0] == 'i') {
        *suspension->results = (wasmtime_val_t){.kind = WASMTIME_I32, .of.i32 = values[0].i32};
    }
    return true;
}

void engine_import_suspending(void *env, wasmtime_caller_t *caller, const wasmtime_val_t *arguments,
                              size_t argument_count, wasmtime_val_t *results, size_t result_count,
                              wasm_trap_t **trap, wasmtime_async_continuation_t *continuation) {
    (void)result_count;
    engine_instance_t *self = wasmtime_context_get_data(wasmtime_caller_context(caller));
    suspension_t *suspension = &self->suspension;
    suspension->import = env;
    suspension->results = results;
    suspension->trap = trap;
    for (size_t i = 0; i < argument_count && i < ENGINE_MAX_ARGUMENTS; i++)
        suspension->values[i].i64 =
            arguments[i].kind == WASMTIME_I64 ? arguments[i].of.i64 : arguments[i].of.i32;
    *continuation = (wasmtime_async_continuation_t){import_settled, self, NULL};
}

static engine_trap_kind_t trap_kind(const wasm_trap_t *trap) {
    wasmtime_trap_code_t code;
    if (!wasmtime_trap_code(trap, &code))
        return ENGINE_TRAP_OTHER;
    switch (code) {
    case WASMTIME_TRAP_CODE_MEMORY_OUT_OF_BOUNDS:
        return ENGINE_TRAP_MEMORY;
    case WASMTIME_TRAP_CODE_STACK_OVERFLOW:
        return ENGINE_TRAP_STACK;
    case WASMTIME_TRAP_CODE_UNREACHABLE_CODE_REACHED:
        return ENGINE_TRAP_UNREACHABLE;
    case WASMTIME_TRAP_CODE_OUT_OF_FUEL:
        return ENGINE_TRAP_FUEL;
    default:
        return ENGINE_TRAP_OTHER;
    }
}

/* The engine's message is a backtrace with the reason at its end, after "Caused by:". */
static void copy_reason(char *out, size_t capacity, const wasm_name_t *message) {
    static const char marker[] = "wasm trap: ";
    const char *start = memmem(message->data, message->size, marker, sizeof marker - 1);
    start = start ? start + sizeof marker - 1 : message->data;
    size_t length = (size_t)(message->data + message->size - start);
    const char *end = memchr(start, '\n', length);
    if (end)
        length = (size_t)(end - start);
    if (length >= capacity)
        length = capacity - 1;
    memcpy(out, start, length);
    out[length] = '\0';
}

static void describe_trap(engine_instance_t *self) {
    engine_trap_t *trap = &self->last_trap;
    trap->kind = self->trap ? trap_kind(self->trap) : ENGINE_TRAP_OTHER;
    trap->message[0] = '\0';
    if (self->refused)
        trap->kind = ENGINE_TRAP_IMPORT;
    if (trap->kind != ENGINE_TRAP_OTHER)
        return;
    wasm_name_t message = {0, NULL};
    if (self->trap)
        wasm_trap_message(self->trap, &message);
    else if (self->error)
        wasmtime_error_message(self->error, &message);
    if (message.data) {
        copy_reason(trap->message, sizeof trap->message, &message);
        wasm_name_delete(&message);
    }
}

engine_state_t engine_resume(engine_instance_t *instance, engine_value_t *result) {
    engine_instance_t *outer = engine_current;
    engine_current = instance;
    bool ready = wasmtime_call_future_poll(instance->call);
    engine_current = outer;
    if (!ready)
        return ENGINE_SUSPENDED;
    bool trapped = instance->trap || instance->error;
    if (trapped)
        describe_trap(instance);
    else if (instance->engine->description.exports[instance->called].results[0])
        result->i64 = instance->result.kind == WASMTIME_I64 ? instance->result.of.i64
                                                            : instance->result.of.i32;
    forget_call(instance);
    return trapped ? ENGINE_TRAPPED : ENGINE_DONE;
}

engine_state_t engine_call(engine_instance_t *instance, size_t export,
                           const engine_value_t *arguments, engine_value_t *result) {
    const engine_export_t *called = &instance->engine->description.exports[export];
    size_t count = strlen(called->parameters);
    for (size_t i = 0; i < count; i++) {
        if (called->parameters[i] == 'I')
            instance->arguments[i] =
                (wasmtime_val_t){.kind = WASMTIME_I64, .of.i64 = arguments[i].i64};
        else
            instance->arguments[i] =
                (wasmtime_val_t){.kind = WASMTIME_I32, .of.i32 = arguments[i].i32};
    }
    instance->called = export;
    instance->refused = false;
    instance->call = wasmtime_func_call_async(
        instance->store_context, &instance->exports[export], instance->arguments, count,
        &instance->result, strlen(called->results), &instance->trap, &instance->error);
    return engine_resume(instance, result);
}

void engine_cancel(engine_instance_t *instance) {
    forget_call(instance);
}

const engine_trap_t *engine_trap(const engine_instance_t *instance) {
    return &instance->last_trap;
}

void engine_fuel_set(engine_instance_t *instance, uint64_t fuel) {
    if (!instance->engine->description.fuel)
        return;
    wasmtime_error_t *failed = wasmtime_context_set_fuel(instance->store_context, fuel);
    if (failed)
        wasmtime_error_delete(failed);
}

uint64_t engine_fuel_get(const engine_instance_t *instance) {
    uint64_t fuel = 0;
    if (!instance->engine->description.fuel)
        return 0;
    wasmtime_error_t *failed = wasmtime_context_get_fuel(instance->store_context, &fuel);
    if (failed)
        wasmtime_error_delete(failed);
    return fuel;
}

void engine_trim(engine_instance_t *instance) {
    if (instance->stack)
        stack_trim(instance->stack);
}
