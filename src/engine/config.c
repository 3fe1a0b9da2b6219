/* Everything the module does not need is off: less to attack, less to set up. */
#include "engine/config.h"

#include <wasmtime/async.h>
#include <wasmtime/config.h>

#include "memory/origin.h"

wasm_config_t *engine_config_new(bool fuel) {
    wasm_config_t *config = wasm_config_new();
    if (!config)
        return NULL;
    wasmtime_config_strategy_set(config, WASMTIME_STRATEGY_CRANELIFT);
    wasmtime_config_consume_fuel_set(config, fuel);
    wasmtime_config_cranelift_opt_level_set(config, WASMTIME_OPT_LEVEL_SPEED);
    wasmtime_config_signals_based_traps_set(config, true);
    wasmtime_config_memory_may_move_set(config, false);
    wasmtime_config_memory_reservation_set(config, MEMORY_RESERVE_BYTES);
    wasmtime_config_memory_guard_size_set(config, MEMORY_GUARD_BYTES);
    wasmtime_config_memory_init_cow_set(config, false);
    wasmtime_config_native_unwind_info_set(config, false);
    wasmtime_config_wasm_threads_set(config, false);
    wasmtime_config_wasm_memory64_set(config, false);
    wasmtime_config_wasm_function_references_set(config, false);
    wasmtime_config_wasm_gc_set(config, false);
    wasmtime_config_wasm_exceptions_set(config, false);
    wasmtime_config_wasm_stack_switching_set(config, false);
    wasmtime_config_wasm_component_model_set(config, false);
    wasmtime_config_concurrency_support_set(config, false);
    wasmtime_config_gc_support_set(config, false);
    wasmtime_config_max_wasm_stack_set(config, ENGINE_WASM_STACK_BYTES);
    wasmtime_config_async_stack_size_set(config, ENGINE_WASM_STACK_BYTES + ENGINE_HOST_STACK_BYTES);
    return config;
}
