/* The engine's configuration: one function, so that what eryx-build compiles is what
 * liberyx loads. */
#ifndef ENGINE_CONFIG_H
#define ENGINE_CONFIG_H

#include <stdbool.h>

#include <wasm.h>

/* "wasmtime 50.0.1": stored in runtime files and compared when one is opened. */
#define ENGINE_VERSION "wasmtime 50.0.1"

/* Wasm frames may take this much. With it, deep recursion in CPython's C code meets the
 * shadow stack's limit first, which is a RecursionError. */
#define ENGINE_WASM_STACK_BYTES ((size_t)32 << 20)
/* What host functions, the embedder's callbacks included, have below it. */
#define ENGINE_HOST_STACK_BYTES ((size_t)1 << 20)

/* fuel: code that counts what it executes, and runs at half the speed.
 * Owned by the caller, who gives it to wasm_engine_new_with_config. */
wasm_config_t *engine_config_new(bool fuel);

#endif
