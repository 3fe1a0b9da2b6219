/* _eryx.Sandbox: making, executing, stopping. Everything that a program may take time for is done
 * without the GIL; `busy` keeps other threads out meanwhile. */
#include "module.h"
#include "sentinel.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- Making ------------------------------------------------------------------------------- */

static box_t *make_box(options_t *options, sandbox_make_fn make, void *env)
{
    eryx_error_t error;
    box_t *box = box_new(options->callback_count);
    if (!box)
        return (box_t *)PyErr_NoMemory();
    for (size_t i = 0; i < options->callback_count; i++)
        box_fill_callback(box, (uint32_t)i, &options->callbacks[i]);
    box->input_kind = options->ask_input ? INPUT_ASKED : options->input ? INPUT_BYTES : INPUT_NONE;
    if (options->input) {
        char *data;
        Py_ssize_t length;
        PyBytes_AsStringAndSize(options->input, &data, &length);
        if (!box_answer(box, data, (size_t)length)) {
            box_release(box);
            return (box_t *)PyErr_NoMemory();
        }
    }
    box_fill_options(box, &options->sandbox, options->output, options->trace, options->sample);
    if (options->report_net)
        box_fill_net(box, &options->net);
    if (make(env, &options->sandbox, &box->sandbox, &error) == ERYX_OK)
        return box;
    box_release(box);
    if (!PyErr_Occurred())
        raise_error(&error);
    return NULL;
}

PyObject *sandbox_object(PyObject *runtime, PyObject *dict, sandbox_make_fn make, void *env)
{
    options_t options;
    if (((runtime_object_t *)runtime)->process != getpid())
        return raise_state("the runtime was opened before this process was forked: open another");
    sandbox_object_t *self = (sandbox_object_t *)PyType_GenericAlloc(sandbox_type, 0);
    if (!self)
        return NULL;
    Py_INCREF(runtime);
    self->runtime = runtime;
    Py_INCREF(dict);
    self->options = dict;
    if (options_parse(dict, &options))
        self->box = make_box(&options, make, env);
    options_free(&options);
    if (!self->box)
        Py_CLEAR(self);
    else
        self->streams = options.output || options.trace || options.sample || options.ask_input;
    return (PyObject *)self;
}

static int make_new(void *env, const eryx_sandbox_options_t *options, eryx_sandbox_t **out,
                    eryx_error_t *error)
{
    int status;
    Py_BEGIN_ALLOW_THREADS
    status = eryx_sandbox_new(env, options, out, error); /* may wait for a place */
    Py_END_ALLOW_THREADS
    return status;
}

static PyObject *sandbox_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    PyObject *runtime, *dict;
    (void)type; /* has no subclasses */
    (void)keywords;
    if (!PyArg_ParseTuple(arguments, "O!O!", runtime_type, &runtime, &PyDict_Type, &dict))
        return NULL;
    return sandbox_object(runtime, dict, make_new, ((runtime_object_t *)runtime)->runtime);
}

static bool forked(const sandbox_object_t *self)
{
    return self->runtime && ((runtime_object_t *)self->runtime)->process != getpid();
}

static void sandbox_dealloc(PyObject *object)
{
    sandbox_object_t *self = (sandbox_object_t *)object;
    PyTypeObject *type = Py_TYPE(object);
    if (self->box && !forked(self)) {
        if (self->box->token) /* an execution goes on, and nobody will take its outcome */
            eryx_sandbox_interrupt(self->box->sandbox);
        box_release(self->box);
    }
    Py_XDECREF(self->runtime);
    Py_XDECREF(self->options);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
    Py_DECREF(type);
}

/* --- Being open and idle ------------------------------------------------------------------ */

box_t *sandbox_begin(PyObject *object)
{
    sandbox_object_t *self = (sandbox_object_t *)object;
    if (forked(self))
        return (box_t *)raise_state(
            "the runtime was opened before this process was forked: open another");
    if (!self->box->sandbox)
        return (box_t *)raise_state("the sandbox is closed");
    if (self->busy || self->box->token)
        return (box_t *)raise_state("the sandbox is executing already");
    self->busy = true;
    return self->box;
}

void sandbox_end(PyObject *object)
{
    ((sandbox_object_t *)object)->busy = false;
}

static PyObject *sandbox_close(PyObject *self, PyObject *Py_UNUSED(unused))
{
    if (forked((sandbox_object_t *)self) || !BOX(self)->sandbox)
        Py_RETURN_NONE;
    box_t *box = sandbox_begin(self);
    if (!box)
        return NULL;
    eryx_sandbox_t *sandbox = box->sandbox;
    box->sandbox = NULL;
    Py_BEGIN_ALLOW_THREADS
    eryx_sandbox_free(sandbox);
    Py_END_ALLOW_THREADS
    sandbox_end(self);
    Py_RETURN_NONE;
}

/* --- Executing ---------------------------------------------------------------------------- */

typedef struct request {
    const char *code;
    Py_ssize_t length;
    eryx_execute_options_t options;
    PyObject *other; /* dispatch function or driver */
    PyObject *last;  /* whether in the main thread, or the token */
} request_t;

static bool parse_request(PyObject *arguments, const char *format, request_t *request)
{
    int script;
    *request = (request_t){0};
    eryx_execute_options_init(&request->options);
    if (!PyArg_ParseTuple(arguments, format, &request->code, &request->length,
                          &request->options.filename, &script, &request->options.result,
                          &request->other, &request->last))
        return false;
    request->options.script = script;
    return true;
}

static void count_running(box_t *box, int difference)
{
    pthread_mutex_lock(&box->lock);
    box_count_running(box, difference);
    pthread_mutex_unlock(&box->lock);
}

/* Lets the program run until it is done (true) or something is to be handled by Python. */
static bool run(box_t *box)
{
    eryx_execution_state_t state;
    bool wanted;
    Py_BEGIN_ALLOW_THREADS
    do {
        count_running(box, 1);
        state = eryx_execution_run(box->execution);
        count_running(box, -1);
        wanted = state == ERYX_EXECUTION_DONE || box->own.first;
        if (!wanted)
            eryx_execution_wait(box->execution, UINT64_MAX);
    } while (!wanted);
    Py_END_ALLOW_THREADS
    return state == ERYX_EXECUTION_DONE;
}

/* Gives dispatch what has happened; None: nobody wants to know. */
static bool handle(box_t *box, PyObject *dispatch)
{
    PyObject *events = events_list(inbox_take(&box->own));
    if (events && dispatch == Py_None) {
        Py_DECREF(events);
        return true;
    }
    PyObject *result = events ? PyObject_CallFunctionObjArgs(dispatch, events, NULL) : NULL;
    Py_XDECREF(events);
    Py_XDECREF(result);
    return result != NULL;
}

static void leave(box_t *box)
{
    pthread_mutex_lock(&box->lock);
    eryx_execution_t *execution = box->execution;
    box->execution = NULL;
    pthread_mutex_unlock(&box->lock);
    eryx_execution_free(execution);
}

/* Between turns: what has happened since. A signal may have interrupted the program. */
static bool go_on(box_t *box, PyObject *dispatch, bool main_thread)
{
    return (!main_thread || PyErr_CheckSignals() == 0) &&
           (!box->own.first || handle(box, dispatch));
}

/* A new execution, or without code the one that waits in a fork or resumed sandbox. */
static eryx_execution_t *execution_of(box_t *box, const request_t *request)
{
    eryx_error_t error;
    eryx_execution_t *execution = NULL;
    if (!request->code) {
        execution = eryx_sandbox_execution(box->sandbox);
        if (!execution)
            raise_state("no program waits in this sandbox");
    } else if (eryx_execution_start(box->sandbox, request->code, (size_t)request->length,
                                    &request->options, &execution, &error) != ERYX_OK) {
        raise_error(&error);
    }
    return execution;
}

static PyObject *drive(box_t *box, const request_t *request, bool main_thread)
{
    eryx_outcome_t *outcome = NULL;
    eryx_execution_t *execution = execution_of(box, request);
    if (!execution)
        return NULL;
    pthread_mutex_lock(&box->lock);
    box->execution = execution;
    pthread_mutex_unlock(&box->lock);
    if (main_thread)
        sentinel_watch(box);
    bool good = go_on(box, request->other, main_thread), done = false;
    while (good && !done) {
        done = run(box);
        good = go_on(box, request->other, main_thread);
    }
    if (main_thread)
        sentinel_watch(NULL);
    if (good)
        outcome = eryx_execution_take_outcome(execution);
    leave(box);
    return good ? outcome_object(outcome) : NULL;
}

/* On the calling thread. Events are handed to dispatch between its turns. In the main thread
 * signals are to be told to sentinel_fd. */
static PyObject *sandbox_execute(PyObject *self, PyObject *arguments)
{
    request_t request;
    if (!parse_request(arguments, "z#zpzOO", &request))
        return NULL;
    int main_thread = PyObject_IsTrue(request.last);
    if (main_thread < 0)
        return NULL;
    if (((sandbox_object_t *)self)->streams && request.other != Py_None)
        return raise_state("output, traces and input need a driver");
    box_t *box = sandbox_begin(self);
    if (!box)
        return NULL;
    PyObject *result = drive(box, &request, main_thread);
    sandbox_end(self);
    return result;
}

/* On a driver; its events carry the token. */
static PyObject *sandbox_start(PyObject *self, PyObject *arguments)
{
    request_t request;
    eryx_error_t error;
    if (!parse_request(arguments, "z#zpzOO", &request))
        return NULL;
    if (Py_TYPE(request.other) != driver_type) {
        PyErr_SetString(PyExc_TypeError, "not a driver");
        return NULL;
    }
    driver_t *driver = ((driver_object_t *)request.other)->driver;
    box_t *box = driver ? sandbox_begin(self)
                        : (box_t *)raise_state("the event loop of this sandbox is closed");
    if (!box)
        return NULL;
    box_close_input(box, false);
    Py_INCREF(request.last);
    box->token = request.last;
    int status =
        driver_start(driver, box, request.code, (size_t)request.length, &request.options, &error);
    sandbox_end(self);
    if (status == ERYX_OK)
        Py_RETURN_NONE;
    box->token = NULL;
    Py_DECREF(request.last);
    return raise_error(&error);
}

static PyObject *sandbox_cancel(PyObject *self, PyObject *now)
{
    int at_once = PyObject_IsTrue(now);
    if (at_once < 0)
        return NULL;
    if (!forked((sandbox_object_t *)self) && BOX(self)->sandbox)
        box_cancel(BOX(self), at_once);
    Py_RETURN_NONE;
}

static PyObject *sandbox_interrupt(PyObject *self, PyObject *Py_UNUSED(unused))
{
    if (!forked((sandbox_object_t *)self) && BOX(self)->sandbox) {
        box_close_input(BOX(self), true);
        eryx_sandbox_interrupt(BOX(self)->sandbox);
    }
    Py_RETURN_NONE;
}

static PyObject *sandbox_answer(PyObject *self, PyObject *input)
{
    char *data;
    Py_ssize_t length;
    if (PyBytes_AsStringAndSize(input, &data, &length) != 0)
        return NULL;
    if (!box_answer(BOX(self), data, (size_t)length))
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

static PyObject *get_closed(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(!BOX(self)->sandbox);
}

static PyObject *get_waiting(PyObject *self, void *Py_UNUSED(closure))
{
    sandbox_object_t *sandbox = (sandbox_object_t *)self;
    box_t *box = sandbox->box;
    return PyBool_FromLong(!forked(sandbox) && box->sandbox && !sandbox->busy && !box->token &&
                           eryx_sandbox_execution(box->sandbox));
}

static PyObject *get_placeholder(PyObject *self, PyObject *name)
{
    const char *text = options_string(name, "the name of a secret");
    if (!text)
        return NULL;
    const char *found = forked((sandbox_object_t *)self) || !BOX(self)->sandbox
                            ? NULL
                            : eryx_sandbox_placeholder(BOX(self)->sandbox, text);
    if (!found)
        Py_RETURN_NONE;
    return PyUnicode_FromString(found);
}

static PyObject *get_executing(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(((sandbox_object_t *)self)->busy || BOX(self)->token);
}

static PyMethodDef methods[] = {
    {"execute", sandbox_execute, METH_VARARGS,
     "execute($self, code, filename, script, result, dispatch, main_thread, /)\n--\n\nRuns a "
     "program on this thread."},
    {"start", sandbox_start, METH_VARARGS,
     "start($self, code, filename, script, result, driver, token, /)\n--\n\nStarts a program on a "
     "driver."},
    {"cancel", sandbox_cancel, METH_O,
     "cancel($self, now, /)\n--\n\nAsks the program to end, when it waits, or now."},
    {"interrupt", sandbox_interrupt, METH_NOARGS,
     "interrupt($self, /)\n--\n\nStops the program. Any thread."},
    {"answer", sandbox_answer, METH_O,
     "answer($self, data, /)\n--\n\nWhat a program reads that asked for input."},
    {"snapshot", sandbox_snapshot, METH_VARARGS,
     "snapshot($self, skip_unpicklable, /)\n--\n\nThe names of the session."},
    {"restore", sandbox_restore, METH_VARARGS, "restore($self, data, /)\n--\n\nPuts them back."},
    {"clear", sandbox_clear, METH_NOARGS, "clear($self, /)\n--\n\nForgets the session's names."},
    {"fork", sandbox_fork, METH_NOARGS, "fork($self, /)\n--\n\nA copy."},
    {"checkpoint", sandbox_checkpoint, METH_VARARGS,
     "checkpoint($self, incremental, level, /)\n--\n\nAll of the session."},
    {"resume", sandbox_resume, METH_VARARGS | METH_STATIC,
     "resume(runtime, options, parts, /)\n--\n\nA sandbox from a checkpoint."},
    {"placeholder", get_placeholder, METH_O,
     "placeholder($self, name, /)\n--\n\nOf a secret; None: there is none of that name."},
    {"files_read", files_read, METH_VARARGS,
     "files_read($self, path, max_bytes, /)\n--\n\nA whole file."},
    {"files_write", files_write, METH_VARARGS,
     "files_write($self, path, data, /)\n--\n\nMakes or replaces a file."},
    {"files_list", files_list, METH_O,
     "files_list($self, path, /)\n--\n\nEntries of a directory: (name, kind)."},
    {"files_stat", files_stat, METH_O,
     "files_stat($self, path, /)\n--\n\n(kind, size, modified_ns)"},
    {"files_make_directory", files_make_directory, METH_VARARGS,
     "files_make_directory($self, path, parents, /)\n--\n\nMakes a directory."},
    {"files_remove", files_remove, METH_VARARGS,
     "files_remove($self, path, recursive, /)\n--\n\nRemoves a file or directory."},
    {"close", sandbox_close, METH_NOARGS, "close($self, /)\n--\n\nGives the instance back."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef getters[] = {
    {"closed", get_closed, NULL, "Whether close() was called.", NULL},
    {"waiting", get_waiting, NULL, "Whether a program of a fork or checkpoint can go on.", NULL},
    {"executing", get_executing, NULL, "Whether a program is running or waiting.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_new, sandbox_new},
    {Py_tp_dealloc, sandbox_dealloc},
    {Py_tp_methods, methods},
    {Py_tp_getset, getters},
    {0, NULL},
};

PyType_Spec sandbox_spec = {
    .name = "eryx._eryx.Sandbox",
    .basicsize = sizeof(sandbox_object_t),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};
