/* One thread, one poll loop, 1,000 sandboxes (or as many as the argument says): each program
 * awaits a call that takes 100 ms, and all of them wait at the same time.
 *
 *     cc event_loop_poll.c $(pkg-config --cflags --libs eryx) -o event_loop && ./event_loop
 */
#include <eryx.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_SANDBOXES = 1000, CALL_MS = 100 };

/* Calls in the order of their end: all take equally long, so the first made ends first. */
struct pending {
    eryx_call_t *calls[MAX_SANDBOXES];
    uint64_t due_ms[MAX_SANDBOXES];
    size_t first, count, most; /* most: at the same time */
};

static const char code[] = "reply = await host.lookup(key='answer')\n"
                           "assert reply == {'value': 42}, reply\n";

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void die(const eryx_error_t *error)
{
    fprintf(stderr, "%s\n", error->message);
    exit(1);
}

/* A program has called host.lookup. Here the reply would be asked for: from a database, over
 * the network, of another thread. */
static void on_lookup(void *env, eryx_call_t *call)
{
    struct pending *pending = env;
    pending->due_ms[pending->count] = now_ms() + CALL_MS;
    pending->calls[pending->count++] = call;
    if (pending->count - pending->first > pending->most)
        pending->most = pending->count - pending->first;
}

static void complete_due(struct pending *pending)
{
    static const char reply[] = "{\"value\": 42}";
    while (pending->first < pending->count && pending->due_ms[pending->first] <= now_ms()) {
        eryx_call_t *call = pending->calls[pending->first++];
        eryx_call_complete(call, reply, strlen(reply), NULL);
        eryx_call_free(call);
    }
}

static int next_timeout(const struct pending *pending)
{
    if (pending->first == pending->count)
        return -1;
    uint64_t now = now_ms(), due = pending->due_ms[pending->first];
    return due > now ? (int)(due - now) : 0;
}

static eryx_sandbox_t *start(eryx_runtime_t *runtime, eryx_queue_t *queue, struct pending *pending)
{
    eryx_error_t error;
    eryx_callback_t callback;
    eryx_callback_init(&callback);
    callback.name = "host.lookup";
    callback.description = "Looks up a key.";
    callback.parameters_schema_json = "{\"type\": \"object\", \"required\": [\"key\"],"
                                      " \"properties\": {\"key\": {\"type\": \"string\"}}}";
    callback.on_call = on_lookup;
    callback.env = pending;

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
    execute_options.queue = queue;
    if (eryx_execution_start(sandbox, code, strlen(code), &execute_options, &execution, &error) !=
        ERYX_OK)
        die(&error);
    return sandbox;
}

/* Runs what can go on; returns how many programs have ended, and counts the good ones. */
static int run_ready(eryx_queue_t *queue, int *good)
{
    int ended = 0;
    eryx_execution_t *execution;
    while ((execution = eryx_queue_next(queue)) != NULL) {
        if (eryx_execution_run(execution) != ERYX_EXECUTION_DONE)
            continue;
        eryx_outcome_t *outcome = eryx_execution_take_outcome(execution);
        if (eryx_outcome_kind(outcome) == ERYX_OUTCOME_OK)
            ++*good;
        else
            fprintf(stderr, "%s%s\n", eryx_outcome_traceback(outcome),
                    eryx_outcome_exception_message(outcome));
        eryx_outcome_free(outcome);
        eryx_execution_free(execution);
        ended++;
    }
    return ended;
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : MAX_SANDBOXES;
    if (count < 1 || count > MAX_SANDBOXES)
        return fprintf(stderr, "usage: event_loop [SANDBOXES], up to %d\n", MAX_SANDBOXES), 2;
    static struct pending pending;
    static eryx_sandbox_t *sandboxes[MAX_SANDBOXES];
    eryx_runtime_t *runtime;
    eryx_queue_t *queue;
    eryx_error_t error;
    if (eryx_runtime_open(NULL, NULL, &runtime, &error) != ERYX_OK ||
        eryx_queue_new(&queue, &error) != ERYX_OK)
        die(&error);

    for (int i = 0; i < count; i++)
        sandboxes[i] = start(runtime, queue, &pending);

    uint64_t begin = now_ms();
    int ended = 0, good = 0;
    while (ended < count) {
        struct pollfd ready = {.fd = eryx_queue_fd(queue), .events = POLLIN};
        poll(&ready, 1, next_timeout(&pending));
        complete_due(&pending);
        ended += run_ready(queue, &good);
    }
    printf("%d of %d programs got their reply, %zu waited at the same time\n", good, count,
           pending.most);
    fprintf(stderr, "after %u ms\n", (unsigned)(now_ms() - begin));

    for (int i = 0; i < count; i++)
        eryx_sandbox_free(sandboxes[i]);
    eryx_queue_free(queue);
    eryx_runtime_free(runtime);
    return good == count ? 0 : 1;
}
