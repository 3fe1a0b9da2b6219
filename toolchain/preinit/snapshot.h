/* What an initialised guest leaves behind: memory, globals, and what to know about them. */
#ifndef PREINIT_SNAPSHOT_H
#define PREINIT_SNAPSHOT_H

#include "image/image.h"
#include "preinit/guest.h"
#include "wasm/wasm.h"

/* Where the archive lies in linear memory. */
struct constant_range {
    uint64_t start, end;
};

/* Looks up eryx_constant_start and _end, checks them, and copies the archive there. */
bool snapshot_place_archive(struct guest *guest, const struct file_bytes *archive,
                            struct constant_range *range);

/* Checks that nothing wrote to the poll page or the constant range. */
bool snapshot_check(const struct guest *guest, const struct file_bytes *archive,
                    const struct constant_range *range);

/* Bytes of the image: memory without the zeros at its end, whole pages of 64 KiB. */
uint64_t snapshot_image_bytes(const struct guest *guest, const struct constant_range *range);

/* Adds all exported globals with their values. */
bool snapshot_globals(struct guest *guest, const struct wasm_module *module,
                      image_footer_t *footer);

/* "3.14.0" from the archive's build-details.json. */
bool snapshot_python_version(const struct file_bytes *archive, char *out, size_t size);

#endif
