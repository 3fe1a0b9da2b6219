/* Writes traces of the program to a file.
 *
 * The program decides how much there is to write, so the file has a limit. What it had is
 * all or nothing: another file is written and renamed, so whoever reads the trace of a program
 * that was killed reads the one before it. */
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "message.h"
#include "processes.h"
#include "streams.h"

enum { BUFFER_BYTES = 64 << 10 };

static struct {
    const char *path;   /* as given, for messages */
    char *target;       /* what the file is to be; NULL: nothing is renamed */
    char *unfinished;   /* never freed: the thread that takes signals may want it */
    atomic_bool exists; /* unfinished does */
    int fd;
    bool at_once;
    uint64_t left, dropped;
    size_t used;
    char buffer[BUFFER_BYTES];
} trace = {.fd = -1};

static bool refuse(const char *path, int cause)
{
    message_error("cannot write %s: %s (--trace)", path, strerror(cause));
    return false;
}

/* mkstemp makes files that only their owner reads; `eryx run --trace` is to leave one like
 * those that a shell's > makes. */
static void set_mode(int fd, const struct stat *old)
{
    mode_t mask = umask(0);
    umask(mask);
    fchmod(fd, old ? old->st_mode & 0777 : 0666 & ~mask);
}

/* old: what is at the path, NULL: nothing. */
static bool begin_file(const char *path, const struct stat *old)
{
    if (old && access(path, W_OK) != 0)
        return refuse(path, errno);
    trace.target = old ? realpath(path, NULL) : strdup(path); /* the file, not a link to it */
    if (!trace.target || asprintf(&trace.unfinished, "%s.XXXXXX", trace.target) < 0)
        return refuse(path, errno);
    trace.fd = mkostemp(trace.unfinished, O_CLOEXEC);
    if (trace.fd < 0)
        return refuse(path, errno);
    atomic_store(&trace.exists, true);
    set_mode(trace.fd, old);
    return true;
}

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
    struct stat status;
    trace.path = path;
    trace.left = limit;
    int named = named_descriptor(path);
    if (named >= 0) {
        trace.at_once = true;
        trace.fd = fcntl(named, F_DUPFD_CLOEXEC, 3);
        return trace.fd >= 0 || refuse(path, errno);
    }
    bool exists = stat(path, &status) == 0;
    if (!exists && errno != ENOENT)
        return refuse(path, errno);
    if (!exists && path[0] && path[strlen(path) - 1] == '/')
        return refuse(path, EISDIR);
    if (!exists || S_ISREG(status.st_mode)) {
        if (begin_file(path, exists ? &status : NULL))
            return true;
        trace_abandon();
        return false;
    }
    trace.at_once = true;
    trace.fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    return trace.fd >= 0 || refuse(path, errno);
}

static _Noreturn void write_failed(int cause)
{
    processes_kill();
    refuse(trace.path, cause);
    trace_abandon();
    _exit(EXIT_FAILED);
}

static void flush(void)
{
    int cause = streams_try_write(trace.fd, trace.buffer, trace.used);
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
    if (trace.fd < 0)
        return true;
    flush();
    if (trace.dropped)
        message_error("%" PRIu64 " trace events were dropped: the limit is reached (--trace-limit)",
                      trace.dropped);
    /* Some file systems tell only now that there is no room. */
    int cause = close(trace.fd) != 0 ? errno : 0;
    trace.fd = -1;
    if (!cause && trace.target && rename(trace.unfinished, trace.target) != 0)
        cause = errno;
    if (!cause) {
        atomic_store(&trace.exists, false);
        return true;
    }
    trace_abandon();
    return refuse(trace.path, cause);
}

void trace_abandon(void)
{
    if (atomic_exchange(&trace.exists, false))
        unlink(trace.unfinished);
}
