/* Sockets of sessions that are undone, copied, written down, cleared or freed: connections belong to the
 * state of the sandbox that made them. In any other state their sockets answer "connection reset",
 * and new ones can be made; the host's descriptors are closed. With the real runtime. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "echo_peer.h"
#include "python_runtime.h"
#include "signals.h"

static uint16_t port;
static unsigned before; /* descriptors, when there was no sandbox */

/* Of the network and of a held call; its memory must not move. */
static struct {
    eryx_net_options_t net;
    eryx_callback_t callback;
    eryx_sandbox_options_t options;
} with;

static const eryx_sandbox_options_t *options(void) {
    static const char *const rules[] = {"127.0.0.1", "listen:127.0.0.1", "udp:127.0.0.1"};
    eryx_net_options_init(&with.net);
    eryx_callback_init(&with.callback);
    eryx_sandbox_options_init(&with.options);
    with.net.allow = rules;
    with.net.allow_count = 3;
    with.callback.name = "hold";
    with.callback.on_call = on_hold;
    with.options.net = &with.net;
    with.options.callbacks = &with.callback;
    with.options.callback_count = 1;
    return &with.options;
}

/* A sandbox whose session has `c`, a connection that works, and what the tests use. */
static eryx_sandbox_t *connected_within(uint64_t wall_time) {
    char code[1024];
    eryx_sandbox_t *sandbox;
    eryx_error_t error = {0, ""};
    signals_restore();
    atomic_store(&held_count, 0);
    options();
    if (wall_time > 0)
        with.options.limits.wall_time_ns = wall_time;
    if (eryx_sandbox_new(runtime, &with.options, &sandbox, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    snprintf(code, sizeof code,
             "import asyncio, errno, os, socket\n"
             "def new(): return socket.create_connection(('127.0.0.1', %u))\n"
             "def echo(c, text=b'hello'):\n"
             "    try:\n"
             "        c.sendall(text)\n"
             "        return c.recv(100).decode()\n"
             "    except OSError as error:\n"
             "        return errno.errorcode[error.errno]\n"
             "c = new()\n"
             "print(echo(c))",
             port);
    prints(sandbox, code, "hello\n");
    echo_wait_open(1);
    return sandbox;
}

static eryx_sandbox_t *connected(void) {
    return connected_within(0);
}

static void free_and_count(eryx_sandbox_t *sandbox) {
    eryx_sandbox_free(sandbox);
    echo_wait_open(0);
    assert_int_equal(descriptors_open(), before);
}

static void test_rollback(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = connected();
    for (int i = 0; i < 3; i++) {
        eryx_outcome_t *outcome =
            execute(sandbox, "d = new(); print(echo(d))\n"
                             "s = socket.create_server(('127.0.0.1', 0))\n"
                             "u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                             "u.sendto(b'', ('127.0.0.1', 9)); os.abort()");
        assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_TRAP);
        assert_false(eryx_outcome_session_lost(outcome));
        eryx_outcome_free(outcome);
        echo_wait_open(0); /* those of the execution, and that of the session before it */
        prints(sandbox, "print(echo(c), 'd' in globals()); c.close(); c = new(); print(echo(c))",
               "ECONNRESET False\nhello\n");
        echo_wait_open(1);
    }
    free_and_count(sandbox);
}

/* Stopped while it waits, by a limit: blocking, and in the event loop. */
static void test_limits_while_waiting(void **state) {
    (void)state;
    static const char *const waits[] = {
        "c.recv(1)",
        "await asyncio.get_running_loop().sock_recv(c, 1)",
        "import select; select.select([c], [], [])",
    };
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        eryx_sandbox_t *sandbox = connected_within(second / 2);
        if (i == 1)
            prints(sandbox, "c.setblocking(False)", "");
        eryx_outcome_t *outcome = execute(sandbox, waits[i]);
        assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_LIMIT);
        eryx_outcome_free(outcome);
        prints(sandbox, "print(echo(c), echo(new()))", "ECONNRESET hello\n");
        free_and_count(sandbox);
    }
}

static void test_fork_at_rest(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = connected(), *copies[3];
    eryx_error_t error = {0, ""};
    if (eryx_sandbox_fork(sandbox, NULL, 3, copies, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    for (int i = 0; i < 3; i++)
        prints(copies[i], "print(echo(c)); c.close(); c = new(); print(echo(c))",
               "ECONNRESET\nhello\n");
    echo_wait_open(4);
    prints(sandbox, "print(echo(c))", "hello\n"); /* the parent's is its own */
    for (int i = 0; i < 3; i++)
        eryx_sandbox_free(copies[i]);
    echo_wait_open(1);
    prints(sandbox, "print(echo(c))", "hello\n");
    free_and_count(sandbox);
}

/* Waits for a call and for a connection at once. */
static const char waiting_code[] = "loop = asyncio.get_running_loop()\n"
                                   "c.setblocking(False)\n"
                                   "async def receive():\n"
                                   "    try:\n"
                                   "        return await loop.sock_recv(c, 100)\n"
                                   "    except OSError as error:\n"
                                   "        return errno.errorcode[error.errno]\n"
                                   "task = asyncio.create_task(receive())\n"
                                   "print(await hold())\n"
                                   "try: c.send(b'sent')\n"
                                   "except OSError as error: print(errno.errorcode[error.errno])\n"
                                   "print(await task)\n";

static void finish(eryx_sandbox_t *sandbox, eryx_execution_t *execution, unsigned call,
                   const char *output) {
    finish_held(execution, call, "1", output);
    prints(sandbox, "c.close(); print(echo(new()))", "hello\n");
}

static void test_fork_while_waiting(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = connected(), *copies[2];
    eryx_error_t error = {0, ""};
    eryx_execution_t *execution = start_waiting(sandbox, waiting_code);
    assert_int_equal(atomic_load(&held_count), 1);
    if (eryx_sandbox_fork(sandbox, NULL, 2, copies, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    for (unsigned i = 0; i < 2; i++) {
        eryx_execution_t *copy = eryx_sandbox_execution(copies[i]);
        assert_non_null(copy);
        while (eryx_execution_run(copy) != ERYX_EXECUTION_WAITING)
            ;
        assert_int_equal(atomic_load(&held_count), 2 + i); /* the call was made again */
        finish(copies[i], copy, 1 + i, "1\nECONNRESET\nECONNRESET\n");
        eryx_sandbox_free(copies[i]);
    }
    finish(sandbox, execution, 0, "1\nb'sent'\n");
    free_and_count(sandbox);
}

static void test_resume(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = connected(), *copy;
    eryx_error_t error = {0, ""};
    void *data[2];
    size_t length[2];
    if (eryx_sandbox_checkpoint(sandbox, NULL, &data[0], &length[0], &error) != ERYX_OK)
        fail_msg("%s", error.message);
    eryx_execution_t *execution = start_waiting(sandbox, waiting_code);
    if (eryx_sandbox_checkpoint(sandbox, NULL, &data[1], &length[1], &error) != ERYX_OK)
        fail_msg("%s", error.message);
    finish(sandbox, execution, 0, "1\nb'sent'\n");
    for (int i = 0; i < 2; i++) {
        eryx_checkpoint_part_t part = {data[i], length[i]};
        atomic_store(&held_count, 0);
        if (eryx_sandbox_resume(runtime, &part, 1, options(), &copy, &error) != ERYX_OK)
            fail_msg("%s", error.message);
        execution = eryx_sandbox_execution(copy);
        assert_int_equal(execution != NULL, i);
        if (!execution) {
            prints(copy, "print(echo(c), echo(new()))", "ECONNRESET hello\n");
        } else {
            while (eryx_execution_run(execution) != ERYX_EXECUTION_WAITING)
                ;
            finish(copy, execution, 0, "1\nECONNRESET\nECONNRESET\n");
        }
        eryx_sandbox_free(copy);
        eryx_bytes_free(data[i]);
    }
    free_and_count(sandbox);
}

/* Freed with connections, a listener, a UDP socket and something that waits; used again by the pool. */
static void test_recycled(void **state) {
    (void)state;
    for (int i = 0; i < 5; i++) {
        eryx_sandbox_t *sandbox = connected();
        prints(sandbox,
               "d = [new() for _ in range(5)]; s = socket.create_server(('127.0.0.1', 0))\n"
               "u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
               "u.bind(('127.0.0.1', 0)); d[0].setblocking(False)\n"
               "try: d[0].send(bytes(10_000_000))\n"
               "except BlockingIOError: pass",
               "");
        echo_wait_open(6);
        eryx_execution_t *execution = start_waiting(sandbox, waiting_code);
        eryx_execution_free(execution);
        free_held();
        free_and_count(sandbox);
    }
}

static void test_cleared(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = connected();
    eryx_error_t error = {0, ""};
    prints(sandbox, "os.kept = c", "");
    assert_int_equal(eryx_sandbox_clear(sandbox, &error), ERYX_OK);
    echo_wait_open(0);
    prints(sandbox,
           "import os, socket; print('c' in globals(), os.kept.fileno() >= 0)\n"
           "try: os.kept.send(b'x')\n"
           "except ConnectionResetError: print('reset')",
           "False True\nreset\n");
    free_and_count(sandbox);
}

static int start(void **state) {
    port = echo_start();
    if (open_runtime(state) != 0)
        return -1;
    /* What the runtime opens when it is first needed: the threads of the network. */
    eryx_sandbox_t *sandbox = connected();
    eryx_sandbox_free(sandbox);
    echo_wait_open(0);
    before = descriptors_open();
    return 0;
}

static int stop(void **state) {
    close_runtime(state);
    echo_stop();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rollback),     cmocka_unit_test(test_limits_while_waiting),
        cmocka_unit_test(test_fork_at_rest), cmocka_unit_test(test_fork_while_waiting),
        cmocka_unit_test(test_resume),       cmocka_unit_test(test_recycled),
        cmocka_unit_test(test_cleared),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
