/* The module _eryx_tls: TLS objects of the host (src/tls). Objects are numbers; answers below 0 are
 * statuses, which runtime/lib/_ssl.py turns into exceptions. Bytes go in pieces of 64 KiB. */
#include <stdlib.h>
#include <string.h>

#include "python.h"

#define HOST(name) __attribute__((import_module("eryx"), import_name(name)))

HOST("tls-authorities")
int32_t tls_host_authorities(const void *data, uint32_t length, uint32_t format);
HOST("tls-context") int32_t tls_host_context(const void *settings);
HOST("tls-open") int32_t tls_host_open(uint32_t context, const void *hostname, uint32_t length);
HOST("tls-drop") int32_t tls_host_drop(uint32_t number);
HOST("tls-handshake") int32_t tls_host_handshake(uint32_t number);
HOST("tls-write") int32_t tls_host_write(uint32_t number, const void *data, uint32_t length);
HOST("tls-read") int32_t tls_host_read(uint32_t number, void *buffer, uint32_t capacity);
HOST("tls-flush") int32_t tls_host_flush(uint32_t number);
HOST("tls-shutdown") int32_t tls_host_shutdown(uint32_t number);
HOST("tls-feed") int32_t tls_host_feed(uint32_t number, const void *data, uint32_t length);
HOST("tls-drain") int32_t tls_host_drain(uint32_t number, void *buffer, uint32_t capacity);
HOST("tls-count") int32_t tls_host_count(uint32_t number, uint32_t what);
HOST("tls-text")
int32_t tls_host_text(uint32_t number, uint32_t what, void *buffer, uint32_t capacity);

enum { PIECE = 65536, WORDS = 9 };

static PyObject *tls_authorities(PyObject *module, PyObject *arguments)
{
    Py_buffer data;
    unsigned format;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "y*I", &data, &format)) {
        return NULL;
    }
    int32_t answer = tls_host_authorities(data.buf, (uint32_t)data.len, format);
    PyBuffer_Release(&data);
    return PyLong_FromLong(answer);
}

/* context(words, ciphers, alpn, authorities): words are nine numbers of 32 bits, authorities a
 * number of 32 bits each. */
static PyObject *tls_context(PyObject *module, PyObject *arguments)
{
    Py_buffer words, ciphers, alpn, authorities;
    uint32_t settings[WORDS + 6];
    (void)module;
    if (!PyArg_ParseTuple(arguments, "y*y*y*y*", &words, &ciphers, &alpn, &authorities)) {
        return NULL;
    }
    int32_t answer = 0;
    bool good = words.len == WORDS * sizeof *settings;
    if (good) {
        memcpy(settings, words.buf, WORDS * sizeof *settings);
        settings[WORDS] = (uint32_t)ciphers.buf;
        settings[WORDS + 1] = (uint32_t)ciphers.len;
        settings[WORDS + 2] = (uint32_t)alpn.buf;
        settings[WORDS + 3] = (uint32_t)alpn.len;
        settings[WORDS + 4] = (uint32_t)authorities.buf;
        settings[WORDS + 5] = (uint32_t)authorities.len / 4;
        answer = tls_host_context(settings);
    }
    PyBuffer_Release(&words);
    PyBuffer_Release(&ciphers);
    PyBuffer_Release(&alpn);
    PyBuffer_Release(&authorities);
    if (!good) {
        PyErr_SetString(PyExc_ValueError, "settings of another length");
        return NULL;
    }
    return PyLong_FromLong(answer);
}

static PyObject *tls_open(PyObject *module, PyObject *arguments)
{
    unsigned context;
    const char *hostname;
    Py_ssize_t length;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "Is#", &context, &hostname, &length)) {
        return NULL;
    }
    return PyLong_FromLong(tls_host_open(context, hostname, (uint32_t)length));
}

/* The functions of a number alone. */
static PyObject *of_number(PyObject *number, int32_t (*function)(uint32_t))
{
    unsigned long value = PyLong_AsUnsignedLong(number);
    if (value == (unsigned long)-1 && PyErr_Occurred()) {
        return NULL;
    }
    return PyLong_FromLong(function((uint32_t)value));
}

static PyObject *tls_drop(PyObject *module, PyObject *number)
{
    (void)module;
    return of_number(number, tls_host_drop);
}

static PyObject *tls_handshake(PyObject *module, PyObject *number)
{
    (void)module;
    return of_number(number, tls_host_handshake);
}

static PyObject *tls_flush(PyObject *module, PyObject *number)
{
    (void)module;
    return of_number(number, tls_host_flush);
}

static PyObject *tls_shutdown(PyObject *module, PyObject *number)
{
    (void)module;
    return of_number(number, tls_host_shutdown);
}

static PyObject *tls_count(PyObject *module, PyObject *arguments)
{
    unsigned number, what;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "II", &number, &what)) {
        return NULL;
    }
    return PyLong_FromLong(tls_host_count(number, what));
}

/* write(number, data): how many bytes were taken, at most a piece. */
static PyObject *put(PyObject *arguments, int32_t (*function)(uint32_t, const void *, uint32_t))
{
    unsigned number;
    Py_buffer data;
    if (!PyArg_ParseTuple(arguments, "Iy*", &number, &data)) {
        return NULL;
    }
    int32_t answer = function(number, data.buf, data.len < PIECE ? (uint32_t)data.len : PIECE);
    PyBuffer_Release(&data);
    return PyLong_FromLong(answer);
}

static PyObject *tls_write(PyObject *module, PyObject *arguments)
{
    (void)module;
    return put(arguments, tls_host_write);
}

static PyObject *tls_feed(PyObject *module, PyObject *arguments)
{
    (void)module;
    return put(arguments, tls_host_feed);
}

/* read_into(number, buffer, most) */
static PyObject *tls_read_into(PyObject *module, PyObject *arguments)
{
    unsigned number;
    Py_buffer buffer;
    Py_ssize_t most;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "Iw*n", &number, &buffer, &most)) {
        return NULL;
    }
    if (most <= 0 || most > buffer.len) {
        most = buffer.len;
    }
    int32_t answer = tls_host_read(number, buffer.buf, most < PIECE ? (uint32_t)most : PIECE);
    PyBuffer_Release(&buffer);
    return PyLong_FromLong(answer);
}

/* read(number, most): bytes, or a status. */
static PyObject *tls_read(PyObject *module, PyObject *arguments)
{
    unsigned number, most;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "II", &number, &most)) {
        return NULL;
    }
    most = most < PIECE ? most : PIECE;
    char *buffer = malloc(most + 1);
    if (buffer == NULL) {
        return PyErr_NoMemory();
    }
    int32_t answer = tls_host_read(number, buffer, most);
    PyObject *result =
        answer < 0 ? PyLong_FromLong(answer) : PyBytes_FromStringAndSize(buffer, answer);
    free(buffer);
    return result;
}

/* drain(number): all bytes that are to go to the network. */
static PyObject *tls_drain(PyObject *module, PyObject *number)
{
    unsigned long value = PyLong_AsUnsignedLong(number);
    (void)module;
    if (value == (unsigned long)-1 && PyErr_Occurred()) {
        return NULL;
    }
    int32_t waiting = tls_host_count((uint32_t)value, 2);
    if (waiting < 0) {
        return PyLong_FromLong(waiting);
    }
    PyObject *result = PyBytes_FromStringAndSize(NULL, waiting);
    char *to = result ? PyBytes_AsString(result) : NULL;
    for (int32_t at = 0, got = 1; result && at < waiting && got > 0; at += got) {
        int32_t left = waiting - at;
        got = tls_host_drain((uint32_t)value, to + at, (uint32_t)(left < PIECE ? left : PIECE));
        if (got <= 0) {
            Py_DECREF(result);
            result = PyLong_FromLong(got);
            break;
        }
    }
    return result;
}

/* text(number, what): bytes, or None. */
static PyObject *tls_text(PyObject *module, PyObject *arguments)
{
    unsigned number, what;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "II", &number, &what)) {
        return NULL;
    }
    int32_t length = tls_host_text(number, what, NULL, 0);
    if (length < 0) {
        Py_RETURN_NONE;
    }
    PyObject *result = PyBytes_FromStringAndSize(NULL, length);
    if (result != NULL && length > 0) {
        tls_host_text(number, what, PyBytes_AsString(result), (uint32_t)length);
    }
    return result;
}

static PyMethodDef methods[] = {
    {"authorities", tls_authorities, METH_VARARGS, NULL},
    {"context", tls_context, METH_VARARGS, NULL},
    {"open", tls_open, METH_VARARGS, NULL},
    {"drop", tls_drop, METH_O, NULL},
    {"handshake", tls_handshake, METH_O, NULL},
    {"write", tls_write, METH_VARARGS, NULL},
    {"read", tls_read, METH_VARARGS, NULL},
    {"read_into", tls_read_into, METH_VARARGS, NULL},
    {"flush", tls_flush, METH_O, NULL},
    {"shutdown", tls_shutdown, METH_O, NULL},
    {"feed", tls_feed, METH_VARARGS, NULL},
    {"drain", tls_drain, METH_O, NULL},
    {"count", tls_count, METH_VARARGS, NULL},
    {"text", tls_text, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_eryx_tls",
    .m_doc = "TLS objects of the host, for _ssl. Not for programs.",
    .m_size = -1,
    .m_methods = methods,
};

PyObject *python_tls_init(void)
{
    return PyModule_Create(&definition);
}
