/* Compiled code that the host keeps of programs which many sandboxes run (src/sandbox/codes.h).
 *
 * What is kept is `struct head` and what marshal makes of the code object. */
#include <stdlib.h>
#include <string.h>

#include "python.h"
#include "wasi/wasi.h"

#define HOST(name) __attribute__((import_module("eryx"), import_name(name)))

HOST("code-find") extern int32_t host_code_find(char *buffer, size_t capacity);
HOST("code-keep") extern int32_t host_code_keep(const char *code, size_t length);

/* Not in the limited API. */
extern PyObject *PyMarshal_ReadObjectFromString(const char *data, Py_ssize_t length);
extern PyObject *PyMarshal_WriteObjectToString(PyObject *object, int version);

enum {
    FEW_BYTES = 4096,
    MARSHAL_VERSION = 5,
    HEAD_BYTES = 1,
    WANTED = 0,
    WANTED_PLAIN = -3 /* if nothing but the compiler made it */
};

static struct {
    int32_t answer;
    uint64_t written; /* to stdout and stderr when compiling began: warnings must come each time */
} offer;

static PyObject *load(const char *bytes, size_t length, bool *alone)
{
    *alone = bytes[0] != 0;
    return PyMarshal_ReadObjectFromString(bytes + HEAD_BYTES, (Py_ssize_t)(length - HEAD_BYTES));
}

PyObject *code_find(bool *alone)
{
    static char few[FEW_BYTES];
    int32_t length = host_code_find(few, sizeof few);
    PyObject *code = NULL;
    char *bytes = few;
    offer.answer = length;
    offer.written = wasi_stdio_written();
    if (length <= HEAD_BYTES) {
        return NULL;
    }
    if ((size_t)length > sizeof few) {
        bytes = malloc((size_t)length);
    }
    if (bytes == few || (bytes != NULL && host_code_find(bytes, (size_t)length) == length)) {
        code = load(bytes, (size_t)length, alone);
    }
    if (bytes != few) {
        free(bytes);
    }
    python_ignore_error();
    return code;
}

void code_offer(PyObject *code, bool plain, bool alone)
{
    PyObject *marshalled;
    char *bytes = NULL, *kept = NULL;
    Py_ssize_t length = 0;
    if (offer.answer != WANTED && offer.answer != WANTED_PLAIN) {
        return;
    }
    if (code == NULL || (offer.answer == WANTED_PLAIN && !plain) ||
        offer.written != wasi_stdio_written()) {
        host_code_keep(NULL, 0);
        return;
    }
    marshalled = PyMarshal_WriteObjectToString(code, MARSHAL_VERSION);
    if (marshalled != NULL && PyBytes_AsStringAndSize(marshalled, &bytes, &length) == 0) {
        kept = malloc(HEAD_BYTES + (size_t)length);
    }
    if (kept != NULL) {
        kept[0] = (char)alone;
        memcpy(kept + HEAD_BYTES, bytes, (size_t)length);
    }
    host_code_keep(kept, kept == NULL ? 0 : HEAD_BYTES + (size_t)length);
    free(kept);
    Py_XDECREF(marshalled);
    python_ignore_error();
}
