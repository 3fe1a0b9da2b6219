/* The module eryx._eryx: thin types around the C library; what is comfortable is written in Python.
 * Built for the stable ABI of CPython 3.11. */
#ifndef ERYX_PYTHON_MODULE_H
#define ERYX_PYTHON_MODULE_H

#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030B0000
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "box.h"
#include "driver.h"

typedef struct runtime_object {
    PyObject ob_base;
    eryx_runtime_t *runtime;
    long process; /* that opened it */
} runtime_object_t;

typedef struct sandbox_object {
    PyObject ob_base;
    box_t *box;
    PyObject *runtime;
    PyObject *options; /* dict, for forks */
    bool busy;         /* executing, or in another call */
    bool streams;      /* output, traces or input are handled by Python */
} sandbox_object_t;

typedef struct driver_object {
    PyObject ob_base;
    driver_t *driver;
} driver_object_t;

extern PyTypeObject *runtime_type, *sandbox_type, *driver_type, *outcome_type, *call_type,
    *source_type;
extern PyType_Spec runtime_spec, sandbox_spec, driver_spec, outcome_spec, call_spec, source_spec;

/* Raises the exception of an error of the library; returns NULL. */
PyObject *raise_error(const eryx_error_t *error);
/* Raises eryx.StateError; returns NULL. */
PyObject *raise_state(const char *message);

/* Owns the outcome, also on failure. */
PyObject *outcome_object(eryx_outcome_t *outcome);
/* Events as a list of tuples (token, kind, number, value). Owns them, also on failure. The ends
 * among them release their boxes' tokens. */
PyObject *events_list(event_t *events);
/* Gives back what a box of a driver that is gone held. */
void drop_box(box_t *box);

/* Descriptors for signal.set_wakeup_fd (loop.c). */
PyObject *signal_fd(PyObject *module, PyObject *unused);
PyObject *interrupt_fd(PyObject *module, PyObject *unused);

/* Fills options from keyword-like items of a dict; what strings they point to is borrowed from the
 * dict, but the arrays are to be freed by options_free. False: an exception is set. */
typedef struct options {
    eryx_sandbox_options_t sandbox;
    bool output, trace, sample, ask_input;
    PyObject *input; /* bytes, borrowed */
    eryx_callback_t *callbacks;
    size_t callback_count;
    const char **argv, **environ;
    eryx_net_options_t net;
    bool report_net;
    const char **allow, **deny;
    eryx_secret_t *secrets;
    eryx_mount_t *mounts;
} options_t;

bool options_parse(PyObject *dict, options_t *options);
void options_free(options_t *options);

/* Network, secrets and mounts of options (grants.c). */
bool grants_parse(PyObject *dict, options_t *options);
void grants_free(options_t *options);
/* An item of the dict, borrowed; NULL without an exception if it is absent or None. */
PyObject *options_item(PyObject *dict, const char *name);
/* NULL with an exception; also if there is a NUL inside, which C would take for the end. */
const char *options_string(PyObject *object, const char *what);
/* A list of strings as an array, which is the caller's. */
bool options_strings(PyObject *list, const char *what, const char ***out, size_t *count);

/* A sandbox object of the type and its options; `make` gives its box a sandbox. NULL: an exception.
 */
typedef int (*sandbox_make_fn)(void *env, const eryx_sandbox_options_t *options,
                               eryx_sandbox_t **out, eryx_error_t *error);
PyObject *sandbox_object(PyObject *runtime, PyObject *options, sandbox_make_fn make, void *env);
#define BOX(object) (((sandbox_object_t *)(object))->box)

/* The methods of a sandbox that have a file of their own (state.c, copies.c). */
PyObject *sandbox_fork(PyObject *self, PyObject *unused);
PyObject *sandbox_checkpoint(PyObject *self, PyObject *arguments);
PyObject *sandbox_resume(PyObject *type, PyObject *arguments);
PyObject *checkpoint_info(PyObject *module, PyObject *data);
/* Files (files.c). */
PyObject *files_read(PyObject *self, PyObject *arguments);
PyObject *files_write(PyObject *self, PyObject *arguments);
PyObject *files_list(PyObject *self, PyObject *path);
PyObject *files_stat(PyObject *self, PyObject *path);
PyObject *files_make_directory(PyObject *self, PyObject *arguments);
PyObject *files_remove(PyObject *self, PyObject *arguments);
PyObject *sandbox_snapshot(PyObject *self, PyObject *arguments);
PyObject *sandbox_restore(PyObject *self, PyObject *arguments);
PyObject *sandbox_clear(PyObject *self, PyObject *unused);
/* The sandbox if it is open and idle, marked as busy; NULL with an exception otherwise. */
box_t *sandbox_begin(PyObject *self);
void sandbox_end(PyObject *self);

#endif
