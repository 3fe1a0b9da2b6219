/* What of the host a sandbox is granted, besides callbacks: network, secrets, files. Parsed like
 * the other options; and _eryx.Source, a directory or file that can be mounted. */
#include "module.h"

#include <stdlib.h>
#include <string.h>

/* --- Network ------------------------------------------------------------------------------ */

static bool parse_net(PyObject *dict, options_t *options)
{
    PyObject *tuple = options_item(dict, "net"), *allow, *deny;
    PyObject *authorities = options_item(dict, "authorities");
    int allow_local, report;
    if (authorities && !(options->sandbox.tls_authorities_pem =
                             options_string(authorities, "the certificates of authorities")))
        return false;
    if (!tuple)
        return true;
    if (!PyArg_ParseTuple(tuple, "O!O!pp", &PyList_Type, &allow, &PyList_Type, &deny, &allow_local,
                          &report))
        return false;
    eryx_net_options_init(&options->net);
    if (!options_strings(allow, "a network rule", &options->allow, &options->net.allow_count) ||
        !options_strings(deny, "a network rule", &options->deny, &options->net.deny_count))
        return false;
    options->net.allow = options->allow;
    options->net.deny = options->deny;
    options->net.allow_local = allow_local;
    options->report_net = report;
    options->sandbox.net = &options->net;
    return true;
}

/* --- Secrets ------------------------------------------------------------------------------ */

static bool parse_secret(PyObject *tuple, eryx_secret_t *secret)
{
    PyObject *name, *value, *hosts;
    int cleartext;
    eryx_secret_init(secret);
    if (!PyArg_ParseTuple(tuple, "UUO!p", &name, &value, &PyList_Type, &hosts, &cleartext))
        return false;
    secret->cleartext = cleartext;
    const char **list = NULL;
    bool good = options_strings(hosts, "a host of a secret", &list, &secret->host_count);
    secret->hosts = list; /* freed by grants_free, also on failure */
    return good && (secret->name = options_string(name, "the name of a secret")) &&
           (secret->value = options_string(value, "the value of a secret"));
}

static bool parse_secrets(PyObject *dict, options_t *options)
{
    PyObject *list = options_item(dict, "secrets");
    Py_ssize_t count = list ? PyList_Size(list) : 0;
    if (count < 0)
        return false;
    options->secrets = calloc((size_t)count + 1, sizeof *options->secrets);
    if (!options->secrets) {
        PyErr_NoMemory();
        return false;
    }
    options->sandbox.secrets = options->secrets;
    for (Py_ssize_t i = 0; i < count; i++) {
        options->sandbox.secret_count++;
        if (!parse_secret(PyList_GetItem(list, i), &options->secrets[i]))
            return false;
    }
    return true;
}

/* --- Mounts ------------------------------------------------------------------------------- */

typedef struct source_object {
    PyObject ob_base;
    eryx_source_t *source;
} source_object_t;

/* A new source object; makes it of the source, which it owns, or raises the error. */
static PyObject *source_object(int status, eryx_source_t *source, const eryx_error_t *error)
{
    if (status != ERYX_OK)
        return raise_error(error);
    source_object_t *self = (source_object_t *)PyType_GenericAlloc(source_type, 0);
    if (self)
        self->source = source;
    else
        eryx_source_free(source);
    return (PyObject *)self;
}

static PyObject *source_path(PyObject *Py_UNUSED(type), PyObject *arguments)
{
    PyObject *path;
    int archive;
    eryx_error_t error;
    eryx_source_t *source = NULL;
    if (!PyArg_ParseTuple(arguments, "O&p", PyUnicode_FSConverter, &path, &archive))
        return NULL;
    int status;
    const char *name = PyBytes_AsString(path);
    Py_BEGIN_ALLOW_THREADS
    status = archive ? eryx_source_new_archive_file(name, NULL, &source, &error)
                     : eryx_source_new_path(name, &source, &error);
    Py_END_ALLOW_THREADS
    Py_DECREF(path);
    return source_object(status, source, &error);
}

static bool parse_tree_file(PyObject *tuple, eryx_tree_file_t *file)
{
    PyObject *path, *bytes;
    char *data;
    Py_ssize_t length;
    long long modified_ns;
    if (!PyArg_ParseTuple(tuple, "USL", &path, &bytes, &modified_ns) ||
        PyBytes_AsStringAndSize(bytes, &data, &length) != 0)
        return false;
    file->data = data;
    file->length = (size_t)length;
    file->modified_ns = modified_ns;
    return (file->path = options_string(path, "the path of a file")) != NULL;
}

/* Of a list of (path, bytes, modified_ns). */
static PyObject *source_tree(PyObject *Py_UNUSED(type), PyObject *list)
{
    Py_ssize_t count = PyList_Size(list);
    eryx_tree_file_t *files = count < 0 ? NULL : calloc((size_t)count + 1, sizeof *files);
    if (!files)
        return count < 0 ? NULL : PyErr_NoMemory();
    bool good = true;
    for (Py_ssize_t i = 0; i < count && good; i++)
        good = parse_tree_file(PyList_GetItem(list, i), &files[i]);
    PyObject *result = NULL;
    if (good) {
        eryx_error_t error;
        eryx_source_t *source = NULL;
        int status = eryx_source_new_tree(files, (size_t)count, &source, &error);
        result = source_object(status, source, &error);
    }
    free(files);
    return result;
}

static void source_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    eryx_source_free(((source_object_t *)object)->source);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
    Py_DECREF(type);
}

static PyMethodDef source_methods[] = {
    {"of_path", source_path, METH_VARARGS | METH_STATIC, "of_path(path, archive) -> Source"},
    {"of_tree", source_tree, METH_O | METH_STATIC,
     "of_tree([(path, data, modified_ns)]) -> Source"},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot source_slots[] = {
    {Py_tp_dealloc, source_dealloc},
    {Py_tp_methods, source_methods},
    {0, NULL},
};

PyType_Spec source_spec = {
    .name = "eryx._eryx.Source",
    .basicsize = sizeof(source_object_t),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = source_slots,
};

/* A number, if it is not None. */
static bool set_number(PyObject *value, uint64_t *out)
{
    if (value == Py_None)
        return true;
    *out = PyLong_AsUnsignedLongLong(value);
    return !PyErr_Occurred();
}

static bool parse_mount(PyObject *tuple, eryx_mount_t *mount)
{
    PyObject *target, *source, *max_bytes, *max_files;
    int mode;
    eryx_mount_init(mount);
    if (!PyArg_ParseTuple(tuple, "UO!iOO", &target, source_type, &source, &mode, &max_bytes,
                          &max_files) ||
        !set_number(max_bytes, &mount->max_bytes) || !set_number(max_files, &mount->max_files))
        return false;
    mount->mode = (eryx_mount_mode_t)mode;
    mount->source = ((source_object_t *)source)->source;
    return (mount->target = options_string(target, "the path of a mount")) != NULL;
}

static bool parse_mounts(PyObject *dict, options_t *options)
{
    PyObject *list = options_item(dict, "mounts");
    Py_ssize_t count = list ? PyList_Size(list) : 0;
    if (count < 0)
        return false;
    options->mounts = calloc((size_t)count + 1, sizeof *options->mounts);
    if (!options->mounts) {
        PyErr_NoMemory();
        return false;
    }
    for (Py_ssize_t i = 0; i < count; i++)
        if (!parse_mount(PyList_GetItem(list, i), &options->mounts[i]))
            return false;
    options->sandbox.mounts = options->mounts;
    options->sandbox.mount_count = (size_t)count;
    return true;
}

bool grants_parse(PyObject *dict, options_t *options)
{
    return parse_net(dict, options) && parse_secrets(dict, options) && parse_mounts(dict, options);
}

void grants_free(options_t *options)
{
    for (size_t i = 0; i < options->sandbox.secret_count; i++)
        free((void *)(uintptr_t)options->secrets[i].hosts);
    free(options->secrets);
    free(options->mounts);
    free(options->allow);
    free(options->deny);
}
