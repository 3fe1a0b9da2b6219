/* Starts the interpreter and prepares it to become the image. Runs at build time only. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "python.h"

struct python python;

static const struct {
    const char *name;
    int64_t value;
} numbers[] = {
    {"utf8_mode", 1},
    {"isolated", 1},
    {"use_environment", 0},
    {"site_import", 0},
    {"write_bytecode", 0},
    {"install_signal_handlers", 0},
    {"configure_c_stdio", 0},
    {"parse_argv", 0},
    {"pathconfig_warnings", 0},
    /* Fixed, so that two builds give one image; a sandbox could only attack itself. */
    {"use_hash_seed", 1},
    {"hash_seed", 0},
};

static const struct {
    const char *name, *value;
} strings[] = {
    {"program_name", "python"},
    {"executable", ""},
    {"base_executable", ""},
    {"prefix", "/"},
    {"base_prefix", "/"},
    {"exec_prefix", "/"},
    {"base_exec_prefix", "/"},
    {"platlibdir", "lib"},
    {"stdlib_dir", "/lib/python3.14"},
};

/* The first is the current directory, as for `python -c`. */
static char *const search_paths[] = {"", "/lib/python3.14", "/lib/python3.14/site-packages"};

static bool configure(PyInitConfig *config)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (PyInitConfig_SetInt(config, numbers[i].name, numbers[i].value) < 0) {
            return false;
        }
    }
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        if (PyInitConfig_SetStr(config, strings[i].name, strings[i].value) < 0) {
            return false;
        }
    }
    return PyInitConfig_SetStrList(config, "module_search_paths",
                                   sizeof search_paths / sizeof *search_paths, search_paths) == 0 &&
           PyInitConfig_AddModule(config, "_eryx", python_module_init) == 0 &&
           PyInitConfig_AddModule(config, "_eryx_tls", python_tls_init) == 0 &&
           Py_InitializeFromInitConfig(config) == 0;
}

static bool initialize(void)
{
    PyInitConfig *config = PyInitConfig_Create();
    bool good = config != NULL && configure(config);
    if (!good) {
        const char *message = "out of memory";
        if (config != NULL) {
            PyInitConfig_GetError(config, &message);
        }
        fprintf(stderr, "eryx_init: Python does not start: %s\n", message);
    }
    PyInitConfig_Free(config);
    return good;
}

static PyObject *get(const char *module_name, const char *name)
{
    PyObject *module = PyImport_ImportModule(module_name);
    PyObject *value = module == NULL ? NULL : PyObject_GetAttrString(module, name);
    Py_XDECREF(module);
    return value;
}

static PyObject *get_method(PyObject *object, const char *name)
{
    return object == NULL ? NULL : PyObject_GetAttrString(object, name);
}

/* sys.stdout and sys.stderr as they are now are what an execution's end flushes. */
static bool look_up_streams(void)
{
    Py_XDECREF(python.stdout_stream);
    Py_XDECREF(python.stderr_stream);
    Py_XDECREF(python.stdout_flush);
    Py_XDECREF(python.stderr_flush);
    python.stdout_stream = get("sys", "__stdout__");
    python.stderr_stream = get("sys", "__stderr__");
    python.stdout_flush = get_method(python.stdout_stream, "flush");
    python.stderr_flush = get_method(python.stderr_stream, "flush");
    return python.stdout_flush != NULL && python.stderr_flush != NULL;
}

static bool look_up(void)
{
    PyObject *driver = get("_eryx_driver", "driver");
    bool good;
    python.stdout_name = PyUnicode_InternFromString("stdout");
    python.stderr_name = PyUnicode_InternFromString("stderr");
    python.sys_dict = get("sys", "__dict__");
    python.driver_start = get_method(driver, "start");
    python.driver_start_session = get_method(driver, "start_session");
    python.driver_step = get_method(driver, "step");
    python.driver_abandon = get_method(driver, "abandon");
    python.loop_returned = get("_eryx_driver", "returned");
    python.loop_ready = get("_eryx_watch", "ready");
    python.loop_cancel = get("_eryx_driver", "cancel");
    python.describe = get("_eryx_report", "describe");
    python.describe_plainly = get("_eryx_report", "describe_plainly");
    python.release = get("_eryx_report", "release");
    python.compile_again = get("_eryx_source", "compile_again");
    python.builtins = get("builtins", "__dict__");
    python.builtins_copy = python.builtins == NULL ? NULL : PyDict_Copy(python.builtins);
    python.snapshot = get("_eryx_session", "snapshot");
    python.restore = get("_eryx_session", "restore");
    python.place = get("_eryx_session", "place");
    python.to_json = get("_eryx_session", "to_json");
    python.variable_json = get("_eryx_session", "variable_json");
    python.fresh_module = PyImport_ImportModule("_eryx_fresh");
    good = look_up_streams() && PyErr_Occurred() == NULL;
    Py_XDECREF(driver);
    return good;
}

void python_reopen_streams(void)
{
    PyObject *done = PyObject_CallMethod(python.session_module, "reopen_streams", NULL);
    if (done == Py_True && !look_up_streams()) {
        PyErr_Print();
        abort();
    }
    python_ignore_error();
    Py_XDECREF(done);
}

static bool run_start(const char *function)
{
    PyObject *callable = get("_eryx_start", function);
    PyObject *result = callable == NULL ? NULL : PyObject_CallNoArgs(callable);
    Py_XDECREF(callable);
    Py_XDECREF(result);
    return result != NULL;
}

void python_ignore_error(void)
{
    if (PyErr_Occurred()) {
        PyErr_Clear();
    }
}

static void set_builtins(PyObject *content)
{
    PyDict_Clear(python.builtins);
    if (PyDict_Update(python.builtins, content) < 0) {
        PyErr_Clear();
    }
}

PyObject *python_builtins_restore(void)
{
    PyObject *before = PyDict_Copy(python.builtins);
    python_ignore_error();
    set_builtins(python.builtins_copy);
    return before;
}

void python_builtins_change(PyObject *content)
{
    if (content != NULL) {
        set_builtins(content);
        Py_DECREF(content);
    }
}

bool python_start(void)
{
    python_allocator_start();
    if (!initialize()) {
        return false;
    }
    if (!run_start("start") ||
        (python.session_module = PyImport_ImportModule("_eryx_session")) == NULL ||
        !session_new_main() || !look_up() || !limits_start() || !trace_start() ||
        !run_start("freeze") || !control_start()) {
        PyErr_Print();
        return false;
    }
    return report_start();
}
