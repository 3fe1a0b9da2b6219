/* An extension module for the tests: floating-point exceptions, which modules share. Limited API. */
#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030B0000
#endif
#include <Python.h>

#include <fenv.h>

static PyObject *raise(PyObject *self, PyObject *which)
{
    (void)self;
    return PyLong_FromLong(feraiseexcept((int)PyLong_AsLong(which)));
}

static PyObject *test(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    return PyLong_FromLong(fetestexcept(FE_ALL_EXCEPT));
}

/* What is raised in between is lost, what was before comes back. */
static PyObject *hold(PyObject *self, PyObject *unused)
{
    fenv_t before;
    (void)self, (void)unused;
    feholdexcept(&before);
    int held = fetestexcept(FE_ALL_EXCEPT);
    feraiseexcept(FE_INEXACT);
    fesetenv(&before);
    return PyLong_FromLong(held);
}

static PyObject *clear(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    feclearexcept(FE_INVALID);
    return PyLong_FromLong(fetestexcept(FE_ALL_EXCEPT));
}

static PyMethodDef methods[] = {{"raise_", raise, METH_O, NULL},
                                {"test", test, METH_NOARGS, NULL},
                                {"hold", hold, METH_NOARGS, NULL},
                                {"clear", clear, METH_NOARGS, NULL},
                                {0}};
static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT, .m_name = "flags", .m_methods = methods};

PyMODINIT_FUNC PyInit_flags(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (module) {
        PyModule_AddIntConstant(module, "INVALID", FE_INVALID);
        PyModule_AddIntConstant(module, "DIVBYZERO", FE_DIVBYZERO);
    }
    return module;
}
