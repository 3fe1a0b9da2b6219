/* The module itself: types, constants, exceptions. */
#include "module.h"

PyTypeObject *runtime_type, *sandbox_type, *driver_type, *outcome_type, *call_type, *source_type;
static PyObject *error_classes; /* dict: status code -> class; of eryx._errors */

PyObject *raise_error(const eryx_error_t *error)
{
    PyObject *code = PyLong_FromLong(error->code);
    PyObject *class = code ? PyDict_GetItemWithError(error_classes, code) : NULL;
    Py_XDECREF(code);
    if (!class && !PyErr_Occurred())
        PyErr_Format(PyExc_SystemError, "status %d: %s", error->code, error->message);
    else if (class)
        PyErr_SetString(class, error->message);
    return NULL;
}

PyObject *raise_state(const char *message)
{
    eryx_error_t error = {.code = ERYX_ERR_STATE};
    PyOS_snprintf(error.message, sizeof error.message, "%s", message);
    return raise_error(&error);
}

static bool load_errors(void)
{
    PyObject *module = PyImport_ImportModule("eryx._errors");
    PyObject *classes = module ? PyObject_GetAttrString(module, "BY_CODE") : NULL;
    Py_XDECREF(module);
    if (!classes)
        return false;
    Py_XDECREF(error_classes);
    error_classes = classes;
    return true;
}

static bool add_type(PyObject *module, PyType_Spec *spec, PyTypeObject **type)
{
    if (!*type)
        *type = (PyTypeObject *)PyType_FromSpec(spec);
    return *type && PyModule_AddType(module, *type) == 0;
}

/* The library's state is the process's, and calls come from threads that know only the main
 * interpreter. */
static bool check_interpreter(void)
{
    if (PyInterpreterState_GetID(PyInterpreterState_Get()) == 0)
        return true;
    PyErr_SetString(PyExc_ImportError, "eryx works in the main interpreter only");
    return false;
}

static int execute_module(PyObject *module)
{
    static const struct {
        const char *name;
        long value;
    } constants[] = {
        {"EVENT_CALL", EVENT_CALL},     {"EVENT_CANCEL", EVENT_CANCEL},
        {"EVENT_OUTPUT", EVENT_OUTPUT}, {"EVENT_INPUT", EVENT_INPUT},
        {"EVENT_TRACE", EVENT_TRACE},   {"EVENT_DONE", EVENT_DONE},
        {"EVENT_NET", EVENT_NET},       {"EVENT_SAMPLE", EVENT_SAMPLE},
    };
    if (!check_interpreter() || !load_errors() || !add_type(module, &runtime_spec, &runtime_type) ||
        !add_type(module, &sandbox_spec, &sandbox_type) ||
        !add_type(module, &driver_spec, &driver_type) ||
        !add_type(module, &outcome_spec, &outcome_type) ||
        !add_type(module, &call_spec, &call_type) || !add_type(module, &source_spec, &source_type))
        return -1;
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) != 0)
            return -1;
    return PyModule_AddStringConstant(module, "version", eryx_version());
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, execute_module}, {0, NULL}};

static PyMethodDef functions[] = {
    {"signal_fd", signal_fd, METH_NOARGS,
     "signal_fd($module, /)\n--\n\nFor signal.set_wakeup_fd: wakes Driver.wait(True)."},
    {"checkpoint_info", checkpoint_info, METH_O,
     "checkpoint_info($module, data, /)\n--\n\nWhat is told of a checkpoint, as a dict."},
    {"interrupt_fd", interrupt_fd, METH_NOARGS,
     "interrupt_fd($module, /)\n--\n\nFor signal.set_wakeup_fd: interrupts what Sandbox.execute "
     "runs in the main thread."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "eryx._eryx",
    .m_doc = "The C library liberyx; use the package eryx.",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__eryx(void)
{
    return PyModuleDef_Init(&definition);
}
