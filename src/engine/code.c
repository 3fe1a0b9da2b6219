/* Compiled extensions: from memory, from disk, or compiled now. */
#define _GNU_SOURCE
#include "engine/internal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "engine/config.h"
#include "image/image.h"
#include "image/sha256.h"

#define CODES_MAX 64 /* kept without an instance that uses them */
/* Part of the name on disk: to be raised when extension_prepare makes something else of a .so. */
#define PREPARE_VERSION "3"

bool engine_codes_init(engine_t *engine, const char *cache_folder) {
    pthread_mutex_init(&engine->codes_lock, NULL);
    pthread_mutex_init(&engine->compiling, NULL);
    pthread_cond_init(&engine->jobs_over, NULL);
    pthread_cond_init(&engine->mapped, NULL);
    return cache_folder_init(&engine->cache, cache_folder, "extensions", CACHE_BYTES_MAX);
}

void engine_codes_destroy(engine_t *engine) {
    pthread_mutex_lock(&engine->codes_lock);
    while (engine->jobs > 0)
        pthread_cond_wait(&engine->jobs_over, &engine->codes_lock);
    pthread_mutex_unlock(&engine->codes_lock);
    engine_libraries_free(&engine->preloaded);
    while (engine->codes) {
        engine_code_t *code = engine->codes;
        engine->codes = code->next;
        engine_code_release(code);
    }
    cache_folder_free(&engine->cache);
    pthread_cond_destroy(&engine->jobs_over);
    pthread_cond_destroy(&engine->mapped);
    pthread_mutex_destroy(&engine->compiling);
    pthread_mutex_destroy(&engine->codes_lock);
}

void engine_code_release(engine_code_t *code) {
    if (!code || atomic_fetch_sub_explicit(&code->references, 1, memory_order_acq_rel) != 1)
        return;
    if (code->module)
        wasmtime_module_delete(code->module);
    code_facts_free(code);
    free(code);
}

/* The exports have slots after the library's own. */
engine_code_needs_t engine_code_needs(const engine_code_t *code) {
    return (engine_code_needs_t){
        .memory_bytes = code->needs.memory_bytes,
        .memory_alignment = code->needs.memory_alignment,
        .table_slots = code->needs.table_slots + (uint32_t)code->function_count,
    };
}

static engine_code_t *code_alloc(const extension_needs_t *needs,
                                 const uint8_t hash[ENGINE_HASH_BYTES]) {
    engine_code_t *code = calloc(1, sizeof *code);
    if (!code)
        return NULL;
    atomic_init(&code->references, 1);
    code->needs = *needs;
    memcpy(code->hash, hash, sizeof code->hash);
    return code;
}

/* Takes the module over, in any case. */
static int code_new(wasmtime_module_t *module, const extension_needs_t *needs,
                    const uint8_t hash[ENGINE_HASH_BYTES], engine_code_t **out,
                    eryx_error_t *error) {
    engine_code_t *code = code_alloc(needs, hash);
    if (code)
        code->module = module;
    else
        wasmtime_module_delete(module);
    if (!code || !code_facts_gather(code)) {
        engine_code_release(code);
        return error_set(error, ERYX_ERR_MEMORY, "out of memory");
    }
    *out = code;
    return ERYX_OK;
}

/* --- In memory ---------------------------------------------------------------------------- */

void engine_code_retain(engine_code_t *code) {
    atomic_fetch_add_explicit(&code->references, 1, memory_order_relaxed);
}

/* Takes it out of the list, and the list's reference with it. With the lock held. */
static engine_code_t *unlink_code(engine_t *engine, const uint8_t hash[ENGINE_HASH_BYTES]) {
    for (engine_code_t **at = &engine->codes; *at; at = &(*at)->next) {
        engine_code_t *code = *at;
        if (memcmp(code->hash, hash, sizeof code->hash) != 0)
            continue;
        *at = code->next;
        return code;
    }
    return NULL;
}

static bool is_damaged(const engine_code_t *code) {
    return !atomic_load(&code->mapping) && !code->module;
}

static engine_code_t *find_in_memory(engine_t *engine, const uint8_t hash[ENGINE_HASH_BYTES]) {
    pthread_mutex_lock(&engine->codes_lock);
    engine_code_t *code = unlink_code(engine, hash), *damaged = NULL;
    if (code && is_damaged(code)) {
        damaged = code;
        code = NULL;
    }
    if (code) {
        code->next = engine->codes;
        engine->codes = code;
        engine_code_retain(code);
    }
    pthread_mutex_unlock(&engine->codes_lock);
    engine_code_release(damaged);
    return code;
}

/* Whoever compiled the same at the same time comes second: the list has each hash once. */
static void keep_in_memory(engine_t *engine, engine_code_t *code) {
    engine_code_retain(code);
    pthread_mutex_lock(&engine->codes_lock);
    engine_code_t *same = unlink_code(engine, code->hash), *surplus = NULL;
    code->next = engine->codes;
    engine->codes = code;
    engine_code_t **at = &engine->codes;
    for (size_t i = 0; i < CODES_MAX && *at; i++)
        at = &(*at)->next;
    surplus = *at;
    *at = NULL;
    pthread_mutex_unlock(&engine->codes_lock);
    engine_code_release(same);
    while (surplus) {
        engine_code_t *next = surplus->next;
        engine_code_release(surplus);
        surplus = next;
    }
}

/* --- On disk ------------------------------------------------------------------------------ */

/* All that the compiled code depends on. */
static void make_key(const engine_t *engine, const uint8_t hash[ENGINE_HASH_BYTES],
                     uint8_t key[SHA256_BYTES]) {
    static const char versions[] = "eryx extension " PREPARE_VERSION " " ENGINE_VERSION;
    const uint32_t settings[] = {engine->description.constant_start,
                                 engine->description.constant_end, engine->description.fuel};
    sha256_t sum;
    sha256_init(&sum);
    sha256_update(&sum, versions, sizeof versions);
    sha256_update(&sum, image_machine(), strlen(image_machine()));
    sha256_update(&sum, settings, sizeof settings);
    sha256_update(&sum, hash, ENGINE_HASH_BYTES);
    sha256_final(&sum, key);
}

static engine_code_t *find_on_disk(engine_t *engine, const uint8_t hash[ENGINE_HASH_BYTES]) {
    uint8_t key[SHA256_BYTES];
    extension_needs_t needs;
    cache_facts_t facts;
    make_key(engine, hash, key);
    int fd = cache_find(&engine->cache, key, &needs, &facts);
    if (fd < 0)
        return NULL;
    engine_code_t *code = code_alloc(&needs, hash);
    if (!code) {
        free(facts.data);
        close(fd);
        return NULL;
    }
    code->facts = facts;
    bool read = code_facts_read(code);
    if (!read)
        close(fd);
    if (read && engine_code_map(engine, code, fd) && code_facts_complete(code))
        return code;
    engine_code_release(code); /* it is compiled again */
    return NULL;
}

void engine_code_forget(engine_t *engine, engine_code_t *code) {
    uint8_t key[SHA256_BYTES];
    make_key(engine, code->hash, key);
    cache_forget(&engine->cache, key);
    pthread_mutex_lock(&engine->codes_lock);
    engine_code_t *same = unlink_code(engine, code->hash);
    pthread_mutex_unlock(&engine->codes_lock);
    engine_code_release(same);
}

static void keep_on_disk(engine_t *engine, const engine_code_t *code) {
    uint8_t key[SHA256_BYTES];
    engine_code_copy_t copy;
    if (engine_code_export(code, &copy, NULL) != ERYX_OK)
        return;
    make_key(engine, code->hash, key);
    cache_keep(&engine->cache, key, &code->needs, copy.data, copy.length, code->facts);
    engine_code_copy_free(&copy);
}

int engine_code_export(const engine_code_t *code, engine_code_copy_t *out, eryx_error_t *error) {
    wasm_byte_vec_t bytes;
    wasmtime_module_t *module = engine_code_module(code);
    if (!module)
        return error_set(error, ERYX_ERR_STATE, "an extension's code in the cache was damaged");
    wasmtime_error_t *failed = wasmtime_module_serialize(module, &bytes);
    if (failed)
        return engine_error_take(failed, ERYX_ERR_MEMORY, "an extension's code", error);
    *out = (engine_code_copy_t){.data = bytes.data,
                                .length = bytes.size,
                                .memory_bytes = code->needs.memory_bytes,
                                .memory_alignment = code->needs.memory_alignment,
                                .table_slots = code->needs.table_slots,
                                .table_alignment = code->needs.table_alignment};
    return ERYX_OK;
}

void engine_code_copy_free(engine_code_copy_t *copy) {
    wasm_byte_vec_t bytes = {copy->length, (char *)copy->data};
    wasm_byte_vec_delete(&bytes);
    *copy = (engine_code_copy_t){0};
}

/* --- All together ------------------------------------------------------------------------- */

static int compile(engine_t *engine, const void *data, size_t length,
                   const uint8_t hash[ENGINE_HASH_BYTES], engine_code_t **out,
                   eryx_error_t *error) {
    extension_module_t prepared;
    wasmtime_module_t *module;
    int status = extension_prepare(data, length, engine->description.constant_start,
                                   engine->description.constant_end, engine->description.fuel,
                                   &prepared, error);
    if (status != ERYX_OK)
        return status;
    wasmtime_error_t *failed =
        wasmtime_module_new(engine->engine, prepared.data, prepared.length, &module);
    if (failed)
        status = engine_error_take(failed, ERYX_ERR_FORMAT, "malformed", error);
    else
        status = code_new(module, &prepared.needs, hash, out, error);
    extension_module_free(&prepared);
    return status;
}

static engine_code_t *find(engine_t *engine, const uint8_t hash[ENGINE_HASH_BYTES]) {
    engine_code_t *code = find_in_memory(engine, hash);
    if (code)
        return code;
    code = find_on_disk(engine, hash);
    if (code)
        keep_in_memory(engine, code);
    return code;
}

int engine_code_obtain(engine_t *engine, const void *data, size_t length, engine_code_t **out,
                       eryx_error_t *error) {
    uint8_t hash[ENGINE_HASH_BYTES];
    sha256_digest(data, length, hash);
    *out = find(engine, hash);
    if (*out)
        return ERYX_OK;
    int status = compile(engine, data, length, hash, out, error);
    if (status != ERYX_OK)
        return status;
    keep_on_disk(engine, *out);
    keep_in_memory(engine, *out);
    return ERYX_OK;
}

bool engine_code_known(engine_t *engine, const void *data, size_t length, engine_code_t **out) {
    uint8_t hash[ENGINE_HASH_BYTES];
    sha256_digest(data, length, hash);
    *out = find(engine, hash);
    return *out;
}

int engine_code_import(engine_t *engine, const uint8_t hash[ENGINE_HASH_BYTES],
                       const engine_code_copy_t *copy, engine_code_t **out, eryx_error_t *error) {
    const extension_needs_t needs = {copy->memory_bytes, copy->memory_alignment, copy->table_slots,
                                     copy->table_alignment};
    wasmtime_module_t *module = NULL;
    *out = find(engine, hash);
    if (*out)
        return ERYX_OK;
    wasmtime_error_t *failed =
        wasmtime_module_deserialize(engine->engine, copy->data, copy->length, &module);
    if (failed)
        return engine_error_take(failed, ERYX_ERR_VERSION, "an extension in the image", error);
    int status = code_new(module, &needs, hash, out, error);
    if (status != ERYX_OK)
        return status;
    keep_on_disk(engine, *out);
    keep_in_memory(engine, *out);
    return ERYX_OK;
}

int engine_code_find(engine_t *engine, const uint8_t hash[ENGINE_HASH_BYTES], engine_code_t **out,
                     eryx_error_t *error) {
    *out = find(engine, hash);
    if (*out)
        return ERYX_OK;
    char hex[2 * SHA256_BYTES + 1];
    sha256_hex(hash, hex);
    return error_set(
        error, ERYX_ERR_STATE,
        "the compiled code of the extension with sha256 %s is not in the cache; import "
        "it in a new sandbox first",
        hex);
}

/* --- Later -------------------------------------------------------------------------------- */

typedef struct job {
    engine_t *engine;
    void (*run)(void *env);
    void *env;
    bool aside; /* not one after the other */
} job_t;

static void job_over(engine_t *engine) {
    pthread_mutex_lock(&engine->codes_lock);
    if (--engine->jobs == 0)
        pthread_cond_broadcast(&engine->jobs_over);
    pthread_mutex_unlock(&engine->codes_lock);
}

static void *run_job(void *env) {
    job_t job = *(job_t *)env;
    free(env);
    if (!job.aside)
        pthread_mutex_lock(&job.engine->compiling);
    job.run(job.env);
    if (!job.aside)
        pthread_mutex_unlock(&job.engine->compiling);
    job_over(job.engine);
    return NULL;
}

/* Signals are for the program's own threads. */
static bool start_thread(job_t *job) {
    sigset_t all, before;
    pthread_t thread;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&thread, NULL, run_job, job) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (started)
        pthread_detach(thread);
    return started;
}

static bool run_job_of(engine_t *engine, void (*run)(void *env), void *env, bool aside) {
    job_t *job = malloc(sizeof *job);
    if (!job)
        return false;
    *job = (job_t){engine, run, env, aside};
    pthread_mutex_lock(&engine->codes_lock);
    engine->jobs++;
    pthread_mutex_unlock(&engine->codes_lock);
    if (start_thread(job))
        return true;
    job_over(engine);
    free(job);
    return false;
}

bool engine_run_later(engine_t *engine, void (*run)(void *env), void *env) {
    return run_job_of(engine, run, env, false);
}

bool engine_run_aside(engine_t *engine, void (*run)(void *env), void *env) {
    return run_job_of(engine, run, env, true);
}
