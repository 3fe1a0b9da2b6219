/* _eryx.Runtime: an open runtime file. */
#include "module.h"

#include <unistd.h>

static PyObject *runtime_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"path", "max_sandboxes", "max_warm",           "verify",
                            "fuel", "prewarm",       "acquire_timeout_ns", NULL};
    PyObject *path = NULL;
    unsigned long max_sandboxes = 0, max_warm = 0;
    unsigned long prewarm = 0;
    unsigned long long acquire_timeout_ns = 0;
    int verify = 0, fuel = 0;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O&kkppkK", names, PyUnicode_FSConverter,
                                     &path, &max_sandboxes, &max_warm, &verify, &fuel, &prewarm,
                                     &acquire_timeout_ns))
        return NULL;
    runtime_object_t *self = (runtime_object_t *)PyType_GenericAlloc(type, 0);
    const char *file = PyBytes_AsString(path);
    if (self && file) {
        eryx_error_t error;
        eryx_runtime_options_t options;
        eryx_runtime_options_init(&options);
        options.max_sandboxes = (uint32_t)max_sandboxes;
        options.max_warm = (uint32_t)max_warm;
        options.verify = verify;
        options.fuel = fuel;
        options.prewarm = (uint32_t)prewarm;
        options.acquire_timeout_ns = acquire_timeout_ns;
        self->process = getpid();
        int status;
        Py_BEGIN_ALLOW_THREADS
        status = eryx_runtime_open(*file ? file : NULL, &options, &self->runtime, &error);
        Py_END_ALLOW_THREADS
        if (status != ERYX_OK) {
            raise_error(&error);
            Py_CLEAR(self);
        }
    }
    Py_DECREF(path);
    return (PyObject *)self;
}

static void runtime_dealloc(PyObject *object)
{
    runtime_object_t *self = (runtime_object_t *)object;
    PyTypeObject *type = Py_TYPE(object);
    /* A forked child has none of the runtime's threads and could only hang. */
    if (self->process == getpid()) {
        Py_BEGIN_ALLOW_THREADS
        eryx_runtime_free(self->runtime);
        Py_END_ALLOW_THREADS
    }
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
    Py_DECREF(type);
}

static PyObject *runtime_info(PyObject *object, PyObject *Py_UNUSED(unused))
{
    eryx_runtime_info_t info = {.size = sizeof info};
    eryx_runtime_get_info(((runtime_object_t *)object)->runtime, &info);
    return Py_BuildValue("{s:s, s:s, s:s, s:s, s:s, s:K, s:K, s:K, s:K, s:K, s:O}", "eryx_version",
                         info.eryx_version, "python_version", info.python_version, "engine",
                         info.engine, "path", info.path, "build_id", info.build_id, "file_bytes",
                         info.file_bytes, "code_bytes", info.code_bytes, "image_bytes",
                         info.image_bytes, "image_constant_bytes", info.image_constant_bytes,
                         "memory_min_bytes", info.memory_min_bytes, "fuel",
                         info.fuel ? Py_True : Py_False);
}

static PyMethodDef methods[] = {
    {"info", runtime_info, METH_NOARGS, "What eryx_runtime_get_info tells, as a dict."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_new, runtime_new},
    {Py_tp_dealloc, runtime_dealloc},
    {Py_tp_methods, methods},
    {0, NULL},
};

PyType_Spec runtime_spec = {
    .name = "eryx._eryx.Runtime",
    .basicsize = sizeof(runtime_object_t),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = slots,
};
