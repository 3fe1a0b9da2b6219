/* Waiting for what only another thread could do: there is none, so libc has nothing but an abort for it. Here
 * the wait returns as if a signal had come, and the interpreter, which then looks for what is to be done,
 * finds an exception. Its own locks do not look: a wait that comes again before that is the abort. */
#include <pthread.h>
#include <stdlib.h>

#include "python.h"

__attribute__((visibility("default"))) int pthread_cond_wait(pthread_cond_t *restrict condition,
                                                             pthread_mutex_t *restrict mutex);

static bool told;

static int raise_deadlock(void *unused)
{
    (void)unused;
    told = false;
    PyErr_SetString(PyExc_RuntimeError,
                    "deadlock: this waits for another thread, and the sandbox has only one; "
                    "wait with a timeout, or use asyncio");
    return -1;
}

int pthread_cond_wait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex)
{
    (void)condition;
    (void)mutex;
    if (told || Py_AddPendingCall(raise_deadlock, NULL) != 0) {
        abort();
    }
    told = true;
    return 0;
}
