/* Writes traces of the program to a file.
 *
 * The program decides how much there is to write, so the file has a limit. What it had is
 * all or nothing: another file is written and renamed, so whoever reads the trace of a program
 * that was killed reads the one before it. */
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "message.h"
#include "output_file.h"
#include "processes.h"
#include "profile/profile.h"
#include "streams.h"

enum { BUFFER_BYTES = 64 << 10 };

static struct {
    struct output_file file;
    bool at_once;
    uint64_t left, dropped;
    size_t used;
    char buffer[BUFFER_BYTES];
} trace = {.file = OUTPUT_FILE_NONE};

/* The descriptor that a name stands for; -1 if it is an ordinary one. Opening these names would
 * write over the start of a file that the descriptor is at the end of, or replace it. */
static int named_descriptor(const char *path)
{
    static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};
    if (strcmp(path, "-") == 0 || strcmp(path, "/dev/stderr") == 0)
        return STREAMS_ERR;
    if (strcmp(path, "/dev/stdout") == 0)
        return STREAMS_OUT;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        size_t length = strlen(folders[i]);
        const char *number = path + length;
        if (strncmp(path, folders[i], length) == 0 && number[0] && strlen(number) < 8 &&
            strspn(number, "0123456789") == strlen(number))
            return (int)strtol(number, NULL, 10);
    }
    return -1;
}

bool trace_begin(const char *path, uint64_t limit)
{
    trace.left = limit;
    int named = named_descriptor(path);
    if (named < 0)
        return output_file_open(&trace.file, path, "--trace", &trace.at_once);
    trace.at_once = true;
    trace.file = (struct output_file){.path = path, .option = "--trace"};
    trace.file.fd = fcntl(named, F_DUPFD_CLOEXEC, 3);
    return trace.file.fd >= 0 || output_file_refuse(&trace.file, errno);
}

static _Noreturn void write_failed(int cause)
{
    processes_kill();
    output_file_refuse(&trace.file, cause);
    trace_abandon();
    profile_abandon();
    _exit(EXIT_FAILED);
}

static void flush(void)
{
    int cause = streams_try_write(trace.file.fd, trace.buffer, trace.used);
    trace.used = 0;
    if (cause)
        write_failed(cause);
}

static void add(const char *text, size_t length)
{
    while (length > 0) {
        if (trace.used == BUFFER_BYTES)
            flush();
        size_t room = BUFFER_BYTES - trace.used, part = length < room ? length : room;
        memcpy(trace.buffer + trace.used, text, part);
        trace.used += part;
        text += part;
        length -= part;
    }
}

/* JSON has line ends nowhere but between its tokens. */
static void add_json(const char *text, size_t length)
{
    while (length > 0) {
        size_t plain = 0;
        while (plain < length && text[plain] != '\n' && text[plain] != '\r')
            plain++;
        add(text, plain);
        if (plain < length)
            add(" ", 1), plain++;
        text += plain;
        length -= plain;
    }
}

void trace_on_event(void *env, uint32_t lineno, const char *event_json, size_t event_length,
                    const char *context_json, size_t context_length)
{
    (void)env;
    char start[48];
    int start_length = snprintf(start, sizeof start, "{\"lineno\":%" PRIu32 ",\"event\":", lineno);
    static const char middle[] = ",\"context\":", end[] = "}\n";
    uint64_t length =
        (uint64_t)start_length + event_length + sizeof middle - 1 + context_length + sizeof end - 1;
    if (trace.dropped || length > trace.left) { /* no gaps: what follows is left out, too */
        trace.dropped++;
        return;
    }
    trace.left -= length;
    add(start, (size_t)start_length);
    add_json(event_json, event_length);
    add(middle, sizeof middle - 1);
    add_json(context_json, context_length);
    add(end, sizeof end - 1);
    if (trace.at_once)
        flush();
}

bool trace_finish(void)
{
    if (trace.file.fd < 0)
        return true;
    flush();
    if (trace.dropped)
        message_error("%" PRIu64 " trace events were dropped: the limit is reached (--trace-limit)",
                      trace.dropped);
    return output_file_finish(&trace.file);
}

void trace_abandon(void)
{
    output_file_abandon(&trace.file);
}
