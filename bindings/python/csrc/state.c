/* _eryx.Sandbox: the session's names as bytes. These run code of the sandbox, within its wall time.
 */
#include "module.h"

PyObject *sandbox_snapshot(PyObject *self, PyObject *arguments)
{
    int skip;
    if (!PyArg_ParseTuple(arguments, "p", &skip))
        return NULL;
    box_t *box = sandbox_begin(self);
    if (!box)
        return NULL;
    eryx_error_t error;
    eryx_snapshot_options_t options;
    void *data = NULL;
    size_t length;
    int status;
    eryx_snapshot_options_init(&options);
    options.skip_unpicklable = skip;
    Py_BEGIN_ALLOW_THREADS
    status = eryx_sandbox_snapshot(box->sandbox, &options, &data, &length, &error);
    Py_END_ALLOW_THREADS
    sandbox_end(self);
    if (status != ERYX_OK)
        return raise_error(&error);
    PyObject *bytes = PyBytes_FromStringAndSize(data, (Py_ssize_t)length);
    eryx_bytes_free(data);
    return bytes;
}

static PyObject *done(PyObject *self, int status, const eryx_error_t *error)
{
    sandbox_end(self);
    if (status != ERYX_OK)
        return raise_error(error);
    Py_RETURN_NONE;
}

PyObject *sandbox_restore(PyObject *self, PyObject *arguments)
{
    PyObject *bytes;
    char *data;
    Py_ssize_t length;
    if (!PyArg_ParseTuple(arguments, "S", &bytes))
        return NULL;
    box_t *box = sandbox_begin(self);
    if (!box)
        return NULL;
    eryx_error_t error;
    int status;
    PyBytes_AsStringAndSize(bytes, &data, &length);
    Py_BEGIN_ALLOW_THREADS
    status = eryx_sandbox_restore(box->sandbox, data, (size_t)length, &error);
    Py_END_ALLOW_THREADS
    return done(self, status, &error);
}

PyObject *sandbox_clear(PyObject *self, PyObject *Py_UNUSED(unused))
{
    box_t *box = sandbox_begin(self);
    if (!box)
        return NULL;
    eryx_error_t error;
    int status;
    Py_BEGIN_ALLOW_THREADS
    status = eryx_sandbox_clear(box->sandbox, &error);
    Py_END_ALLOW_THREADS
    return done(self, status, &error);
}
