/* Sources of executions, by the filename that their code objects have.
 *
 * The name is the one the host has set; while an earlier execution's functions are still
 * there it gets a number, so that their lines are found too: <eryx>, <eryx:2>. Filenames
 * are interned by the compiler, so all code of an execution refers to one object, and when
 * no one but this table does, the source can go. */
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
    PyObject *name;  /* that the newest was asked for; compared by identity only */
    size_t number;   /* given out last */
} sources = {.number = 1};

static bool in_use(const struct source *source)
{
    return Py_REFCNT(source->filename) > (source->filename == control.filename ? 2 : 1);
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

/* A filename that no source has. */
static PyObject *unused_name(PyObject *name)
{
    size_t length;
    PyObject *numbered;
    Py_ssize_t end = PyUnicode_GetLength(name) - 1;
    if (name != sources.name && source_find(name, &length) == NULL) {
        Py_INCREF(name);
        return name;
    }
    sources.number++;
    if (end > 0 && PyUnicode_ReadChar(name, end) == '>') {
        PyObject *start = PyUnicode_Substring(name, 0, end);
        numbered = start == NULL ? NULL : PyUnicode_FromFormat("%U:%zu>", start, sources.number);
        Py_XDECREF(start);
    } else {
        numbered = PyUnicode_FromFormat("%U:%zu", name, sources.number);
    }
    if (numbered != NULL) {
        PyUnicode_InternInPlace(&numbered);
    }
    return numbered;
}

/* The current source, if its code is gone and it was of the same name: then it is replaced. */
static struct source *reusable(PyObject *name)
{
    struct source *last = sources.count == 0 ? NULL : &sources.items[sources.count - 1];
    if (last == NULL || name != sources.name || in_use(last)) {
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
        filename = unused_name(name);
        if (filename == NULL || !reserve()) {
            Py_XDECREF(filename);
            free(text);
            PyErr_NoMemory();
            return NULL;
        }
        source = &sources.items[sources.count++];
        source->filename = filename;
        sources.name = name;
    }
    source->text = text;
    source->length = length;
    Py_INCREF(source->filename);
    return source->filename;
}

const char *source_find(PyObject *filename, size_t *length)
{
    for (size_t i = sources.count; i-- > 0;) {
        const struct source *source = &sources.items[i];
        if (source->filename == filename || PyUnicode_Compare(source->filename, filename) == 0) {
            *length = source->length;
            return source->text;
        }
    }
    return NULL;
}

bool source_is_last(const char *text, size_t length)
{
    const struct source *newest = sources.count == 0 ? NULL : &sources.items[sources.count - 1];
    return newest != NULL && newest->length == length && memcmp(newest->text, text, length) == 0;
}

void source_clear(void)
{
    sweep();
    if (sources.count == 0) {
        sources.name = NULL;
        sources.number = 1;
    }
}
