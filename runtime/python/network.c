/* Functions of _eryx for the network: asyncio's waits for sockets and lookups of names, which return
 * to the host like calls of callbacks. Everything else about sockets is Python's own module. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "abi/wait.h"
#include "abi/watch.h"
#include "guest_bindings.h"
#include "python.h"
#include "wasi/network.h"

/* libc's, by whose bits Python knows them. */
enum { EVENT_READ = 1, EVENT_WRITE = 2 };

static PyObject *keep_watch(uint32_t subtask)
{
    if (!abi_watch_add(subtask, abi_wait_set())) {
        return PyErr_NoMemory();
    }
    return PyLong_FromUnsignedLong(subtask);
}

/* watch(fd, events): the number of a subtask that returns when the descriptor may be ready; 0: it is
 * ready. libc's poll finds out what that means for the descriptor, without blocking. */
PyObject *network_watch_descriptor(PyObject *module, PyObject *arguments)
{
    int fd, events, count;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "ii:watch", &fd, &events)) {
        return NULL;
    }
    struct pollfd polled = {.fd = fd, .events = events == EVENT_READ ? POLLIN : POLLOUT};
    network_watch.on = true;
    network_watch.count = 0;
    count = poll(&polled, 1, -1);
    network_watch.on = false;
    if (network_watch.count == 0) {
        return count < 0 ? PyErr_SetFromErrno(PyExc_OSError) : PyLong_FromLong(0);
    }
    for (uint32_t i = 1; i < network_watch.count; i++) {
        abi_wait_subtasks(&network_watch.subtasks[i], 1, 0);
    }
    return keep_watch(network_watch.subtasks[0]);
}

PyObject *network_unwatch(PyObject *module, PyObject *number)
{
    unsigned long subtask = PyLong_AsUnsignedLong(number);
    (void)module;
    if (PyErr_Occurred()) {
        return NULL;
    }
    abi_watch_cancel(subtask);
    Py_RETURN_NONE;
}

/* --- Names -------------------------------------------------------------------------------- */

static PyObject *fail(int32_t answer)
{
    uint8_t code = network_code(answer);
    if (code == NETWORK_NAME_UNKNOWN || code == NETWORK_NAME_FAILED || code == NETWORK_NAME_AGAIN) {
        return PyLong_FromLong(-(long)code);
    }
    errno = network_last_errno;
    return PyErr_SetFromErrno(PyExc_OSError);
}

/* resolve(name: bytes): the number of a lookup. OSError if it is refused. */
PyObject *network_resolve(PyObject *module, PyObject *name)
{
    char *text;
    Py_ssize_t length;
    (void)module;
    if (PyBytes_AsStringAndSize(name, &text, &length) < 0) {
        return NULL;
    }
    int32_t number = net_resolve(text, (uint32_t)length);
    return number < 0 ? fail(number) : PyLong_FromLong(number);
}

/* resolve_watch(lookup): as watch. */
PyObject *network_resolve_watch(PyObject *module, PyObject *lookup)
{
    unsigned long number = PyLong_AsUnsignedLong(lookup);
    (void)module;
    if (PyErr_Occurred()) {
        return NULL;
    }
    int32_t started = net_wait(number, NET_READ);
    if (started < 0 || (started & 15) == WIT_SUBTASK_RETURNED) {
        return PyLong_FromLong(0);
    }
    return keep_watch((uint32_t)started >> 4);
}

static PyObject *to_list(const struct net_address *addresses, int32_t count)
{
    PyObject *list = PyList_New(0);
    for (int32_t i = 0; list != NULL && i < count; i++) {
        const char *bytes = (const char *)addresses[i].bytes;
        PyObject *item = PyBytes_FromStringAndSize(bytes, addresses[i].family == 4 ? 4 : 16);
        if (item == NULL || PyList_Append(list, item) < 0) {
            Py_DECREF(list);
            list = NULL;
        }
        Py_XDECREF(item);
    }
    return list;
}

/* resolve_end(lookup): a list of packed addresses, None if they are not there yet, or a negative
 * number: no such name (of enum network_error). The lookup is over unless None. */
PyObject *network_resolve_end(PyObject *module, PyObject *lookup)
{
    struct net_address addresses[NET_ADDRESSES_MAX];
    unsigned long number = PyLong_AsUnsignedLong(lookup);
    (void)module;
    if (PyErr_Occurred()) {
        return NULL;
    }
    int32_t count = net_resolved(number, addresses);
    if (count == NET_WOULD_BLOCK) {
        Py_RETURN_NONE;
    }
    PyObject *result = count < 0 ? fail(count) : to_list(addresses, count);
    net_close(number);
    return result;
}

/* resolve_drop(lookup): nobody waits for it. */
PyObject *network_resolve_drop(PyObject *module, PyObject *lookup)
{
    unsigned long number = PyLong_AsUnsignedLong(lookup);
    (void)module;
    if (PyErr_Occurred()) {
        return NULL;
    }
    net_close(number);
    Py_RETURN_NONE;
}
