/* dlopen and friends, which libpython wants for extension modules: there is nothing to load,
 * all modules are linked in. Python turns dlerror's text into an ImportError. */
#include "wasi_internal.h"

static const char *last_error;

WASI_VISIBLE void *dlopen(const char *path, int flags);
WASI_VISIBLE void *dlsym(void *library, const char *name);
WASI_VISIBLE int dlclose(void *library);
WASI_VISIBLE const char *dlerror(void);

void *dlopen(const char *path, int flags)
{
    (void)path, (void)flags;
    last_error = "extension modules cannot be loaded in the sandbox";
    return NULL;
}

void *dlsym(void *library, const char *name)
{
    (void)library, (void)name;
    last_error = "symbols cannot be looked up in the sandbox";
    return NULL;
}

int dlclose(void *library)
{
    (void)library;
    last_error = "no library is loaded in the sandbox";
    return -1;
}

/* As POSIX wants it: reading the error clears it. */
const char *dlerror(void)
{
    const char *error = last_error;
    last_error = NULL;
    return error;
}
