/* What a guest may import while it is initialised at build time.
 *
 * Clocks and entropy are deterministic, so that the same input gives the same image: clocks
 * start at a fixed time and advance by a microsecond a reading, entropy is a counter
 * through a mixing function. The runtime reseeds and rereads them in every sandbox. What only
 * liberyx has (module "eryx") is answered with -1, as in the component. */
#include "preinit/imports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stdlib/archive.h"

enum { HANDLE_STDIN = 1, HANDLE_STDOUT = 2, HANDLE_STDERR = 3 };

typedef wasm_trap_t *handler_fn(struct guest *guest, const wasmtime_val_t *arguments,
                                wasmtime_val_t *results);

static wasm_trap_t *trap(const char *message)
{
    return wasmtime_trap_new(message, strlen(message));
}

static uint64_t advance(struct guest *guest)
{
    return guest->time += 1000;
}

static wasm_trap_t *monotonic_now(struct guest *guest, const wasmtime_val_t *arguments,
                                  wasmtime_val_t *results)
{
    (void)arguments;
    results[0] = (wasmtime_val_t){.kind = WASMTIME_I64, .of.i64 = (int64_t)advance(guest)};
    return NULL;
}

/* record { seconds: u64, nanoseconds: u32 } through a return pointer. */
static wasm_trap_t *wall_now(struct guest *guest, const wasmtime_val_t *arguments,
                             wasmtime_val_t *results)
{
    (void)results;
    uint8_t *out = guest_bytes(guest, (uint32_t)arguments[0].of.i32, 16);
    if (!out)
        return trap("wall-clock now: pointer outside of memory");
    uint64_t time = advance(guest);
    uint64_t seconds = ARCHIVE_MTIME + time / 1000000000u;
    uint32_t nanoseconds = (uint32_t)(time % 1000000000u);
    memcpy(out, &seconds, sizeof seconds);
    memcpy(out + 8, &nanoseconds, sizeof nanoseconds);
    return NULL;
}

/* splitmix64 */
static wasm_trap_t *random_u64(struct guest *guest, const wasmtime_val_t *arguments,
                               wasmtime_val_t *results)
{
    (void)arguments;
    uint64_t z = guest->entropy += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    results[0] = (wasmtime_val_t){.kind = WASMTIME_I64, .of.i64 = (int64_t)(z ^ z >> 31)};
    return NULL;
}

static void handle(wasmtime_val_t *results, int32_t value)
{
    results[0] = (wasmtime_val_t){.kind = WASMTIME_I32, .of.i32 = value};
}

static wasm_trap_t *get_stdin(struct guest *guest, const wasmtime_val_t *arguments,
                              wasmtime_val_t *results)
{
    (void)guest, (void)arguments;
    return handle(results, HANDLE_STDIN), NULL;
}

static wasm_trap_t *get_stdout(struct guest *guest, const wasmtime_val_t *arguments,
                               wasmtime_val_t *results)
{
    (void)guest, (void)arguments;
    return handle(results, HANDLE_STDOUT), NULL;
}

static wasm_trap_t *get_stderr(struct guest *guest, const wasmtime_val_t *arguments,
                               wasmtime_val_t *results)
{
    (void)guest, (void)arguments;
    return handle(results, HANDLE_STDERR), NULL;
}

/* (self, data, size, result pointer); result<_, stream-error> has 12 bytes, the first 0 for ok. */
static wasm_trap_t *stream_write(struct guest *guest, const wasmtime_val_t *arguments,
                                 wasmtime_val_t *results)
{
    (void)results;
    int32_t stream = arguments[0].of.i32;
    uint32_t size = (uint32_t)arguments[2].of.i32;
    const uint8_t *data = guest_bytes(guest, (uint32_t)arguments[1].of.i32, size);
    uint8_t *out = guest_bytes(guest, (uint32_t)arguments[3].of.i32, 12);
    if (!data || !out || (stream != HANDLE_STDOUT && stream != HANDLE_STDERR))
        return trap("output-stream write: bad stream or pointer outside of memory");
    fwrite(data, 1, size, stderr); /* stdout too: it is no output of the build step */
    memset(out, 0, 12);
    return NULL;
}

static wasm_trap_t *drop(struct guest *guest, const wasmtime_val_t *arguments,
                         wasmtime_val_t *results)
{
    (void)guest, (void)arguments, (void)results;
    return NULL;
}

static const struct {
    const char *module, *name, *type; /* parameters:results, i for i32, I for i64 */
    handler_fn *call;
} handlers[] = {
    {"wasi:clocks/monotonic-clock@0.2.0", "now", ":I", monotonic_now},
    {"wasi:clocks/wall-clock@0.2.0", "now", "i:", wall_now},
    {"wasi:random/random@0.2.0", "get-random-u64", ":I", random_u64},
    {"wasi:cli/stdin@0.2.0", "get-stdin", ":i", get_stdin},
    {"wasi:cli/stdout@0.2.0", "get-stdout", ":i", get_stdout},
    {"wasi:cli/stderr@0.2.0", "get-stderr", ":i", get_stderr},
    {"wasi:io/streams@0.2.0", "[method]output-stream.blocking-write-and-flush",
     "iiii:", stream_write},
    {"wasi:io/streams@0.2.0", "[resource-drop]output-stream", "i:", drop},
    {"wasi:io/streams@0.2.0", "[resource-drop]input-stream", "i:", drop},
    {"wasi:io/error@0.2.0", "[resource-drop]error", "i:", drop},
};

struct binding {
    struct guest *guest;
    handler_fn *call; /* NULL: name[] traps */
    bool private_;    /* of liberyx, with no result or one i32 */
    char name[160];
};

static wasm_trap_t *dispatch(void *env, wasmtime_caller_t *caller, const wasmtime_val_t *arguments,
                             size_t argument_count, wasmtime_val_t *results, size_t result_count)
{
    (void)caller, (void)argument_count;
    struct binding *binding = env;
    if (binding->private_) {
        if (result_count > 0)
            handle(results, -1);
        return NULL;
    }
    if (binding->call)
        return binding->call(binding->guest, arguments, results);
    char message[256];
    snprintf(message, sizeof message,
             "initialisation called the import %s, which exists only in a sandbox", binding->name);
    return trap(message);
}

static bool name_is(const wasm_name_t *name, const char *text)
{
    return name->size == strlen(text) && memcmp(name->data, text, name->size) == 0;
}

static bool types_are(const wasm_valtype_vec_t *types, const char *expected, size_t count)
{
    bool equal = types->size == count;
    for (size_t i = 0; equal && i < count; i++)
        equal = wasm_valtype_kind(types->data[i]) == (expected[i] == 'I' ? WASM_I64 : WASM_I32);
    return equal;
}

static bool type_is(const wasm_functype_t *type, const char *expected)
{
    size_t params = strcspn(expected, ":");
    return types_are(wasm_functype_params(type), expected, params) &&
           types_are(wasm_functype_results(type), expected + params + 1,
                     strlen(expected + params + 1));
}

static bool define(struct guest *guest, wasmtime_context_t *context,
                   const wasm_importtype_t *import, wasmtime_extern_t *out)
{
    const wasm_name_t *module = wasm_importtype_module(import),
                      *name = wasm_importtype_name(import);
    const wasm_externtype_t *type = wasm_importtype_type(import);
    struct binding *binding = calloc(1, sizeof *binding);
    if (!binding || wasm_externtype_kind(type) != WASM_EXTERN_FUNC) {
        step_error(binding ? "the import %.*s %.*s is no function" : "out of memory: %.*s %.*s",
                   (int)module->size, module->data, (int)name->size, name->data);
        free(binding);
        return false;
    }
    binding->guest = guest;
    snprintf(binding->name, sizeof binding->name, "%.*s %.*s", (int)module->size, module->data,
             (int)name->size, name->data);
    const wasm_functype_t *function = wasm_externtype_as_functype_const(type);
    for (size_t i = 0; i < sizeof handlers / sizeof handlers[0]; i++) {
        if (!name_is(module, handlers[i].module) || !name_is(name, handlers[i].name))
            continue;
        binding->call = handlers[i].call;
        if (!type_is(function, handlers[i].type)) {
            step_error("the import %s has another type than WASI gives it", binding->name);
            free(binding);
            return false;
        }
    }
    binding->private_ = name_is(module, "eryx");
    out->kind = WASMTIME_EXTERN_FUNC;
    wasmtime_func_new(context, function, dispatch, binding, free, &out->of.func);
    return true;
}

bool imports_define(struct guest *guest, wasmtime_context_t *context,
                    const wasm_importtype_vec_t *imports, wasmtime_extern_t *externs)
{
    for (size_t i = 0; i < imports->size; i++)
        if (!define(guest, context, imports->data[i], &externs[i]))
            return false;
    return true;
}
