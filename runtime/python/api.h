/* Python.h, and the few functions of libpython beyond the limited API that we call.
 *
 * The limited API of 3.11 is what headers of any newer CPython describe in the same way.
 * Reference counting goes through functions: the headers' inline versions know nothing of
 * this CPython's immortal objects and would write to pages that are otherwise never dirtied. */
#ifndef ERYX_PYTHON_API_H
#define ERYX_PYTHON_API_H

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#undef Py_INCREF
#undef Py_DECREF
#undef Py_XDECREF
#define Py_INCREF(object) Py_IncRef((PyObject *)(object))
#define Py_DECREF(object) Py_DecRef((PyObject *)(object))
#define Py_XDECREF(object) Py_DecRef((PyObject *)(object))

/* PEP 741: not in the limited API, the only way to choose the allocator. */
typedef struct PyInitConfig PyInitConfig;
extern PyInitConfig *PyInitConfig_Create(void);
extern void PyInitConfig_Free(PyInitConfig *config);
extern int PyInitConfig_SetInt(PyInitConfig *config, const char *name, int64_t value);
extern int PyInitConfig_SetStr(PyInitConfig *config, const char *name, const char *value);
extern int PyInitConfig_SetStrList(PyInitConfig *config, const char *name, size_t length,
                                   char *const *items);
extern int PyInitConfig_GetError(PyInitConfig *config, const char **message);
extern int PyInitConfig_AddModule(PyInitConfig *config, const char *name,
                                  PyObject *(*initfunc)(void));
extern int Py_InitializeFromInitConfig(PyInitConfig *config);

/* PEP 445: not in the limited API. */
struct python_allocator {
    void *context;
    void *(*allocate)(void *context, size_t size);
    void *(*allocate_zeroed)(void *context, size_t count, size_t size);
    void *(*reallocate)(void *context, void *block, size_t size);
    void (*release)(void *context, void *block);
};
enum { PYTHON_DOMAIN_RAW = 0, PYTHON_DOMAIN_MEM = 1, PYTHON_DOMAIN_OBJECT = 2 };
extern void PyMem_SetAllocator(int domain, struct python_allocator *allocator);

struct python_arena_allocator {
    void *context;
    void *(*allocate)(void *context, size_t size);
    void (*release)(void *context, void *block, size_t size);
};
extern void PyObject_SetArenaAllocator(struct python_arena_allocator *allocator);

/* Takes flags (top-level await) and the filename as an object; neither is in the limited API. */
struct python_compiler_flags {
    int flags;
    int feature_version;
};
enum {
    PYTHON_SOURCE_IS_UTF8 = 0x0100,
    PYTHON_IGNORE_COOKIE = 0x0800,
    PYTHON_TOP_LEVEL_AWAIT = 0x2000,
    PYTHON_MINOR_VERSION = 14,
    PYTHON_FILE_INPUT = 257
};
extern PyObject *Py_CompileStringObject(const char *source, PyObject *filename, int start,
                                        struct python_compiler_flags *flags, int optimize);

extern int PyObject_IS_GC(PyObject *object);

/* PEP 567. */
extern PyObject *PyContext_CopyCurrent(void);
extern int PyContext_Enter(PyObject *context);
extern int PyContext_Exit(PyObject *context);

/* In the limited API since 3.12. */
extern PyObject *PyErr_GetRaisedException(void);
extern void PyErr_SetRaisedException(PyObject *exception);

#endif
