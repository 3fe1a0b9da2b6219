/* Sources of executions.
 *
 * The filename object is the key: every code object made of an execution's source holds a
 * reference to that very object, so when ours is the only one left the source can go. In
 * the common case that is so by the next execution, which then uses the object again. */
#include <stdlib.h>
#include <string.h>

#include "python.h"

struct source {
    PyObject *filename;
    char *text;
    size_t length;
};

enum { FIRST_SWEEP = 32 };

static struct {
    struct source *items; /* oldest first; the last is the current one */
    size_t count, capacity;
    size_t sweep_at; /* count at which to look for sources without code */
} sources;

static bool in_use(const struct source *source)
{
    return Py_REFCNT(source->filename) > 1;
}

static void source_free(struct source *source)
{
    Py_DECREF(source->filename);
    free(source->text);
}

static void sweep(void)
{
    size_t kept = 0;
    for (size_t i = 0; i < sources.count; i++) {
        if (in_use(&sources.items[i])) {
            sources.items[kept++] = sources.items[i];
        } else {
            source_free(&sources.items[i]);
        }
    }
    sources.count = kept;
    sources.sweep_at = kept * 2 < FIRST_SWEEP ? FIRST_SWEEP : kept * 2;
}

static bool reserve(void)
{
    size_t capacity = sources.capacity == 0 ? FIRST_SWEEP : sources.capacity * 2;
    struct source *items;
    if (sources.count < sources.capacity) {
        return true;
    }
    items = realloc(sources.items, capacity * sizeof *items);
    if (items == NULL) {
        return false;
    }
    sources.items = items;
    sources.capacity = capacity;
    return true;
}

/* A string equal to `name` that is no other's. */
static PyObject *own_copy(PyObject *name)
{
    Py_ssize_t length;
    const char *text = PyUnicode_AsUTF8AndSize(name, &length);
    return text == NULL ? NULL : PyUnicode_FromStringAndSize(text, length);
}

/* Its text is replaced if the current source has no code any more and the same name. */
static struct source *reusable(PyObject *name)
{
    struct source *last = sources.count == 0 ? NULL : &sources.items[sources.count - 1];
    if (last == NULL || in_use(last) || PyUnicode_Compare(last->filename, name) != 0) {
        return NULL;
    }
    free(last->text);
    return last;
}

PyObject *source_begin(PyObject *name, char *text, size_t length)
{
    struct source *source = reusable(name);
    if (source == NULL) {
        PyObject *filename;
        if (sources.count >= sources.sweep_at) {
            sweep();
        }
        filename = own_copy(name);
        if (filename == NULL || !reserve()) {
            Py_XDECREF(filename);
            free(text);
            PyErr_NoMemory();
            return NULL;
        }
        source = &sources.items[sources.count++];
        source->filename = filename;
    }
    source->text = text;
    source->length = length;
    Py_INCREF(source->filename);
    return source->filename;
}

const char *source_find(PyObject *filename, size_t *length)
{
    const struct source *equal = NULL;
    for (size_t i = sources.count; i-- > 0;) {
        const struct source *source = &sources.items[i];
        if (source->filename == filename) {
            equal = source;
            break;
        }
        if (equal == NULL && PyUnicode_Compare(source->filename, filename) == 0) {
            equal = source;
        }
    }
    if (equal == NULL) {
        return NULL;
    }
    *length = equal->length;
    return equal->text;
}

void source_clear(void)
{
    sweep();
}
