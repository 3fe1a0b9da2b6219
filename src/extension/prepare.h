/* From the bytes of an extension module (.so) to a module that may be compiled.
 *
 * The bytes come from the guest: whatever they are, the result touches nothing but the sandbox's
 * memory, table and stack pointer, can be stopped, and keeps all of its state in linear memory.
 * No engine is needed here: docs/architecture.md, "Extensions", has the rules. */
#ifndef EXTENSION_PREPARE_H
#define EXTENSION_PREPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eryx/error.h>

#define EXTENSION_BYTES_MAX ((size_t)64 << 20)
#define EXTENSION_MEMORY_MAX ((uint32_t)512 << 20)
#define EXTENSION_SLOTS_MAX 65536u
#define EXTENSION_BODY_MAX ((size_t)1 << 20) /* compiling takes more than linear time */

/* Names under which the guest finds what the engine would do or run when it makes an instance:
 * writing the data segments, which would spoil memory that is restored, and the start function. */
#define EXTENSION_DATA "eryx:data"
#define EXTENSION_START "eryx:start"
/* Modules of imports that may stay unresolved: "weak:env", "weak:GOT.mem", "weak:GOT.func". */
#define EXTENSION_WEAK "weak:"

/* What it wants from the sandbox. */
typedef struct extension_needs {
    uint32_t memory_bytes, memory_alignment; /* of its data; a power of two */
    uint32_t table_slots, table_alignment;   /* without those of its exports; a power of two */
} extension_needs_t;

/* The prepared module, from malloc. */
typedef struct extension_module {
    uint8_t *data;
    size_t length;
    extension_needs_t needs;
} extension_module_t;

/* Nothing may be written to the constant range. Errors: ERYX_ERR_FORMAT (message: why it is
 * refused), _LIMIT, _MEMORY. */
int extension_prepare(const void *data, size_t length, uint32_t constant_start,
                      uint32_t constant_end, bool fuel, extension_module_t *out,
                      eryx_error_t *error);
void extension_module_free(extension_module_t *module);

#endif
