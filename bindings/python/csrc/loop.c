/* _eryx.Driver: runs sandboxes for an event loop or for one waiting thread. */
#include "module.h"

#include <errno.h>
#include <poll.h>

#define SLICE_NS 5000000u /* of the loop's time, when programs run on its thread */

static PyObject *driver_create(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"threads", NULL};
    unsigned threads = 1;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "I", names, &threads))
        return NULL;
    driver_object_t *self = (driver_object_t *)PyType_GenericAlloc(type, 0);
    eryx_error_t error;
    if (self && !(self->driver = driver_new(threads, &error))) {
        raise_error(&error);
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static void close_driver(driver_object_t *self)
{
    driver_t *driver = self->driver;
    self->driver = NULL;
    if (driver)
        driver_free(driver, drop_box);
}

static void driver_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    close_driver((driver_object_t *)object);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
    Py_DECREF(type);
}

static driver_t *driver_of(PyObject *object)
{
    driver_t *driver = ((driver_object_t *)object)->driver;
    if (!driver)
        raise_state("the event loop of this sandbox is closed");
    return driver;
}

static PyObject *driver_fileno(PyObject *self, PyObject *Py_UNUSED(unused))
{
    driver_t *driver = driver_of(self);
    if (!driver)
        return NULL;
    return PyLong_FromLong(driver_threaded(driver) ? driver_inbox(driver)->fd
                                                   : driver_queue_fd(driver));
}

static PyObject *driver_drain(PyObject *self, PyObject *Py_UNUSED(unused))
{
    driver_t *driver = driver_of(self);
    if (!driver)
        return NULL;
    if (!driver_threaded(driver)) {
        Py_BEGIN_ALLOW_THREADS driver_step(driver, SLICE_NS);
        Py_END_ALLOW_THREADS
    }
    return events_list(inbox_take(driver_inbox(driver)));
}

/* Signals interrupt the waiting: their handlers run, and if one raises, so does this. */
static PyObject *driver_wait(PyObject *self, PyObject *Py_UNUSED(unused))
{
    driver_t *driver = driver_of(self);
    if (!driver)
        return NULL;
    struct pollfd fds = {.fd = driver_inbox(driver)->fd, .events = POLLIN};
    int count;
    do {
        Py_BEGIN_ALLOW_THREADS count = poll(&fds, 1, -1);
        Py_END_ALLOW_THREADS if (count < 0 && errno == EINTR &&
                                 PyErr_CheckSignals() != 0) return NULL;
    } while (count < 0 && errno == EINTR);
    return events_list(inbox_take(driver_inbox(driver)));
}

static PyObject *driver_close(PyObject *self, PyObject *Py_UNUSED(unused))
{
    close_driver((driver_object_t *)self);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"fileno", driver_fileno, METH_NOARGS, "Readable when drain() has something to do."},
    {"drain", driver_drain, METH_NOARGS, "What happened: a list of (token, kind, number, value)."},
    {"wait", driver_wait, METH_NOARGS, "The same, once there is something."},
    {"close", driver_close, METH_NOARGS, "Interrupts what runs; ends the threads."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_new, driver_create},
    {Py_tp_dealloc, driver_dealloc},
    {Py_tp_methods, methods},
    {0, NULL},
};

PyType_Spec driver_spec = {
    .name = "eryx._eryx.Driver",
    .basicsize = sizeof(driver_object_t),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};
