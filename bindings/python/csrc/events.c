/* Events as Python objects, and _eryx.Call. */
#include "module.h"

#include <string.h>

typedef struct call_object {
    PyObject ob_base;
    eryx_call_t *call;
} call_object_t;

#define CALL(object) (((call_object_t *)(object))->call)

/* --- Calls -------------------------------------------------------------------------------- */

static void call_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    eryx_call_free(CALL(object));
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
    Py_DECREF(type);
}

/* Whether it took effect: a call may be completed already, or no longer be wanted. */
static PyObject *completed(int status, const eryx_error_t *error)
{
    if (status == ERYX_OK)
        Py_RETURN_TRUE;
    if (status == ERYX_ERR_ARGUMENT)
        return raise_error(error);
    Py_RETURN_FALSE; /* too late, or the program has been told of the limit */
}

static PyObject *call_complete(PyObject *self, PyObject *json)
{
    eryx_error_t error;
    Py_ssize_t length;
    const char *data = PyUnicode_AsUTF8AndSize(json, &length);
    if (!data)
        return NULL;
    return completed(eryx_call_complete(CALL(self), data, (size_t)length, &error), &error);
}

static PyObject *call_fail(PyObject *self, PyObject *message)
{
    eryx_error_t error;
    PyObject *bytes = PyUnicode_AsEncodedString(message, "utf-8", "backslashreplace");
    const char *data = bytes ? PyBytes_AsString(bytes) : NULL;
    PyObject *result = NULL;
    if (data)
        result = completed(eryx_call_fail(CALL(self), data, &error), &error);
    Py_XDECREF(bytes);
    return result;
}

static PyObject *get_arguments(PyObject *self, void *Py_UNUSED(closure))
{
    size_t length;
    const char *data = eryx_call_arguments(CALL(self), &length);
    return PyUnicode_DecodeUTF8(data, (Py_ssize_t)length, "strict");
}

static PyObject *get_cancelled(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(eryx_call_cancelled(CALL(self)));
}

static PyObject *get_key(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromVoidPtr(CALL(self));
}

static PyMethodDef call_methods[] = {
    {"complete", call_complete, METH_O,
     "complete($self, json, /)\n--\n\nGives the program a result: JSON text."},
    {"fail", call_fail, METH_O,
     "fail($self, message, /)\n--\n\nRaises an exception in the program."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef call_getters[] = {
    {"arguments", get_arguments, NULL, "JSON text of an object.", NULL},
    {"cancelled", get_cancelled, NULL, "Whether the program no longer waits.", NULL},
    {"key", get_key, NULL, "What EVENT_CANCEL calls it.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot call_slots[] = {
    {Py_tp_dealloc, call_dealloc},
    {Py_tp_methods, call_methods},
    {Py_tp_getset, call_getters},
    {0, NULL},
};

PyType_Spec call_spec = {
    .name = "eryx._eryx.Call",
    .basicsize = sizeof(call_object_t),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = call_slots,
};

/* --- Events ------------------------------------------------------------------------------- */

static PyObject *net_of(const event_t *event)
{
    net_record_t record;
    memcpy(&record, event->data, sizeof record);
    const char *name = event->data + sizeof record;
    const char *address = name + strlen(name) + 1, *reason = address + strlen(address) + 1;
    PyObject *allowed = record.allowed ? Py_True : Py_False;
    return Py_BuildValue("(OIy#y#y#KK)", allowed, record.socket, name, (Py_ssize_t)strlen(name),
                         address, (Py_ssize_t)strlen(address), reason, (Py_ssize_t)strlen(reason),
                         (unsigned long long)record.bytes_in, (unsigned long long)record.bytes_out);
}

/* (time_ns, cpu_ns, cut, [(function, file, first line, line), ...]), the innermost frame first. */
static PyObject *sample_of(const event_t *event)
{
    sample_record_t record;
    memcpy(&record, event->data, sizeof record);
    PyObject *frames = PyList_New(event->number);
    const char *at = event->data + sizeof record;
    for (uint32_t i = 0; frames && i < event->number; i++) {
        frame_record_t lines;
        memcpy(&lines, at, sizeof lines);
        const char *function = at + sizeof lines, *file = function + strlen(function) + 1;
        at = file + strlen(file) + 1;
        PyObject *frame = Py_BuildValue("(ssII)", function, file, lines.first_line, lines.line);
        if (!frame || PyList_SetItem(frames, i, frame) != 0)
            Py_CLEAR(frames);
    }
    if (!frames)
        return NULL;
    return Py_BuildValue("(KKON)", (unsigned long long)record.time_ns,
                         (unsigned long long)record.cpu_ns, record.cut ? Py_True : Py_False,
                         frames);
}

static PyObject *value_of(event_t *event)
{
    PyObject *value;
    switch (event->kind) {
    case EVENT_CALL:
        value = PyType_GenericAlloc(call_type, 0);
        if (value) {
            CALL(value) = event->call;
            event->kind = 0; /* no longer the event's */
        }
        return value;
    case EVENT_CANCEL:
        return PyLong_FromVoidPtr(event->call);
    case EVENT_OUTPUT:
        return PyBytes_FromStringAndSize(event->data, (Py_ssize_t)event->length);
    case EVENT_TRACE:
        return Py_BuildValue("(y#y#)", event->data, (Py_ssize_t)event->split,
                             event->data + event->split,
                             (Py_ssize_t)(event->length - event->split));
    case EVENT_NET:
        return net_of(event);
    case EVENT_SAMPLE:
        return sample_of(event);
    case EVENT_DONE:
        value = outcome_object(event->outcome);
        event->outcome = NULL;
        return value;
    default:
        Py_RETURN_NONE;
    }
}

static PyObject *tuple_of(event_t *event)
{
    event_kind_t kind = event->kind;
    PyObject *value = value_of(event);
    PyObject *token = event->box->token ? (PyObject *)event->box->token : Py_None;
    return value ? Py_BuildValue("(OiIN)", token, (int)kind, event->number, value) : NULL;
}

void drop_box(box_t *box)
{
    PyObject *token = box->token;
    box->token = NULL;
    box->inbox = &box->own;
    Py_XDECREF(token);
    box_release(box);
}

PyObject *events_list(event_t *events)
{
    PyObject *list = PyList_New(0);
    while (events) {
        event_t *event = events;
        events = event->next;
        box_t *ended = event->kind == EVENT_DONE ? event->box : NULL;
        PyObject *tuple = list ? tuple_of(event) : NULL;
        if (!tuple || PyList_Append(list, tuple) != 0)
            Py_CLEAR(list);
        Py_XDECREF(tuple);
        event_free(event);
        if (ended)
            drop_box(ended);
    }
    return list;
}
