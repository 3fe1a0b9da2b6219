/* _eryx.Sandbox: forks, checkpoints, and resuming them. All can be had while the program waits: the
 * box's lock keeps the driver from running it meanwhile. */
#include "module.h"

#include <stdio.h>
#include <stdlib.h>

#define PATIENCE_NS 1000000000u /* for a program that has called and is about to wait */

static int refuse_running(eryx_error_t *error)
{
    error->code = ERYX_ERR_STATE;
    snprintf(error->message, sizeof error->message,
             "the program is running: a copy can be made when it awaits something or is done");
    return error->code;
}

/* The box if it is open, and either idle or executing; NULL with an exception otherwise. */
static box_t *box_at_rest(PyObject *object)
{
    sandbox_object_t *self = (sandbox_object_t *)object;
    if (self->busy && !self->box->execution)
        return (box_t *)raise_state("the sandbox is in use by another thread");
    if (self->busy || self->box->token)
        return self->box;
    box_t *box = sandbox_begin(object); /* which knows what else there can be */
    if (box)
        sandbox_end(object);
    return box;
}

/* --- Forks -------------------------------------------------------------------------------- */

static int make_fork(void *env, const eryx_sandbox_options_t *given, eryx_sandbox_t **out,
                     eryx_error_t *error)
{
    int status;
    box_t *parent = env;
    eryx_sandbox_options_t options = *given;
    options.secrets = NULL; /* always the parent's */
    options.secret_count = 0;
    Py_BEGIN_ALLOW_THREADS
    pthread_mutex_lock(&parent->lock);
    status = box_wait_settled(parent, PATIENCE_NS)
                 ? eryx_sandbox_fork(parent->sandbox, &options, 1, out, error)
                 : refuse_running(error);
    pthread_mutex_unlock(&parent->lock);
    Py_END_ALLOW_THREADS
    return status;
}

PyObject *sandbox_fork(PyObject *self, PyObject *Py_UNUSED(unused))
{
    sandbox_object_t *parent = (sandbox_object_t *)self;
    box_t *box = box_at_rest(self);
    return box ? sandbox_object(parent->runtime, parent->options, make_fork, box) : NULL;
}

/* --- Checkpoints -------------------------------------------------------------------------- */

PyObject *sandbox_checkpoint(PyObject *self, PyObject *arguments)
{
    int incremental, status;
    eryx_error_t error;
    eryx_checkpoint_options_t options;
    void *data = NULL;
    size_t length;
    eryx_checkpoint_options_init(&options);
    if (!PyArg_ParseTuple(arguments, "pi", &incremental, &options.level))
        return NULL;
    options.incremental = incremental;
    box_t *box = box_at_rest(self);
    if (!box)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    pthread_mutex_lock(&box->lock);
    status = box_wait_settled(box, PATIENCE_NS)
                 ? eryx_sandbox_checkpoint(box->sandbox, &options, &data, &length, &error)
                 : refuse_running(&error);
    pthread_mutex_unlock(&box->lock);
    Py_END_ALLOW_THREADS
    if (status != ERYX_OK)
        return raise_error(&error);
    PyObject *bytes = PyBytes_FromStringAndSize(data, (Py_ssize_t)length);
    eryx_bytes_free(data);
    return bytes;
}

typedef struct resume_request {
    eryx_runtime_t *runtime;
    eryx_checkpoint_part_t *parts;
    size_t count;
} resume_request_t;

static int make_resumed(void *env, const eryx_sandbox_options_t *options, eryx_sandbox_t **out,
                        eryx_error_t *error)
{
    int status;
    resume_request_t *request = env;
    Py_BEGIN_ALLOW_THREADS
    status =
        eryx_sandbox_resume(request->runtime, request->parts, request->count, options, out, error);
    Py_END_ALLOW_THREADS
    return status;
}

/* The parts' bytes are borrowed from the tuple. */
static bool parse_parts(PyObject *tuple, resume_request_t *request)
{
    Py_ssize_t count = PyTuple_Size(tuple);
    request->parts = calloc((size_t)count + 1, sizeof *request->parts);
    if (!request->parts) {
        PyErr_NoMemory();
        return false;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        char *data;
        Py_ssize_t length;
        if (PyBytes_AsStringAndSize(PyTuple_GetItem(tuple, i), &data, &length) != 0)
            return false;
        request->parts[i] = (eryx_checkpoint_part_t){data, (size_t)length};
    }
    request->count = (size_t)count;
    return true;
}

PyObject *sandbox_resume(PyObject *Py_UNUSED(type), PyObject *arguments)
{
    PyObject *runtime, *dict, *parts, *result = NULL;
    if (!PyArg_ParseTuple(arguments, "O!O!O!", runtime_type, &runtime, &PyDict_Type, &dict,
                          &PyTuple_Type, &parts))
        return NULL;
    resume_request_t request = {((runtime_object_t *)runtime)->runtime, NULL, 0};
    if (parse_parts(parts, &request))
        result = sandbox_object(runtime, dict, make_resumed, &request);
    free(request.parts);
    return result;
}

PyObject *checkpoint_info(PyObject *Py_UNUSED(module), PyObject *bytes)
{
    char *data;
    Py_ssize_t length;
    eryx_error_t error;
    eryx_checkpoint_info_t info = {.size = sizeof info};
    if (PyBytes_AsStringAndSize(bytes, &data, &length) != 0)
        return NULL;
    if (eryx_checkpoint_get_info(data, (size_t)length, &info, &error) != ERYX_OK)
        return raise_error(&error);
    return Py_BuildValue(
        "{s:I, s:O, s:O, s:K, s:K, s:K, s:I, s:s, s:s, s:s}", "format_version", info.format_version,
        "incremental", info.incremental ? Py_True : Py_False, "waiting",
        info.waiting ? Py_True : Py_False, "created_ns", (unsigned long long)info.created_ns,
        "memory_bytes", (unsigned long long)info.memory_bytes, "changed_bytes",
        (unsigned long long)info.changed_bytes, "pending_calls", info.pending_calls, "runtime_id",
        info.runtime_id, "id", info.id, "base_id", info.base_id);
}
