/* The module is looked for beside the program, then where the installed tree has what is private. */
#include "module.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <eryx.h>

static const char file[] = "eryx-stores.so";

/* Beside the program in the build tree, or where the installed tree has what is private. */
static void *find(void)
{
    static const char *const folders[] = {".", ERYX_PRIVATE_DIR};
    char program[PATH_MAX], path[PATH_MAX + 64];
    if (!realpath("/proc/self/exe", program))
        return NULL;
    *strrchr(program, '/') = '\0';
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, sizeof path, "%s/%s/%s", program, folders[i], file);
        if (access(path, R_OK) == 0)
            return dlopen(path, RTLD_NOW | RTLD_LOCAL);
    }
    return dlopen(file, RTLD_NOW | RTLD_LOCAL); /* which tells that there is none */
}

const struct module *module_load(char *why, size_t capacity)
{
    void *library = find();
    const struct module *module = library ? dlsym(library, MODULE_SYMBOL) : NULL;
    const char *reason = module ? NULL : dlerror();
    if (!module)
        snprintf(why, capacity, "%s cannot be loaded: %s", file,
                 reason ? reason : "the program cannot be found");
    else if (module->size != sizeof *module || strcmp(module->version, eryx_version()) != 0)
        snprintf(why, capacity, "%s is of another version of eryx", file);
    else
        return module;
    return NULL;
}
