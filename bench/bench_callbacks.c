/* What calls of the host cost: one after the other, many at once, many sandboxes that wait.
 *
 * The host is one thread: it drives the executions of a queue, and completes the calls of `wait`
 * when their time has come (a heap of timers; poll waits for the first of them and for the queue's
 * descriptor). `echo` is completed at once, with its argument. */
#include "measure.h"

#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WARM_UP = 5, REPETITIONS = 50, CALLS = 1000 };

struct timer {
    uint64_t due;
    eryx_call_t *call;
};

struct host {
    eryx_queue_t *queue;
    struct timer *timers; /* a heap: the first is due first */
    size_t count, capacity, most;
};

static void add_timer(struct host *host, struct timer timer)
{
    if (host->count == host->capacity) {
        host->capacity = host->capacity ? host->capacity * 2 : 256;
        struct timer *grown = realloc(host->timers, host->capacity * sizeof *grown);
        if (!grown)
            fail("out of memory");
        host->timers = grown;
    }
    size_t at = host->count++;
    for (; at > 0 && timer.due < host->timers[(at - 1) / 2].due; at = (at - 1) / 2)
        host->timers[at] = host->timers[(at - 1) / 2];
    host->timers[at] = timer;
    if (host->count > host->most)
        host->most = host->count;
}

static eryx_call_t *take_timer(struct host *host)
{
    eryx_call_t *call = host->timers[0].call;
    struct timer last = host->timers[--host->count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < host->count && host->timers[child + 1].due < host->timers[child].due)
            child++;
        if (child >= host->count || last.due <= host->timers[child].due)
            break;
        host->timers[at] = host->timers[child];
        at = child;
    }
    host->timers[at] = last;
    return call;
}

static void complete(eryx_call_t *call, const char *json, size_t length)
{
    eryx_error_t error;
    if (eryx_call_complete(call, json, length, &error) != ERYX_OK)
        fail("cannot complete a call of %s: %s", eryx_call_name(call), error.message);
    eryx_call_free(call);
}

/* The value in {"value": ...}. */
static const char *argument(const eryx_call_t *call, size_t *length)
{
    size_t all;
    const char *text = eryx_call_arguments(call, &all), *colon = strchr(text, ':');
    if (!colon || text[all - 1] != '}')
        fail("%s was called with %s", eryx_call_name(call), text);
    *length = (size_t)(text + all - 1 - (colon + 1));
    return colon + 1;
}

static void on_echo(void *env, eryx_call_t *call)
{
    (void)env;
    size_t length;
    const char *value = argument(call, &length);
    complete(call, value, length);
}

static void on_wait(void *env, eryx_call_t *call)
{
    size_t length;
    double milliseconds = strtod(argument(call, &length), NULL);
    add_timer(env, (struct timer){now_ns() + (uint64_t)(milliseconds * 1e6), call});
}

static void complete_due(struct host *host)
{
    while (host->count && host->timers[0].due <= now_ns())
        complete(take_timer(host), "null", 4);
}

static void wait_for_queue_or_timer(struct host *host)
{
    struct pollfd item = {.fd = eryx_queue_fd(host->queue), .events = POLLIN};
    struct timespec timeout = {0};
    if (host->count) {
        uint64_t now = now_ns(), due = host->timers[0].due;
        uint64_t left = due > now ? due - now : 0;
        timeout = (struct timespec){(time_t)(left / 1000000000u), (long)(left % 1000000000u)};
    }
    if (ppoll(&item, 1, host->count ? &timeout : NULL, NULL) < 0)
        fail("cannot poll the queue's descriptor");
}

/* Until as many executions have ended. */
static void drive(struct host *host, unsigned executions)
{
    for (;;) {
        eryx_execution_t *execution = eryx_queue_next(host->queue);
        if (!execution) {
            wait_for_queue_or_timer(host);
        } else if (eryx_execution_run(execution) == ERYX_EXECUTION_DONE) {
            end_execution(execution);
            if (--executions == 0)
                return;
        }
        complete_due(host);
    }
}

static struct host new_host(void)
{
    struct host host = {0};
    eryx_error_t error;
    if (eryx_queue_new(&host.queue, &error) != ERYX_OK)
        fail("cannot make a queue: %s", error.message);
    return host;
}

static void free_host(struct host *host)
{
    eryx_queue_free(host->queue);
    free(host->timers);
}

static eryx_sandbox_t *calling_sandbox(eryx_runtime_t *runtime, struct host *host)
{
    static const char *schema = "{\"type\": \"object\", \"required\": [\"value\"], "
                                "\"properties\": {\"value\": {\"type\": \"number\"}}}";
    eryx_callback_t callbacks[2];
    for (int i = 0; i < 2; i++) {
        eryx_callback_init(&callbacks[i]);
        callbacks[i].name = i ? "wait" : "echo";
        callbacks[i].description = i ? "null, after milliseconds" : "the value";
        callbacks[i].parameters_schema_json = schema;
        callbacks[i].on_call = i ? on_wait : on_echo;
        callbacks[i].env = host;
    }
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    options.callbacks = callbacks;
    options.callback_count = 2;
    return new_sandbox(runtime, &options);
}

/* Whole executions of the code, in units of so many nanoseconds. */
static void measure(eryx_runtime_t *runtime, const char *prepare, const char *code, double unit_ns,
                    const char *name)
{
    struct host host = new_host();
    struct samples samples = {0};
    eryx_sandbox_t *sandbox = calling_sandbox(runtime, &host);
    eryx_outcome_free(execute(sandbox, prepare, ERYX_OUTCOME_OK));
    for (int i = 0; i < WARM_UP + REPETITIONS; i++) {
        uint64_t begin = now_ns();
        start_execution(host.queue, sandbox, code);
        drive(&host, 1);
        if (i >= WARM_UP)
            samples_add(&samples, (double)(now_ns() - begin) / unit_ns);
    }
    samples_print(&samples, name);
    eryx_sandbox_free(sandbox);
    free_host(&host);
}

/* A runtime whose Python does not offer callbacks by name has nothing to measure. */
static bool offers_callbacks(eryx_runtime_t *runtime)
{
    struct host host = {0};
    static const char code[] = "echo, wait";
    eryx_sandbox_t *sandbox = calling_sandbox(runtime, &host);
    eryx_outcome_t *outcome;
    eryx_error_t error;
    if (eryx_sandbox_execute(sandbox, code, sizeof code - 1, NULL, &outcome, &error) != ERYX_OK)
        fail("cannot execute '%s': %s", code, error.message);
    bool offered = strcmp(eryx_outcome_exception_type(outcome), "NameError") != 0;
    eryx_outcome_free(outcome);
    eryx_sandbox_free(sandbox);
    return offered;
}

static void measure_calls(eryx_runtime_t *runtime)
{
    measure(runtime,
            "async def one_by_one():\n"
            "    for i in range(1000):\n"
            "        if await echo(i) != i:\n"
            "            raise ValueError(i)\n",
            "await one_by_one()", 1e3 * CALLS, "callback_us");
    measure(runtime,
            "import asyncio\n"
            "async def at_once():\n"
            "    values = await asyncio.gather(*[echo(i) for i in range(1000)])\n"
            "    if values != list(range(1000)):\n"
            "        raise ValueError(values)\n",
            "await at_once()", 1e3 * CALLS, "callback_gather_us");
    measure(runtime, "import asyncio",
            "if len(await asyncio.gather(*[wait(10) for _ in range(100)])) != 100:\n"
            "    raise ValueError\n",
            1e6, "overlap_ms");
}

void bench_callbacks(void)
{
    eryx_runtime_t *runtime = open_runtime();
    json_open(NULL);
    if (offers_callbacks(runtime))
        measure_calls(runtime);
    json_close();
    eryx_runtime_free(runtime);
}

void bench_waiting(unsigned count, enum waiting kind)
{
    eryx_runtime_t *runtime = kind == WAITING_COLD ? open_runtime() : open_warm_runtime(count);
    struct host host = new_host();
    eryx_sandbox_t **sandboxes = calloc(count, sizeof(eryx_sandbox_t *));
    if (!sandboxes)
        fail("out of memory");
    json_open(NULL);
    uint64_t begin = now_ns();
    for (unsigned i = 0; i < count; i++)
        sandboxes[i] = calling_sandbox(runtime, &host);
    json_number("create_ms", (double)(now_ns() - begin) / 1e6);
    for (int again = 0; again < 2; again++) {
        begin = now_ns();
        host.most = 0;
        for (unsigned i = 0; i < count; i++) {
            char code[64];
            snprintf(code, sizeof code, "await wait(100) #%u", kind == WAITING_NEW ? i : 0);
            start_execution(host.queue, sandboxes[i], code);
        }
        drive(&host, count);
        json_number(again ? "again_ms" : "first_ms", (double)(now_ns() - begin) / 1e6);
        json_number(again ? "again_waiting_at_once" : "first_waiting_at_once", (double)host.most);
    }
    struct usage usage = measure_usage();
    json_number("rss_mib", usage.rss / 1024);
    json_number("pss_mib", usage.pss / 1024);
    json_close();
    for (unsigned i = 0; i < count; i++)
        eryx_sandbox_free(sandboxes[i]);
    free(sandboxes);
    free_host(&host);
    eryx_runtime_free(runtime);
}
