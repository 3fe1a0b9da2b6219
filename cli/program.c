/* Runs one program in a sandbox. Output goes out as it is written, by write(2) and
 * unbuffered, so both streams keep their order. A stream that cannot be written ends
 * the process: the program inside has nothing to save outside of it. */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "interrupt.h"
#include "message.h"
#include "values.h"

/* What a process ended by SIGPIPE looks like to a shell. */
enum { EXIT_PIPE = 128 + SIGPIPE };

/* The library's time limit begins a little later than what is noted here, and must have
 * been reached when reading ends because of it. */
static const uint64_t slack_ns = 10000000;

struct streams {
    uint64_t limit_ns;    /* time limit of the program; 0: none */
    uint64_t deadline_ns; /* monotonic; set when the program begins */
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static _Noreturn void output_failed(int fd, int cause)
{
    if (cause == EPIPE)
        _exit(EXIT_PIPE);
    if (fd == STDOUT_FILENO)
        message_error("cannot write to standard output: %s", strerror(cause));
    _exit(EXIT_FAILED);
}

static void write_all(int fd, const char *data, size_t length)
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
            output_failed(fd, errno);
        }
    }
}

static void on_output(void *env, eryx_stream_t stream, const char *data, size_t length)
{
    (void)env;
    write_all(stream == ERYX_STDOUT ? STDOUT_FILENO : STDERR_FILENO, data, length);
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
static ptrdiff_t on_input(void *env, char *buffer, size_t capacity)
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

/* Says on stderr how the program ended, if Python itself did not, and gives the exit
 * code of the process. */
static int report(const eryx_outcome_t *outcome)
{
    uint64_t dropped = eryx_outcome_output_dropped(outcome);
    if (dropped)
        message_error("%" PRIu64 " bytes of output were dropped", dropped);
    const char *text = eryx_outcome_exception_message(outcome);
    char duration[32];
    switch (eryx_outcome_kind(outcome)) {
    case ERYX_OUTCOME_OK:
        return EXIT_OK;
    case ERYX_OUTCOME_EXCEPTION:
        text = eryx_outcome_traceback(outcome);
        write_all(STDERR_FILENO, text, strlen(text));
        return EXIT_EXCEPTION;
    case ERYX_OUTCOME_EXIT:
        return eryx_outcome_exit_code(outcome) & 0xFF;
    case ERYX_OUTCOME_LIMIT:
        if (eryx_outcome_limit(outcome) == ERYX_LIMIT_WALL_TIME)
            message_error(
                "stopped: time limit of %s reached (--timeout)",
                value_duration_text(eryx_outcome_limit_value(outcome), duration, sizeof duration));
        else
            message_error("stopped: %s", text);
        return EXIT_LIMIT;
    case ERYX_OUTCOME_INTERRUPTED:
        return interrupt_finish();
    case ERYX_OUTCOME_TRAP:
        message_error("%s", text);
        return EXIT_CRASHED;
    }
    message_error("unknown outcome %d of the program", (int)eryx_outcome_kind(outcome));
    return EXIT_FAILED;
}

static int execute(const struct program *program, eryx_sandbox_t *sandbox, struct streams *streams)
{
    eryx_execute_options_t options;
    eryx_execute_options_init(&options);
    options.filename = program->source.name;

    eryx_outcome_t *outcome;
    eryx_error_t error = {0};
    if (!interrupt_watch(sandbox, program->limits.wall_time_ns)) {
        message_error("cannot start a thread: %s", strerror(errno));
        return EXIT_FAILED;
    }
    streams->deadline_ns = now_ns() + streams->limit_ns + slack_ns;
    int status = eryx_sandbox_execute(sandbox, program->source.text, program->source.length,
                                      &options, &outcome, &error);
    interrupt_end();
    if (status != ERYX_OK) {
        message_error("cannot run %s: %s", program->source.name, error.message);
        return EXIT_FAILED;
    }
    int code = report(outcome);
    eryx_outcome_free(outcome);
    return code;
}

int program_run(const struct program *program)
{
    signal(SIGPIPE, SIG_IGN);
    interrupt_block();

    eryx_runtime_t *runtime;
    eryx_error_t error = {0};
    eryx_runtime_options_t runtime_options;
    eryx_runtime_options_init(&runtime_options);
    runtime_options.max_sandboxes = 1;
    runtime_options.max_warm = 0;
    if (eryx_runtime_open(program->runtime_path, &runtime_options, &runtime, &error) != ERYX_OK) {
        message_error("%s", error.message);
        return EXIT_FAILED;
    }

    struct streams streams = {.limit_ns = program->limits.wall_time_ns};
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    options.limits = program->limits;
    options.argv = program->argv;
    options.argc = program->argc;
    options.environ = (const char *const *)program->environ;
    options.environ_count = program->environ_count;
    options.on_output = on_output;
    options.on_input = program->pass_stdin ? on_input : NULL;
    options.env = &streams;

    eryx_sandbox_t *sandbox;
    int code;
    int status = eryx_sandbox_new(runtime, &options, &sandbox, &error);
    if (status != ERYX_OK) {
        message_error("cannot make a sandbox: %s", error.message);
        code = status == ERYX_ERR_ARGUMENT ? EXIT_USAGE : EXIT_FAILED;
    } else {
        code = execute(program, sandbox, &streams);
        eryx_sandbox_free(sandbox);
    }
    eryx_runtime_free(runtime);
    return code;
}
