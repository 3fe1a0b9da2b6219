/* The module _eryx: what the runtime's Python code (runtime/lib) asks of the host. */
#include <stdlib.h>

#include "abi/call.h"
#include "abi/wait.h"
#include "abi/watch.h"
#include "python.h"
#include "wasi/wasi.h"

static PyObject *eryx_wait(PyObject *module, PyObject *delay)
{
    long long nanoseconds = PyLong_AsLongLong(delay);
    (void)module;
    if (nanoseconds == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (!abi_wait_block(nanoseconds)) {
        PyErr_SetString(PyExc_RuntimeError, "waiting is only possible during an execution");
        return NULL;
    }
    if (PyErr_Occurred()) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *eryx_poll(PyObject *module, PyObject *unused)
{
    bool any = abi_wait_poll();
    (void)module;
    (void)unused;
    return PyBool_FromLong(any);
}

static PyObject *eryx_pending(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return PyLong_FromUnsignedLong(abi_call_count() + abi_watch_count());
}

static PyObject *eryx_source(PyObject *module, PyObject *filename)
{
    size_t length;
    const char *text;
    (void)module;
    if (!PyUnicode_CheckExact(filename) || (text = source_find(filename, &length)) == NULL) {
        Py_RETURN_NONE;
    }
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)length, "replace");
}

/* (ok, text) of a call that is over; frees it. A call without result was cancelled: None. */
static PyObject *take_result(struct abi_call *call)
{
    PyObject *result, *text;
    if (call->result.ok.ptr == NULL) {
        result = Py_None;
        Py_INCREF(result);
    } else {
        text = PyUnicode_DecodeUTF8(call->result.ok.ptr, (Py_ssize_t)call->result.ok.len, NULL);
        result =
            text == NULL ? NULL : PyTuple_Pack(2, call->result.is_error ? Py_False : Py_True, text);
        Py_XDECREF(text);
    }
    if (call->arguments != NULL) {
        trace_callback("callback-end", PyTuple_GetItem(call->arguments, 0));
    }
    Py_XDECREF(call->arguments);
    abi_call_free(call);
    return result;
}

static bool string_of(PyObject *object, wit_string_t *string)
{
    Py_ssize_t length;
    string->ptr = PyUnicode_AsUTF8AndSize(object, &length);
    string->len = (size_t)length;
    return string->ptr != NULL;
}

/* start(name, json): the number of the pending call, or its result if it returned at once. */
static PyObject *eryx_start(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    PyObject *kept;
    wit_string_t name, json;
    struct abi_call *call;
    (void)module;
    if (count != 2 || !PyUnicode_Check(arguments[0]) || !PyUnicode_Check(arguments[1])) {
        PyErr_SetString(PyExc_TypeError, "start() takes a name and JSON text");
        return NULL;
    }
    if (!string_of(arguments[0], &name) || !string_of(arguments[1], &json) ||
        (kept = PyTuple_Pack(2, arguments[0], arguments[1])) == NULL) {
        return NULL;
    }
    trace_callback("callback-start", arguments[0]);
    call = abi_call_start(name, json, abi_wait_set());
    if (call == NULL) {
        trace_callback("callback-end", arguments[0]);
        Py_DECREF(kept);
        return PyErr_NoMemory();
    }
    call->arguments = kept;
    return call->subtask == 0 ? take_result(call) : PyLong_FromUnsignedLong(call->subtask);
}

static PyObject *eryx_cancel(PyObject *module, PyObject *number)
{
    unsigned long subtask = PyLong_AsUnsignedLong(number);
    struct abi_call *call;
    (void)module;
    if (PyErr_Occurred()) {
        return NULL;
    }
    call = abi_call_find(subtask);
    if (call == NULL) {
        Py_RETURN_NONE;
    }
    abi_call_cancel(call);
    return take_result(call);
}

static void call_returned(struct abi_call *call, uint32_t subtask)
{
    PyObject *number = PyLong_FromUnsignedLong(subtask);
    PyObject *result = take_result(call);
    PyObject *told = NULL;
    if (number != NULL && result != NULL) {
        told = PyObject_CallFunctionObjArgs(python.loop_returned, number, result, NULL);
    }
    Py_XDECREF(told);
    Py_XDECREF(number);
    Py_XDECREF(result);
}

static void watch_returned(uint32_t subtask)
{
    PyObject *number = PyLong_FromUnsignedLong(subtask);
    if (number != NULL) {
        Py_XDECREF(PyObject_CallFunctionObjArgs(python.loop_ready, number, NULL));
    }
    Py_XDECREF(number);
}

static void execution_cancelled(void)
{
    Py_XDECREF(PyObject_CallNoArgs(python.loop_cancel));
}

static PyObject *eryx_dup(PyObject *module, PyObject *fd)
{
    int number = PyObject_AsFileDescriptor(fd);
    (void)module;
    if (number < 0) {
        return NULL;
    }
    int copy = wasi_duplicate(number);
    return copy < 0 ? PyErr_SetFromErrno(PyExc_OSError) : PyLong_FromLong(copy);
}

static PyMethodDef methods[] = {
    {"wait", eryx_wait, METH_O, NULL},
    {"poll", eryx_poll, METH_NOARGS, NULL},
    {"pending", eryx_pending, METH_NOARGS, NULL},
    {"source", eryx_source, METH_O, NULL},
    {"start", (PyCFunction)(void (*)(void))eryx_start, METH_FASTCALL, NULL},
    {"cancel", eryx_cancel, METH_O, NULL},
    {"watch", network_watch_descriptor, METH_VARARGS, NULL},
    {"unwatch", network_unwatch, METH_O, NULL},
    {"resolve", network_resolve, METH_O, NULL},
    {"resolve_watch", network_resolve_watch, METH_O, NULL},
    {"resolve_end", network_resolve_end, METH_O, NULL},
    {"resolve_drop", network_resolve_drop, METH_O, NULL},
    {"install_loop", (PyCFunction)(void (*)(void))loop_install, METH_FASTCALL, NULL},
    {"run_ready", (PyCFunction)(void (*)(void))loop_run_ready, METH_FASTCALL, NULL},
    {"dup", eryx_dup, METH_O, NULL},
    {"freeze", python_freeze, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_eryx",
    .m_doc = "What the runtime asks of the host. Not for programs.",
    .m_size = -1,
    .m_methods = methods,
};

PyObject *python_module_init(void)
{
    abi_wait_handlers(call_returned, watch_returned, execution_cancelled);
    return PyModule_Create(&definition);
}
