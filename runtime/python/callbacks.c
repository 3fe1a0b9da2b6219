/* The host's callbacks: asks for the list and has _eryx_callbacks put them into the session.
 *
 * The host is asked when it configures the sandbox, and before the first execution of a fresh,
 * cleared or woken one. Where there are none nothing of Python runs. */
#include <stdlib.h>

#include "abi/memory.h"
#include "python.h"

static bool asked;   /* since the sandbox is what it is */
static bool offered; /* the session has names of callbacks, or had */

/* False when out of memory. */
static bool get_list(list_sandbox_callback_info_t *list)
{
    import_list_callbacks(list);
    while (list->ptr == NULL && list->len != 0) {
        if (list->len > UINT32_MAX || !abi_arena_reserve((uint32_t)list->len)) {
            return false;
        }
        import_list_callbacks(list);
    }
    return true;
}

static void free_string(wit_string_t string)
{
    if (string.len != 0) {
        free((char *)string.ptr);
    }
}

static void free_list(const list_sandbox_callback_info_t *list)
{
    if (list->len == 0) {
        return;
    }
    if (abi_arena_holds(list->ptr)) {
        abi_arena_trim();
        return;
    }
    for (size_t i = 0; i < list->len; i++) {
        free_string(list->ptr[i].name);
        free_string(list->ptr[i].description);
        free_string(list->ptr[i].parameters_schema_json);
    }
    free((void *)list->ptr);
}

static PyObject *decode(wit_string_t string)
{
    return PyUnicode_DecodeUTF8(string.len == 0 ? "" : string.ptr, (Py_ssize_t)string.len,
                                "replace");
}

/* (name, description, schema); NULL with an exception. */
static PyObject *to_tuple(const sandbox_callback_info_t *info)
{
    PyObject *name = decode(info->name), *description = decode(info->description);
    PyObject *schema = decode(info->parameters_schema_json);
    PyObject *tuple = name == NULL || description == NULL || schema == NULL
                          ? NULL
                          : PyTuple_Pack(3, name, description, schema);
    Py_XDECREF(name);
    Py_XDECREF(description);
    Py_XDECREF(schema);
    return tuple;
}

static PyObject *to_python(const list_sandbox_callback_info_t *list)
{
    PyObject *infos = PyList_New(0);
    for (size_t i = 0; infos != NULL && i < list->len; i++) {
        PyObject *info = to_tuple(&list->ptr[i]);
        if (info == NULL || PyList_Append(infos, info) < 0) {
            Py_DECREF(infos);
            infos = NULL;
        }
        Py_XDECREF(info);
    }
    return infos;
}

void callbacks_ask(void)
{
    list_sandbox_callback_info_t list;
    PyObject *infos = NULL;
    if (!get_list(&list)) {
        return; /* the next execution asks again */
    }
    asked = list.len == 0;
    if (list.len != 0 || offered) {
        infos = to_python(&list);
    }
    free_list(&list);
    if (infos != NULL) {
        asked = offered = true;
        Py_XDECREF(
            PyObject_CallMethod(python.session_module, "offer", "OO", python.globals, infos));
        Py_DECREF(infos);
    }
    python_ignore_error();
}

void callbacks_ask_once(void)
{
    if (!asked) {
        callbacks_ask();
    }
}

void callbacks_forget(void)
{
    asked = false;
}

void callbacks_place(PyObject *namespace)
{
    if (offered) {
        Py_XDECREF(PyObject_CallFunction(python.place, "(O)", namespace));
        python_ignore_error();
    }
}
