/* The file runtime.cwasm: an ELF of the engine, the initial linear memory, a footer.
 *
 * Written by eryx-build precompile, read by liberyx. All numbers little-endian.
 * The footer is the last IMAGE_FOOTER_BYTES of the file; a reader checks magic, versions,
 * header checksum and that every section lies inside the file before it uses anything. */
#ifndef ERYX_IMAGE_H
#define ERYX_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eryx/error.h>

#define IMAGE_MAGIC "ERYXCWA1"
#define IMAGE_FORMAT_VERSION 1u
#define IMAGE_FOOTER_BYTES 4096u
#define IMAGE_ALIGN 65536u /* sections start here: host pages may be 4, 16 or 64 KiB */
#define IMAGE_MAX_GLOBALS 16u

typedef struct image_section {
    uint64_t offset; /* from the start of the file */
    uint64_t length; /* bytes, padding not counted */
    uint8_t sha256[32];
} image_section_t;

typedef struct image_global {
    char name[56];     /* export name, NUL-padded */
    uint8_t kind;      /* 0x7f i32, 0x7e i64: the wasm value type */
    uint8_t mutable_;  /* 1: set at instantiation and recycling */
    uint8_t reserved[6];
    uint64_t value;
} image_global_t;

typedef struct image_footer {
    char magic[8];
    uint32_t format_version;
    uint32_t reserved0;
    char eryx_version[16];   /* of the eryx-build that wrote it */
    char engine_version[32]; /* "wasmtime 50.0.1" */
    char python_version[16];
    uint8_t module_sha256[32]; /* of the core module that was compiled: the build id */
    image_section_t code;      /* the ELF, offset 0 */
    image_section_t memory;    /* initial linear memory from address 0 */
    uint64_t memory_min_bytes; /* the module's minimum; beyond the memory section it is zero */
    uint64_t constant_start;   /* read-only range of linear memory, multiples of 64 KiB */
    uint64_t constant_end;
    uint32_t global_count;
    uint32_t reserved1;
    image_global_t globals[IMAGE_MAX_GLOBALS];
    uint8_t footer_sha256[32]; /* of the footer with this field zero */
} image_footer_t;

#endif
