/* What a file is, told from its content: a shared wasm library by a function that only it
 * exports, the standard library by a file that only it has. */
#include "libs/identify.h"

#include <string.h>

#include "stdlib/tar.h"
#include "wasm/wasm.h"

static const struct {
    const char *export, *name;
} libraries[] = {
    {"Py_GetBuildInfo", "libpython3.14.so"},
    {"closedir", "libc.so"},
    {"mmap", "libwasi-emulated-mman.so"},
    {"times", "libwasi-emulated-process-clocks.so"},
    {"getpid", "libwasi-emulated-getpid.so"},
    {"strsignal", "libwasi-emulated-signal.so"},
    {"_ZNSt3__26__sortIRNS_6__lessIccEEPcEEvT0_S5_T_", "libc++.so"},
    {"__cxa_bad_cast", "libc++abi.so"},
};

static const char *identify_module(const uint8_t *data, size_t size)
{
    struct wasm_module module;
    struct wasm_error error;
    if (!wasm_parse(data, size, &module, &error))
        return NULL;
    const char *name = NULL;
    if (wasm_find_custom(&module, "dylink.0"))
        for (size_t i = 0; i < sizeof libraries / sizeof libraries[0] && !name; i++)
            if (wasm_find_export(&module, WASM_FUNCTION, libraries[i].export))
                name = libraries[i].name;
    wasm_free(&module);
    return name;
}

static bool is_sysconfig(void *context, const struct tar_entry *entry)
{
    bool *found = context;
    *found = strcmp(entry->path, "_sysconfig_vars__wasi_wasm32-wasi.json") == 0;
    return !*found;
}

const char *identify(const uint8_t *data, size_t size)
{
    if (size > 8 && memcmp(data, "\0asm\1\0\0\0", 8) == 0)
        return identify_module(data, size);
    bool found = false;
    if (tar_is(data, size))
        (void)tar_visit(data, size, is_sysconfig, &found, NULL);
    return found ? "stdlib.tar" : NULL;
}
