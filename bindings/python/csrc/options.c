/* A dict of plain values as eryx_sandbox_options_t. The package has checked the types that users
 * give; what is wrong here is an error all the same, never a crash. */
#include "module.h"

#include <stdlib.h>
#include <string.h>

typedef struct limit_field {
    const char *name;
    size_t offset, size;
} limit_field_t;

#define FIELD(name) {#name, offsetof(eryx_limits_t, name), sizeof(((eryx_limits_t *)0)->name)}
static const limit_field_t limit_fields[] = {
    FIELD(wall_time_ns),
    FIELD(memory_bytes),
    FIELD(output_bytes),
    FIELD(pending_calls),
    FIELD(total_calls),
    FIELD(call_argument_bytes),
    FIELD(call_result_bytes),
    FIELD(result_bytes),
    FIELD(snapshot_bytes),
    FIELD(cpu_time_ns),
    FIELD(host_memory_bytes),
    FIELD(stop_on_output),
    FIELD(net_connections),
    FIELD(net_connections_total),
    FIELD(net_bytes_in),
    FIELD(net_bytes_out),
    FIELD(net_connect_time_ns),
    FIELD(net_idle_time_ns),
    FIELD(file_system_bytes),
    FIELD(files),
    FIELD(open_files),
    FIELD(recursion),
    FIELD(fuel),
    FIELD(extension_bytes),
};

static bool set_limit(eryx_limits_t *limits, const limit_field_t *field, PyObject *value)
{
    unsigned long long number = PyLong_AsUnsignedLongLong(value);
    if (PyErr_Occurred())
        return false;
    unsigned long long most = field->size == sizeof(bool)       ? 1
                              : field->size == sizeof(uint32_t) ? UINT32_MAX
                                                                : UINT64_MAX;
    if (number > most) {
        PyErr_Format(PyExc_ValueError, "limit %s of %llu: at most %llu", field->name, number, most);
        return false;
    }
    char *at = (char *)limits + field->offset;
    if (field->size == sizeof(bool))
        memcpy(at, &(bool){number != 0}, sizeof(bool));
    else if (field->size == sizeof(uint32_t))
        memcpy(at, &(uint32_t){(uint32_t)number}, sizeof(uint32_t));
    else
        memcpy(at, &(uint64_t){number}, sizeof(uint64_t));
    return true;
}

static bool parse_limits(PyObject *dict, eryx_limits_t *limits)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;
    while (PyDict_Next(dict, &at, &key, &value)) {
        const char *name = PyUnicode_AsUTF8AndSize(key, NULL);
        if (!name)
            return false;
        size_t i = 0, count = sizeof limit_fields / sizeof *limit_fields;
        while (i < count && strcmp(limit_fields[i].name, name) != 0)
            i++;
        if (i == count) {
            PyErr_Format(PyExc_TypeError, "no limit is called %s", name);
            return false;
        }
        if (!set_limit(limits, &limit_fields[i], value))
            return false;
    }
    return true;
}

/* NULL with an exception; also if there is a NUL inside, which C would take for the end. */
const char *options_string(PyObject *object, const char *what)
{
    Py_ssize_t length;
    const char *string = PyUnicode_AsUTF8AndSize(object, &length);
    if (string && strlen(string) != (size_t)length) {
        PyErr_Format(PyExc_ValueError, "a NUL character in %s", what);
        return NULL;
    }
    return string;
}

/* An item of the dict, or NULL without an exception if it is absent or None. */
PyObject *options_item(PyObject *dict, const char *name)
{
    PyObject *value = PyDict_GetItemString(dict, name);
    return value == Py_None ? NULL : value;
}

static bool flag(PyObject *dict, const char *name)
{
    PyObject *value = options_item(dict, name);
    return value && PyObject_IsTrue(value) == 1;
}

bool options_strings(PyObject *list, const char *what, const char ***out, size_t *count)
{
    Py_ssize_t length = list ? PyList_Size(list) : 0;
    if (length < 0)
        return false;
    *out = calloc((size_t)length + 1, sizeof **out);
    if (!*out) {
        PyErr_NoMemory();
        return false;
    }
    for (Py_ssize_t i = 0; i < length; i++)
        if (!((*out)[i] = options_string(PyList_GetItem(list, i), what)))
            return false;
    *count = (size_t)length;
    return true;
}

static bool parse_callback(PyObject *tuple, eryx_callback_t *callback)
{
    PyObject *name, *description, *schema;
    int blocking;
    if (!PyArg_ParseTuple(tuple, "UUUp", &name, &description, &schema, &blocking))
        return false;
    eryx_callback_init(callback);
    callback->blocking = blocking;
    return (callback->name = options_string(name, "the name of a callback")) &&
           (callback->description = options_string(description, "the description of a callback")) &&
           (callback->parameters_schema_json = options_string(schema, "the schema of a callback"));
}

static bool parse_callbacks(PyObject *list, options_t *options)
{
    Py_ssize_t length = list ? PyList_Size(list) : 0;
    if (length < 0)
        return false;
    options->callbacks = calloc((size_t)length + 1, sizeof *options->callbacks);
    if (!options->callbacks) {
        PyErr_NoMemory();
        return false;
    }
    for (Py_ssize_t i = 0; i < length; i++)
        if (!parse_callback(PyList_GetItem(list, i), &options->callbacks[i]))
            return false;
    options->callback_count = (size_t)length;
    return true;
}

static bool parse_input(PyObject *dict, options_t *options)
{
    PyObject *input = options_item(dict, "stdin");
    if (!input)
        return true;
    if (input == Py_True) {
        options->ask_input = true;
        return true;
    }
    options->input = input;
    return PyBytes_AsString(input) != NULL;
}

/* "sample": how often, in nanoseconds. */
static bool parse_samples(PyObject *dict, options_t *options)
{
    PyObject *interval = options_item(dict, "sample");
    if (!interval)
        return true;
    options->sample = true;
    options->sandbox.sample_interval_ns = PyLong_AsUnsignedLongLong(interval);
    return !PyErr_Occurred();
}

bool options_parse(PyObject *dict, options_t *options)
{
    *options = (options_t){0};
    eryx_sandbox_options_t *sandbox = &options->sandbox;
    eryx_sandbox_options_init(sandbox);
    PyObject *limits = options_item(dict, "limits"), *locals = options_item(dict, "trace_locals");
    if (limits && !parse_limits(limits, &sandbox->limits))
        return false;
    if (!options_strings(options_item(dict, "argv"), "argv", &options->argv, &sandbox->argc) ||
        !options_strings(options_item(dict, "environ"), "environ", &options->environ,
                         &sandbox->environ_count) ||
        !parse_callbacks(options_item(dict, "callbacks"), options) || !parse_input(dict, options))
        return false;
    if (!grants_parse(dict, options))
        return false;
    if (locals) {
        unsigned long bytes = PyLong_AsUnsignedLong(locals);
        if (PyErr_Occurred())
            return false;
        sandbox->trace_locals_bytes = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
    }
    if (!parse_samples(dict, options))
        return false;
    options->output = flag(dict, "output");
    options->trace = flag(dict, "trace");
    sandbox->rollback = PyDict_GetItemString(dict, "rollback") != Py_False;
    sandbox->output_mode = flag(dict, "lines") ? ERYX_OUTPUT_LINE : ERYX_OUTPUT_CHUNK;
    sandbox->argv = sandbox->argc > 0 ? options->argv : NULL;
    sandbox->environ = options->environ;
    sandbox->callbacks = options->callbacks;
    sandbox->callback_count = options->callback_count;
    return true;
}

void options_free(options_t *options)
{
    free(options->argv);
    free(options->environ);
    free(options->callbacks);
    grants_free(options);
}
