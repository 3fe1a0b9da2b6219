/* Makes the image's objects last for good: nothing counts references to them any more (PEP 683),
 * so their pages stay shared, and the garbage collector does not look at them. */
#include "python.h"

/* What CPython 3.14 uses where pointers have 32 bits (Include/refcount.h). */
enum { IMMORTAL = 5 << 28, IMMORTAL_MINIMUM = 1 << 30 };

static void freeze(PyObject *object)
{
    if (PyObject_IS_GC(object) && PyObject_GC_IsTracked(object)) {
        PyObject_GC_UnTrack(object);
    }
    if (object->ob_refcnt < IMMORTAL_MINIMUM) {
        object->ob_refcnt = IMMORTAL;
    }
}

PyObject *python_freeze(PyObject *module, PyObject *objects)
{
    Py_ssize_t count = PyList_Size(objects);
    (void)module;
    for (Py_ssize_t i = 0; i < count; i++) {
        freeze(PyList_GetItem(objects, i));
    }
    return count < 0 ? NULL : PyLong_FromSsize_t(count);
}
