/* The embedding of Python: what its parts share. */
#ifndef ERYX_PYTHON_PYTHON_H
#define ERYX_PYTHON_PYTHON_H

#include <stdbool.h>
#include <stdint.h>

#include "guest_bindings.h"
#include "api.h"

/* What executions need of the interpreter, looked up once. Owned references. */
struct python {
    PyObject *globals;  /* of __main__: the session's namespace */
    PyObject *sys_dict; /* sys.__dict__ */
    PyObject *stdout_name, *stderr_name;
    PyObject *stdout_stream, *stderr_stream; /* as made at start */
    PyObject *stdout_flush, *stderr_flush;   /* their methods */
    PyObject *driver_start, *driver_start_session, *driver_step,
        *driver_abandon;                                /* _eryx_driver.driver's methods */
    PyObject *loop_returned, *loop_ready, *loop_cancel; /* of _eryx_driver */
    PyObject *describe, *describe_plainly, *release;    /* functions of _eryx_report */
    PyObject *compile_again;                            /* of _eryx_source */
    PyObject *session_module, *fresh_module;
    PyObject *snapshot, *restore, *place; /* functions of _eryx_session */
    PyObject *to_json, *variable_json;
    PyObject *builtins; /* builtins.__dict__ */
    PyObject *builtins_copy;
};
extern struct python python;

/* Starts the interpreter; false after printing why. */
bool python_start(void);

/* allocator.c: before Python's own start. */
void python_allocator_start(void);

/* Replaces stdout and stderr where the program has closed them. */
void python_reopen_streams(void);

/* Undoes what the program did to the builtins. Returns what they were, a new reference (NULL
 * without memory), for python_builtins_change. */
PyObject *python_builtins_restore(void);
/* Takes `content` over. */
void python_builtins_change(PyObject *content);

/* _eryx, the module that the runtime's Python code calls. */
PyObject *python_module_init(void);
/* _eryx_tls, the module under runtime/lib/_ssl.py. */
PyObject *python_tls_init(void);

/* network.c: methods of _eryx. */
PyObject *network_watch_descriptor(PyObject *module, PyObject *arguments);
PyObject *network_unwatch(PyObject *module, PyObject *number);
PyObject *network_resolve(PyObject *module, PyObject *name);
PyObject *network_resolve_watch(PyObject *module, PyObject *lookup);
PyObject *network_resolve_end(PyObject *module, PyObject *lookup);
PyObject *network_resolve_drop(PyObject *module, PyObject *lookup);

/* loop.c: methods of _eryx. install_loop(Loop, Handle) gives Loop its call_soon, at build time;
 * run_ready(loop, handles) runs as many as there are now. */
PyObject *loop_install(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
PyObject *loop_run_ready(PyObject *module, PyObject *const *arguments, Py_ssize_t count);

/* freeze.c: a method of _eryx; its argument is a list of objects. At build time only. */
PyObject *python_freeze(PyObject *module, PyObject *objects);

/* An exception that is set and of no interest: forgets it. */
void python_ignore_error(void);

/* source.c: the sources of executions, kept as long as their code lives. */

/* Takes over `text`, ended by a NUL (malloc). Returns the filename object of this execution, new
 * reference; NULL with an exception (and text freed) when out of memory. */
PyObject *source_begin(PyObject *name, char *text, size_t length);
/* The source of the code that has this filename. NULL: none. */
const char *source_find(PyObject *filename, size_t *length);
/* Whether it is the newest source's text. */
bool source_is_last(const char *text, size_t length);
void source_clear(void);

/* code.c: code of the execution's program that the host keeps; NULL: none. New reference. */
PyObject *code_find(bool *alone);
/* The same was compiled (NULL: in vain), and nothing of it has run. plain: no code of Python took part. */
void code_offer(PyObject *code, bool plain, bool alone);

/* report.c: the exception that ended the last execution. */

/* Forgets it; called when an execution begins. */
void report_clear(void);
/* Takes over the exception that is set. */
void report_raised(void);
bool report_present(void);
wit_string_t report_traceback(void);
/* When an execution is over: forgets the exception that CPython keeps after running out of
 * memory, and the frames that hang on it. */
void report_release_memory(void);
bool report_start(void);

/* limits.c: after sys is known. False with an exception. */
bool limits_start(void);

/* control.c */
extern struct control {
    PyObject *filename;
    bool capture_output;
    bool script;
    bool last_value; /* keep it for result-json */
    bool trace;
    uint32_t trace_locals; /* bytes of them in an event */
    uint32_t display;      /* values for sys.displayhook: 0 none, 1 the last, 2 all */
} control;
bool control_start(void);

/* callbacks.c: the host's callbacks in the session. */

/* Asks the host for them. */
void callbacks_ask(void);
/* Unless it was asked since the last callbacks_forget. */
void callbacks_ask_once(void);
void callbacks_forget(void);
/* Puts those known into a new namespace. */
void callbacks_place(PyObject *namespace);

/* trace.c: reports of what the program does, while settings.trace is on. */
bool trace_start(void);
/* Around the running of an execution's code. */
void trace_begin(void);
void trace_end(void);
/* While it is true, nothing is told: the runtime, and code of the program that it calls, is at work. */
void trace_pause(bool paused);
/* "callback-start" or "callback-end" of the host's callback `name`. */
void trace_callback(const char *type, PyObject *name);

/* sample.c: tells the host where the program is, when it asks. Around an execution; also when one
 * goes on in a copy. */
void sample_begin(void);
void sample_end(void);

/* execute.c: an execution is under way, or waits. */
bool execute_running(void);

/* session.c: false with an exception. */
bool session_new_main(void);
/* Moves the value of the last expression, if it was kept, out of the namespace. */
void session_take_last(void);

#endif
