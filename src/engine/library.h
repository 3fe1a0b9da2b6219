/* Extensions: code that is compiled later, and loaded into instances.
 *
 * engine_code_t is the compiled code of one .so, shared by all instances of the engine. Loading it
 * makes it part of an instance: its data and table slots get places that do not change any more,
 * so that another instance can be given the same functions at the same slots, and a copy of memory. */
#ifndef ENGINE_LIBRARY_H
#define ENGINE_LIBRARY_H

#include "engine/engine.h"

#define ENGINE_HASH_BYTES 32u
#define ENGINE_MAX_LIBRARIES 256u

typedef struct engine_code engine_code_t; /* counted references; any thread */

/* What loading needs to be given. */
typedef struct engine_code_needs {
    uint32_t memory_bytes, memory_alignment;
    uint32_t table_slots; /* with those of its exports */
} engine_code_needs_t;

/* Compiled code as bytes, and what it wants from a sandbox (extension_needs_t). */
typedef struct engine_code_copy {
    const void *data;
    size_t length;
    uint32_t memory_bytes, memory_alignment, table_slots, table_alignment;
} engine_code_copy_t;

/* Where an instance has a library. */
typedef struct engine_library {
    uint8_t hash[ENGINE_HASH_BYTES]; /* sha256 of the .so */
    uint32_t memory_base;
    uint32_t table_base;
} engine_library_t; /* as it is in checkpoints: no padding */

/* The code of these bytes, with a reference for the caller: from memory, from disk, or compiled,
 * which takes about a second a megabyte. Any thread.
 * Errors: ERYX_ERR_FORMAT and _LIMIT (the bytes are refused; the message tells why), _MEMORY. */
int engine_code_obtain(engine_t *engine, const void *data, size_t length, engine_code_t **out,
                       eryx_error_t *error);
/* The same without compiling: false if that is needed. */
bool engine_code_known(engine_t *engine, const void *data, size_t length, engine_code_t **out);
/* The same of an open file of this machine, which is read only if it is not known (extension/known_files.h);
 * *length: how many bytes it has. */
bool engine_code_of_file(engine_t *engine, int fd, uint64_t *length, engine_code_t **out);
/* Runs a function on a thread of its own, one after the other; closing the engine waits for it. For
 * compiling while a sandbox waits. False: there is no thread. Any thread. */
bool engine_run_later(engine_t *engine, void (*run)(void *env), void *env);
/* The same by hash, without compiling. ERYX_ERR_STATE: it is neither in memory nor on disk. */
int engine_code_find(engine_t *engine, const uint8_t hash[ENGINE_HASH_BYTES], engine_code_t **out,
                     eryx_error_t *error);
/* The same from a copy that engine_code_export made, where it is neither in memory nor on disk; it is
 * trusted like the runtime file. Errors: ERYX_ERR_VERSION (of another engine or machine), _MEMORY. */
int engine_code_import(engine_t *engine, const uint8_t hash[ENGINE_HASH_BYTES],
                       const engine_code_copy_t *copy, engine_code_t **out, eryx_error_t *error);
/* A copy of the code, whose data is to be freed with engine_code_copy_free. Errors: ERYX_ERR_MEMORY. */
int engine_code_export(const engine_code_t *code, engine_code_copy_t *out, eryx_error_t *error);
void engine_code_copy_free(engine_code_copy_t *copy);
void engine_code_release(engine_code_t *code);
engine_code_needs_t engine_code_needs(const engine_code_t *code);

/* Loads code into an instance, whose call may be the one that asks for it (from an import). Its data
 * is to be at memory_base, which must be aligned and memory of memory_bytes bytes that the guest
 * may write; functions get the next free slots. *number: which library of the instance it is. On
 * failure nothing has changed. Nothing is written to memory and nothing of the library runs: the
 * caller zeroes its memory and calls, in this order and where they exist, its functions
 * EXTENSION_DATA, EXTENSION_START, __wasm_apply_data_relocs, and _initialize or __wasm_call_ctors.
 * Errors: ERYX_ERR_FORMAT (an import the runtime does not have, named), _LIMIT, _MEMORY, _STATE (the code in
 * the cache was damaged, and is gone now). */
int engine_library_load(engine_instance_t *instance, engine_code_t *code, uint32_t memory_base,
                        uint32_t *number, eryx_error_t *error);
/* The slot of an exported function, or the address of exported data. False: no such export. */
bool engine_library_symbol(engine_instance_t *instance, uint32_t number, const char *name,
                           size_t length, uint32_t *out);

/* The libraries of an instance at some time. All zero: none. */
typedef struct engine_libraries {
    engine_library_t *items;
    engine_code_t **codes; /* a reference each; NULL: to be found by hash */
    size_t count;
} engine_libraries_t;

/* What is loaded, in that order, over what *out had. Cheap if that is the same. False when out of
 * memory. */
bool engine_libraries_save(const engine_instance_t *instance, engine_libraries_t *out);
/* Same from another list. */
bool engine_libraries_copy(const engine_libraries_t *from, engine_libraries_t *out);
/* Adds one whose code is to be found by hash. False when out of memory. */
bool engine_libraries_add(engine_libraries_t *libraries, const engine_library_t *place);
/* Loads all of them into an instance that has none, or the first of them already, at the same places. Memory
 * is not touched: it is to have what they left there, and to be large enough.
 * Errors: as engine_library_load and engine_code_find; ERYX_ERR_FORMAT (it has others). After a failure the
 * instance is to be freed. */
int engine_libraries_restore(engine_instance_t *instance, const engine_libraries_t *libraries,
                             eryx_error_t *error);
void engine_libraries_free(engine_libraries_t *libraries);
/* What every instance of the engine has from the beginning, since the image's memory was left so. Before
 * the first instance; all codes must be known. Takes it over. */
void engine_preload(engine_t *engine, engine_libraries_t *libraries);
/* Whether it has nothing but that: then it can be reset. */
bool engine_libraries_fresh(const engine_instance_t *instance);

#endif
