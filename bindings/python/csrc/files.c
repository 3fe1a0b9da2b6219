/* _eryx.Sandbox: files of the sandbox, between executions. These run code of the sandbox, within
 * its wall time. */
#include "module.h"

#include <stdlib.h>
#include <string.h>

/* The path of the arguments, and the box marked as busy; NULL with an exception. */
static box_t *begin(PyObject *self, PyObject *path, const char **text)
{
    PyObject *bytes = NULL;
    *text = NULL;
    if (!PyUnicode_FSConverter(path, &bytes))
        return NULL;
    box_t *box = sandbox_begin(self);
    if (box)
        *text = strdup(PyBytes_AsString(bytes));
    Py_DECREF(bytes);
    if (!box || *text)
        return box;
    sandbox_end(self);
    return (box_t *)PyErr_NoMemory();
}

/* What a function of the library returned. */
static bool finish(PyObject *self, const char *path, int status, const eryx_error_t *error)
{
    sandbox_end(self);
    free((void *)(uintptr_t)path);
    if (status != ERYX_OK)
        raise_error(error);
    return status == ERYX_OK;
}

PyObject *files_read(PyObject *self, PyObject *arguments)
{
    PyObject *object;
    const char *path;
    Py_ssize_t max_bytes;
    if (!PyArg_ParseTuple(arguments, "On", &object, &max_bytes))
        return NULL;
    box_t *box = begin(self, object, &path);
    if (!box)
        return NULL;
    int status;
    eryx_error_t error;
    void *data = NULL;
    size_t length = 0, most = max_bytes < 0 ? SIZE_MAX : (size_t)max_bytes;
    Py_BEGIN_ALLOW_THREADS
    status = eryx_fs_read(box->sandbox, path, most, &data, &length, &error);
    Py_END_ALLOW_THREADS
    if (!finish(self, path, status, &error))
        return NULL;
    PyObject *bytes = PyBytes_FromStringAndSize(data, (Py_ssize_t)length);
    eryx_bytes_free(data);
    return bytes;
}

PyObject *files_write(PyObject *self, PyObject *arguments)
{
    PyObject *object, *bytes;
    const char *path;
    char *data;
    Py_ssize_t length;
    if (!PyArg_ParseTuple(arguments, "OS", &object, &bytes) ||
        PyBytes_AsStringAndSize(bytes, &data, &length) != 0)
        return NULL;
    box_t *box = begin(self, object, &path);
    if (!box)
        return NULL;
    int status;
    eryx_error_t error;
    Py_BEGIN_ALLOW_THREADS
    status = eryx_fs_write(box->sandbox, path, data, (size_t)length, &error);
    Py_END_ALLOW_THREADS
    if (!finish(self, path, status, &error))
        return NULL;
    Py_RETURN_NONE;
}

/* --- Lists -------------------------------------------------------------------------------- */

/* Names are gathered without the GIL. */
typedef struct name {
    struct name *next;
    int kind;
    size_t length;
    char text[];
} name_t;

typedef struct names {
    name_t *first, **last;
    bool failed;
} names_t;

static bool on_entry(void *env, const eryx_file_entry_t *entry)
{
    names_t *names = env;
    name_t *name = malloc(sizeof *name + entry->length);
    if (!name) {
        names->failed = true;
        return false;
    }
    *name = (name_t){NULL, entry->kind, entry->length};
    memcpy(name->text, entry->name, entry->length);
    *names->last = name;
    names->last = &name->next;
    return true;
}

/* Frees the names. */
static PyObject *list_of(names_t *names)
{
    PyObject *list = names->failed ? PyErr_NoMemory() : PyList_New(0);
    for (name_t *name = names->first, *next; name; name = next) {
        next = name->next;
        PyObject *tuple =
            list ? Py_BuildValue("(y#i)", name->text, (Py_ssize_t)name->length, name->kind) : NULL;
        if (!tuple || PyList_Append(list, tuple) != 0)
            Py_CLEAR(list);
        Py_XDECREF(tuple);
        free(name);
    }
    return list;
}

PyObject *files_list(PyObject *self, PyObject *object)
{
    const char *path;
    box_t *box = begin(self, object, &path);
    if (!box)
        return NULL;
    int status;
    eryx_error_t error;
    names_t names = {0};
    names.last = &names.first;
    Py_BEGIN_ALLOW_THREADS
    status = eryx_fs_list(box->sandbox, path, on_entry, &names, &error);
    Py_END_ALLOW_THREADS
    PyObject *list = list_of(&names);
    if (!finish(self, path, status, &error))
        Py_CLEAR(list);
    return list;
}

/* --- The others --------------------------------------------------------------------------- */

PyObject *files_stat(PyObject *self, PyObject *object)
{
    const char *path;
    box_t *box = begin(self, object, &path);
    if (!box)
        return NULL;
    int status;
    eryx_error_t error;
    eryx_file_stat_t stat;
    Py_BEGIN_ALLOW_THREADS
    status = eryx_fs_stat(box->sandbox, path, &stat, &error);
    Py_END_ALLOW_THREADS
    if (!finish(self, path, status, &error))
        return NULL;
    return Py_BuildValue("(iKL)", (int)stat.kind, (unsigned long long)stat.size,
                         (long long)stat.modified_ns);
}

typedef int (*change_fn)(eryx_sandbox_t *sandbox, const char *path, bool flag, eryx_error_t *error);

static PyObject *change(PyObject *self, PyObject *arguments, change_fn function)
{
    PyObject *object;
    const char *path;
    int flag;
    if (!PyArg_ParseTuple(arguments, "Op", &object, &flag))
        return NULL;
    box_t *box = begin(self, object, &path);
    if (!box)
        return NULL;
    int status;
    eryx_error_t error;
    Py_BEGIN_ALLOW_THREADS
    status = function(box->sandbox, path, flag, &error);
    Py_END_ALLOW_THREADS
    if (!finish(self, path, status, &error))
        return NULL;
    Py_RETURN_NONE;
}

PyObject *files_make_directory(PyObject *self, PyObject *arguments)
{
    return change(self, arguments, eryx_fs_make_directory);
}

PyObject *files_remove(PyObject *self, PyObject *arguments)
{
    return change(self, arguments, eryx_fs_remove);
}
