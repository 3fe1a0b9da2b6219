/* Mapping the compiled code that the cache has. That of a large extension takes a millisecond, so it is done aside,
 * while its sandbox makes memory for its data and its imports are looked up: whoever wants the module waits. */
#define _GNU_SOURCE
#include "engine/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* For less than that a thread takes longer. */
#define ASIDE_BYTES ((off_t)2 << 20)

typedef struct mapping {
    engine_t *engine;
    engine_code_t *code; /* a reference */
    int fd;
} mapping_t;

/* NULL: damaged, or of another engine. */
static wasmtime_module_t *map_module(engine_t *engine, int fd) {
    char path[64];
    wasmtime_module_t *module = NULL;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    wasmtime_error_t *failed = wasmtime_module_deserialize_file(engine->engine, path, &module);
    if (failed)
        wasmtime_error_delete(failed);
    return failed ? NULL : module;
}

/* Who was told that the code is there asks again; then it must not be. */
static void map_aside(void *env) {
    mapping_t mapping = *(mapping_t *)env;
    free(env);
    wasmtime_module_t *module = map_module(mapping.engine, mapping.fd);
    close(mapping.fd);
    if (!module)
        engine_code_forget(mapping.engine, mapping.code);
    pthread_mutex_lock(&mapping.engine->codes_lock);
    mapping.code->module = module;
    atomic_store_explicit(&mapping.code->mapping, NULL, memory_order_release);
    pthread_cond_broadcast(&mapping.engine->mapped);
    pthread_mutex_unlock(&mapping.engine->codes_lock);
    engine_code_release(mapping.code);
}

static bool start_mapping(engine_t *engine, engine_code_t *code, int fd) {
    struct stat info;
    if (fstat(fd, &info) != 0 || info.st_size < ASIDE_BYTES)
        return false;
    mapping_t *mapping = malloc(sizeof *mapping);
    if (!mapping)
        return false;
    *mapping = (mapping_t){engine, code, fd};
    engine_code_retain(code);
    atomic_store(&code->mapping, engine);
    if (engine_run_aside(engine, map_aside, mapping))
        return true;
    atomic_store(&code->mapping, NULL);
    engine_code_release(code);
    free(mapping);
    return false;
}

bool engine_code_map(engine_t *engine, engine_code_t *code, int fd) {
    if (!code->weak_functions && start_mapping(engine, code, fd))
        return true;
    code->module = map_module(engine, fd);
    close(fd);
    return code->module;
}

wasmtime_module_t *engine_code_module(const engine_code_t *code) {
    engine_t *engine = atomic_load_explicit(&code->mapping, memory_order_acquire);
    if (engine) {
        pthread_mutex_lock(&engine->codes_lock);
        while (atomic_load(&code->mapping))
            pthread_cond_wait(&engine->mapped, &engine->codes_lock);
        pthread_mutex_unlock(&engine->codes_lock);
    }
    return code->module;
}
