/* _eryx.Runtime: an open runtime file. */
#include "module.h"

#include <unistd.h>

/* packages: a tuple of (is a requirements file, path as bytes). False with an exception. */
static bool load_packages(PyObject *packages, int build, int locked, const char *python,
                          eryx_packages_t **out)
{
    eryx_error_t error;
    eryx_requirements_options_t options;
    eryx_requirements_options_init(&options);
    options.build = build;
    options.locked = locked;
    options.python = python;
    *out = NULL;
    Py_ssize_t count = PyTuple_Size(packages);
    if (count <= 0)
        return count == 0;
    int status = eryx_packages_new(out, &error);
    for (Py_ssize_t i = 0; i < count && status == ERYX_OK; i++) {
        int requirements;
        const char *path;
        if (!PyArg_ParseTuple(PyTuple_GetItem(packages, i), "py", &requirements, &path))
            return false;
        Py_BEGIN_ALLOW_THREADS
        status = requirements ? eryx_packages_add_requirements(*out, path, &options, &error)
                              : eryx_packages_add(*out, path, &error);
        Py_END_ALLOW_THREADS
    }
    if (status != ERYX_OK)
        raise_error(&error);
    return status == ERYX_OK;
}

static PyObject *runtime_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {
        "path",     "max_sandboxes", "max_warm", "verify", "fuel", "prewarm", "acquire_timeout_ns",
        "packages", "build",         "locked",   "python", NULL};
    PyObject *path = NULL, *list;
    int build, locked;
    const char *python;
    eryx_packages_t *packages = NULL;
    unsigned long max_sandboxes = 0, max_warm = 0;
    unsigned long prewarm = 0;
    unsigned long long acquire_timeout_ns = 0;
    int verify = 0, fuel = 0;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O&kkppkKO!ppy", names,
                                     PyUnicode_FSConverter, &path, &max_sandboxes, &max_warm,
                                     &verify, &fuel, &prewarm, &acquire_timeout_ns, &PyTuple_Type,
                                     &list, &build, &locked, &python))
        return NULL;
    runtime_object_t *self = NULL;
    const char *file = PyBytes_AsString(path);
    if (load_packages(list, build, locked, *python ? python : NULL, &packages))
        self = (runtime_object_t *)PyType_GenericAlloc(type, 0);
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
        options.packages = packages;
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
    eryx_packages_free(packages);
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
    {"info", runtime_info, METH_NOARGS,
     "info($self, /)\n--\n\nWhat eryx_runtime_get_info tells, as a dict."},
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
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};
