/* The session's exports: snapshot-state, restore-state, clear-state and control's result-json. */
#include <stdlib.h>
#include <string.h>

#include "python.h"

static const char LAST_NAME[] = "<last>"; /* as in _eryx_source */

/* What an export has returned, until the host has read it. */
static PyObject *answered;

static PyObject *last_value; /* of the last expression; NULL: none */

/* Takes over `bytes`; NULL is the same as empty. */
static wit_string_t keep(PyObject *bytes)
{
    char *data = "";
    Py_ssize_t length = 0;
    Py_XDECREF(answered);
    answered = bytes;
    if (bytes != NULL && PyBytes_AsStringAndSize(bytes, &data, &length) < 0) {
        PyErr_Clear();
    }
    return (wit_string_t){data, (size_t)length};
}

/* The exception that is set, as one line. */
static wit_string_t keep_error(void)
{
    PyObject *exception = PyErr_GetRaisedException();
    PyObject *text = exception == NULL ? NULL : PyObject_Str(exception);
    PyObject *bytes =
        text == NULL ? NULL : PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace");
    if (bytes == NULL) {
        PyErr_Clear();
        bytes = PyBytes_FromString("out of memory");
    }
    Py_XDECREF(text);
    Py_XDECREF(exception);
    python_ignore_error();
    return keep(bytes);
}

/* Makes `namespace` (a new reference, or NULL with an exception) the session's. */
static bool use_namespace(PyObject *namespace)
{
    if (namespace == NULL) {
        return false;
    }
    Py_XDECREF(python.globals);
    python.globals = namespace;
    callbacks_place(namespace);
    return true;
}

bool session_new_main(void)
{
    return use_namespace(PyObject_CallMethod(python.session_module, "new_main", NULL));
}

void session_take_last(void)
{
    Py_XDECREF(last_value);
    last_value = PyDict_GetItemString(python.globals, LAST_NAME);
    if (last_value != NULL) {
        Py_INCREF(last_value);
        PyDict_DelItemString(python.globals, LAST_NAME);
    }
}

void export_clear_state(void)
{
    Py_XDECREF(last_value);
    last_value = NULL;
    report_clear();
    Py_XDECREF(python_builtins_restore());
    if (!use_namespace(PyObject_CallMethod(python.session_module, "clear", NULL))) {
        PyErr_Clear();
    }
    source_clear();
    callbacks_forget();
}

const result_list_u8_string_t *export_control_snapshot(bool skip_unpicklable)
{
    static result_list_u8_string_t result;
    PyObject *bytes =
        PyObject_CallFunction(python.snapshot, "Oi", python.globals, (int)skip_unpicklable);
    wit_string_t string = bytes == NULL ? keep_error() : keep(bytes);
    result.is_error = bytes == NULL;
    result.error = string; /* laid out as the list is */
    return &result;
}

void export_control_snapshot_post_return(const result_list_u8_string_t *result)
{
    (void)result;
    keep(NULL);
}

const result_list_u8_string_t *export_snapshot_state(void)
{
    return export_control_snapshot(false);
}

void export_snapshot_state_post_return(const result_list_u8_string_t *result)
{
    export_control_snapshot_post_return(result);
}

static PyObject *to_json(bool has_name, const char *name, size_t length)
{
    if (has_name) {
        return PyObject_CallFunction(python.variable_json, "Os#", python.globals,
                                     length == 0 ? "" : name, (Py_ssize_t)length);
    }
    if (last_value == NULL) {
        PyErr_SetString(PyExc_ValueError, "the code does not end with an expression");
        return NULL;
    }
    return PyObject_CallFunction(python.to_json, "(O)", last_value);
}

const result_string_string_t *export_control_result_json(bool has_name, const char *name,
                                                         size_t length)
{
    static result_string_string_t result;
    PyObject *bytes = to_json(has_name, name, length);
    if (has_name && length != 0) {
        free((void *)name);
    }
    result.is_error = bytes == NULL;
    result.ok = bytes == NULL ? keep_error() : keep(bytes);
    return &result;
}

void export_control_result_json_post_return(const result_string_string_t *result)
{
    (void)result;
    keep(NULL);
}

const result_void_string_t *export_restore_state(const uint8_t *data, size_t length)
{
    static result_void_string_t result;
    PyObject *done;
    callbacks_ask_once();
    done = PyObject_CallFunction(python.restore, "Oy#", python.globals, data, (Py_ssize_t)length);
    if (length != 0) {
        free((void *)data);
    }
    result.is_error = done == NULL;
    result.error = done == NULL ? keep_error() : keep(NULL);
    Py_XDECREF(done);
    return &result;
}

void export_restore_state_post_return(const result_void_string_t *result)
{
    (void)result;
    keep(NULL);
}
