/* What `preinit` calls while it makes the image. The component does not export these. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest_bindings.h"
#include "heap/heap.h"
#include "python/python.h"
#include "wasi/wasi.h"

/* What a fresh sandbox has; the compiled module has the same (toolchain/pipeline.py). */
enum { PAGE_BYTES = 65536, MEMORY_MINIMUM = 96 << 20 };

/* Sandboxes start with the memory grown to its minimum: gives the heap what is new in it. */
static void finish_memory(void)
{
    size_t size = __builtin_wasm_memory_size(0) * PAGE_BYTES;
    uintptr_t start = size < MEMORY_MINIMUM ? heap_more(MEMORY_MINIMUM - size) : 0;
    if (start != 0) {
        heap_add(start, MEMORY_MINIMUM);
    }
    PyGC_Collect(); /* and the interpreter's own lists of free blocks */
    heap_settle();
    heap_clean();
}

/* Once, after the constructors. 0, or 1 after a message on stderr. */
WIT_EXPORT("eryx_init") int32_t eryx_init(void)
{
    wasi_start();
    if (!python_start()) {
        return 1;
    }
    finish_memory();
    return 0;
}

/* Compiles the .py files under /lib/python3.14 into __pycache__ in the sandbox's file system.
 * The number of files, negative after a message on stderr. */
WIT_EXPORT("eryx_compile_archive") int32_t eryx_compile_archive(void)
{
    PyObject *module = PyImport_ImportModule("_eryx_archive");
    PyObject *count = module == NULL ? NULL : PyObject_CallMethod(module, "compile_all", NULL);
    int32_t result = count == NULL ? -1 : (int32_t)PyLong_AsLong(count);
    if (count == NULL) {
        PyErr_Print();
    }
    Py_XDECREF(module);
    Py_XDECREF(count);
    return result;
}

/* Reads a file of the sandbox: *data and *length are set, free() data by cabi_realloc to 0.
 * 0, or an errno value. The path ends in NUL. */
WIT_EXPORT("eryx_read_file")
int32_t eryx_read_file(const char *path, char **data, uint32_t *length)
{
    FILE *file = fopen(path, "rb");
    long size;
    if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0) {
        if (file != NULL) {
            fclose(file);
        }
        return 1;
    }
    *length = (uint32_t)size;
    *data = malloc((size_t)size + 1);
    if (*data == NULL || fseek(file, 0, SEEK_SET) != 0 ||
        fread(*data, 1, (size_t)size, file) != (size_t)size) {
        free(*data);
        fclose(file);
        return 1;
    }
    fclose(file);
    return 0;
}
