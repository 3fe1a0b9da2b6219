/* wasi:cli/exit, and the functions of libc that end in it: WASI carries only success or
 * failure, so the exit code goes to the host through linear memory. */
#include "wasi_internal.h"

WASI_VISIBLE int32_t eryx_exit_code;

WASI_IMPORT("wasi:cli/exit@0.2.0", "exit") void host_exit(uint32_t failed);

/* libc: runs what atexit registered and flushes stdio. */
void __wasm_call_dtors(void);

WASI_VISIBLE _Noreturn void _Exit(int code);
WASI_VISIBLE _Noreturn void _exit(int code);
WASI_VISIBLE _Noreturn void exit(int code);

_Noreturn void _Exit(int code)
{
    eryx_exit_code = code;
    host_exit(code != 0);
    __builtin_trap();
}

_Noreturn void _exit(int code)
{
    _Exit(code);
}

_Noreturn void exit(int code)
{
    __wasm_call_dtors();
    _Exit(code);
}

WASI_EXPORT("wasi:cli/exit@0.2.0#exit")
void wasi_exit(uint32_t failed)
{
    _Exit(failed ? 1 : 0);
}
