/* event_loop_poll.c on libuv: one thread, 1,000 sandboxes (or as many as the argument says). The
 * queue's descriptor is a uv_poll_t among whatever else the loop serves; each call is a uv_timer_t
 * of 100 ms.
 *
 *     cc event_loop_uv.c $(pkg-config --cflags --libs eryx libuv) -o event_loop && ./event_loop
 */
#include <eryx.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { MAX_SANDBOXES = 1000, CALL_MS = 100 };

struct server {
    eryx_queue_t *queue;
    uv_loop_t *loop;
    uv_poll_t ready; /* its data points back to this */
    int count, ended, good;
    int waiting, most; /* calls; most: at the same time */
};

/* A call and the timer that stands for whatever it waits for. */
struct lookup {
    uv_timer_t timer;
    struct server *server;
    eryx_call_t *call;
};

static const char code[] = "reply = await host.lookup(key='answer')\n"
                           "assert reply == {'value': 42}, reply\n";

static void die(const eryx_error_t *error)
{
    fprintf(stderr, "%s\n", error->message);
    exit(1);
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_reply(uv_timer_t *timer)
{
    static const char reply[] = "{\"value\": 42}";
    struct lookup *lookup = timer->data;
    lookup->server->waiting--;
    eryx_call_complete(lookup->call, reply, strlen(reply), NULL);
    eryx_call_free(lookup->call);
    uv_close((uv_handle_t *)timer, on_timer_closed);
}

/* A program has called host.lookup. Here the reply would be asked for: from a database, over
 * the network, of another thread. */
static void on_lookup(void *env, eryx_call_t *call)
{
    struct server *server = env;
    struct lookup *lookup = malloc(sizeof *lookup);
    if (!lookup) {
        eryx_call_free(call); /* the program gets an exception */
        return;
    }
    lookup->call = call;
    lookup->server = server;
    if (++server->waiting > server->most)
        server->most = server->waiting;
    uv_timer_init(server->loop, &lookup->timer);
    lookup->timer.data = lookup;
    uv_update_time(server->loop); /* the loop's clock stands still while programs run */
    uv_timer_start(&lookup->timer, on_reply, CALL_MS, 0);
}

static eryx_sandbox_t *start(eryx_runtime_t *runtime, struct server *server)
{
    eryx_error_t error;
    eryx_callback_t callback;
    eryx_callback_init(&callback);
    callback.name = "host.lookup";
    callback.description = "Looks up a key.";
    callback.parameters_schema_json = "{\"type\": \"object\", \"required\": [\"key\"],"
                                      " \"properties\": {\"key\": {\"type\": \"string\"}}}";
    callback.on_call = on_lookup;
    callback.env = server;

    eryx_sandbox_t *sandbox;
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    options.callbacks = &callback;
    options.callback_count = 1;
    if (eryx_sandbox_new(runtime, &options, &sandbox, &error) != ERYX_OK)
        die(&error);

    eryx_execution_t *execution; /* comes back from the queue */
    eryx_execute_options_t execute_options;
    eryx_execute_options_init(&execute_options);
    execute_options.queue = server->queue;
    if (eryx_execution_start(sandbox, code, strlen(code), &execute_options, &execution, &error) !=
        ERYX_OK)
        die(&error);
    return sandbox;
}

static void on_ready(uv_poll_t *handle, int status, int events)
{
    (void)status, (void)events;
    struct server *server = handle->data;
    eryx_execution_t *execution;
    while ((execution = eryx_queue_next(server->queue)) != NULL) {
        if (eryx_execution_run(execution) != ERYX_EXECUTION_DONE)
            continue;
        eryx_outcome_t *outcome = eryx_execution_take_outcome(execution);
        if (eryx_outcome_kind(outcome) == ERYX_OUTCOME_OK)
            server->good++;
        else
            fprintf(stderr, "%s%s\n", eryx_outcome_traceback(outcome),
                    eryx_outcome_exception_message(outcome));
        eryx_outcome_free(outcome);
        eryx_execution_free(execution);
        server->ended++;
    }
    if (server->ended == server->count) /* nothing is left to do: uv_run returns */
        uv_close((uv_handle_t *)handle, NULL);
}

int main(int argc, char **argv)
{
    static struct server server;
    server.count = argc > 1 ? atoi(argv[1]) : MAX_SANDBOXES;
    if (server.count < 1 || server.count > MAX_SANDBOXES)
        return fprintf(stderr, "usage: event_loop [SANDBOXES], up to %d\n", MAX_SANDBOXES), 2;
    static eryx_sandbox_t *sandboxes[MAX_SANDBOXES];
    eryx_runtime_t *runtime;
    eryx_error_t error;
    if (eryx_runtime_open(NULL, NULL, &runtime, &error) != ERYX_OK ||
        eryx_queue_new(&server.queue, &error) != ERYX_OK)
        die(&error);
    server.loop = uv_default_loop();
    uv_poll_init(server.loop, &server.ready, eryx_queue_fd(server.queue));
    server.ready.data = &server;
    uv_poll_start(&server.ready, UV_READABLE, on_ready);

    for (int i = 0; i < server.count; i++)
        sandboxes[i] = start(runtime, &server);

    uint64_t begin = uv_hrtime();
    uv_run(server.loop, UV_RUN_DEFAULT);
    printf("%d of %d programs got their reply, %d waited at the same time\n", server.good,
           server.count, server.most);
    fprintf(stderr, "after %u ms\n", (unsigned)((uv_hrtime() - begin) / 1000000));

    for (int i = 0; i < server.count; i++)
        eryx_sandbox_free(sandboxes[i]);
    eryx_queue_free(server.queue);
    uv_loop_close(server.loop);
    eryx_runtime_free(runtime);
    return server.good == server.count ? 0 : 1;
}
