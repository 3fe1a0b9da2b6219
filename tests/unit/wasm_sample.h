/* Small modules for tests, made with the wasm library; and a command run with its messages caught.
 */
#ifndef TESTS_WASM_SAMPLE_H
#define TESTS_WASM_SAMPLE_H

#include "wasm/wasm.h"

/* Types every sample has. */
enum sample_type { SAMPLE_VOID, SAMPLE_GET, SAMPLE_MAP }; /* () -> (), () -> i32, i32 -> i32 */

struct sample {
    struct wasm_module module;
    struct wasm_buffer dylink;
};

#define CODE(...) ((const uint8_t[]){__VA_ARGS__}), sizeof((const uint8_t[]){__VA_ARGS__})

void sample_begin(struct sample *sample);
/* Index in the index space. Imports first. */
uint32_t sample_import_function(struct sample *sample, const char *module, const char *name,
                                enum sample_type type);
uint32_t sample_import_global(struct sample *sample, const char *module, const char *name,
                              bool mutable);
/* code: instructions without locals and without the final end. */
uint32_t sample_function(struct sample *sample, enum sample_type type, const uint8_t *code,
                         size_t size);
uint32_t sample_global(struct sample *sample, int32_t value, bool mutable);
void sample_export(struct sample *sample, const char *name, enum wasm_kind kind, uint32_t index);
/* Active segments at the value of a global. */
void sample_data(struct sample *sample, uint8_t base_global, const void *bytes, size_t size);
void sample_element(struct sample *sample, uint8_t base_global, uint32_t function);
/* The dylink.0 section; needed and weak may be NULL. */
void sample_dylink(struct sample *sample, uint32_t memory_size, uint32_t memory_alignment_log2,
                   uint32_t table_size, const char *needed, const char *weak);
/* A name section with the name of one function. After sample_dylink. */
void sample_name(struct sample *sample, uint32_t function, const char *name);
/* Writes the module and frees the sample. */
void sample_write(struct sample *sample, const char *path);

void sample_write_bytes(const char *path, const void *data, size_t size);

/* A folder of the test's own, removed by sample_remove_folder. */
const char *sample_folder(void);
/* folder/name, in one of a few buffers that take turns. */
const char *sample_path(const char *name);
bool sample_exists(const char *name);
/* How many files the folder has. */
int sample_file_count(void);
int sample_make_folder(void **state);
int sample_remove_folder(void **state);

/* Runs a step with the arguments (NULL at the end). Its messages are kept for sample_messages. */
int sample_run(int (*run)(int argc, char **argv), ...);
const char *sample_messages(void);

#endif
