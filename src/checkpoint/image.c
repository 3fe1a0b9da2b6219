/* A session as a runtime file of its own: the code of the runtime's file, and the session's memory. */
#define _GNU_SOURCE
#include "checkpoint/image.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/error.h"
#include "checkpoint/file.h"
#include "checkpoint/libraries.h"

/* What a fresh instance would not have beside memory. */
static int check_guest(const eryx_sandbox_t *sandbox, eryx_error_t *error) {
    const guest_t *guest = &sandbox->instance->guest;
    if (sandbox->instance->slot->size > IMAGE_MEMORY_MAX)
        return error_set(
            error, ERYX_ERR_LIMIT,
            "the session has %zu bytes of memory, an image at most %zu: keep less in it",
            sandbox->instance->slot->size, IMAGE_MEMORY_MAX);
    if (!waitables_none(&guest->waitables))
        return error_set(error, ERYX_ERR_GUEST, "the session has waitables at rest");
    return ERYX_OK;
}

static int settle(eryx_sandbox_t *sandbox, eryx_error_t *error) {
    guest_status_t guest_status;
    int status = session_begin(sandbox, &guest_status, error);
    if (status != ERYX_OK)
        return status;
    if (guest_status == GUEST_ENDED)
        guest_status = guest_settle(&sandbox->instance->guest);
    status = session_end(sandbox, guest_status, "image", error);
    return status == ERYX_OK ? check_guest(sandbox, error) : status;
}

/* Whole units up to the last that is not zero. */
static size_t image_length(const memory_slot_t *slot) {
    static const uint8_t zeros[IMAGE_ALIGN];
    size_t end = slot->size;
    while (end > slot->origin->layout.constant_end &&
           memcmp(slot->base + end - IMAGE_ALIGN, zeros, IMAGE_ALIGN) == 0)
        end -= IMAGE_ALIGN;
    return end;
}

static int write_parts(const eryx_sandbox_t *sandbox, int fd, image_parts_t *parts,
                       eryx_error_t *error) {
    const eryx_runtime_t *runtime = sandbox->runtime;
    const memory_slot_t *slot = sandbox->instance->slot;
    image_footer_t footer = runtime->footer;
    size_t code_length = footer.code.length;
    void *code = mmap(NULL, code_length, PROT_READ, MAP_PRIVATE, runtime->origin.fd, 0);
    if (code == MAP_FAILED)
        return error_set(error, ERYX_ERR_MEMORY, "cannot map the runtime file: %m");
    footer.features |= IMAGE_OWN;
    footer.memory_min_bytes = slot->size;
    parts->code = (image_part_t){code, code_length};
    parts->memory = (image_part_t){slot->base, image_length(slot)};
    int status = image_write(fd, &footer, parts, error);
    munmap(code, code_length);
    return status;
}

int session_image_write(eryx_sandbox_t *sandbox, int fd, const image_part_t *packages,
                        eryx_error_t *error) {
    buffer_t libraries = {0};
    engine_libraries_t loaded = {0};
    int status = settle(sandbox, error);
    if (status == ERYX_OK && !engine_libraries_save(sandbox->instance->guest.instance, &loaded))
        status = error_set(error, ERYX_ERR_MEMORY, "out of memory for an image");
    if (status == ERYX_OK)
        status = libraries_write(&loaded, &libraries, error);
    if (status == ERYX_OK) {
        image_parts_t parts = {.packages = *packages,
                               .libraries = {libraries.data, libraries.length}};
        status = write_parts(sandbox, fd, &parts, error);
    }
    engine_libraries_free(&loaded);
    buffer_free(&libraries);
    return status;
}

int eryx_image_build(eryx_sandbox_t *sandbox, const char *path, eryx_error_t *error) {
    file_new_t file;
    if (!sandbox || !path)
        return error_set(error, ERYX_ERR_ARGUMENT, "%s is NULL", sandbox ? "path" : "sandbox");
    if (sandbox->secrets)
        return error_set(error, ERYX_ERR_ARGUMENT, "a sandbox with secrets cannot become an image");
    int status = sandbox_idle(sandbox, error);
    if (status == ERYX_OK)
        status = file_begin(path, &file, error);
    if (status != ERYX_OK)
        return status;
    status = session_image_write(sandbox, file.fd, &sandbox->runtime->packages_bytes, error);
    fchmod(file.fd, 0644); /* it is a program's part, no one's data */
    return file_name_error(file_end(&file, status, error), path, error);
}
