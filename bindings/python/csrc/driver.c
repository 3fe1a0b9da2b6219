/* All threads poll the queue's descriptor and a stop descriptor. After eryx_execution_run has
 * returned WAITING the execution may already be with another thread, so nothing of it is looked at
 * then. */
#include "driver.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
    THREADS_MAX = 64,
    STACK_BYTES = 512 * 1024 /* programs have stacks of their own */
};

struct driver {
    eryx_queue_t *queue;
    inbox_t inbox;
    int stop; /* eventfd */
    atomic_bool stopping;
    pthread_mutex_t lock; /* of what follows */
    unsigned wanted, blocked, count;
    pthread_t threads[THREADS_MAX];
    box_t *boxes; /* whose executions are not over */
};

static int fail(eryx_error_t *error, int code, const char *what, int reason)
{
    error->code = code;
    snprintf(error->message, sizeof error->message, "%s: %s", what, strerror(reason));
    return code;
}

/* --- The list ----------------------------------------------------------------------------- */

static void put_in(driver_t *driver, box_t *box)
{
    pthread_mutex_lock(&driver->lock);
    box->next = driver->boxes;
    box->previous = NULL;
    if (box->next)
        box->next->previous = box;
    driver->boxes = box;
    pthread_mutex_unlock(&driver->lock);
}

static void take_out(driver_t *driver, box_t *box)
{
    pthread_mutex_lock(&driver->lock);
    if (box->next)
        box->next->previous = box->previous;
    if (box->previous)
        box->previous->next = box->next;
    else
        driver->boxes = box->next;
    pthread_mutex_unlock(&driver->lock);
}

/* --- Running ------------------------------------------------------------------------------ */

static void end(driver_t *driver, box_t *box, eryx_execution_t *execution)
{
    event_t *event = box->done;
    take_out(driver, box);
    pthread_mutex_lock(&box->lock);
    box->execution = NULL;
    box->driver = NULL;
    pthread_mutex_unlock(&box->lock);
    box->done = NULL;
    event->outcome = eryx_execution_take_outcome(execution);
    eryx_execution_free(execution);
    box_release(box); /* that of run; now, so that who is told the end has the only one left */
    inbox_post(&driver->inbox, event);
}

static void run(driver_t *driver, eryx_execution_t *execution)
{
    box_t *box = eryx_execution_env(execution);
    box_retain(box);
    pthread_mutex_lock(&box->lock);
    box_count_running(box, 1);
    pthread_mutex_unlock(&box->lock);
    bool done = eryx_execution_run(execution) == ERYX_EXECUTION_DONE;
    pthread_mutex_lock(&box->lock);
    box_count_running(box, -1);
    if (!done && box->cancel_later && box->execution && box->running == 0) {
        box->cancel_later = false;
        eryx_execution_cancel(box->execution);
    }
    pthread_mutex_unlock(&box->lock);
    if (done)
        end(driver, box, execution);
    else
        box_release(box);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void driver_step(driver_t *driver, uint64_t slice_ns)
{
    uint64_t until = now_ns() + slice_ns;
    eryx_execution_t *execution;
    while (now_ns() < until && (execution = eryx_queue_next(driver->queue)) != NULL)
        run(driver, execution);
}

static void *work(void *env)
{
    driver_t *driver = env;
    eryx_execution_t *execution;
    struct pollfd fds[] = {{.fd = eryx_queue_fd(driver->queue), .events = POLLIN},
                           {.fd = driver->stop, .events = POLLIN}};
    while (!atomic_load(&driver->stopping)) {
        poll(fds, 2, -1);
        while (!atomic_load(&driver->stopping) &&
               (execution = eryx_queue_next(driver->queue)) != NULL)
            run(driver, execution);
    }
    return NULL;
}

/* One thread more; signals are left to the threads of Python. Locked. */
static int add_thread(driver_t *driver)
{
    sigset_t all, before;
    pthread_attr_t attributes;
    sigfillset(&all);
    static const int own[] = {SIGSEGV, SIGILL, SIGFPE, SIGBUS, SIGTRAP, SIGABRT};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        sigdelset(&all, own[i]);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int reason = pthread_create(&driver->threads[driver->count], &attributes, work, driver);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (reason == 0)
        driver->count++;
    return reason;
}

void driver_block(driver_t *driver, bool begins)
{
    if (!driver || driver->wanted == 0)
        return;
    pthread_mutex_lock(&driver->lock);
    driver->blocked += begins ? 1 : -1u;
    if (begins && driver->count < THREADS_MAX && driver->count - driver->blocked < driver->wanted &&
        !atomic_load(&driver->stopping))
        add_thread(driver); /* without one more the others go on alone */
    pthread_mutex_unlock(&driver->lock);
}

/* --- Making, starting, freeing ------------------------------------------------------------ */

static void destroy(driver_t *driver)
{
    inbox_destroy(&driver->inbox);
    if (driver->stop >= 0)
        close(driver->stop);
    eryx_queue_free(driver->queue);
    pthread_mutex_destroy(&driver->lock);
    free(driver);
}

static void stop_threads(driver_t *driver)
{
    atomic_store(&driver->stopping, true);
    eventfd_write(driver->stop, 1);
    inbox_close(&driver->inbox);
    for (unsigned i = 0; i < driver->count; i++)
        pthread_join(driver->threads[i], NULL);
}

driver_t *driver_new(unsigned threads, eryx_error_t *error)
{
    driver_t *driver = calloc(1, sizeof *driver);
    if (!driver || eryx_queue_new(&driver->queue, error) != ERYX_OK) {
        if (!driver)
            fail(error, ERYX_ERR_MEMORY, "a driver", ENOMEM);
        free(driver);
        return NULL;
    }
    driver->wanted = threads < THREADS_MAX ? threads : THREADS_MAX;
    pthread_mutex_init(&driver->lock, NULL);
    driver->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    bool good = inbox_init(&driver->inbox, true);
    int reason = driver->stop < 0 || !good ? errno : 0;
    pthread_mutex_lock(&driver->lock);
    while (reason == 0 && driver->count < driver->wanted)
        reason = add_thread(driver);
    pthread_mutex_unlock(&driver->lock);
    if (reason == 0)
        return driver;
    fail(error, ERYX_ERR_IO, "no descriptor or thread for running sandboxes", reason);
    if (good) {
        stop_threads(driver);
        destroy(driver);
    }
    return NULL;
}

/* Sets box->execution: a new one, or without code the one that waits in a fork or resumed sandbox.
 */
static int start(driver_t *driver, box_t *box, const char *code, size_t length,
                 eryx_execute_options_t *options, eryx_error_t *error)
{
    options->queue = driver->queue;
    options->env = box;
    if (code)
        return eryx_execution_start(box->sandbox, code, length, options, &box->execution, error);
    eryx_execution_t *execution = eryx_sandbox_execution(box->sandbox);
    if (!execution) {
        error->code = ERYX_ERR_STATE;
        snprintf(error->message, sizeof error->message, "no program waits in this sandbox");
        return error->code;
    }
    eryx_execution_set_env(execution, box);
    int status = eryx_queue_add(driver->queue, execution, error);
    if (status == ERYX_OK)
        box->execution = execution;
    return status;
}

int driver_start(driver_t *driver, box_t *box, const char *code, size_t length,
                 eryx_execute_options_t *options, eryx_error_t *error)
{
    if (!box->done && !(box->done = event_new(box, EVENT_DONE, 0, 0)))
        return fail(error, ERYX_ERR_MEMORY, "an execution", ENOMEM);
    inbox_t *before = box->inbox;
    box->inbox = &driver->inbox;
    box->driver = driver;
    box_retain(box);
    put_in(driver, box);
    /* Under the lock, since a thread may end it before it is known here. */
    pthread_mutex_lock(&box->lock);
    int status = start(driver, box, code, length, options, error);
    box->cancel_later = false;
    pthread_mutex_unlock(&box->lock);
    if (status != ERYX_OK) {
        take_out(driver, box);
        box->inbox = before;
        box->driver = NULL;
        box_release(box);
    }
    return status;
}

bool driver_threaded(const driver_t *driver)
{
    return driver->wanted > 0;
}

inbox_t *driver_inbox(driver_t *driver)
{
    return &driver->inbox;
}

int driver_queue_fd(const driver_t *driver)
{
    return eryx_queue_fd(driver->queue);
}

static void interrupt_all(driver_t *driver)
{
    pthread_mutex_lock(&driver->lock);
    for (box_t *box = driver->boxes; box; box = box->next) {
        box_close_input(box, true);
        eryx_sandbox_interrupt(box->sandbox);
    }
    pthread_mutex_unlock(&driver->lock);
}

void driver_free(driver_t *driver, void (*drop)(box_t *box))
{
    atomic_store(&driver->stopping, true);
    interrupt_all(driver);
    stop_threads(driver);
    for (box_t *box = driver->boxes, *next; box; box = next) {
        next = box->next;
        eryx_execution_free(box->execution); /* may still tell of cancelled calls */
        box->execution = NULL;
        box->driver = NULL;
        box->inbox = &box->own;
        drop(box);
    }
    for (event_t *event = inbox_take(&driver->inbox), *next; event; event = next) {
        next = event->next;
        box_t *box = event->kind == EVENT_DONE ? event->box : NULL;
        event_free(event);
        if (box) {
            box->inbox = &box->own;
            drop(box);
        }
    }
    destroy(driver);
}
