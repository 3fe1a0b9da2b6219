/* This process's standard streams. Output goes out as it is written, by write(2) and
 * unbuffered, so both streams keep their order. A stream that cannot be written ends
 * the process: the program inside has nothing to save outside of it. */
#include "streams.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "interrupt.h"
#include "message.h"
#include "processes.h"
#include "trace.h"

/* What a process ended by SIGPIPE looks like to a shell. */
enum { EXIT_PIPE = 128 + SIGPIPE };

/* The library's time limit begins a little later than what is noted here, and must have
 * been reached when reading ends because of it. */
static const uint64_t slack_ns = 10000000;

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

void streams_begin(struct streams *streams)
{
    streams->deadline_ns = now_ns() + streams->limit_ns + slack_ns;
}

static _Noreturn void output_failed(int fd, int cause)
{
    processes_kill();
    trace_abandon();
    if (cause == EPIPE)
        _exit(EXIT_PIPE);
    if (fd == STDOUT_FILENO)
        message_error("cannot write to standard output: %s", strerror(cause));
    _exit(EXIT_FAILED);
}

int streams_try_write(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, data, length);
        if (written >= 0) {
            data += written;
            length -= (size_t)written;
        } else if (errno == EAGAIN) {
            struct pollfd ready = {.fd = fd, .events = POLLOUT};
            poll(&ready, 1, -1);
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

void streams_write(int fd, const char *data, size_t length)
{
    int cause = streams_try_write(fd, data, length);
    if (cause)
        output_failed(fd, cause);
}

void streams_on_output(void *env, eryx_stream_t stream, const char *data, size_t length)
{
    (void)env;
    streams_write(stream == ERYX_STDOUT ? STREAMS_OUT : STREAMS_ERR, data, length);
}

/* Milliseconds until the time limit, rounded up; -1 without one. */
static int milliseconds_left(const struct streams *streams)
{
    if (!streams->limit_ns)
        return -1;
    uint64_t now = now_ns();
    if (now >= streams->deadline_ns)
        return 0;
    uint64_t left = (streams->deadline_ns - now) / 1000000 + 1;
    return left < INT32_MAX ? (int)left : INT32_MAX;
}

/* Reads stdin, but returns when the program is to stop: the library looks at its time
 * limit and at interrupts as soon as this returns. */
ptrdiff_t streams_on_input(void *env, char *buffer, size_t capacity)
{
    const struct streams *streams = env;
    for (;;) {
        struct pollfd ready[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                                 {.fd = interrupt_fd(), .events = POLLIN}};
        int count = poll(ready, 2, milliseconds_left(streams));
        if (count < 0 && errno != EINTR)
            return -1;
        if (count == 0 || (count > 0 && ready[1].revents))
            return -1;
        if (count < 0 || !ready[0].revents)
            continue;
        ssize_t got = read(STDIN_FILENO, buffer, capacity);
        if (got >= 0 || (errno != EINTR && errno != EAGAIN))
            return got;
    }
}
