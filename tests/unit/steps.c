/* Running steps of eryx-build in a test: see steps.h. */
#include "steps.h"

#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <wasmtime.h>

#include "signals.h"

static char message[4096];

const char *steps_message(void) {
    return message;
}

void steps_start(void) {
    wasm_engine_t *engine = wasm_engine_new();
    signals_save();
    wasm_engine_delete(engine);
}

int steps_run(int (*run)(int, char **), const char *const *arguments) {
    char *argv[24];
    int argc = 0;
    while (arguments[argc]) {
        assert_in_range(argc, 0, 22);
        argv[argc] = (char *)arguments[argc];
        argc++;
    }
    argv[argc] = NULL;
    fflush(stderr);
    int saved = dup(STDERR_FILENO);
    int fd = memfd_create("stderr", MFD_CLOEXEC);
    assert_true(saved >= 0 && fd >= 0);
    dup2(fd, STDERR_FILENO);
    optind = 0;
    signals_restore();
    int result = run(argc, argv);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    ssize_t size = pread(fd, message, sizeof message - 1, 0);
    message[size > 0 ? size : 0] = 0;
    close(fd);
    return result;
}

void steps_assert_ok(int result) {
    if (result != COMMAND_OK)
        fail_msg("%s", message);
}

void steps_assert_says(int result, const char *part) {
    if (result != COMMAND_FAILED || !strstr(message, part))
        fail_msg("expected failure with '%s', got %d with '%s'", part, result, message);
}

char *steps_replace(const char *text, const char *from, const char *to) {
    const char *at = from ? strstr(text, from) : text;
    char *changed;
    if (!at)
        fail_msg("the text has no '%s'", from);
    assert_true(asprintf(&changed, "%.*s%s%s", (int)(at - text), text, to ? to : "",
                         at + (from ? strlen(from) : 0)) >= 0);
    return changed;
}

struct file_bytes steps_module(const char *text) {
    wasm_byte_vec_t wasm;
    struct file_bytes bytes;
    wasmtime_error_t *error = wasmtime_wat2wasm(text, strlen(text), &wasm);
    if (error) {
        wasm_byte_vec_t why;
        wasmtime_error_message(error, &why);
        fail_msg("%.*s", (int)why.size, why.data);
    }
    bytes = (struct file_bytes){malloc(wasm.size + 1), wasm.size};
    assert_non_null(bytes.data);
    memcpy(bytes.data, wasm.data, wasm.size);
    wasm_byte_vec_delete(&wasm);
    return bytes;
}
