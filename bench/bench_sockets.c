/* Many sandboxes that each wait for one connection, driven by one thread.
 *
 * The peer is a process of its own, so that the memory measured is the sandboxes': it accepts as many
 * connections, says so through a pipe when each has sent its byte (then all of them wait),
 * and answers all when it is told to. */
#include "measure.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct peer {
    pid_t process;
    int pipe; /* one byte from the peer: all wait; one to it: answer */
    uint16_t port;
};

static void serve(int listener, int pipe, unsigned count)
{
    int *connections = calloc(count, sizeof *connections);
    char byte = 'a';
    for (unsigned i = 0; connections && i < count; i++)
        if ((connections[i] = accept(listener, NULL, NULL)) < 0)
            _exit(1);
    for (unsigned i = 0; connections && i < count; i++)
        if (read(connections[i], &byte, 1) != 1)
            _exit(1);
    if (!connections || write(pipe, &byte, 1) != 1 || read(pipe, &byte, 1) != 1)
        _exit(1);
    for (unsigned i = 0; i < count; i++)
        if (write(connections[i], &byte, 1) != 1)
            _exit(1);
    while (read(pipe, &byte, 1) > 0) /* until the parent is done */
        ;
    _exit(0);
}

static struct peer start_peer(unsigned count)
{
    struct peer peer;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int pair[2], listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) != 0 ||
        listen(listener, (int)count) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        fail("cannot listen on 127.0.0.1");
    peer.process = fork();
    if (peer.process < 0)
        fail("cannot start the peer");
    if (peer.process == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(pair[0]);
        serve(listener, pair[1], count);
    }
    close(listener);
    close(pair[1]);
    peer.pipe = pair[0];
    peer.port = ntohs(address.sin_port);
    return peer;
}

static void end_peer(struct peer *peer)
{
    int status;
    close(peer->pipe);
    if (waitpid(peer->process, &status, 0) != peer->process || status != 0)
        fail("the peer failed");
}

/* Runs what can go on until as many executions ended, or the peer has written. */
static void drive(eryx_queue_t *queue, unsigned executions, int pipe)
{
    while (executions > 0) {
        struct pollfd items[2] = {{.fd = eryx_queue_fd(queue), .events = POLLIN},
                                  {.fd = pipe, .events = POLLIN}};
        eryx_execution_t *execution = eryx_queue_next(queue);
        if (execution) {
            if (eryx_execution_run(execution) == ERYX_EXECUTION_DONE) {
                end_execution(execution);
                executions--;
            }
            continue;
        }
        if (poll(items, 2, -1) < 0)
            fail("cannot poll");
        if (items[1].revents)
            return;
    }
}

static double ms_since(uint64_t start_ns)
{
    return (double)(now_ns() - start_ns) / 1e6;
}

static void measure(eryx_runtime_t *runtime, struct peer *peer, eryx_sandbox_t **sandboxes,
                    unsigned count)
{
    char code[512], rule[32], byte;
    snprintf(rule, sizeof rule, "127.0.0.1:%u", peer->port);
    snprintf(code, sizeof code,
             "import asyncio\n"
             "reader, writer = await asyncio.open_connection('127.0.0.1', %u)\n"
             "writer.write(b'q')\n"
             "if await reader.read(1) != b'q':\n"
             "    raise ValueError\n",
             peer->port);
    const char *rules[] = {rule};
    eryx_net_options_t net;
    eryx_sandbox_options_t options;
    eryx_queue_t *queue;
    eryx_error_t error;
    eryx_net_options_init(&net);
    net.allow = rules;
    net.allow_count = 1;
    eryx_sandbox_options_init(&options);
    options.net = &net;
    if (eryx_queue_new(&queue, &error) != ERYX_OK)
        fail("cannot make a queue: %s", error.message);
    double before = measure_usage().rss;
    uint64_t begin = now_ns();
    for (unsigned i = 0; i < count; i++)
        sandboxes[i] = new_sandbox(runtime, &options);
    double create = ms_since(begin);
    begin = now_ns();
    for (unsigned i = 0; i < count; i++)
        start_execution(queue, sandboxes[i], code);
    drive(queue, count, peer->pipe);
    double connect = ms_since(begin);
    if (read(peer->pipe, &byte, 1) != 1)
        fail("the peer is gone");
    double rss = measure_usage().rss;
    begin = now_ns();
    if (write(peer->pipe, &byte, 1) != 1)
        fail("the peer is gone");
    drive(queue, count, -1);
    double answer = ms_since(begin);
    json_number("total_ms", create + connect + answer);
    json_number("create_ms", create);
    json_number("connect_ms", connect);
    json_number("answer_ms", answer);
    json_number("rss_mib", rss / 1024);
    json_number("rss_kib_each", (rss - before) / count);
    eryx_queue_free(queue);
}

void bench_sockets(unsigned count)
{
    struct peer peer = start_peer(count);
    eryx_runtime_t *runtime = open_warm_runtime(count);
    eryx_sandbox_t **sandboxes = calloc(count, sizeof(eryx_sandbox_t *));
    if (!sandboxes)
        fail("out of memory");
    json_open(NULL);
    measure(runtime, &peer, sandboxes, count);
    json_close();
    for (unsigned i = 0; i < count; i++)
        eryx_sandbox_free(sandboxes[i]);
    free(sandboxes);
    eryx_runtime_free(runtime);
    end_peer(&peer);
}
