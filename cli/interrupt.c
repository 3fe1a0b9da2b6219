/* Ctrl-C, the end of this process by other signals, and the last resort of the time limit.
 *
 * The library's interrupt function may not be called from a signal handler, so SIGINT
 * is blocked everywhere and one thread takes it with sigtimedwait. The end of the
 * execution reaches that thread as SIGUSR1 sent to it alone. SIGTERM and SIGHUP, taken the
 * same way, end this process as ever, but not before the commands of callbacks. */
#include "interrupt.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "message.h"
#include "processes.h"
#include "profile/profile.h"
#include "trace.h"

static const uint64_t second_ns = UINT64_C(1000000000);

static struct {
    eryx_sandbox_t *sandbox;
    uint64_t deadline_ns; /* monotonic; 0: none */
    pthread_t thread;
    int event_fd, checkpoint_fd;
    atomic_bool came;
    atomic_bool over;
    sigset_t signals; /* without those ignored from the start, as SIGINT in a script's background */
} watch = {.event_fd = -1, .checkpoint_fd = -1};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * second_ns + (uint64_t)now.tv_nsec;
}

static bool is_ignored(int number)
{
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

void interrupt_block(void)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
    sigemptyset(&watch.signals);
    sigaddset(&watch.signals, SIGUSR1);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        if (!is_ignored(ends[i]))
            sigaddset(&watch.signals, ends[i]);
    }
    pthread_sigmask(SIG_BLOCK, &watch.signals, NULL);
}

/* Ends this process by a signal, as it would have without being watched. */
static void end_by(int number)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    signal(number, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
}

static _Noreturn void leave(int code)
{
    processes_kill();
    trace_abandon();
    profile_abandon();
    _exit(code);
}

/* Waits for a signal until the deadline or, once SIGINT came, a hundredth of a second:
 * it may have come before the execution began, so the interrupt is repeated. */
static int next_signal(void)
{
    const sigset_t *set = &watch.signals;
    uint64_t wait = UINT64_MAX;
    if (watch.deadline_ns) {
        uint64_t now = now_ns();
        wait = now < watch.deadline_ns ? watch.deadline_ns - now : 0;
    }
    if (atomic_load(&watch.came) && wait > second_ns / 100)
        wait = second_ns / 100;
    if (wait == UINT64_MAX)
        return sigwaitinfo(set, NULL);
    struct timespec span = {(time_t)(wait / second_ns), (long)(wait % second_ns)};
    return sigtimedwait(set, NULL, &span);
}

static void *watch_signals(void *unused)
{
    (void)unused;
    for (;;) {
        int number = next_signal();
        if (atomic_load(&watch.over))
            return NULL;
        if (number == SIGTERM || number == SIGHUP) {
            processes_kill();
            trace_abandon();
            profile_abandon();
            end_by(number);
        }
        uint64_t asked = 1;
        if (number == SIGUSR1 && write(watch.checkpoint_fd, &asked, sizeof asked) < 0)
            message_error("cannot note the request for a checkpoint");
        if (number == SIGINT && atomic_exchange(&watch.came, true))
            leave(EXIT_INTERRUPT);
        if (atomic_load(&watch.came))
            eryx_sandbox_interrupt(watch.sandbox);
        uint64_t one = 1; /* only now: whoever waits for it counts on the interrupt */
        if (number == SIGINT && write(watch.event_fd, &one, sizeof one) < 0)
            leave(EXIT_INTERRUPT);
        if (watch.deadline_ns && now_ns() >= watch.deadline_ns) {
            message_error("stopped: the time limit is over and the program is stuck in an "
                          "operation that cannot be interrupted");
            leave(EXIT_LIMIT);
        }
    }
}

bool interrupt_watch(eryx_sandbox_t *sandbox, uint64_t limit_ns)
{
    watch.sandbox = sandbox;
    watch.deadline_ns = limit_ns ? now_ns() + limit_ns + second_ns : 0;
    watch.event_fd = eventfd(0, EFD_CLOEXEC);
    watch.checkpoint_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return watch.event_fd >= 0 && watch.checkpoint_fd >= 0 &&
           pthread_create(&watch.thread, NULL, watch_signals, NULL) == 0;
}

void interrupt_end(void)
{
    atomic_store(&watch.over, true);
    pthread_kill(watch.thread, SIGUSR1);
    pthread_join(watch.thread, NULL);
    close(watch.event_fd);
    close(watch.checkpoint_fd);
    watch.event_fd = watch.checkpoint_fd = -1;
    sigset_t set = watch.signals;
    sigdelset(&set, SIGINT); /* the outcome is said first: interrupt_finish */
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

int interrupt_fd(void)
{
    return watch.event_fd;
}

int interrupt_checkpoint_fd(void)
{
    return watch.checkpoint_fd;
}

void interrupt_checkpoint_taken(void)
{
    uint64_t count;
    if (read(watch.checkpoint_fd, &count, sizeof count) < 0)
        return; /* nobody asked */
}

int interrupt_finish(void)
{
    end_by(SIGINT);
    return EXIT_INTERRUPT;
}
