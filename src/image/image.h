/* The file runtime.cwasm: an ELF of the engine, the initial linear memory, what an own image may have
 * beside it, a footer.
 *
 * Written by eryx-build precompile, read by liberyx. All numbers little-endian.
 * The footer is the last IMAGE_FOOTER_BYTES of the file; a reader checks magic, versions,
 * footer checksum and that every section lies inside the file before it uses anything.
 * The seven padding bytes of the ELF's e_ident hold the size of the whole file, so that a
 * truncated file, which has lost its footer, can still be told from a foreign one. */
#ifndef IMAGE_IMAGE_H
#define IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eryx/error.h>

#define IMAGE_MAGIC "ERYXCWA1"
#define IMAGE_FORMAT_VERSION 1u
#define IMAGE_FOOTER_BYTES 4096u
#define IMAGE_ALIGN 65536u /* sections start here: host pages may be 4, 16 or 64 KiB */
#define IMAGE_MAX_GLOBALS 32u
#define IMAGE_FUEL 1u /* the code counts what it executes */
#define IMAGE_OWN 2u  /* memory is that of a sandbox that ran: guests are woken before they run */

typedef struct image_section {
    uint64_t offset; /* from the start of the file */
    uint64_t length; /* bytes, padding not counted */
    uint8_t sha256[32];
} image_section_t;

typedef struct image_global {
    char name[56];    /* export name, NUL-padded */
    uint8_t kind;     /* 0x7f i32, 0x7e i64: the wasm value type */
    uint8_t mutable_; /* 1: set at instantiation and recycling */
    uint8_t reserved[6];
    uint64_t value;
} image_global_t;

typedef struct image_footer {
    char magic[8];
    uint32_t format_version;
    uint32_t features;       /* IMAGE_FUEL, IMAGE_OWN */
    char eryx_version[16];   /* of the eryx-build that wrote it */
    char engine_version[32]; /* "wasmtime 50.0.1" */
    char python_version[16];
    char machine[16];          /* "x86_64": what the code runs on */
    uint8_t module_sha256[32]; /* of the core module that was compiled: the build id */
    image_section_t code;      /* the ELF, offset 0 */
    image_section_t memory;    /* initial linear memory from address 0, multiple of 64 KiB */
    uint64_t memory_min_bytes; /* the module's minimum; beyond the memory section it is zero */
    uint64_t constant_start;   /* read-only range of linear memory, multiples of 64 KiB */
    uint64_t constant_end;
    uint32_t global_count;
    uint32_t reserved1;
    image_global_t globals[IMAGE_MAX_GLOBALS];
    /* Of own images; length 0: none. Multiples of 64 KiB as the memory section. */
    image_section_t packages;  /* package/pack.h */
    image_section_t libraries; /* extensions in memory: checkpoint/libraries.h */
    uint8_t padding[1408];     /* zero; fills the page */
    uint8_t footer_sha256[32]; /* of the footer with this field zero: it binds everything */
} image_footer_t;

/* --- Footers ----------------------------------------------------------------------------- */

/* The machine this code was compiled for, as image_footer_t.machine. */
const char *image_machine(void);

/* Zero, with magic, format version and machine set. */
void image_footer_init(image_footer_t *footer);
/* Computes footer_sha256. */
void image_footer_seal(image_footer_t *footer);
/* Magic, format version and checksum. ERYX_ERR_FORMAT or _VERSION. */
int image_footer_check_seal(const image_footer_t *footer, eryx_error_t *error);
/* The rest: sections, ranges and globals make sense in a file of that size. ERYX_ERR_FORMAT. */
int image_footer_check_layout(const image_footer_t *footer, uint64_t file_bytes,
                              eryx_error_t *error);
/* NULL if the image has no global of that name. */
const image_global_t *image_footer_global(const image_footer_t *footer, const char *name);

/* --- Reading ----------------------------------------------------------------------------- */

typedef struct image {
    int fd; /* of the file, or of a sealed memfd; close-on-exec */
    uint64_t file_bytes;
    image_footer_t footer; /* checked */
} image_t;

/* What the reader can load. NULL: anything. */
typedef struct image_versions {
    const char *eryx;   /* must equal footer.eryx_version */
    const char *engine; /* must equal footer.engine_version */
} image_versions_t;

/* Opens and checks; sections are not hashed. On success close with image_close.
 * Errors: ERYX_ERR_IO, _FORMAT, _VERSION. */
int image_open(const char *path, const image_versions_t *versions, image_t *out,
               eryx_error_t *error);
/* Same from bytes, which are copied to a memfd. Also ERYX_ERR_MEMORY. */
int image_open_buffer(const void *data, size_t length, const image_versions_t *versions,
                      image_t *out, eryx_error_t *error);
/* Compares the sha256 of both sections, reading the whole file. ERYX_ERR_IO, _FORMAT. */
int image_verify(const image_t *image, eryx_error_t *error);
/* Closes the file descriptor; mappings made of it stay valid. */
void image_close(image_t *image);

/* --- Writing ----------------------------------------------------------------------------- */

/* What the sections are made of. */
typedef struct image_part {
    const void *data;
    size_t length;
} image_part_t;

typedef struct image_parts {
    image_part_t code;   /* an ELF */
    image_part_t memory; /* a multiple of 64 KiB */
    image_part_t packages, libraries;
} image_parts_t;

/* Writes the whole file to fd, from its beginning: fills in the sections of *footer, seals it.
 * ERYX_ERR_ARGUMENT, _FORMAT, _IO. */
int image_write(int fd, image_footer_t *footer, const image_parts_t *parts, eryx_error_t *error);

#endif
