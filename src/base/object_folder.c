/* The program itself is named as it was started, maybe relative to another folder: /proc knows. */
#define _GNU_SOURCE
#include "base/object_folder.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

bool object_folder(const void *symbol, char *out) {
    Dl_info info;
    if (!dladdr(symbol, &info) || !info.dli_fname)
        return false;
    const char *path = strchr(info.dli_fname, '/') ? info.dli_fname : "/proc/self/exe";
    if (!realpath(path, out))
        return false;
    *strrchr(out, '/') = '\0';
    return true;
}
