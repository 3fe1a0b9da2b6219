/* The functions of the host that the library calls. They run on its stacks: short, and no Python.
 */
#include "box.h"

#include "driver.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

box_t *box_new(size_t callback_count)
{
    box_t *box = calloc(1, sizeof *box);
    if (!box)
        return NULL;
    box->callbacks = calloc(callback_count + 1, sizeof *box->callbacks);
    if (!box->callbacks || !inbox_init(&box->own, false)) {
        free(box->callbacks);
        free(box);
        return NULL;
    }
    atomic_init(&box->references, 1);
    box->inbox = &box->own;
    pthread_mutex_init(&box->lock, NULL);
    pthread_cond_init(&box->answered, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&box->settled, &attributes);
    pthread_condattr_destroy(&attributes);
    return box;
}

void box_retain(box_t *box)
{
    atomic_fetch_add(&box->references, 1);
}

void box_release(box_t *box)
{
    if (atomic_fetch_sub(&box->references, 1) != 1)
        return;
    eryx_sandbox_free(box->sandbox);
    inbox_destroy(&box->own);
    pthread_cond_destroy(&box->answered);
    pthread_cond_destroy(&box->settled);
    pthread_mutex_destroy(&box->lock);
    free(box->done);
    free(box->callbacks);
    free(box->input);
    free(box);
}

/* --- Calls -------------------------------------------------------------------------------- */

static void on_call(void *env, eryx_call_t *call)
{
    box_callback_t *callback = env;
    event_t *event = event_new(callback->box, EVENT_CALL, callback->number, 0);
    if (!event) {
        eryx_call_fail(call, "the host is out of memory", NULL);
        eryx_call_free(call);
        return;
    }
    event->call = call;
    inbox_post(callback->box->inbox, event);
}

/* Without memory the host goes on with a call that is in vain. */
static void on_cancel(void *env, eryx_call_t *call)
{
    box_callback_t *callback = env;
    event_t *event = event_new(callback->box, EVENT_CANCEL, callback->number, 0);
    if (!event)
        return;
    event->call = call;
    inbox_post(callback->box->inbox, event);
}

void box_fill_callback(box_t *box, uint32_t number, eryx_callback_t *callback)
{
    box->callbacks[number] = (box_callback_t){box, number};
    callback->on_call = on_call;
    callback->on_cancel = on_cancel;
    callback->env = &box->callbacks[number];
}

/* --- Streams ------------------------------------------------------------------------------ */

/* Waits for room without holding up other programs. */
static void post_data(box_t *box, event_t *event)
{
    inbox_post(box->inbox, event);
    if (!inbox_full(box->inbox))
        return;
    driver_block(box->driver, true);
    inbox_wait_room(box->inbox);
    driver_block(box->driver, false);
}

static void on_output(void *env, eryx_stream_t stream, const char *data, size_t length)
{
    event_t *event = event_new(env, EVENT_OUTPUT, stream, length);
    if (!event)
        return;
    memcpy(event->data, data, length);
    post_data(env, event);
}

static void on_trace(void *env, uint32_t lineno, const char *event_json, size_t event_length,
                     const char *context_json, size_t context_length)
{
    event_t *event = event_new(env, EVENT_TRACE, lineno, event_length + context_length);
    if (!event)
        return;
    event->split = event_length;
    memcpy(event->data, event_json, event_length);
    memcpy(event->data + event_length, context_json, context_length);
    post_data(env, event);
}

/* Asks for more, and waits for the answer; false if none will come. Locked. */
static bool ask(box_t *box, size_t capacity)
{
    uint32_t wanted = capacity < UINT32_MAX ? (uint32_t)capacity : UINT32_MAX;
    event_t *event = box->input_closed ? NULL : event_new(box, EVENT_INPUT, wanted, 0);
    if (!event)
        return false;
    box->input_waits = true;
    inbox_post(box->inbox, event);
    driver_block(box->driver, true);
    while (box->input_waits && !box->input_closed)
        pthread_cond_wait(&box->answered, &box->lock);
    driver_block(box->driver, false);
    bool answered = !box->input_waits;
    box->input_waits = false;
    return answered;
}

static ptrdiff_t on_input(void *env, char *buffer, size_t capacity)
{
    box_t *box = env;
    pthread_mutex_lock(&box->lock);
    if (box->input_kind == INPUT_ASKED && box->input_at == box->input_length &&
        !ask(box, capacity)) {
        pthread_mutex_unlock(&box->lock);
        return -1;
    }
    size_t count = box->input_length - box->input_at;
    if (count > capacity)
        count = capacity;
    if (count > 0)
        memcpy(buffer, box->input + box->input_at, count);
    box->input_at += count;
    pthread_mutex_unlock(&box->lock);
    return (ptrdiff_t)count;
}

bool box_answer(box_t *box, const char *data, size_t length)
{
    char *copy = malloc(length + 1);
    if (!copy)
        return false;
    memcpy(copy, data, length);
    pthread_mutex_lock(&box->lock);
    free(box->input);
    box->input = copy;
    box->input_length = length;
    box->input_at = 0;
    box->input_waits = false;
    pthread_cond_broadcast(&box->answered);
    pthread_mutex_unlock(&box->lock);
    return true;
}

void box_close_input(box_t *box, bool closed)
{
    pthread_mutex_lock(&box->lock);
    box->input_closed = closed;
    pthread_cond_broadcast(&box->answered);
    pthread_mutex_unlock(&box->lock);
}

static void on_net(void *env, const eryx_net_event_t *told)
{
    const char *texts[] = {told->name, told->address, told->reason};
    net_record_t record = {told->allowed, told->socket, told->bytes_in, told->bytes_out};
    size_t length = sizeof record;
    for (int i = 0; i < 3; i++)
        length += strlen(texts[i]) + 1;
    event_t *event = event_new(env, EVENT_NET, told->kind, length);
    if (!event)
        return;
    memcpy(event->data, &record, sizeof record);
    char *at = event->data + sizeof record;
    for (int i = 0; i < 3; i++)
        at = stpcpy(at, texts[i]) + 1;
    post_data(env, event);
}

void box_fill_net(box_t *box, eryx_net_options_t *options)
{
    options->on_event = on_net;
    options->env = box;
}

static void on_sample(void *env, const eryx_sample_t *sample)
{
    sample_record_t record = {sample->cut, sample->time_ns, sample->cpu_ns};
    size_t length = sizeof record;
    for (size_t i = 0; i < sample->count; i++)
        length += sizeof(frame_record_t) + strlen(sample->frames[i].function) + 1 +
                  strlen(sample->frames[i].file) + 1;
    event_t *event = event_new(env, EVENT_SAMPLE, (uint32_t)sample->count, length);
    if (!event)
        return;
    memcpy(event->data, &record, sizeof record);
    char *at = event->data + sizeof record;
    for (size_t i = 0; i < sample->count; i++) {
        const eryx_frame_t *frame = &sample->frames[i];
        frame_record_t lines = {frame->line, frame->first_line};
        memcpy(at, &lines, sizeof lines);
        at = stpcpy(at + sizeof lines, frame->function) + 1;
        at = stpcpy(at, frame->file) + 1;
    }
    post_data(env, event);
}

void box_fill_options(box_t *box, eryx_sandbox_options_t *options, bool output, bool trace,
                      bool sample)
{
    options->env = box;
    options->on_output = output ? on_output : NULL;
    options->on_trace = trace ? on_trace : NULL;
    options->on_sample = sample ? on_sample : NULL;
    options->on_input = box->input_kind != INPUT_NONE ? on_input : NULL;
}

void box_count_running(box_t *box, int difference)
{
    box->running += (unsigned)difference;
    if (box->running == 0)
        pthread_cond_broadcast(&box->settled);
}

bool box_wait_settled(box_t *box, uint64_t timeout_ns)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t ns = (uint64_t)until.tv_nsec + timeout_ns;
    until.tv_sec += (time_t)(ns / 1000000000u);
    until.tv_nsec = (long)(ns % 1000000000u);
    int status = 0;
    while (box->running > 0 && status == 0)
        status = pthread_cond_timedwait(&box->settled, &box->lock, &until);
    return box->running == 0;
}

void box_cancel(box_t *box, bool now)
{
    pthread_mutex_lock(&box->lock);
    if (box->execution && box->running > 0 && !now)
        box->cancel_later = true;
    else if (box->execution)
        eryx_execution_cancel(box->execution);
    pthread_mutex_unlock(&box->lock);
}
