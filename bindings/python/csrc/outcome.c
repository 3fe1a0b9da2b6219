/* _eryx.Outcome: what came out of an execution, decoded when it is looked at. */
#include "module.h"

#include <string.h>

typedef struct outcome_object {
    PyObject ob_base;
    eryx_outcome_t *outcome;
} outcome_object_t;

#define OUTCOME(object) (((outcome_object_t *)(object))->outcome)

PyObject *outcome_object(eryx_outcome_t *outcome)
{
    outcome_object_t *self = (outcome_object_t *)PyType_GenericAlloc(outcome_type, 0);
    if (self)
        self->outcome = outcome;
    else
        eryx_outcome_free(outcome);
    return (PyObject *)self;
}

static void outcome_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    eryx_outcome_free(OUTCOME(object));
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
    Py_DECREF(type);
}

static PyObject *text(const char *string)
{
    if (!string)
        Py_RETURN_NONE;
    return PyUnicode_DecodeUTF8(string, (Py_ssize_t)strlen(string), "replace");
}

static PyObject *bytes(const char *data, size_t length)
{
    return PyBytes_FromStringAndSize(data, (Py_ssize_t)length);
}

#define NUMBER(name, function)                                                                     \
    static PyObject *get_##name(PyObject *self, void *Py_UNUSED(closure))                          \
    {                                                                                              \
        return PyLong_FromUnsignedLongLong((unsigned long long)function(OUTCOME(self)));           \
    }
#define TEXT(name, function)                                                                       \
    static PyObject *get_##name(PyObject *self, void *Py_UNUSED(closure))                          \
    {                                                                                              \
        return text(function(OUTCOME(self)));                                                      \
    }

NUMBER(kind, eryx_outcome_kind)
NUMBER(limit, eryx_outcome_limit)
NUMBER(limit_value, eryx_outcome_limit_value)
NUMBER(limit_used, eryx_outcome_limit_used)
NUMBER(wall_time_ns, eryx_outcome_wall_time_ns)
NUMBER(output_dropped, eryx_outcome_output_dropped)
NUMBER(fuel_used, eryx_outcome_fuel_used)
TEXT(exception_type, eryx_outcome_exception_type)
TEXT(exception_message, eryx_outcome_exception_message)
TEXT(traceback, eryx_outcome_traceback)
TEXT(result_error, eryx_outcome_result_error)

static PyObject *get_limit_name(PyObject *self, void *Py_UNUSED(closure))
{
    return text(eryx_limit_name(eryx_outcome_limit(OUTCOME(self))));
}

static PyObject *get_exit_code(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromLong(eryx_outcome_exit_code(OUTCOME(self)));
}

static PyObject *get_session_lost(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(eryx_outcome_session_lost(OUTCOME(self)));
}

static PyObject *get_stdout(PyObject *self, void *Py_UNUSED(closure))
{
    size_t length;
    const char *data = eryx_outcome_stdout(OUTCOME(self), &length);
    return bytes(data, length);
}

static PyObject *get_stderr(PyObject *self, void *Py_UNUSED(closure))
{
    size_t length;
    const char *data = eryx_outcome_stderr(OUTCOME(self), &length);
    return bytes(data, length);
}

static PyObject *get_result_json(PyObject *self, void *Py_UNUSED(closure))
{
    size_t length;
    const char *data = eryx_outcome_result_json(OUTCOME(self), &length);
    if (!data)
        Py_RETURN_NONE;
    return PyUnicode_DecodeUTF8(data, (Py_ssize_t)length, "strict");
}

#define GETTER(name) {#name, get_##name, NULL, NULL, NULL}
static PyGetSetDef getters[] = {
    GETTER(kind),           GETTER(limit),
    GETTER(limit_name),     GETTER(limit_value),
    GETTER(limit_used),     GETTER(wall_time_ns),
    GETTER(output_dropped), GETTER(fuel_used),
    GETTER(exception_type), GETTER(exception_message),
    GETTER(traceback),      GETTER(result_error),
    GETTER(result_json),    GETTER(exit_code),
    GETTER(session_lost),   GETTER(stdout),
    GETTER(stderr),         {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_dealloc, outcome_dealloc},
    {Py_tp_getset, getters},
    {0, NULL},
};

PyType_Spec outcome_spec = {
    .name = "eryx._eryx.Outcome",
    .basicsize = sizeof(outcome_object_t),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};
