/* Packages: wheels and folders of Python modules that programs can import.
 *
 *     eryx_packages_t *packages;
 *     eryx_runtime_options_t options;
 *     eryx_packages_new(&packages, &error);
 *     eryx_packages_add(packages, "jinja2-3.1.6-py3-none-any.whl", &error);
 *     eryx_packages_add_requirements(packages, "requirements.txt", NULL, &error);
 *     eryx_runtime_options_init(&options);
 *     options.packages = packages;
 *     eryx_runtime_open(NULL, &options, &runtime, &error);
 *     eryx_packages_free(packages);
 *
 * Programs of all sandboxes of such a runtime see the packages at ERYX_PACKAGES_TARGET, read-only and
 * never unpacked on disk. The first time a set of packages is used with a runtime file, their top-level
 * modules are imported in a sandbox, once, and the sandbox is kept as an image (<eryx/image.h>) in a folder
 * of the user: from then on sandboxes of these packages start as fast as those without, with the modules
 * imported. What a module does when it is imported (reading os.environ, the clock) is thus
 * done then; a module whose import fails then is imported by the program that wants it, and
 * fails there. Images are found by the content of the packages and of the runtime file. */
#ifndef ERYX_PACKAGE_H
#define ERYX_PACKAGE_H

#include <stdbool.h>
#include <stddef.h>

#include <eryx/error.h>
#include <eryx/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where programs see them: a folder of sys.path. */
#define ERYX_PACKAGES_TARGET "/lib/python3.14/site-packages"

/* A list of packages. One thread at a time. */
typedef struct eryx_packages eryx_packages_t;

/* An empty list, owned by the caller. Errors: ERYX_ERR_ARGUMENT, _MEMORY. */
ERYX_API int eryx_packages_new(eryx_packages_t **out, eryx_error_t *error);
/* A runtime that was opened with it does not need it any more. NULL is allowed. */
ERYX_API void eryx_packages_free(eryx_packages_t *packages);

/* Adds a wheel (PEP 427: NAME-VERSION-TAGS.whl), or a folder: one with an __init__.py is a package of the
 * folder's name, any other is a folder of modules, such as `pip install --target` makes. A wheel's
 * tags must be the sandbox's: pure Python (py3-none-any and the like), or extensions that the SDK has
 * built (cp314-cp314-wasi_wasm32). Contents are read when a runtime is opened. Adding the same file twice
 * does nothing.
 * Errors: ERYX_ERR_ARGUMENT (neither wheel nor folder; a wheel for another Python or machine; another
 * version of a package that is in the list), _IO (not there), _MEMORY. */
ERYX_API int eryx_packages_add(eryx_packages_t *packages, const char *path, eryx_error_t *error);

typedef struct eryx_requirements_options {
    size_t size; /* sizeof(eryx_requirements_options_t), set by eryx_requirements_options_init */
    /* The program that runs pip: CPython 3.9 or later. NULL: $ERYX_PYTHON, else python3 from PATH. */
    const char *python;
    /* Where wheels are kept. NULL: $XDG_CACHE_HOME/eryx/wheels or ~/.cache/eryx/wheels. */
    const char *cache;
    /* Build what has no wheel for the sandbox from its source, which runs code of that package on this
     * machine, as pip does: with the SDK (`eryx sdk`), if there is one, else without
     * extensions. Default true. False: it is an error. */
    bool build;
    /* Nothing but the lock file counts: it must be there and belong to the requirements. Default
     * false. */
    bool locked;
} eryx_requirements_options_t;

/* Sets the defaults. Any thread. */
ERYX_API void eryx_requirements_options_init(eryx_requirements_options_t *options);

/* Adds what a requirements file of pip asks for, with all that these packages need. pip finds and
 * downloads the wheels, the first time or when the file has changed; versions and sha256 of all files
 * are written to FILE.lock beside it (so that this folder must be writable). With a lock file, wheels
 * come from the cache, or pip downloads those very files; then there need be no network. Takes
 * as long as pip does.
 * Errors: ERYX_ERR_ARGUMENT (path is NULL), _IO (no file, no python3 or pip, no network, no such package,
 * nothing that suits the sandbox: the message has pip's reason), _FORMAT (a file is not the one that
 * is locked; the lock file is damaged), _STATE (locked, but there is no lock file of it), _MEMORY; those of
 * eryx_packages_add. */
ERYX_API int eryx_packages_add_requirements(eryx_packages_t *packages, const char *path,
                                            const eryx_requirements_options_t *options,
                                            eryx_error_t *error);

/* The files and folders in the order they were added, as absolute paths; NULL past the end. Valid until
 * the list is changed. */
ERYX_API const char *eryx_packages_path(const eryx_packages_t *packages, size_t index);

#ifdef __cplusplus
}
#endif
#endif
