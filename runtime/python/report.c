/* The exception that ended the last execution, as told by _eryx_report.describe.
 *
 * Python code makes the report, and whatever state the program left (no memory, no
 * modules, hooks that raise) it must not fail: then a report without details is made. */
#include <stdlib.h>
#include <string.h>

#include "python.h"

enum { RESERVE_BYTES = 512 * 1024, MEMORY_ERRORS_MAX = 64 };

static struct {
    PyObject *fields[3]; /* bytes: type, message, traceback */
    bool present;
    bool has_exit_code;
    int32_t exit_code;
    void *reserve; /* memory for making the report; never written to */
    PyObject *last_memory_error;
} report;

/* CPython has a supply of MemoryErrors, and one object that it raises when they are used up and
 * never frees: that keeps what it was raised with last. */
static bool find_last_memory_error(void)
{
    PyObject *errors[MEMORY_ERRORS_MAX];
    size_t count = 0;
    while (count < MEMORY_ERRORS_MAX && report.last_memory_error == NULL) {
        PyErr_NoMemory();
        errors[count] = PyErr_GetRaisedException();
        if (count != 0 && errors[count] == errors[count - 1]) {
            report.last_memory_error = errors[count];
        }
        count++;
    }
    while (count > 0) {
        Py_DECREF(errors[--count]);
    }
    return report.last_memory_error != NULL;
}

static void reserve(void)
{
    if (report.reserve == NULL) {
        report.reserve = PyMem_Malloc(RESERVE_BYTES);
    }
}

bool report_start(void)
{
    reserve();
    return find_last_memory_error();
}

void report_release_memory(void)
{
    PyObject *error = report.last_memory_error;
    PyObject *traceback = PyException_GetTraceback(error);
    if (traceback != NULL) {
        Py_DECREF(traceback);
        PyException_SetTraceback(error, Py_None);
    }
    PyException_SetContext(error, NULL);
    PyException_SetCause(error, NULL);
    reserve();
}

void report_clear(void)
{
    for (size_t i = 0; report.present && i < 3; i++) {
        Py_XDECREF(report.fields[i]);
        report.fields[i] = NULL;
    }
    report.present = false;
    report.has_exit_code = false;
}

static void take_exit_code(PyObject *code)
{
    if (code != Py_None) {
        report.exit_code = (int32_t)PyLong_AsLong(code);
        report.has_exit_code = true;
    }
}

static bool describe(PyObject *function, PyObject *exception)
{
    PyObject *told = PyObject_CallFunctionObjArgs(function, exception, NULL);
    bool good = told != NULL && PyTuple_Check(told) && PyTuple_Size(told) == 4;
    for (Py_ssize_t i = 0; good && i < 3; i++) {
        report.fields[i] = PyTuple_GetItem(told, i);
        Py_INCREF(report.fields[i]);
    }
    if (good) {
        take_exit_code(PyTuple_GetItem(told, 3));
    }
    Py_XDECREF(told);
    return good;
}

/* With the builtins as they were, in case the program broke them; if it broke what `describe`
 * is made of, without that. */
static bool describe_again(PyObject *exception)
{
    PyObject *changed;
    bool good;
    python_ignore_error();
    changed = python_builtins_restore();
    good = describe(python.describe, exception);
    python_ignore_error();
    python_builtins_change(changed);
    return good || describe(python.describe_plainly, exception);
}

/* Only the name of the type, in both places. */
static void describe_simply(PyObject *exception)
{
    PyObject *name = PyType_GetName(Py_TYPE(exception));
    python_ignore_error();
    report.fields[0] = name == NULL ? NULL : PyUnicode_AsUTF8String(name);
    python_ignore_error();
    report.fields[2] = report.fields[0];
    Py_XDECREF(name);
    if (report.fields[0] != NULL) {
        Py_INCREF(report.fields[0]);
    }
    if (PyErr_GivenExceptionMatches(exception, PyExc_SystemExit)) {
        report.exit_code = 1;
        report.has_exit_code = true;
    }
}

void report_raised(void)
{
    PyObject *exception = PyErr_GetRaisedException();
    if (exception == NULL) {
        return;
    }
    report_clear();
    report.present = true;
    /* What describes it may have the program's filename: functions that the library makes do ("<string>"). */
    trace_pause(true);
    if (PyErr_GivenExceptionMatches(exception, PyExc_MemoryError) ||
        PyErr_GivenExceptionMatches(exception, PyExc_RecursionError)) {
        PyMem_Free(report.reserve);
        report.reserve = NULL;
        Py_XDECREF(PyObject_CallFunctionObjArgs(python.release, exception, NULL));
        python_ignore_error();
    }
    if (!describe(python.describe, exception) && !describe_again(exception)) {
        python_ignore_error();
        describe_simply(exception);
    }
    trace_pause(false);
    Py_DECREF(exception);
}

bool report_present(void)
{
    return report.present;
}

static wit_string_t field(int index)
{
    wit_string_t string = {"", 0};
    char *text;
    Py_ssize_t length;
    if (report.present && report.fields[index] != NULL &&
        PyBytes_AsStringAndSize(report.fields[index], &text, &length) == 0) {
        string = (wit_string_t){text, (size_t)length};
    }
    return string;
}

wit_string_t report_traceback(void)
{
    return field(2);
}

const option_control_exception_info_t *export_control_last_exception(void)
{
    static option_control_exception_info_t result;
    memset(&result, 0, sizeof result);
    result.is_some = report.present;
    result.value.kind = field(0);
    result.value.message = field(1);
    result.value.traceback = field(2);
    result.value.exit_code = (option_s32_t){report.has_exit_code, report.exit_code};
    return &result;
}
