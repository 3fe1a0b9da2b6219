/* The session of `eryx repl`. Guest code runs on a thread of its own, so that this one can take
 * Ctrl-C from the signalfd and stop it. Questions to the session (completion) are one expression
 * that runs repl.py in a namespace of its own: nothing of it stays, and it works whatever the
 * program has done to its names. Syntax is asked of a second sandbox, which no program can break.
 */
#include "console.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <jansson.h>

#include "../message.h"
#include "../streams.h"
#include "editor.h"
#include "repl_script.h"

/* --- Streams ------------------------------------------------------------------------------ */

void console_on_output(void *env, eryx_stream_t stream, const char *data, size_t length)
{
    struct console *console = env;
    if (console->asking || length == 0)
        return;
    streams_write(stream == ERYX_STDERR ? STDERR_FILENO : STDOUT_FILENO, data, length);
    console->line_open = data[length - 1] != '\n';
}

ptrdiff_t console_on_input(void *env, char *buffer, size_t capacity)
{
    struct console *console = env;
    if (console->asking)
        return 0;
    console->line_open = false;
    return editor_input(console->editor, console->stop_fd, buffer, capacity);
}

/* --- Running guest code beside Ctrl-C ----------------------------------------------------- */

struct job {
    struct console *console;
    console_work_fn work;
    void *argument;
    eryx_error_t *error;
    int status;
    int done_fd; /* eventfd */
};

static void signal_event(int fd)
{
    uint64_t one = 1;
    while (write(fd, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

static void *run_job(void *argument)
{
    struct job *job = argument;
    job->status = job->work(job->console, job->argument, job->error);
    signal_event(job->done_fd);
    return NULL;
}

static void drain(int fd)
{
    uint64_t count;
    while (read(fd, &count, sizeof count) < 0 && errno == EINTR)
        continue;
}

/* Until the job is done. What is computing when Ctrl-C comes is interrupted at once; a wait is
 * interrupted too, except that of a program's own `await`, which `cancel` ends in its own time. */
static void attend(struct job *job, void (*cancel)(void *argument))
{
    struct console *console = job->console;
    struct pollfd fds[] = {{.fd = job->done_fd, .events = POLLIN},
                           {.fd = console->signal_fd, .events = POLLIN}};
    unsigned interrupts = 0;
    for (;;) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return;
        if (fds[0].revents & POLLIN)
            return;
        struct signalfd_siginfo info;
        if (!(fds[1].revents & POLLIN) ||
            read(console->signal_fd, &info, sizeof info) != sizeof info ||
            info.ssi_signo == SIGWINCH)
            continue;
        if (info.ssi_signo != SIGINT)
            console->ended_by = (int)info.ssi_signo;
        signal_event(console->stop_fd);
        if (interrupts++ == 0 && cancel && info.ssi_signo == SIGINT)
            cancel(job->argument);
        else
            eryx_sandbox_interrupt(console->sandbox);
    }
}

static int run_beside(struct console *console, console_work_fn work, void *argument,
                      void (*cancel)(void *), eryx_error_t *error)
{
    struct job job = {console, work, argument, error, ERYX_ERR_MEMORY, -1};
    pthread_t thread;
    job.done_fd = eventfd(0, EFD_CLOEXEC);
    if (job.done_fd < 0 || pthread_create(&thread, NULL, run_job, &job) != 0) {
        if (job.done_fd >= 0)
            close(job.done_fd);
        snprintf(error->message, sizeof error->message, "cannot start a thread");
        return ERYX_ERR_MEMORY;
    }
    attend(&job, cancel);
    pthread_join(thread, NULL);
    close(job.done_fd);
    drain(console->stop_fd);
    return job.status;
}

int console_call(struct console *console, console_work_fn work, void *argument, eryx_error_t *error)
{
    return run_beside(console, work, argument, NULL, error);
}

static void cancel_execution(void *argument)
{
    eryx_execution_cancel(argument);
}

/* Drives the execution, on the other thread. */
static int drive(struct console *console, void *argument, eryx_error_t *error)
{
    (void)console;
    (void)error;
    while (eryx_execution_run(argument) != ERYX_EXECUTION_DONE)
        eryx_execution_wait(argument, UINT64_MAX);
    return ERYX_OK;
}

eryx_outcome_t *console_run(struct console *console, const char *code, size_t length,
                            const eryx_execute_options_t *options)
{
    eryx_execution_t *execution;
    eryx_error_t error = {0};
    int status = eryx_execution_start(console->sandbox, code, length, options, &execution, &error);
    if (status == ERYX_OK) {
        run_beside(console, drive, execution, cancel_execution, &error);
        eryx_outcome_t *outcome = eryx_execution_take_outcome(execution);
        eryx_execution_free(execution);
        if (outcome)
            return outcome;
    }
    message_error("cannot run it: %s", error.message);
    return NULL;
}

/* --- Questions ---------------------------------------------------------------------------- */

/* The JSON text of a string, which is the same in Python; for free(). */
static char *literal(const char *text, size_t length)
{
    json_t *string = json_stringn(text, length);
    char *result = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
    json_decref(string);
    return result;
}

/* An expression whose value is the answer. */
static char *question(const char *what, const char *text, size_t length)
{
    char *script = literal(repl_script, strlen(repl_script)), *argument = literal(text, length);
    char *code = NULL;
    if (script && argument &&
        asprintf(&code,
                 "(lambda space: (exec(%s, space), space['answer'](('%s', %s)))[1])"
                 "({'__name__': '_eryx_repl'})",
                 script, what, argument) < 0)
        code = NULL;
    free(script);
    free(argument);
    return code;
}

static json_t *answer_of(eryx_outcome_t *outcome)
{
    size_t length = 0;
    const char *json = outcome ? eryx_outcome_result_json(outcome, &length) : NULL;
    json_t *answer = json ? json_loadb(json, length, JSON_DECODE_ANY, NULL) : NULL;
    eryx_outcome_free(outcome);
    return answer;
}

static void question_options(eryx_execute_options_t *options)
{
    eryx_execute_options_init(options);
    options->filename = "<repl>";
    options->result = "";
}

json_t *console_ask(struct console *console, const char *what, const char *text, size_t length)
{
    char *code = question(what, text, length);
    if (!code)
        return NULL;
    eryx_execute_options_t options;
    question_options(&options);
    console->asking = true;
    json_t *answer = answer_of(console_run(console, code, strlen(code), &options));
    console->asking = false;
    free(code);
    return answer;
}

bool console_lacks_lines(struct console *console, const char *source, size_t length)
{
    eryx_outcome_t *outcome = NULL;
    eryx_execute_options_t options;
    char *code = question("syntax", source, length);
    if (!code)
        return false;
    question_options(&options);
    if (console->helper || eryx_sandbox_new(console->runtime, NULL, &console->helper, NULL) == 0)
        eryx_sandbox_execute(console->helper, code, strlen(code), &options, &outcome, NULL);
    free(code);
    json_t *answer = answer_of(outcome);
    const char *text = json_string_value(answer);
    bool more = text && strcmp(text, "more") == 0;
    json_decref(answer);
    return more;
}

void console_free(struct console *console)
{
    eryx_sandbox_free(console->helper);
    eryx_sandbox_free(console->sandbox);
    eryx_runtime_free(console->runtime);
    if (console->signal_fd >= 0)
        close(console->signal_fd);
    if (console->stop_fd >= 0)
        close(console->stop_fd);
}
