/* _eryx.Driver: runs sandboxes for an event loop or for one waiting thread. */
#include "module.h"
#include "sentinel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

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
        Py_BEGIN_ALLOW_THREADS
        driver_step(driver, SLICE_NS);
        Py_END_ALLOW_THREADS
    }
    return events_list(inbox_take(driver_inbox(driver)));
}

/* --- Waiting for events and signals ------------------------------------------------------- */

/* Where Python's own handler of signals writes to, for signal.set_wakeup_fd: a signal may arrive
 * just before poll, or in another thread, and would then not be noticed by its interrupting poll.
 */
static int signal_pipe[2] = {-1, -1};

PyObject *signal_fd(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused))
{
    if (signal_pipe[0] < 0 && pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    return PyLong_FromLong(signal_pipe[1]);
}

PyObject *interrupt_fd(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused))
{
    int fd = sentinel_fd();
    return fd < 0 ? PyErr_SetFromErrno(PyExc_OSError) : PyLong_FromLong(fd);
}

/* Runs the handlers of signals; false if one has raised. */
static bool handle_signals(void)
{
    char numbers[64];
    while (signal_pipe[0] >= 0 && read(signal_pipe[0], numbers, sizeof numbers) > 0)
        ;
    return PyErr_CheckSignals() == 0;
}

/* In the main thread, what handlers of signals raise is raised. */
static PyObject *driver_wait(PyObject *self, PyObject *main_thread)
{
    driver_t *driver = driver_of(self);
    int signals = PyObject_IsTrue(main_thread);
    if (!driver || signals < 0)
        return NULL;
    struct pollfd fds[] = {{.fd = driver_inbox(driver)->fd, .events = POLLIN},
                           {.fd = signals ? signal_pipe[0] : -1, .events = POLLIN}};
    while (!fds[0].revents) {
        int count;
        Py_BEGIN_ALLOW_THREADS
        count = poll(fds, 2, -1);
        Py_END_ALLOW_THREADS
        if (count < 0 && errno != EINTR)
            return PyErr_SetFromErrno(PyExc_OSError);
        if (count < 0)
            fds[0].revents = fds[1].revents = 0;
        if (signals && (count < 0 || fds[1].revents) && !handle_signals())
            return NULL;
    }
    return events_list(inbox_take(driver_inbox(driver)));
}

static PyObject *driver_close(PyObject *self, PyObject *Py_UNUSED(unused))
{
    close_driver((driver_object_t *)self);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"fileno", driver_fileno, METH_NOARGS,
     "fileno($self, /)\n--\n\nReadable when drain() has something to do."},
    {"drain", driver_drain, METH_NOARGS,
     "drain($self, /)\n--\n\nWhat happened: a list of (token, kind, number, value)."},
    {"wait", driver_wait, METH_O,
     "wait($self, main_thread, /)\n--\n\nThe same, once there is something; True: main thread."},
    {"close", driver_close, METH_NOARGS,
     "close($self, /)\n--\n\nInterrupts what runs; ends the threads."},
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
