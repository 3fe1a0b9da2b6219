/* Opening a runtime: file, engine, image, pool. */
#define _GNU_SOURCE
#include "sandbox/runtime.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <eryx/sandbox.h>

#include <eryx/callback.h>
#include <eryx/execution.h>

#include "base/error.h"
#include "base/process.h"
#include "checkpoint/libraries.h"
#include "engine/config.h"
#include "package/image.h"
#include "package/pack.h"

const image_versions_t runtime_versions = {.eryx = ERYX_VERSION, .engine = ENGINE_VERSION};

void eryx_runtime_options_init(eryx_runtime_options_t *options) {
    *options = (eryx_runtime_options_t){
        .size = sizeof *options,
        .max_sandboxes = 4096,
        .max_warm = 16,
        .code_cache_bytes = 8 << 20,
    };
}

static int check_options(const eryx_runtime_options_t *options, eryx_error_t *error) {
    if (options->size != sizeof *options)
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "options of another version: call eryx_runtime_options_init");
    if (options->max_sandboxes == 0)
        return error_set(error, ERYX_ERR_ARGUMENT, "max_sandboxes is 0");
    if (options->prewarm > options->max_warm || options->prewarm > options->max_sandboxes)
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "prewarm of %u: at most max_warm (%u) and max_sandboxes (%u)",
                         options->prewarm, options->max_warm, options->max_sandboxes);
    return ERYX_OK;
}

static int open_engine(eryx_runtime_t *runtime, const image_t *image, eryx_error_t *error) {
    engine_global_t globals[IMAGE_MAX_GLOBALS];
    size_t count = 0;
    for (uint32_t i = 0; i < image->footer.global_count; i++)
        if (runtime->footer.globals[i].mutable_)
            globals[count++] = (engine_global_t){runtime->footer.globals[i].name,
                                                 (int64_t)runtime->footer.globals[i].value};
    engine_description_t description = {
        .imports = guest_imports,
        .import_tables = guest_import_tables,
        .exports = guest_exports,
        .export_count = guest_export_count,
        .fuel = runtime->footer.features & IMAGE_FUEL,
        .globals = globals,
        .global_count = count,
        .constant_start = (uint32_t)image->footer.constant_start,
        .constant_end = (uint32_t)image->footer.constant_end,
        .cache_folder = runtime->options.extension_cache,
    };
    return engine_open(image->fd, &description, &runtime->engine, error);
}

static int open_origin(eryx_runtime_t *runtime, const image_t *image, eryx_error_t *error) {
    const image_footer_t *footer = &image->footer;
    memory_layout_t layout = {
        .file_offset = footer->memory.offset,
        .image_bytes = footer->memory.length,
        .minimum = footer->memory_min_bytes,
        .constant_start = footer->constant_start,
        .constant_end = footer->constant_end,
    };
    return memory_origin_open(image->fd, &layout, &runtime->origin, error);
}

static void unmap(const void *data, size_t length) {
    munmap((void *)(uintptr_t)data, length);
}

/* *out: the bytes of a section, mapped. */
static int map_section(const image_t *image, const image_section_t *section, image_part_t *out,
                       eryx_error_t *error) {
    *out = (image_part_t){NULL, section->length};
    if (section->length == 0)
        return ERYX_OK;
    void *data =
        mmap(NULL, section->length, PROT_READ, MAP_PRIVATE, image->fd, (off_t)section->offset);
    if (data == MAP_FAILED)
        return error_set(error, ERYX_ERR_MEMORY, "cannot map the runtime file: %m");
    out->data = data;
    return ERYX_OK;
}

/* What images have beside code and memory. The source owns its bytes; sandboxes outlive nothing of it, as
 * they hold a reference. */
static int open_extras(eryx_runtime_t *runtime, const image_t *image, eryx_error_t *error) {
    image_part_t part;
    int status = map_section(image, &image->footer.libraries, &part, error);
    if (status == ERYX_OK && part.length > 0) {
        status = libraries_preload(runtime->engine, part.data, part.length, error);
        unmap(part.data, part.length);
    }
    if (status == ERYX_OK)
        status = map_section(image, &image->footer.packages, &part, error);
    if (status != ERYX_OK || part.length == 0)
        return status;
    status = pack_source(part.data, part.length, unmap, &runtime->packages, error);
    if (status == ERYX_OK)
        runtime->packages_bytes = part;
    else
        unmap(part.data, part.length);
    return status;
}

/* Each part is torn down by eryx_runtime_free only when all exist, so that a failure here
 * undoes what was done before it. */
static int open_parts(eryx_runtime_t *runtime, const image_t *image, eryx_error_t *error) {
    int status = open_engine(runtime, image, error);
    if (status != ERYX_OK)
        return status;
    status = open_origin(runtime, image, error);
    if (status != ERYX_OK) {
        engine_close(runtime->engine);
        return status;
    }
    bool pooled = pool_init(&runtime->pool, runtime->engine, &runtime->origin,
                            runtime->options.max_warm, runtime->options.verify_recycle);
    bool places = places_init(&runtime->places, runtime->options.max_sandboxes);
    bool codes = codes_init(&runtime->codes, 0);
    runtime->net = pooled && places && codes ? net_new() : NULL;
    if (runtime->net && watchdog_init(&runtime->watchdog))
        return ERYX_OK;
    net_free(runtime->net);
    if (codes)
        codes_destroy(&runtime->codes);
    if (places)
        places_destroy(&runtime->places);
    if (pooled)
        pool_destroy(&runtime->pool);
    memory_origin_close(&runtime->origin);
    engine_close(runtime->engine);
    return error_set(error, ERYX_ERR_MEMORY, "out of memory opening a runtime");
}

/* Asked for in the environment, or when the library was built. */
static bool verify_wanted(void) {
#ifdef ERYX_VERIFY_RECYCLE
    return true;
#else
    const char *wanted = getenv("ERYX_VERIFY_RECYCLE");
    return wanted && strcmp(wanted, "1") == 0;
#endif
}

static void keep_call(void *env, eryx_call_t *call) {
    *(eryx_call_t **)env = call;
}

/* Runs what most programs do: print, await a call and a timer, come back from it. */
static int warm_up(eryx_sandbox_t *sandbox, eryx_call_t **call, eryx_error_t *error) {
    static const char code[] =
        "import asyncio\n"
        "print(await asyncio.gather(_warm_up(number=1), asyncio.sleep(0)))\n"
        "text, items, table = 'a', [1, 2.5, None, 'b'], {'c': (1, 2), 'd': {3, 4}}\n";
    eryx_execution_t *execution;
    int status = eryx_execution_start(sandbox, code, sizeof code - 1, NULL, &execution, error);
    if (status != ERYX_OK)
        return status;
    eryx_execution_run(execution);
    if (*call)
        eryx_call_complete(*call, "1", 1, NULL);
    eryx_call_free(*call);
    *call = NULL;
    eryx_execution_run(execution);
    eryx_execution_free(execution);
    return ERYX_OK;
}

/* Sandboxes that live at once and run once: what they leave in the pool has its pages already. */
static int prewarm(eryx_runtime_t *runtime, uint32_t count, eryx_error_t *error) {
    eryx_call_t *call = NULL;
    eryx_callback_t callback;
    eryx_sandbox_options_t options;
    eryx_callback_init(&callback);
    callback.name = "_warm_up";
    callback.description = "a number";
    callback.parameters_schema_json =
        "{\"type\": \"object\", \"required\": [\"number\"], \"properties\": "
        "{\"number\": {\"type\": \"number\"}, \"unit\": {\"type\": \"string\"}}}";
    callback.on_call = keep_call;
    callback.env = &call;
    eryx_sandbox_options_init(&options);
    options.callbacks = &callback;
    options.callback_count = 1;
    eryx_sandbox_t **sandboxes = calloc(count + 1u, sizeof(eryx_sandbox_t *));
    if (!sandboxes)
        return error_set(error, ERYX_ERR_MEMORY, "out of memory opening a runtime");
    int status = ERYX_OK;
    for (uint32_t i = 0; i < count && status == ERYX_OK; i++) {
        status = eryx_sandbox_new(runtime, &options, &sandboxes[i], error);
        if (status == ERYX_OK)
            status = warm_up(sandboxes[i], &call, error);
    }
    for (uint32_t i = 0; i < count; i++)
        eryx_sandbox_free(sandboxes[i]);
    free(sandboxes);
    return status;
}

int runtime_open_image(const image_t *image, const eryx_runtime_options_t *options,
                       eryx_runtime_t **out, eryx_error_t *error) {
    int status = options->verify ? image_verify(image, error) : ERYX_OK;
    if (status == ERYX_OK && options->fuel && !(image->footer.features & IMAGE_FUEL))
        status = error_set(error, ERYX_ERR_VERSION,
                           "it does not count fuel: give runtime-fuel.cwasm, or make one with "
                           "eryx-build precompile --fuel");
    if (status != ERYX_OK)
        return status;
    eryx_runtime_t *runtime = calloc(1, sizeof *runtime);
    if (!runtime)
        return error_set(error, ERYX_ERR_MEMORY, "out of memory opening a runtime");
    atomic_init(&runtime->references, 1);
    runtime->generation = process_generation();
    runtime->options = *options;
    runtime->options.verify_recycle = options->verify_recycle || verify_wanted();
    runtime->footer = image->footer;
    runtime->file_bytes = image->file_bytes;
    for (size_t i = 0; i < sizeof image->footer.module_sha256; i++)
        snprintf(runtime->build_id + 2 * i, 3, "%02x", image->footer.module_sha256[i]);
    status = open_parts(runtime, image, error);
    if (status != ERYX_OK) {
        free(runtime);
        return status;
    }
    runtime->code_bytes = image->footer.code.length;
    status = open_extras(runtime, image, error);
    if (status == ERYX_OK)
        status = prewarm(runtime, options->prewarm, error);
    runtime->codes.max_bytes = options->code_cache_bytes; /* prewarmed instances have compiled */
    if (status != ERYX_OK) {
        eryx_runtime_free(runtime);
        return status;
    }
    *out = runtime;
    return ERYX_OK;
}

static int open_with(int status, image_t *image, const eryx_runtime_options_t *options,
                     eryx_runtime_t **out, eryx_error_t *error) {
    if (status != ERYX_OK)
        return status;
    status = runtime_open_image(image, options, out, error);
    image_close(image);
    return status;
}

static int choose_options(const eryx_runtime_options_t *given, eryx_runtime_options_t *options,
                          eryx_runtime_t **out, eryx_error_t *error) {
    if (!out)
        return error_set(error, ERYX_ERR_ARGUMENT, "out is NULL");
    *out = NULL;
    eryx_runtime_options_init(options);
    if (given && given->size == sizeof *given)
        *options = *given;
    return check_options(given ? given : options, error);
}

/* Makes the error say which file was refused. */
static int name_file(int status, const char *path, eryx_error_t *error) {
    eryx_error_t cause;
    if (!error || strstr(error->message, path))
        return status;
    cause = *error;
    return error_set(error, status, "%.120s: %s", path, cause.message);
}

int eryx_runtime_open(const char *path, const eryx_runtime_options_t *options, eryx_runtime_t **out,
                      eryx_error_t *error) {
    eryx_runtime_options_t chosen;
    char located[PATH_MAX];
    int status = choose_options(options, &chosen, out, error);
    if (status == ERYX_OK && !path)
        status = runtime_locate(chosen.fuel, located, sizeof located, error);
    if (status != ERYX_OK)
        return status;
    image_t image;
    if (path)
        snprintf(located, sizeof located, "%s", path);
    status = image_open(path ? path : located, &runtime_versions, &image, error);
    if (status != ERYX_OK)
        return name_file(status, path ? path : located, error);
    if (packages_wanted(&chosen))
        status = packages_image(&image, &chosen, located, sizeof located, error);
    if (status != ERYX_OK) {
        image_close(&image);
        return status;
    }
    status = open_with(status, &image, &chosen, out, error);
    if (status != ERYX_OK)
        return name_file(status, located, error);
    snprintf((*out)->path, sizeof(*out)->path, "%s", located);
    return ERYX_OK;
}

int eryx_runtime_open_buffer(const void *data, size_t length, const eryx_runtime_options_t *options,
                             eryx_runtime_t **out, eryx_error_t *error) {
    eryx_runtime_options_t chosen;
    int status = choose_options(options, &chosen, out, error);
    if (status != ERYX_OK)
        return status;
    if (!data && length > 0)
        return error_set(error, ERYX_ERR_ARGUMENT, "data is NULL");
    image_t image;
    char located[PATH_MAX];
    status = image_open_buffer(data, length, &runtime_versions, &image, error);
    if (status == ERYX_OK && packages_wanted(&chosen)) {
        status = packages_image(&image, &chosen, located, sizeof located, error);
        if (status != ERYX_OK)
            image_close(&image);
    }
    return open_with(status, &image, &chosen, out, error);
}

void runtime_retain(eryx_runtime_t *runtime) {
    atomic_fetch_add_explicit(&runtime->references, 1, memory_order_relaxed);
}

void eryx_runtime_free(eryx_runtime_t *runtime) {
    if (!runtime || runtime_foreign(runtime) ||
        atomic_fetch_sub_explicit(&runtime->references, 1, memory_order_acq_rel) != 1)
        return;
    watchdog_destroy(&runtime->watchdog);
    places_destroy(&runtime->places);
    net_free(runtime->net);
    codes_destroy(&runtime->codes);
    pool_destroy(&runtime->pool);
    memory_origin_close(&runtime->origin);
    engine_close(runtime->engine);
    eryx_source_free(runtime->packages);
    free(runtime);
}

int eryx_runtime_get_info(const eryx_runtime_t *runtime, eryx_runtime_info_t *info) {
    if (!runtime || !info || info->size != sizeof *info)
        return ERYX_ERR_ARGUMENT;
    *info = (eryx_runtime_info_t){
        .size = sizeof *info,
        .eryx_version = ERYX_VERSION,
        .python_version = runtime->footer.python_version,
        .engine = ENGINE_VERSION,
        .path = runtime->path,
        .build_id = runtime->build_id,
        .file_bytes = runtime->file_bytes,
        .code_bytes = runtime->code_bytes,
        .image_bytes = runtime->footer.memory.length,
        .image_constant_bytes = runtime->footer.constant_end - runtime->footer.constant_start,
        .memory_min_bytes = runtime->footer.memory_min_bytes,
        .fuel = runtime->footer.features & IMAGE_FUEL,
    };
    return ERYX_OK;
}

const char *eryx_version(void) {
    return ERYX_VERSION;
}
