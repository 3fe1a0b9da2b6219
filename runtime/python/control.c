/* The interface control: settings of the next executions, and waking after a copy. */
#include <stdlib.h>
#include <string.h>

#include "abi/wait.h"
#include "heap/heap.h"
#include "python.h"
#include "wasi/wasi.h"

struct control control = {.capture_output = true};

static PyObject *environ_names; /* variables that settings have added */
static bool has_argv = true;    /* sys.argv is the image's, which is [''] */

/* After the image's objects have become immortal: source.c counts references to the filename. */
bool control_start(void)
{
    control.filename = PyUnicode_InternFromString("<eryx>");
    environ_names = PyList_New(0);
    return control.filename != NULL && environ_names != NULL;
}

static PyObject *decode(wit_string_t string)
{
    return PyUnicode_DecodeUTF8(string.len == 0 ? "" : string.ptr, (Py_ssize_t)string.len,
                                "surrogateescape");
}

/* sys.argv; false with an exception. */
static bool set_argv(const wit_string_t *items, size_t count)
{
    PyObject *argv;
    wit_string_t empty = {"", 0};
    bool good;
    if (count == 0 && has_argv) {
        return true;
    }
    argv = PyList_New(0);
    good = argv != NULL;
    has_argv = false;
    for (size_t i = 0; good && i < (count == 0 ? 1 : count); i++) {
        PyObject *item = decode(count == 0 ? empty : items[i]);
        good = item != NULL && PyList_Append(argv, item) == 0;
        Py_XDECREF(item);
    }
    good = good && PyDict_SetItemString(python.sys_dict, "argv", argv) == 0;
    Py_XDECREF(argv);
    return good;
}

static bool set_environ(const tuple2_string_string_t *pairs, size_t count)
{
    PyObject *list, *names;
    bool good;
    if (count == 0 && PyList_Size(environ_names) == 0) {
        return true;
    }
    list = PyList_New(0);
    good = list != NULL;
    for (size_t i = 0; good && i < count; i++) {
        PyObject *name = decode(pairs[i].f0), *value = decode(pairs[i].f1);
        PyObject *pair = name == NULL || value == NULL ? NULL : PyTuple_Pack(2, name, value);
        good = pair != NULL && PyList_Append(list, pair) == 0;
        Py_XDECREF(name);
        Py_XDECREF(value);
        Py_XDECREF(pair);
    }
    names = !good ? NULL
                  : PyObject_CallMethod(python.session_module, "configure_environ", "OO",
                                        environ_names, list);
    Py_XDECREF(list);
    if (names == NULL) {
        return false;
    }
    Py_DECREF(environ_names);
    environ_names = names;
    return true;
}

static bool set_filename(wit_string_t name)
{
    PyObject *filename;
    if (name.len == 0) {
        name = (wit_string_t){"<eryx>", 6};
    }
    filename = decode(name);
    if (filename == NULL) {
        return false;
    }
    if (PyUnicode_Compare(filename, control.filename) == 0) {
        Py_DECREF(filename);
        return true;
    }
    PyUnicode_InternInPlace(&filename);
    Py_DECREF(control.filename);
    control.filename = filename;
    return true;
}

static void free_string(wit_string_t string)
{
    if (string.len != 0) {
        free((char *)string.ptr);
    }
}

void export_control_configure(const wit_string_t *argv, size_t argc,
                              const tuple2_string_string_t *environ, size_t environ_count,
                              const char *filename, size_t filename_length, bool capture_output,
                              bool script, bool last_value, bool trace, uint32_t trace_locals,
                              uint32_t display)
{
    wit_string_t name = {filename, filename_length};
    control.capture_output = capture_output;
    control.script = script;
    control.last_value = last_value;
    control.trace = trace;
    control.trace_locals = trace_locals;
    control.display = display;
    /* Out of memory here leaves the rest as it was: the next execution meets it again. */
    if (!set_argv(argv, argc) || !set_environ(environ, environ_count) || !set_filename(name)) {
        PyErr_Clear();
    }
    callbacks_ask();
    wasi_mounts_ask();
    for (size_t i = 0; i < argc; i++) {
        free_string(argv[i]);
    }
    for (size_t i = 0; i < environ_count; i++) {
        free_string(environ[i].f0);
        free_string(environ[i].f1);
    }
    if (argc != 0) {
        free((void *)argv);
    }
    if (environ_count != 0) {
        free((void *)environ);
    }
    free_string(name);
}

void export_control_wake(void)
{
    callbacks_forget();
    Py_XDECREF(PyObject_CallMethod(python.fresh_module, "wake", NULL));
    python_ignore_error();
    if (execute_running()) {
        sample_begin();
    }
}

void export_control_settle(void)
{
    PyObject *start = PyImport_ImportModule("_eryx_start");
    abi_wait_forget();
    callbacks_forget();
    Py_XDECREF(start == NULL ? NULL : PyObject_CallMethod(start, "settle", NULL));
    Py_XDECREF(start);
    python_ignore_error();
    PyGC_Collect();
    heap_settle();
    heap_clean();
}
