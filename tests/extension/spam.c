/* An extension module for the tests: calls both ways, data and functions by address, zeroed memory,
 * bulk memory, exceptions, types, and functions that do not end by themselves. Limited API, so that it
 * can be compiled with any headers. */
#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030B0000
#endif
#include <Python.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int calls = 5;
static int *calls_by_address = &calls; /* a relocation */
static char zeroed[100000];
static const char *const names[] = {"one", "two", "three"};

static PyObject *add(PyObject *self, PyObject *arguments)
{
    long a, b;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "ll", &a, &b))
        return NULL;
    *calls_by_address += 1;
    return PyLong_FromLong(a + b);
}

static PyObject *count(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    return PyLong_FromLong(calls);
}

static PyObject *zeros(PyObject *self, PyObject *unused)
{
    long sum = 0;
    (void)self, (void)unused;
    for (size_t i = 0; i < sizeof zeroed; i++)
        sum += zeroed[i];
    memset(zeroed, 1, sizeof zeroed);
    memmove(zeroed + 1, zeroed, sizeof zeroed - 1);
    return PyLong_FromLong(sum);
}

static PyObject *name(PyObject *self, PyObject *number)
{
    long index = PyLong_AsLong(number);
    (void)self;
    if (index < 0 || index > 2) {
        if (!PyErr_Occurred())
            PyErr_Format(PyExc_IndexError, "no name %ld", index);
        return NULL;
    }
    return PyUnicode_FromString(names[index]);
}

static PyObject *each(PyObject *self, PyObject *arguments)
{
    PyObject *function, *list;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "OO!", &function, &PyList_Type, &list))
        return NULL;
    for (Py_ssize_t i = 0; i < PyList_Size(list); i++) {
        PyObject *result = PyObject_CallFunction(function, "O", PyList_GetItem(list, i));
        if (!result || PyList_SetItem(list, i, result) < 0)
            return NULL;
    }
    return Py_NewRef(list);
}

static int compare(const void *left, const void *right)
{
    return *(const int *)left - *(const int *)right;
}

/* libc calls back. */
static PyObject *sorted_digits(PyObject *self, PyObject *unused)
{
    int digits[] = {3, 1, 4, 1, 5, 9, 2, 6};
    (void)self, (void)unused;
    qsort(digits, 8, sizeof digits[0], compare);
    PyObject *list = PyList_New(8);
    for (int i = 0; list && i < 8; i++)
        PyList_SetItem(list, i, PyLong_FromLong(digits[i]));
    return list;
}

static PyObject *root(PyObject *self, PyObject *number)
{
    (void)self;
    double value = PyFloat_AsDouble(number);
    return value < 0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(sqrt(value) + sin(0));
}

static PyObject *loop_forever(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    for (volatile int i = 0;; i++)
        i = i & 1023;
}

/* No loop, no deep recursion, and 2^60 calls. */
__attribute__((noinline, optnone)) static long twice(int depth)
{
    return depth == 0 ? 1 : twice(depth - 1) + twice(depth - 1);
}

static PyObject *call_forever(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    return PyLong_FromLong(twice(60));
}

static PyObject *write_null(PyObject *self, PyObject *address)
{
    (void)self;
    unsigned long at = PyLong_AsUnsignedLong(address);
    memset((void *)at, 1, 100000); /* memory.fill, which the engine carries out itself */
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {{"add", add, METH_VARARGS, "The sum of two numbers."},
                                {"count", count, METH_NOARGS, NULL},
                                {"zeros", zeros, METH_NOARGS, NULL},
                                {"name", name, METH_O, NULL},
                                {"each", each, METH_VARARGS, NULL},
                                {"sorted_digits", sorted_digits, METH_NOARGS, NULL},
                                {"root", root, METH_O, NULL},
                                {"loop_forever", loop_forever, METH_NOARGS, NULL},
                                {"call_forever", call_forever, METH_NOARGS, NULL},
                                {"write_null", write_null, METH_O, NULL},
                                {0}};

/* A type with a slot, and state. */
static PyObject *counter_call(PyObject *self, PyObject *arguments, PyObject *keywords)
{
    (void)arguments, (void)keywords;
    PyObject *value = PyObject_GetAttrString(self, "value");
    PyObject *one = value ? PyLong_FromLong(1) : NULL;
    PyObject *next = one ? PyNumber_Add(value, one) : NULL;
    if (next && PyObject_SetAttrString(self, "value", next) < 0)
        Py_CLEAR(next);
    Py_XDECREF(value);
    Py_XDECREF(one);
    return next;
}

static PyType_Slot counter_slots[] = {{Py_tp_call, counter_call}, {0}};
static PyType_Spec counter_spec = {"spam.Counter", 0, 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                                   counter_slots};

static int execute(PyObject *module)
{
    PyObject *type = PyType_FromSpec(&counter_spec);
    int status = type ? PyModule_AddObjectRef(module, "Counter", type) : -1;
    Py_XDECREF(type);
    return status;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, execute}, {0}};
static struct PyModuleDef definition = {.m_base = PyModuleDef_HEAD_INIT,
                                        .m_name = "spam",
                                        .m_doc = "For tests.",
                                        .m_methods = methods,
                                        .m_slots = slots};

PyMODINIT_FUNC PyInit_spam(void)
{
    return PyModuleDef_Init(&definition);
}
