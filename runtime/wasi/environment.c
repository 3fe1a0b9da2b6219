/* wasi:cli/environment: the environment at start. libc reads it once; the runtime adds
 * variables of an execution through os.environ. There are no arguments: sys.argv is set
 * by the runtime. */
#include "wasi_internal.h"

#include <string.h>

struct wasi_variable {
    struct wasi_list name, value;
};

static struct wasi_list copy_text(const char *text)
{
    size_t length = strlen(text);
    struct wasi_list list = {wasi_alloc(length), (uint32_t)length};
    memcpy(list.ptr, text, length);
    return list;
}

WASI_EXPORT("wasi:cli/environment@0.2.0#get-environment")
void wasi_get_environment(struct wasi_list *result)
{
    static const char *const variables[][2] = {
        {"HOME", WASI_HOME},
        {"LANG", "C.UTF-8"},
        {"TMPDIR", "/tmp"},
    };
    uint32_t count = sizeof variables / sizeof *variables;
    struct wasi_variable *list = wasi_alloc(count * sizeof *list);
    for (uint32_t i = 0; i < count; i++) {
        list[i].name = copy_text(variables[i][0]);
        list[i].value = copy_text(variables[i][1]);
    }
    *result = (struct wasi_list){list, count};
}

WASI_EXPORT("wasi:cli/environment@0.2.0#get-arguments")
void wasi_get_arguments(struct wasi_list *result)
{
    *result = (struct wasi_list){0};
}
