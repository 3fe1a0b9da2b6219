/* Traces: while settings.trace is on, a tool of sys.monitoring whose callbacks are the C
 * functions below tells the host what the program's own code does (report-trace).
 *
 * Own code is code whose filename is an execution's; other code is disabled at its first
 * event. What does not change between events of a code object is kept in a table, so a line
 * event is a look-up, a number written in decimal and the call of the host. Nothing here
 * fails: what cannot be told is left out. */
#include <stdlib.h>
#include <string.h>

#include "json_text.h"
#include "python.h"

enum {
    ENTRIES = 256, /* of the table; a power of two */
    EXCEPTION_BYTES = 200,
    TOOLS = 6 /* ids that sys.monitoring gives to tools */
};

/* What is known of a code object. `code` is owned, so no other can have its address. */
struct entry {
    PyObject *code;
    bool own;
    uint32_t first_line;
    struct json_text context; /* JSON */
};

static struct {
    bool active;
    bool reporting; /* a repr may run the program's code, which is not told */
    long tool;
    PyObject *monitoring, *disable, *name;
    struct entry entries[ENTRIES];
} trace;

/* --- Code objects ------------------------------------------------------------------------- */

static void add_attribute(struct json_text *text, PyObject *code, const char *name)
{
    PyObject *value = PyObject_GetAttrString(code, name);
    json_string(text, value, SIZE_MAX);
    python_ignore_error();
    Py_XDECREF(value);
}

static uint32_t first_line_of(PyObject *code)
{
    PyObject *value = PyObject_GetAttrString(code, "co_firstlineno");
    long line = value == NULL ? 0 : PyLong_AsLong(value);
    python_ignore_error();
    Py_XDECREF(value);
    return line > 0 ? (uint32_t)line : 0;
}

static bool is_own(PyObject *code)
{
    size_t length;
    PyObject *filename = PyObject_GetAttrString(code, "co_filename");
    bool own = filename != NULL && PyUnicode_CheckExact(filename) &&
               source_find(filename, &length) != NULL;
    python_ignore_error();
    Py_XDECREF(filename);
    return own;
}

static void entry_clear(struct entry *entry)
{
    PyObject *code = entry->code;
    json_free(&entry->context);
    entry->code = NULL;
    Py_XDECREF(code);
}

static void entry_fill(struct entry *entry, PyObject *code)
{
    struct json_text *context = &entry->context;
    bool own = is_own(code);
    entry_clear(entry);
    Py_INCREF(code);
    entry->code = code;
    entry->own = own;
    if (!own) {
        return;
    }
    entry->first_line = first_line_of(code);
    json_literal(context, "{\"file\":\"");
    add_attribute(context, code, "co_filename");
    json_literal(context, "\",\"function\":\"");
    add_attribute(context, code, "co_qualname");
    json_literal(context, "\"}");
}

/* NULL: not the program's own code. */
static const struct entry *own_entry(PyObject *code)
{
    uintptr_t address = (uintptr_t)code;
    struct entry *entry = &trace.entries[(address >> 4 ^ address >> 12) % ENTRIES];
    if (entry->code != code) {
        entry_fill(entry, code);
    }
    return entry->own && !entry->context.failed ? entry : NULL;
}

/* --- Variables ---------------------------------------------------------------------------- */

/* repr, but not of much more than `room` bytes where that is easily seen. */
static PyObject *short_repr(PyObject *value, Py_ssize_t room)
{
    PyObject *part = NULL, *repr;
    if (PyUnicode_CheckExact(value) && PyUnicode_GetLength(value) > room) {
        part = PyUnicode_Substring(value, 0, room);
    } else if (PyBytes_CheckExact(value) && PyBytes_Size(value) > room) {
        part = PyBytes_FromStringAndSize(PyBytes_AsString(value), room);
    } else if ((PyList_CheckExact(value) || PyTuple_CheckExact(value) || PyDict_CheckExact(value) ||
                PyAnySet_CheckExact(value)) &&
               PyObject_Size(value) > room) {
        return PyUnicode_FromFormat("<%zd items>", PyObject_Size(value));
    } else {
        return PyObject_Repr(value);
    }
    repr = part == NULL ? NULL : PyObject_Repr(part);
    Py_XDECREF(part);
    return repr;
}

static bool is_internal(PyObject *name)
{
    return PyUnicode_GetLength(name) >= 2 && PyUnicode_ReadChar(name, 0) == '_' &&
           PyUnicode_ReadChar(name, 1) == '_';
}

/* Returns the room that is left. */
static size_t add_variable(struct json_text *text, PyObject *name, PyObject *value, bool first,
                           size_t room)
{
    PyObject *repr = short_repr(value, room > INT32_MAX ? INT32_MAX : (Py_ssize_t)room);
    if (repr == NULL) {
        PyErr_Clear();
        repr = PyUnicode_FromString("<repr failed>");
    }
    json_literal(text, first ? "\"" : ",\"");
    room -= json_string(text, name, room);
    json_literal(text, "\":\"");
    room -= json_string(text, repr, room);
    json_literal(text, "\"");
    python_ignore_error();
    Py_XDECREF(repr);
    return room;
}

static size_t bytes_of(PyObject *name)
{
    PyObject *bytes = PyUnicode_AsEncodedString(name, "utf-8", "surrogatepass");
    size_t length = bytes == NULL ? SIZE_MAX : (size_t)PyBytes_Size(bytes);
    python_ignore_error();
    Py_XDECREF(bytes);
    return length;
}

static void add_variables(struct json_text *text)
{
    PyObject *frame = (PyObject *)PyEval_GetFrame();
    PyObject *locals = frame == NULL ? NULL : PyObject_GetAttrString(frame, "f_locals");
    PyObject *items = locals == NULL ? NULL : PyMapping_Items(locals);
    Py_ssize_t count = items == NULL ? 0 : PyList_Size(items);
    size_t room = control.trace_locals;
    bool first = true;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *pair = PyList_GetItem(items, i), *name;
        if (!PyTuple_CheckExact(pair) || PyTuple_Size(pair) != 2 ||
            !PyUnicode_Check(name = PyTuple_GetItem(pair, 0)) || is_internal(name)) {
            continue;
        }
        /* A name without a part of its value says nothing. */
        if (bytes_of(name) >= room) {
            break;
        }
        room = add_variable(text, name, PyTuple_GetItem(pair, 1), first, room);
        first = false;
    }
    python_ignore_error();
    Py_XDECREF(items);
    Py_XDECREF(locals);
}

/* --- Events ------------------------------------------------------------------------------- */

static void report(uint32_t line, const char *event, size_t length, const struct entry *entry)
{
    struct json_text context = {0};
    if (control.trace_locals == 0) {
        import_report_trace(line, event, length, entry->context.data, entry->context.length);
        return;
    }
    json_add(&context, entry->context.data, entry->context.length - 1);
    json_literal(&context, ",\"locals\":{");
    trace.reporting = true;
    add_variables(&context);
    trace.reporting = false;
    json_literal(&context, "}}");
    if (!context.failed) {
        import_report_trace(line, event, length, context.data, context.length);
    }
    json_free(&context);
}

/* `start` is the event up to its line number. */
static void report_short(uint32_t line, const char *start, size_t length, const struct entry *entry)
{
    char event[64];
    memcpy(event, start, length);
    length += json_decimal(event + length, line);
    event[length++] = '}';
    report(line, event, length, entry);
}

#define REPORT_SHORT(type, line, entry)                                                            \
    report_short(line, "{\"type\":\"" type "\",\"line\":",                                         \
                 sizeof("{\"type\":\"" type "\",\"line\":") - 1, entry)

static uint32_t current_line(void)
{
    PyFrameObject *frame = PyEval_GetFrame();
    int line = frame == NULL ? 0 : PyFrame_GetLineNumber(frame);
    return line > 0 ? (uint32_t)line : 0;
}

static PyObject *answer(PyObject *object)
{
    Py_INCREF(object);
    return object;
}

/* For what is not told. Code that is the program's own is told of the next time. */
static PyObject *skipped(void)
{
    return answer(trace.reporting ? Py_None : trace.disable);
}

/* The program can get at these functions and call them with anything. */
static const struct entry *entry_of(PyObject *const *arguments, Py_ssize_t count)
{
    return trace.active && !trace.reporting && count >= 2 ? own_entry(arguments[0]) : NULL;
}

static PyObject *on_line(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    const struct entry *entry = entry_of(arguments, count);
    long line;
    (void)self;
    if (entry == NULL) {
        return skipped();
    }
    line = PyLong_AsLong(arguments[1]);
    if (line < 0) {
        python_ignore_error();
        line = 0;
    }
    REPORT_SHORT("line", (uint32_t)line, entry);
    return answer(Py_None);
}

static PyObject *on_start(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    const struct entry *entry = entry_of(arguments, count);
    (void)self;
    if (entry == NULL) {
        return skipped();
    }
    REPORT_SHORT("call", entry->first_line, entry);
    return answer(Py_None);
}

static PyObject *on_return(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    const struct entry *entry = entry_of(arguments, count);
    (void)self;
    if (entry == NULL) {
        return skipped();
    }
    REPORT_SHORT("return", current_line(), entry);
    return answer(Py_None);
}

static void add_exception(struct json_text *text, PyObject *exception)
{
    PyObject *name = PyObject_GetAttrString((PyObject *)Py_TYPE(exception), "__name__");
    PyObject *message;
    size_t room = EXCEPTION_BYTES;
    python_ignore_error();
    room -= json_string(text, name, room);
    message = PyObject_Str(exception);
    if (message == NULL) {
        PyErr_Clear();
        message = PyUnicode_FromString("<str failed>");
    }
    if (message != NULL && PyUnicode_GetLength(message) > 0 && room > 2) {
        json_literal(text, ": ");
        json_string(text, message, room - 2);
    }
    python_ignore_error();
    Py_XDECREF(message);
    Py_XDECREF(name);
}

/* This event cannot be disabled. */
static PyObject *on_raise(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    const struct entry *entry = count < 3 ? NULL : entry_of(arguments, count);
    struct json_text event = {0};
    char number[10];
    uint32_t line;
    (void)self;
    if (entry == NULL) {
        return answer(Py_None);
    }
    line = current_line();
    json_literal(&event, "{\"type\":\"exception\",\"line\":");
    json_add(&event, number, json_decimal(number, line));
    json_literal(&event, ",\"exception\":\"");
    trace.reporting = true;
    add_exception(&event, arguments[2]);
    trace.reporting = false;
    json_literal(&event, "\"}");
    if (!event.failed) {
        report(line, event.data, event.length, entry);
    }
    json_free(&event);
    return answer(Py_None);
}

void trace_callback(const char *type, PyObject *name)
{
    struct json_text event = {0};
    PyObject *error;
    if (!trace.active || trace.reporting) {
        return;
    }
    error = PyErr_GetRaisedException();
    json_literal(&event, "{\"type\":\"");
    json_literal(&event, type);
    json_literal(&event, "\",\"name\":\"");
    json_string(&event, name, SIZE_MAX);
    json_literal(&event, "\"}");
    if (!event.failed) {
        import_report_trace(0, event.data, event.length, "{}", 2);
    }
    json_free(&event);
    if (error != NULL) {
        PyErr_SetRaisedException(error);
    }
}

void trace_pause(bool paused)
{
    trace.reporting = paused;
}

/* --- The tool ----------------------------------------------------------------------------- */

static struct {
    PyMethodDef method;
    const char *event; /* in sys.monitoring.events */
    PyObject *function;
    long bit;
} events[] = {
    {{"line", (PyCFunction)(void (*)(void))on_line, METH_FASTCALL, NULL}, "LINE", NULL, 0},
    {{"start", (PyCFunction)(void (*)(void))on_start, METH_FASTCALL, NULL}, "PY_START", NULL, 0},
    {{"return", (PyCFunction)(void (*)(void))on_return, METH_FASTCALL, NULL}, "PY_RETURN", NULL, 0},
    {{"raise", (PyCFunction)(void (*)(void))on_raise, METH_FASTCALL, NULL}, "RAISE", NULL, 0},
};

bool trace_start(void)
{
    PyObject *numbers;
    trace.monitoring = PyDict_GetItemString(python.sys_dict, "monitoring");
    if (trace.monitoring == NULL) {
        return false;
    }
    Py_INCREF(trace.monitoring);
    trace.disable = PyObject_GetAttrString(trace.monitoring, "DISABLE");
    trace.name = PyUnicode_InternFromString("eryx");
    numbers = PyObject_GetAttrString(trace.monitoring, "events");
    for (size_t i = 0; numbers != NULL && i < sizeof events / sizeof *events; i++) {
        PyObject *bit = PyObject_GetAttrString(numbers, events[i].event);
        events[i].function = PyCFunction_NewEx(&events[i].method, NULL, NULL);
        events[i].bit = bit == NULL ? 0 : PyLong_AsLong(bit);
        Py_XDECREF(bit);
    }
    Py_XDECREF(numbers);
    return PyErr_Occurred() == NULL;
}

static bool done(PyObject *result)
{
    python_ignore_error();
    Py_XDECREF(result);
    return result != NULL;
}

/* An id that no tool of the program has, the last ones first: 0, 1, 2 and 5 have a meaning. */
static bool take_tool(void)
{
    static const unsigned char order[TOOLS] = {4, 3, 5, 2, 1, 0};
    for (size_t i = 0; i < TOOLS; i++) {
        trace.tool = order[i];
        if (done(PyObject_CallMethod(trace.monitoring, "use_tool_id", "lO", trace.tool,
                                     trace.name))) {
            return true;
        }
    }
    return false;
}

void trace_begin(void)
{
    long bits = 0;
    if (!control.trace || !take_tool()) {
        return;
    }
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        bits |= events[i].bit;
        done(PyObject_CallMethod(trace.monitoring, "register_callback", "llO", trace.tool,
                                 events[i].bit, events[i].function));
    }
    trace.active = true;
    done(PyObject_CallMethod(trace.monitoring, "set_events", "ll", trace.tool, bits));
}

void trace_end(void)
{
    PyObject *error, *owner;
    if (!trace.active) {
        return;
    }
    trace.active = false;
    error = PyErr_GetRaisedException();
    owner = PyObject_CallMethod(trace.monitoring, "get_tool", "l", trace.tool);
    if (owner == trace.name) {
        done(PyObject_CallMethod(trace.monitoring, "free_tool_id", "l", trace.tool));
    }
    done(owner);
    for (size_t i = 0; i < ENTRIES; i++) {
        entry_clear(&trace.entries[i]);
    }
    if (error != NULL) {
        PyErr_SetRaisedException(error);
    }
}
