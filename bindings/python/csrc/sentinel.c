/* Whoever watches sees to it that no signal is pending before, and after: see `drive` in sandbox.c.
 */
#include "sentinel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

static struct {
    pid_t process; /* that has the thread */
    int fds[2];
    pthread_mutex_t lock;
    box_t *box;
} sentinel = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void interrupt_watched(void)
{
    pthread_mutex_lock(&sentinel.lock);
    if (sentinel.box)
        eryx_sandbox_interrupt(sentinel.box->sandbox);
    pthread_mutex_unlock(&sentinel.lock);
}

static void *keep_watch(void *env)
{
    char numbers[64];
    struct pollfd fds = {.fd = sentinel.fds[0], .events = POLLIN};
    (void)env;
    for (;;) {
        poll(&fds, 1, -1);
        if (read(sentinel.fds[0], numbers, sizeof numbers) > 0)
            interrupt_watched();
    }
    return NULL;
}

/* Signals themselves are for the threads of Python. */
static int start_thread(void)
{
    sigset_t all, before;
    pthread_t thread;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int reason = pthread_create(&thread, NULL, keep_watch, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (reason == 0)
        pthread_detach(thread);
    return reason;
}

int sentinel_fd(void)
{
    if (sentinel.process == getpid())
        return sentinel.fds[1];
    if (sentinel.process != 0) { /* this is a forked child; the parent keeps its own */
        close(sentinel.fds[0]);
        close(sentinel.fds[1]);
        sentinel.process = 0;
        sentinel.box = NULL;
        pthread_mutex_init(&sentinel.lock, NULL);
    }
    if (pipe2(sentinel.fds, O_CLOEXEC | O_NONBLOCK) != 0)
        return -1;
    int reason = start_thread();
    if (reason != 0) {
        close(sentinel.fds[0]);
        close(sentinel.fds[1]);
        errno = reason;
        return -1;
    }
    sentinel.process = getpid();
    return sentinel.fds[1];
}

void sentinel_watch(box_t *box)
{
    pthread_mutex_lock(&sentinel.lock);
    sentinel.box = box;
    pthread_mutex_unlock(&sentinel.lock);
}
