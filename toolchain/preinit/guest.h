/* Running the module at build time: compile it, make instances, call exports.
 *
 * Configured as liberyx is (src/engine/config.h), so that what is compiled here is what is
 * loaded there. The linear memory is ours: it begins with the size the linker gave the
 * module, however large the minimum is that the code was compiled with. */
#ifndef PREINIT_GUEST_H
#define PREINIT_GUEST_H

#include "file.h"

/* Compiled code. The engine's header is not included here: toolchain/wasm has the same names. */
struct machine {
    struct wasm_engine_t *engine;
    struct wasmtime_module *module;
};

/* "wasmtime 50.0.1" */
const char *machine_version(void);

bool machine_compile(struct machine *machine, bool fuel, const uint8_t *wasm, size_t size);
/* Takes code that machine_serialize gave; false, without a message, when it does not fit. */
bool machine_load(struct machine *machine, const uint8_t *elf, size_t size);
/* The minimum size of the memory that the code was compiled for, in bytes. 0 if it has none. */
uint64_t machine_memory_minimum(const struct machine *machine);
/* The ELF. */
bool machine_serialize(const struct machine *machine, struct file_bytes *out);
void machine_free(struct machine *machine);

/* One instance. Must not be moved while it lives. */
struct guest {
    struct guest_instance *instance; /* the engine's objects */
    uint8_t *memory;
    uint64_t memory_bytes; /* now; grows */
    uint64_t time;         /* of its clocks, nanoseconds */
    uint64_t entropy;
};

/* memory_bytes: its size at the beginning, all zero. On failure there is nothing to stop. */
bool guest_start(struct guest *guest, const struct machine *machine, uint64_t memory_bytes);
void guest_stop(struct guest *guest);

/* Calls an export whose parameters and at most one result are i32. result may be NULL. Prints
 * traps. Needs the thread of guest_run_on_large_stack. */
bool guest_call(struct guest *guest, const char *name, const uint32_t *arguments, size_t count,
                uint32_t *result);
/* Value of an exported i32 or i64 global. Prints if there is none. */
bool guest_global(struct guest *guest, const char *name, uint64_t *out);
/* Checked pointer into linear memory; NULL if that is not all inside. */
uint8_t *guest_bytes(const struct guest *guest, uint64_t address, uint64_t size);
uint64_t guest_table_size(struct guest *guest);

/* Guest calls need more stack than a main thread has. */
bool guest_run_on_large_stack(bool (*run)(void *context), void *context);

#endif
