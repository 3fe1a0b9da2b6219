/* MCP over stdin and stdout.
 *
 * Neither is made non-blocking, since the setting would also be that of whoever else has the pipe.
 * Reading is done when there is something to read, and of what is to be written only as much at a
 * time as a pipe that is writable takes without blocking. Files instead of pipes are read and
 * written as they are.
 *
 * When stdin ends, what runs is still answered, unless nobody reads the answers. */
#include "stdio.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../message.h"

enum { BACKLOG_MAX = 8 << 20 }; /* bytes to be written beyond which notes are dropped */

struct stdio {
    struct mcp_sink sink; /* first: it is all that a sink of ours is */
    struct mcp_peer *peer;
    struct loop *loop;
    struct loop_watch in, out;
    size_t line_max;
    char *line;
    size_t length, capacity;
    bool skipping; /* the rest of a line that is too long */
    char *backlog;
    size_t backlog_begin, backlog_end, backlog_capacity;
    unsigned open_calls;
    bool ended, broken;
};

/* --- Writing ------------------------------------------------------------------------------ */

static bool is_writable(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) == 1 && (out.revents & (POLLOUT | POLLERR | POLLHUP));
}

static void write_some(struct stdio *io)
{
    while (!io->broken && io->backlog_begin < io->backlog_end && is_writable()) {
        size_t length = io->backlog_end - io->backlog_begin;
        ssize_t put = write(STDOUT_FILENO, io->backlog + io->backlog_begin,
                            length < PIPE_BUF ? length : PIPE_BUF);
        if (put >= 0)
            io->backlog_begin += (size_t)put;
        else if (errno == EAGAIN)
            break;
        else if (errno != EINTR)
            io->broken = true;
    }
    if (io->backlog_begin == io->backlog_end)
        io->backlog_begin = io->backlog_end = 0;
    if (io->out.added)
        loop_modify(io->loop, &io->out, io->backlog_end ? EPOLLOUT : 0);
}

static bool reserve(char **data, size_t *capacity, size_t needed)
{
    if (needed <= *capacity)
        return true;
    size_t bigger = *capacity ? *capacity * 2 : 4096;
    while (bigger < needed)
        bigger *= 2;
    char *moved = realloc(*data, bigger);
    if (!moved)
        return false;
    *data = moved;
    *capacity = bigger;
    return true;
}

static void stop_if_over(struct stdio *io)
{
    if (io->broken || (io->ended && io->open_calls == 0 && io->backlog_begin == io->backlog_end))
        loop_stop(io->loop);
}

static void on_writable(void *env, uint32_t events)
{
    struct stdio *io = env;
    if (events & (EPOLLERR | EPOLLHUP))
        io->broken = true;
    write_some(io);
    stop_if_over(io);
}

static void send_message(struct mcp_sink *sink, json_t *message, bool final)
{
    struct stdio *io = (struct stdio *)sink;
    bool drop = !final && io->backlog_end - io->backlog_begin > BACKLOG_MAX;
    char *text =
        message && !drop ? json_dumps(message, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    size_t length = text ? strlen(text) : 0;
    json_decref(message);
    if (io->backlog_begin > 0) {
        memmove(io->backlog, io->backlog + io->backlog_begin, io->backlog_end - io->backlog_begin);
        io->backlog_end -= io->backlog_begin;
        io->backlog_begin = 0;
    }
    if (text && reserve(&io->backlog, &io->backlog_capacity, io->backlog_end + length + 1)) {
        memcpy(io->backlog + io->backlog_end, text, length);
        io->backlog[io->backlog_end + length] = '\n';
        io->backlog_end += length + 1;
    } else if (text) {
        io->broken = true; /* a client that never gets an answer would wait for ever */
    }
    free(text);
    if (final && io->open_calls > 0)
        io->open_calls--;
    write_some(io);
    stop_if_over(io);
}

/* --- Reading ------------------------------------------------------------------------------ */

static void take_line(struct stdio *io, const char *line, size_t length)
{
    json_error_t error;
    bool none;
    if (length > 0 && line[length - 1] == '\r')
        length--;
    if (length == 0)
        return;
    io->open_calls++; /* until the final answer */
    json_t *message = json_loadb(line, length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!message) {
        send_message(&io->sink, mcp_parse_error("not JSON: one message a line is needed"), true);
        return;
    }
    mcp_receive(io->peer, message, &io->sink, &none);
    if (none)
        io->open_calls--;
    json_decref(message);
}

static void take_bytes(struct stdio *io, const char *data, size_t length)
{
    while (length > 0) {
        const char *newline = memchr(data, '\n', length);
        size_t part = newline ? (size_t)(newline - data) : length;
        if (!io->skipping && io->length + part > io->line_max) {
            io->open_calls++;
            send_message(&io->sink, mcp_parse_error("the message is longer than limits.request"),
                         true);
            io->skipping = true;
        }
        if (!io->skipping && reserve(&io->line, &io->capacity, io->length + part)) {
            memcpy(io->line + io->length, data, part);
            io->length += part;
        }
        if (newline) {
            if (!io->skipping)
                take_line(io, io->line, io->length);
            io->length = 0;
            io->skipping = false;
        }
        part += newline != NULL;
        data += part;
        length -= part;
    }
}

/* False at the end. */
static bool read_some(struct stdio *io)
{
    char buffer[65536];
    ssize_t got = read(STDIN_FILENO, buffer, sizeof buffer);
    if (got > 0)
        take_bytes(io, buffer, (size_t)got);
    if (got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN)))
        return true;
    if (io->length > 0 && !io->skipping) /* the last line has no newline */
        take_line(io, io->line, io->length);
    io->ended = true;
    loop_remove(io->loop, &io->in);
    stop_if_over(io);
    return false;
}

static void on_readable(void *env, uint32_t events)
{
    (void)events;
    read_some(env);
}

/* For what epoll does not take: files. */
static uint64_t read_file(void *env)
{
    struct stdio *io = env;
    if (io->in.added || io->ended)
        return UINT64_MAX;
    read_some(io);
    return 0;
}

bool stdio_serve(struct mcp *mcp, const struct server_config *config, struct loop *loop)
{
    struct stdio io = {.sink = {send_message}, .loop = loop, .line_max = config->request_bytes};
    io.in = (struct loop_watch){.fd = STDIN_FILENO, .ready = on_readable, .env = &io};
    io.out = (struct loop_watch){.fd = STDOUT_FILENO, .ready = on_writable, .env = &io};
    io.peer = mcp_peer_new(mcp);
    if (!io.peer) {
        message_error("out of memory");
        return false;
    }
    loop_add(loop, &io.out, 0); /* fails for files, which are always writable */
    loop_add(loop, &io.in, EPOLLIN);
    loop_add_tick(loop, read_file, &io);
    loop_run(loop);
    loop_remove(loop, &io.in);
    loop_remove(loop, &io.out);
    mcp_peer_free(io.peer);
    free(io.line);
    free(io.backlog);
    return true;
}
