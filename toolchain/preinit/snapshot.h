/* What an initialised guest leaves behind: memory, globals, and what to know about them. */
#ifndef PREINIT_SNAPSHOT_H
#define PREINIT_SNAPSHOT_H

#include "image/image.h"
#include "preinit/guest.h"
#include "wasm/wasm.h"

/* Where the archive lies in linear memory. */
struct constant_range {
    uint64_t start, end;
    uint64_t archive_end; /* from here on, what link put there: the table of symbols */
};

/* Begins the footer of runtime.cwasm: versions, the hash of the module as it is compiled with that
 * memory minimum, and all exported globals with their initial values. */
bool snapshot_describe(const struct wasm_module *module, uint64_t memory_min_bytes,
                       image_footer_t *footer);

/* From the globals eryx_constant_start and _end; fails (printed) if it is not in memory. */
bool snapshot_constant_range(const image_footer_t *footer, uint64_t memory_bytes,
                             struct constant_range *range);

/* Copies the archive to the constant range. */
bool snapshot_place_archive(struct guest *guest, const struct file_bytes *archive,
                            const struct constant_range *range);

/* Checks that the poll page has what the module's data put there, and the constant range the
 * archive and such data. */
bool snapshot_check(const struct wasm_module *module, const struct guest *guest,
                    const struct file_bytes *archive, const struct constant_range *range);

/* Bytes of the image: memory without the zeros at its end, whole pages of 64 KiB. */
uint64_t snapshot_image_bytes(const uint8_t *memory, uint64_t memory_bytes,
                              const struct constant_range *range);

/* "3.14.0" from the archive's build-details.json. */
bool snapshot_python_version(const struct file_bytes *archive, char *out, size_t size);

#endif
