/* Running the module at build time: see guest.h. */
#include "preinit/guest.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <wasm.h>
#include <wasmtime.h>

#include "engine/config.h"
#include "memory/origin.h"
#include "preinit/imports.h"

#define STACK_BYTES (ENGINE_WASM_STACK_BYTES + ((size_t)16 << 20))
#define CALL_MAX 8u

struct guest_instance {
    wasmtime_store_t *store;
    wasmtime_context_t *context;
    wasmtime_instance_t instance;
};

/* The guest whose instance this thread is making: the engine's memory callback is not told. */
static _Thread_local struct guest *starting;

static bool failed(const char *what, wasmtime_error_t *error, wasm_trap_t *trap)
{
    if (!error && !trap)
        return false;
    wasm_byte_vec_t message;
    if (error)
        wasmtime_error_message(error, &message);
    else
        wasm_trap_message(trap, &message);
    step_error("%s: %.*s", what, (int)message.size, message.data);
    wasm_byte_vec_delete(&message);
    if (error)
        wasmtime_error_delete(error);
    if (trap)
        wasm_trap_delete(trap);
    return true;
}

/* --- Linear memory ----------------------------------------------------------------------- */

static uint8_t *memory_get(void *env, size_t *size, size_t *capacity)
{
    struct guest *guest = env;
    *size = (size_t)guest->memory_bytes;
    *capacity = MEMORY_RESERVE_BYTES;
    return guest->memory;
}

static wasmtime_error_t *memory_grow(void *env, size_t size)
{
    struct guest *guest = env;
    if (mprotect(guest->memory, size, PROT_READ | PROT_WRITE) != 0)
        return wasmtime_error_new("the build machine is out of memory");
    guest->memory_bytes = size;
    return NULL;
}

static wasmtime_error_t *memory_new(void *env, const wasm_memorytype_t *type, size_t minimum,
                                    size_t maximum, size_t reserved, size_t guard,
                                    wasmtime_linear_memory_t *out)
{
    (void)env, (void)type, (void)maximum, (void)minimum;
    if (!starting || reserved != MEMORY_RESERVE_BYTES || guard > MEMORY_GUARD_BYTES)
        return wasmtime_error_new("unexpected memory");
    *out = (wasmtime_linear_memory_t){starting, memory_get, memory_grow, NULL};
    return NULL;
}

static bool memory_map(struct guest *guest, uint64_t bytes)
{
    void *base = mmap(NULL, MEMORY_RESERVE_BYTES + MEMORY_GUARD_BYTES, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED || mprotect(base, (size_t)bytes, PROT_READ | PROT_WRITE) != 0) {
        step_error("cannot reserve 4 GiB of address space; is there a limit (ulimit -v)?");
        if (base != MAP_FAILED)
            munmap(base, MEMORY_RESERVE_BYTES + MEMORY_GUARD_BYTES);
        return false;
    }
    guest->memory = base;
    guest->memory_bytes = bytes;
    return true;
}

uint8_t *guest_bytes(const struct guest *guest, uint64_t address, uint64_t size)
{
    if (address > guest->memory_bytes || size > guest->memory_bytes - address)
        return NULL;
    return guest->memory + address;
}

/* --- Code -------------------------------------------------------------------------------- */

const char *machine_version(void)
{
    return ENGINE_VERSION;
}

static bool open_engine(struct machine *machine, bool fuel)
{
    *machine = (struct machine){0};
    wasm_config_t *config = engine_config_new(fuel);
    if (config) {
        wasmtime_memory_creator_t creator = {.new_memory = memory_new};
        wasmtime_config_host_memory_creator_set(config, &creator);
        machine->engine = wasm_engine_new_with_config(config);
    }
    if (!machine->engine)
        step_error("cannot set up the WebAssembly engine");
    return machine->engine != NULL;
}

bool machine_compile(struct machine *machine, bool fuel, const uint8_t *wasm, size_t size)
{
    if (!open_engine(machine, fuel))
        return false;
    wasmtime_error_t *error = wasmtime_module_new(machine->engine, wasm, size, &machine->module);
    if (!failed("cannot compile the module", error, NULL))
        return true;
    machine->module = NULL;
    machine_free(machine);
    return false;
}

bool machine_load(struct machine *machine, const uint8_t *elf, size_t size)
{
    if (!open_engine(machine, false))
        return false;
    wasmtime_error_t *error =
        wasmtime_module_deserialize(machine->engine, elf, size, &machine->module);
    if (!error)
        return true;
    wasmtime_error_delete(error);
    machine->module = NULL;
    machine_free(machine);
    return false;
}

bool machine_serialize(const struct machine *machine, struct file_bytes *out)
{
    wasm_byte_vec_t bytes;
    *out = (struct file_bytes){0};
    if (failed("cannot serialize the module", wasmtime_module_serialize(machine->module, &bytes),
               NULL))
        return false;
    out->data = malloc(bytes.size + 1);
    if (out->data) {
        memcpy(out->data, bytes.data, bytes.size);
        out->data[bytes.size] = 0;
        out->size = bytes.size;
    } else {
        step_error("out of memory; close other programs and run again");
    }
    wasm_byte_vec_delete(&bytes);
    return out->data != NULL;
}

uint64_t machine_memory_minimum(const struct machine *machine)
{
    wasm_exporttype_vec_t exports;
    wasmtime_module_exports(machine->module, &exports);
    uint64_t bytes = 0;
    for (size_t i = 0; i < exports.size; i++) {
        const wasm_externtype_t *type = wasm_exporttype_type(exports.data[i]);
        if (wasm_externtype_kind(type) == WASM_EXTERN_MEMORY)
            bytes = wasmtime_memorytype_minimum(wasm_externtype_as_memorytype_const(type)) *
                    MEMORY_WASM_PAGE;
    }
    wasm_exporttype_vec_delete(&exports);
    return bytes;
}

void machine_free(struct machine *machine)
{
    if (machine->module)
        wasmtime_module_delete(machine->module);
    if (machine->engine)
        wasm_engine_delete(machine->engine);
    *machine = (struct machine){0};
}

/* --- Instances --------------------------------------------------------------------------- */

static bool instantiate(struct guest *guest, const struct machine *machine)
{
    struct guest_instance *self = guest->instance;
    wasm_importtype_vec_t imports;
    wasmtime_module_imports(machine->module, &imports);
    wasmtime_extern_t *externs = calloc(imports.size + 1, sizeof *externs);
    bool done = externs && imports_define(guest, self->context, &imports, externs);
    if (done) {
        wasm_trap_t *trap = NULL;
        starting = guest;
        wasmtime_error_t *error = wasmtime_instance_new(self->context, machine->module, externs,
                                                        imports.size, &self->instance, &trap);
        starting = NULL;
        done = !failed("cannot make an instance", error, trap);
    }
    wasm_importtype_vec_delete(&imports);
    free(externs);
    return done;
}

bool guest_start(struct guest *guest, const struct machine *machine, uint64_t memory_bytes)
{
    *guest = (struct guest){.entropy = 1, .instance = calloc(1, sizeof *guest->instance)};
    if (!guest->instance) {
        step_error("out of memory; close other programs and run again");
        return false;
    }
    bool done = memory_map(guest, memory_bytes);
    if (done) {
        guest->instance->store = wasmtime_store_new(machine->engine, NULL, NULL);
        guest->instance->context = wasmtime_store_context(guest->instance->store);
        done = instantiate(guest, machine);
    }
    if (!done)
        guest_stop(guest);
    return done;
}

void guest_stop(struct guest *guest)
{
    if (guest->instance && guest->instance->store)
        wasmtime_store_delete(guest->instance->store);
    free(guest->instance);
    if (guest->memory)
        munmap(guest->memory, MEMORY_RESERVE_BYTES + MEMORY_GUARD_BYTES);
    *guest = (struct guest){0};
}

static bool find(struct guest *guest, const char *name, wasmtime_extern_kind_t kind,
                 wasmtime_extern_t *out)
{
    if (wasmtime_instance_export_get(guest->instance->context, &guest->instance->instance, name,
                                     strlen(name), out) &&
        out->kind == kind)
        return true;
    step_error("the module has no %s '%s' among its exports",
               kind == WASMTIME_EXTERN_FUNC     ? "function"
               : kind == WASMTIME_EXTERN_GLOBAL ? "global"
                                                : "table",
               name);
    return false;
}

static bool takes_i32(struct guest *guest, const wasmtime_func_t *function, size_t count,
                      size_t *result_count)
{
    wasm_functype_t *type = wasmtime_func_type(guest->instance->context, function);
    const wasm_valtype_vec_t *params = wasm_functype_params(type);
    const wasm_valtype_vec_t *results = wasm_functype_results(type);
    bool good = params->size == count && results->size <= 1;
    for (size_t i = 0; good && i < count; i++)
        good = wasm_valtype_kind(params->data[i]) == WASM_I32;
    if (good && results->size == 1)
        good = wasm_valtype_kind(results->data[0]) == WASM_I32;
    *result_count = results->size;
    wasm_functype_delete(type);
    return good;
}

bool guest_call(struct guest *guest, const char *name, const uint32_t *arguments, size_t count,
                uint32_t *result)
{
    wasmtime_extern_t function;
    size_t result_count;
    if (!find(guest, name, WASMTIME_EXTERN_FUNC, &function))
        return false;
    if (count > CALL_MAX || !takes_i32(guest, &function.of.func, count, &result_count) ||
        (result && result_count != 1)) {
        step_error("the module's export '%s' has not the type that is expected", name);
        return false;
    }
    wasmtime_val_t values[CALL_MAX], value = {0};
    for (size_t i = 0; i < count; i++)
        values[i] = (wasmtime_val_t){.kind = WASMTIME_I32, .of.i32 = (int32_t)arguments[i]};
    wasm_trap_t *trap = NULL;
    wasmtime_error_t *error = wasmtime_func_call(guest->instance->context, &function.of.func,
                                                 values, count, &value, result_count, &trap);
    if (failed(name, error, trap))
        return false;
    if (result)
        *result = (uint32_t)value.of.i32;
    return true;
}

bool guest_global(struct guest *guest, const char *name, uint64_t *out)
{
    wasmtime_extern_t global;
    wasmtime_val_t value;
    if (!find(guest, name, WASMTIME_EXTERN_GLOBAL, &global))
        return false;
    wasmtime_global_get(guest->instance->context, &global.of.global, &value);
    if (value.kind != WASMTIME_I32 && value.kind != WASMTIME_I64) {
        step_error("the global '%s' is no integer", name);
        return false;
    }
    *out = value.kind == WASMTIME_I32 ? (uint32_t)value.of.i32 : (uint64_t)value.of.i64;
    return true;
}

uint64_t guest_table_size(struct guest *guest)
{
    wasmtime_extern_t table;
    if (!find(guest, "__indirect_function_table", WASMTIME_EXTERN_TABLE, &table))
        return 0;
    return wasmtime_table_size(guest->instance->context, &table.of.table);
}

/* --- Stack ------------------------------------------------------------------------------- */

struct job {
    bool (*run)(void *context);
    void *context;
    bool result;
};

static void *run_job(void *argument)
{
    struct job *job = argument;
    job->result = job->run(job->context);
    return NULL;
}

bool guest_run_on_large_stack(bool (*run)(void *context), void *context)
{
    struct job job = {run, context, false};
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    bool started = pthread_attr_setstacksize(&attributes, STACK_BYTES) == 0 &&
                   pthread_create(&thread, &attributes, run_job, &job) == 0;
    pthread_attr_destroy(&attributes);
    if (!started) {
        step_error("cannot start a thread with a stack of %zu MiB", STACK_BYTES >> 20);
        return false;
    }
    pthread_join(thread, NULL);
    return job.result;
}
