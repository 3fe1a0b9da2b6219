/* The two parts of the event loop that run for each of its callbacks: Loop.call_soon, and running
 * what is ready. Same behaviour as asyncio.base_events, without a frame of Python around each.
 *
 * Handles are asyncio's own, made without their __init__: where their slots lie is found out by
 * looking for a known object in one of them. */
#include <string.h>

#include "python.h"

enum slot { CONTEXT, LOOP, CALLBACK, ARGUMENTS, CANCELLED, SOURCE_TRACEBACK, REPR, SLOTS };

static const char *const slot_names[SLOTS] = {
    "_context", "_loop", "_callback", "_args", "_cancelled", "_source_traceback", "_repr",
};

static struct {
    PyTypeObject *handle; /* asyncio.Handle */
    PyObject *inherited;  /* BaseEventLoop.call_soon */
    size_t offsets[SLOTS];
    PyObject *debug, *closed, *ready, *append, *popleft, *callback_failed, *run_watched,
        *context; /* names */
} loop;

static PyObject **slot_of(PyObject *handle, enum slot slot)
{
    return (PyObject **)((char *)handle + loop.offsets[slot]);
}

/* 1: the attribute is false, 0: it is not, -1: exception. */
static int is_false(PyObject *object, PyObject *name)
{
    PyObject *value = PyObject_GetAttr(object, name);
    int result = value == NULL ? -1 : value == Py_False ? 1 : PyObject_Not(value);
    Py_XDECREF(value);
    return result;
}

static PyObject *new_handle(PyObject *self, PyObject *const *arguments, Py_ssize_t count,
                            PyObject *context)
{
    PyObject *values[SLOTS] = {[LOOP] = self,
                               [CALLBACK] = arguments[0],
                               [CANCELLED] = Py_False,
                               [SOURCE_TRACEBACK] = Py_None,
                               [REPR] = Py_None};
    PyObject *handle = NULL;
    values[ARGUMENTS] = PyTuple_New(count - 1);
    if (context != NULL && context != Py_None) {
        Py_INCREF(context);
        values[CONTEXT] = context;
    } else {
        values[CONTEXT] = PyContext_CopyCurrent();
    }
    if (values[ARGUMENTS] != NULL && values[CONTEXT] != NULL) {
        for (Py_ssize_t i = 1; i < count; i++) {
            Py_INCREF(arguments[i]);
            PyTuple_SetItem(values[ARGUMENTS], i - 1, arguments[i]);
        }
        handle = PyType_GenericAlloc(loop.handle, 0);
    }
    for (int slot = 0; handle != NULL && slot < SLOTS; slot++) {
        Py_INCREF(values[slot]);
        *slot_of(handle, slot) = values[slot];
    }
    Py_XDECREF(values[ARGUMENTS]);
    Py_XDECREF(values[CONTEXT]);
    return handle;
}

static PyObject *inherited_call_soon(PyObject *self, PyObject *const *arguments, Py_ssize_t count,
                                     PyObject *names)
{
    PyObject *positional = PyTuple_New(count + 1), *named = NULL, *result = NULL;
    Py_ssize_t named_count = names == NULL ? 0 : PyTuple_Size(names);
    if (positional == NULL || (named = PyDict_New()) == NULL) {
        Py_XDECREF(positional);
        return NULL;
    }
    for (Py_ssize_t i = 0; i <= count; i++) {
        PyObject *value = i == 0 ? self : arguments[i - 1];
        Py_INCREF(value);
        PyTuple_SetItem(positional, i, value);
    }
    for (Py_ssize_t i = 0; i < named_count; i++) {
        if (PyDict_SetItem(named, PyTuple_GetItem(names, i), arguments[count + i]) < 0) {
            goto end;
        }
    }
    result = PyObject_Call(loop.inherited, positional, named);
end:
    Py_DECREF(positional);
    Py_DECREF(named);
    return result;
}

/* Whether `names` is nothing or ("context",). */
static bool only_context(PyObject *names)
{
    return names == NULL || (PyTuple_Size(names) == 1 &&
                             PyUnicode_Compare(PyTuple_GetItem(names, 0), loop.context) == 0);
}

/* call_soon(callback, *args, context=None) */
static PyObject *call_soon(PyObject *self, PyObject *const *arguments, Py_ssize_t count,
                           PyObject *names)
{
    PyObject *handle, *ready, *appended = NULL;
    int plain = is_false(self, loop.debug);
    plain = plain == 1 ? is_false(self, loop.closed) : plain;
    if (plain < 0) {
        return NULL;
    }
    if (!plain || count < 1 || !only_context(names)) {
        return inherited_call_soon(self, arguments, count, names);
    }
    handle = new_handle(self, arguments, count, names == NULL ? NULL : arguments[count]);
    ready = handle == NULL ? NULL : PyObject_GetAttr(self, loop.ready);
    if (ready != NULL) {
        appended = PyObject_CallMethodObjArgs(ready, loop.append, handle, NULL);
    }
    Py_XDECREF(ready);
    if (appended == NULL) {
        Py_XDECREF(handle);
        return NULL;
    }
    Py_DECREF(appended);
    return handle;
}

/* As handle._context.run(handle._callback, *handle._args). The handle may be cancelled by what it
 * calls, so its parts are held. */
static PyObject *run_handle(PyObject *handle)
{
    PyObject *context = *slot_of(handle, CONTEXT), *callback = *slot_of(handle, CALLBACK);
    PyObject *arguments = *slot_of(handle, ARGUMENTS), *result = NULL;
    if (context == NULL || callback == NULL || arguments == NULL || !PyTuple_Check(arguments)) {
        PyErr_SetString(PyExc_TypeError, "the handle has lost its callback");
        return NULL;
    }
    Py_INCREF(context);
    Py_INCREF(callback);
    Py_INCREF(arguments);
    if (PyContext_Enter(context) == 0) {
        result = PyObject_Call(callback, arguments, NULL);
        if (PyContext_Exit(context) < 0) {
            Py_XDECREF(result);
            result = NULL;
        }
    }
    Py_DECREF(arguments);
    Py_DECREF(callback);
    Py_DECREF(context);
    return result;
}

/* What a callback raised goes to the loop's handler, except what ends the program. */
static bool report_failure(PyObject *self, PyObject *handle)
{
    PyObject *error, *told;
    if (PyErr_ExceptionMatches(PyExc_SystemExit) ||
        PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)) {
        return false;
    }
    error = PyErr_GetRaisedException();
    told = PyObject_CallMethodObjArgs(self, loop.callback_failed, handle, error, NULL);
    Py_XDECREF(error);
    Py_XDECREF(told);
    return told != NULL;
}

static bool run_next(PyObject *self, PyObject *ready)
{
    PyObject *handle = PyObject_CallMethodObjArgs(ready, loop.popleft, NULL), *result = NULL;
    int plain;
    bool ok;
    if (handle == NULL) {
        return false;
    }
    if (!PyObject_TypeCheck(handle, loop.handle)) {
        PyErr_SetString(PyExc_TypeError, "what is ready is not a handle");
        Py_DECREF(handle);
        return false;
    }
    if (*slot_of(handle, CANCELLED) != Py_False) {
        Py_DECREF(handle);
        return true;
    }
    plain = is_false(self, loop.debug);
    if (plain == 1) {
        result = run_handle(handle);
    } else if (plain == 0) {
        result = PyObject_CallMethodObjArgs(self, loop.run_watched, handle, NULL);
    }
    ok = result != NULL || report_failure(self, handle);
    Py_XDECREF(result);
    Py_DECREF(handle);
    return ok;
}

PyObject *loop_run_ready(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    Py_ssize_t ready;
    (void)module;
    if (count != 2 || (ready = PyObject_Size(arguments[1])) < 0) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_TypeError, "run_ready() takes a loop and its handles");
        }
        return NULL;
    }
    while (ready-- > 0) {
        if (!run_next(arguments[0], arguments[1])) {
            return NULL;
        }
    }
    Py_RETURN_NONE;
}

static PyMethodDef call_soon_definition = {
    "call_soon", (PyCFunction)(void (*)(void))call_soon, METH_FASTCALL | METH_KEYWORDS,
    "call_soon($self, callback, *args, context=None)\n--\n\n"
    "Arrange for a callback to be called as soon as possible."};

/* Where the slot lies in `probe`; 0 with an exception. */
static size_t find_slot(PyObject *probe, const char *name, size_t bytes)
{
    PyObject *mark = PyObject_CallNoArgs((PyObject *)&PyBaseObject_Type);
    size_t offset = 0;
    if (mark != NULL && PyObject_SetAttrString(probe, name, mark) == 0) {
        offset = sizeof(PyObject);
        while (offset < bytes && memcmp((char *)probe + offset, &mark, sizeof(PyObject *)) != 0) {
            offset += sizeof(PyObject *);
        }
        if (offset >= bytes) {
            PyErr_Format(PyExc_SystemError, "asyncio.Handle has no slot %s", name);
            offset = 0;
        }
    }
    Py_XDECREF(mark);
    return offset;
}

static bool find_slots(void)
{
    PyObject *size = PyObject_GetAttrString((PyObject *)loop.handle, "__basicsize__");
    PyObject *probe = size == NULL ? NULL : PyType_GenericAlloc(loop.handle, 0);
    bool found = probe != NULL;
    for (int i = 0; found && i < SLOTS; i++) {
        loop.offsets[i] = find_slot(probe, slot_names[i], PyLong_AsSize_t(size));
        found = loop.offsets[i] != 0;
    }
    Py_XDECREF(probe);
    Py_XDECREF(size);
    return found;
}

static bool find_names(void)
{
    return (loop.debug = PyUnicode_InternFromString("_debug")) != NULL &&
           (loop.closed = PyUnicode_InternFromString("_closed")) != NULL &&
           (loop.ready = PyUnicode_InternFromString("_ready")) != NULL &&
           (loop.append = PyUnicode_InternFromString("append")) != NULL &&
           (loop.popleft = PyUnicode_InternFromString("popleft")) != NULL &&
           (loop.context = PyUnicode_InternFromString("context")) != NULL &&
           (loop.run_watched = PyUnicode_InternFromString("_run_watched")) != NULL &&
           (loop.callback_failed = PyUnicode_InternFromString("_callback_failed")) != NULL;
}

PyObject *loop_install(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    PyObject *method;
    int done;
    (void)module;
    if (count != 2 || !PyType_Check(arguments[0]) || !PyType_Check(arguments[1])) {
        PyErr_SetString(PyExc_TypeError, "install_loop() takes the types of loops and handles");
        return NULL;
    }
    Py_INCREF(arguments[1]);
    loop.handle = (PyTypeObject *)arguments[1];
    loop.inherited = PyObject_GetAttrString(arguments[0], "call_soon");
    if (loop.inherited == NULL || !find_names() || !find_slots()) {
        return NULL;
    }
    method = PyDescr_NewMethod((PyTypeObject *)arguments[0], &call_soon_definition);
    done = method == NULL ? -1 : PyObject_SetAttrString(arguments[0], "call_soon", method);
    Py_XDECREF(method);
    if (done < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}
