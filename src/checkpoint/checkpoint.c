/* The public functions: checkpoints to memory and to files, and sandboxes made from them. */
#define _GNU_SOURCE
#include <eryx/checkpoint.h>

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "checkpoint/file.h"
#include "checkpoint/format.h"
#include "checkpoint/leaks.h"
#include "image/sha256.h"

#define PARTS_MAX 10000u

void eryx_checkpoint_options_init(eryx_checkpoint_options_t *options) {
    *options = (eryx_checkpoint_options_t){.size = sizeof *options, .level = 1};
}

/* --- Writing ------------------------------------------------------------------------------ */

/* What changes from now on is then told apart from what changed before. */
static int save_at_rest(eryx_sandbox_t *sandbox, eryx_error_t *error) {
    if (sandbox->rollback)
        return sandbox_save(sandbox, error);
    return slot_save(sandbox->instance->slot)
               ? ERYX_OK
               : error_set(error, ERYX_ERR_MEMORY, "out of memory for a checkpoint");
}

static int make(eryx_sandbox_t *sandbox, const eryx_checkpoint_options_t *options, buffer_t *out,
                eryx_error_t *error) {
    eryx_checkpoint_options_t defaults;
    eryx_checkpoint_options_init(&defaults);
    if (!options)
        options = &defaults;
    if (options->size != sizeof *options)
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "options of another version: call eryx_checkpoint_options_init");
    if (options->level < -100 || options->level > 19)
        return error_set(error, ERYX_ERR_ARGUMENT, "compression level %d: -100 to 19",
                         options->level);
    int status = state_check(sandbox, error);
    if (status == ERYX_OK && sandbox->execution.state == EXECUTION_IDLE)
        status = save_at_rest(sandbox, error);
    if (status == ERYX_OK)
        status = leaks_check(sandbox, error);
    if (status == ERYX_OK)
        status = checkpoint_write(sandbox, options->incremental, options->level, out, error);
    if (status != ERYX_OK)
        buffer_free(out);
    return status;
}

/* The next incremental one continues this one. */
static void commit(eryx_sandbox_t *sandbox, const void *data) {
    checkpoint_header_t header;
    memcpy(&header, data, sizeof header);
    memcpy(sandbox->checkpoint_id, header.id, sizeof header.id);
    slot_recent_clear(sandbox->instance->slot);
}

int eryx_sandbox_checkpoint(eryx_sandbox_t *sandbox, const eryx_checkpoint_options_t *options,
                            void **data, size_t *length, eryx_error_t *error) {
    buffer_t out = {0};
    if (!sandbox || !data || !length)
        return error_set(error, ERYX_ERR_ARGUMENT, "sandbox, data or length is NULL");
    *data = NULL;
    *length = 0;
    int status = make(sandbox, options, &out, error);
    if (status != ERYX_OK)
        return status;
    commit(sandbox, out.data);
    *data = buffer_take(&out, length);
    return ERYX_OK;
}

int eryx_sandbox_checkpoint_file(eryx_sandbox_t *sandbox, const eryx_checkpoint_options_t *options,
                                 const char *path, eryx_error_t *error) {
    buffer_t out = {0};
    if (!sandbox || !path)
        return error_set(error, ERYX_ERR_ARGUMENT, "%s is NULL", sandbox ? "path" : "sandbox");
    int status = make(sandbox, options, &out, error);
    if (status == ERYX_OK)
        status = file_replace(path, out.data, out.length, error);
    if (status == ERYX_OK)
        commit(sandbox, out.data);
    buffer_free(&out);
    return status;
}

/* --- Resuming ----------------------------------------------------------------------------- */

/* Checks part i; before: the header of the one before it. */
static int check_part(const eryx_runtime_t *runtime, const eryx_checkpoint_part_t *part, size_t i,
                      const checkpoint_header_t *before, checkpoint_header_t *out,
                      eryx_error_t *error) {
    uint8_t identity[32];
    checkpoint_identity(runtime, identity);
    if (!part->data)
        return error_set(error, ERYX_ERR_ARGUMENT, "parts[%zu].data is NULL", i);
    int status = checkpoint_check(part->data, part->length, identity, out, error);
    if (status != ERYX_OK)
        return status;
    bool incremental = out->flags & CHECKPOINT_INCREMENTAL;
    if (i == 0 && incremental)
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "the first checkpoint is incremental: it needs those before it");
    if (i > 0 && (!incremental || memcmp(out->base, before->id, sizeof out->base) != 0))
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "checkpoint %zu does not continue the one before it", i);
    return ERYX_OK;
}

/* Memory and state of all parts, in order; *header is that of the last. */
static int read_parts(eryx_sandbox_t *sandbox, const eryx_checkpoint_part_t *parts, size_t count,
                      checkpoint_header_t *header, session_state_t *state, eryx_error_t *error) {
    int status = ERYX_OK;
    for (size_t i = 0; i < count && status == ERYX_OK; i++) {
        checkpoint_header_t before = *header;
        if (i > 0)
            state_free(state);
        status = check_part(sandbox->runtime, &parts[i], i, &before, header, error);
        if (status == ERYX_OK)
            status =
                checkpoint_read(parts[i].data, header, sandbox->instance->slot,
                                sandbox->limits.host_memory_bytes, i + 1 == count, state, error);
    }
    return status;
}

int eryx_sandbox_resume(eryx_runtime_t *runtime, const eryx_checkpoint_part_t *parts, size_t count,
                        const eryx_sandbox_options_t *options, eryx_sandbox_t **out,
                        eryx_error_t *error) {
    checkpoint_header_t header = {0};
    session_state_t state = {0};
    eryx_sandbox_t *sandbox;
    if (out)
        *out = NULL;
    if (!runtime || !parts || !out || count == 0 || count > PARTS_MAX)
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "runtime, parts or out is NULL, or count not 1 to %u", PARTS_MAX);
    int status = check_part(runtime, parts, 0, NULL, &header, error);
    if (status == ERYX_OK)
        status = eryx_sandbox_new(runtime, options, &sandbox, error);
    if (status != ERYX_OK)
        return status;
    status = read_parts(sandbox, parts, count, &header, &state, error);
    if (status == ERYX_OK)
        status = scrub_rename(sandbox, state.placeholders, state.placeholder_count, error);
    if (status == ERYX_OK)
        status = state_apply(sandbox, &state, error);
    state_free(&state);
    if (status != ERYX_OK) {
        sandbox_spoil(sandbox);
        eryx_sandbox_free(sandbox);
        return status;
    }
    memcpy(sandbox->checkpoint_id, header.id, sizeof header.id);
    slot_recent_clear(sandbox->instance->slot);
    *out = sandbox;
    return ERYX_OK;
}

int eryx_sandbox_resume_file(eryx_runtime_t *runtime, const char *path,
                             const eryx_sandbox_options_t *options, eryx_sandbox_t **out,
                             eryx_error_t *error) {
    eryx_checkpoint_part_t part;
    if (out)
        *out = NULL;
    if (!path)
        return error_set(error, ERYX_ERR_ARGUMENT, "path is NULL");
    void *mapped;
    int status = file_map(path, &mapped, &part.length, error);
    if (status != ERYX_OK)
        return status;
    part.data = mapped;
    status = eryx_sandbox_resume(runtime, &part, 1, options, out, error);
    file_unmap(mapped, part.length);
    return file_name_error(status, path, error);
}

int eryx_checkpoint_get_info(const void *data, size_t length, eryx_checkpoint_info_t *info,
                             eryx_error_t *error) {
    checkpoint_header_t header;
    if (!data || !info || info->size != sizeof *info)
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "data or info is NULL, or info of another version");
    int status = checkpoint_check(data, length, NULL, &header, error);
    if (status != ERYX_OK)
        return status;
    *info = (eryx_checkpoint_info_t){
        .size = sizeof *info,
        .format_version = header.version,
        .incremental = header.flags & CHECKPOINT_INCREMENTAL,
        .waiting = header.flags & CHECKPOINT_EXECUTING,
        .created_ns = header.created,
        .memory_bytes = header.memory_bytes,
        .changed_bytes = (uint64_t)header.pages * header.page_bytes,
        .pending_calls = header.calls,
    };
    sha256_hex(header.identity, info->runtime_id);
    sha256_hex(header.id, info->id);
    if (info->incremental)
        sha256_hex(header.base, info->base_id);
    return ERYX_OK;
}
