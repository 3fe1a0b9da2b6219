/* Controls and the thread that watches their deadlines. */
#define _GNU_SOURCE
#include "sandbox/watchdog.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

static bool cond_init(pthread_cond_t *cond) {
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0)
        return false;
    bool ok = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
              pthread_cond_init(cond, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return ok;
}

static void cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t time) {
    if (time == CLOCK_NEVER) {
        pthread_cond_wait(cond, lock);
        return;
    }
    struct timespec until = clock_timespec(time);
    pthread_cond_timedwait(cond, lock, &until);
}

/* --- CPU time ----------------------------------------------------------------------------- */

/* The watchdog looks again after this at the earliest, and an execution may exceed its limit by
 * as much. */
#define CPU_STEP_NS UINT64_C(200000)

/* The calling thread begins to run the guest. */
static void meter_start(cpu_meter_t *meter) {
    if (!meter->on)
        return;
    pthread_getcpuclockid(pthread_self(), &meter->clock);
    meter->start = clock_read(meter->clock);
}

/* While the guest runs; its thread cannot end before it pauses. */
static uint64_t meter_read(const cpu_meter_t *meter) {
    if (!meter->on)
        return 0;
    uint64_t now = clock_read(meter->clock);
    return meter->used + (now > meter->start ? now - meter->start : 0);
}

static void meter_stop(cpu_meter_t *meter) {
    meter->used = meter_read(meter);
}

/* --- Controls ----------------------------------------------------------------------------- */

static control_t *control_new(watchdog_t *watchdog) {
    control_t *control = calloc(1, sizeof *control);
    if (!control)
        return NULL;
    control->watchdog = watchdog;
    control->deadline = control->placed = CLOCK_NEVER;
    if (pthread_mutex_init(&control->lock, NULL) == 0) {
        if (cond_init(&control->wake))
            return control;
        pthread_mutex_destroy(&control->lock);
    }
    free(control);
    return NULL;
}

static void control_free(control_t *control) {
    pthread_cond_destroy(&control->wake);
    pthread_mutex_destroy(&control->lock);
    free(control);
}

control_t *control_acquire(watchdog_t *watchdog) {
    pthread_mutex_lock(&watchdog->lock);
    control_t *control = watchdog->idle;
    if (control)
        watchdog->idle = control->next;
    pthread_mutex_unlock(&watchdog->lock);
    return control ? control : control_new(watchdog);
}

void control_release(watchdog_t *watchdog, control_t *control) {
    pthread_mutex_lock(&watchdog->lock);
    control->next = watchdog->idle;
    watchdog->idle = control;
    pthread_mutex_unlock(&watchdog->lock);
}

static void note_ready(control_t *control) {
    uint64_t now = clock_monotonic();
    if (now < control->ready_at)
        control->ready_at = now;
}

static void wake_locked(control_t *control) {
    if (!control->running)
        note_ready(control);
    control->woken = true;
    pthread_cond_broadcast(&control->wake);
    if (control->item)
        queue_notify(control->item);
}

static void stop_locked(control_t *control, stop_reason_t reason) {
    if (!control->slot || control->stop != STOP_NONE)
        return;
    control->stop = reason;
    slot_poll_arm(control->slot);
    wake_locked(control);
}

void control_stop(control_t *control, stop_reason_t reason) {
    pthread_mutex_lock(&control->lock);
    stop_locked(control, reason);
    pthread_mutex_unlock(&control->lock);
}

stop_reason_t control_stopping(control_t *control) {
    pthread_mutex_lock(&control->lock);
    stop_reason_t reason = control->stop;
    pthread_mutex_unlock(&control->lock);
    return reason;
}

void control_pause(control_t *control, uint64_t until) {
    pthread_mutex_lock(&control->lock);
    meter_stop(&control->cpu);
    control->running = false;
    control->ready_at = until;
    if (until == 0 || control->woken)
        control->ready_at = clock_monotonic();
    pthread_mutex_unlock(&control->lock);
}

/* While the guest is paused its wall time stands still as soon as it could go on. */
static bool wall_time_ends(const control_t *control) {
    return control->running || control->deadline <= control->ready_at;
}

/* The earliest time at which a limit could be exceeded, or a sample is due. */
static uint64_t next_look(const control_t *control, uint64_t now) {
    if (!control->running)
        return wall_time_ends(control) ? control->deadline : CLOCK_NEVER;
    uint64_t look = control->deadline;
    if (control->sampler.interval > 0 && control->sampler.next < look)
        look = control->sampler.next;
    if (control->cpu.limit == CLOCK_NEVER)
        return look;
    uint64_t used = meter_read(&control->cpu), limit = control->cpu.limit;
    uint64_t left = used < limit ? limit - used : 0;
    uint64_t cpu_look = clock_add(now, left > CPU_STEP_NS ? left : CPU_STEP_NS);
    return cpu_look < look ? cpu_look : look;
}

static bool place_control(watchdog_t *watchdog, control_t *control, uint64_t time);

bool control_resume(control_t *control) {
    pthread_mutex_lock(&control->lock);
    bool cancelled = control->cancelled;
    uint64_t now = clock_monotonic();
    if (control->ready_at < now) {
        control->started += now - control->ready_at;
        control->deadline = clock_add(control->deadline, now - control->ready_at);
    }
    control->ready_at = CLOCK_NEVER;
    control->cancelled = control->woken = false;
    control->running = true;
    meter_start(&control->cpu);
    uint64_t look = next_look(control, now);
    bool watched = control->placed <= look;
    pthread_mutex_unlock(&control->lock);
    if (!watched) /* cannot fail: until its end an execution with limits has a place */
        place_control(control->watchdog, control, look);
    return cancelled;
}

void control_watch(control_t *control, queue_item_t *item) {
    pthread_mutex_lock(&control->lock);
    control->item = item;
    pthread_mutex_unlock(&control->lock);
}

void control_wake(control_t *control) {
    pthread_mutex_lock(&control->lock);
    if (control->slot)
        wake_locked(control);
    pthread_mutex_unlock(&control->lock);
}

void control_cancel(control_t *control) {
    pthread_mutex_lock(&control->lock);
    if (control->slot && control->running) {
        stop_locked(control, STOP_INTERRUPT);
    } else if (control->slot) {
        control->cancelled = true;
        wake_locked(control);
    }
    pthread_mutex_unlock(&control->lock);
}

bool control_woken(control_t *control) {
    pthread_mutex_lock(&control->lock);
    bool woken = control->woken;
    pthread_mutex_unlock(&control->lock);
    return woken;
}

bool control_wait(control_t *control, uint64_t until) {
    pthread_mutex_lock(&control->lock);
    while (!control->woken && (until == CLOCK_NEVER || clock_monotonic() < until))
        cond_wait_until(&control->wake, &control->lock, until);
    bool woken = control->woken;
    pthread_mutex_unlock(&control->lock);
    return woken;
}

/* --- The thread --------------------------------------------------------------------------- */

static void stop_if_over(control_t *control, uint64_t now) {
    if (control->deadline <= now && wall_time_ends(control))
        stop_locked(control, STOP_WALL_TIME);
    else if (control->running && meter_read(&control->cpu) >= control->cpu.limit)
        stop_locked(control, STOP_CPU_TIME);
}

static void ask_for_sample(control_t *control, uint64_t now) {
    sampler_t *sampler = &control->sampler;
    if (sampler->interval == 0 || !control->running || sampler->next > now)
        return;
    sampler->next = clock_add(now, sampler->interval);
    sampler->asked = true;
    __atomic_store_n(sampler->wanted, 1, __ATOMIC_RELEASE);
    __atomic_fetch_or(sampler->word, sampler->bit, __ATOMIC_RELEASE);
}

/* The first place in the heap has come: its control is stopped, or moved to where it is to be
 * looked at again, or leaves the heap. */
static void handle_first(watchdog_t *watchdog, uint64_t now) {
    heap_item_t *place = heap_first(&watchdog->heap);
    control_t *control = (control_t *)((char *)place - offsetof(control_t, place));
    pthread_mutex_lock(&control->lock);
    if (control->slot && control->stop == STOP_NONE) {
        stop_if_over(control, now);
        ask_for_sample(control, now);
    }
    bool stays = control->slot && control->stop == STOP_NONE;
    uint64_t look = stays ? next_look(control, now) : CLOCK_NEVER;
    control->placed = stays && look == CLOCK_NEVER ? CLOCK_NEVER - 1 : look;
    if (control->placed == CLOCK_NEVER)
        heap_remove(&watchdog->heap, place);
    else
        heap_change(&watchdog->heap, place, control->placed);
    pthread_mutex_unlock(&control->lock);
}

static void *watch(void *argument) {
    watchdog_t *watchdog = argument;
    pthread_mutex_lock(&watchdog->lock);
    while (!watchdog->stopping) {
        heap_item_t *first = heap_first(&watchdog->heap);
        uint64_t now = clock_monotonic();
        if (first && first->key <= now)
            handle_first(watchdog, now);
        else
            cond_wait_until(&watchdog->wake, &watchdog->lock, first ? first->key : CLOCK_NEVER);
    }
    pthread_mutex_unlock(&watchdog->lock);
    return NULL;
}

/* The embedding program's signals are not for this thread. */
static bool start_thread(watchdog_t *watchdog) {
    if (watchdog->started)
        return true;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    watchdog->started = pthread_create(&watchdog->thread, NULL, watch, watchdog) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return watchdog->started;
}

/* Puts the control where the watchdog will be in time. */
static bool place_control(watchdog_t *watchdog, control_t *control, uint64_t time) {
    pthread_mutex_lock(&watchdog->lock);
    bool ok = start_thread(watchdog);
    if (ok && heap_contains(&control->place))
        heap_change(&watchdog->heap, &control->place, time);
    else if (ok)
        ok = heap_insert(&watchdog->heap, &control->place, time);
    if (ok && heap_first(&watchdog->heap) == &control->place)
        pthread_cond_signal(&watchdog->wake);
    if (ok) {
        pthread_mutex_lock(&control->lock);
        control->placed = time;
        pthread_mutex_unlock(&control->lock);
    }
    pthread_mutex_unlock(&watchdog->lock);
    return ok;
}

bool control_begin(control_t *control, memory_slot_t *slot, uint64_t wall_limit,
                   uint64_t cpu_limit) {
    pthread_mutex_lock(&control->lock);
    uint64_t now = clock_monotonic();
    control->slot = slot;
    control->stop = STOP_NONE;
    control->running = true;
    control->cancelled = control->woken = false;
    control->ready_at = CLOCK_NEVER;
    control->started = now;
    control->deadline = wall_limit > 0 ? clock_add(now, wall_limit) : CLOCK_NEVER;
    control->cpu = (cpu_meter_t){.limit = cpu_limit > 0 ? cpu_limit : CLOCK_NEVER,
                                 .on = cpu_limit > 0 || control->measured};
    control->wait = (control_wait_t){ERYX_WAIT_HOST, 0, ""};
    control->sampler = (sampler_t){0};
    meter_start(&control->cpu);
    uint64_t look = next_look(control, now);
    bool watched = control->placed <= look;
    pthread_mutex_unlock(&control->lock);
    if (watched || place_control(control->watchdog, control, look))
        return true;
    control_end(control, NULL);
    return false;
}

bool control_sample(control_t *control, uint64_t interval, uint32_t *word, uint32_t bit,
                    uint32_t *wanted) {
    pthread_mutex_lock(&control->lock);
    uint64_t now = clock_monotonic();
    control->sampler = (sampler_t){.interval = interval,
                                   .next = clock_add(now, interval),
                                   .word = word,
                                   .wanted = wanted,
                                   .bit = bit};
    if (!control->cpu.on) {
        control->cpu.on = true;
        meter_start(&control->cpu);
    }
    control->sampler.cpu = meter_read(&control->cpu);
    uint64_t look = next_look(control, now);
    bool watched = control->placed <= look;
    pthread_mutex_unlock(&control->lock);
    if (watched || place_control(control->watchdog, control, look))
        return true;
    pthread_mutex_lock(&control->lock);
    control->sampler = (sampler_t){0};
    pthread_mutex_unlock(&control->lock);
    return false;
}

bool control_sampled(control_t *control, uint64_t *cpu) {
    pthread_mutex_lock(&control->lock);
    sampler_t *sampler = &control->sampler;
    bool asked = sampler->asked;
    uint64_t used = asked ? meter_read(&control->cpu) : 0;
    if (asked) {
        *cpu = used - sampler->cpu;
        sampler->cpu = used;
    }
    sampler->asked = false;
    pthread_mutex_unlock(&control->lock);
    return asked;
}

static void measure(const control_t *control, control_times_t *out) {
    uint64_t now = clock_monotonic();
    uint64_t end = control->ready_at < now ? control->ready_at : now;
    *out = (control_times_t){end - control->started, control->cpu.used};
}

void control_measure(control_t *control, control_times_t *out) {
    pthread_mutex_lock(&control->lock);
    measure(control, out);
    pthread_mutex_unlock(&control->lock);
}

void control_used(control_t *control, const control_times_t *times) {
    pthread_mutex_lock(&control->lock);
    uint64_t now = control->started;
    uint64_t wall = times->wall < now ? times->wall : now;
    control->started -= wall;
    if (control->deadline != CLOCK_NEVER)
        control->deadline = control->deadline - now > wall ? control->deadline - wall : now;
    control->cpu.used += times->cpu;
    pthread_mutex_unlock(&control->lock);
}

stop_reason_t control_end(control_t *control, control_times_t *times) {
    pthread_mutex_lock(&control->lock);
    slot_poll_disarm(control->slot);
    control->slot = NULL;
    control->sampler = (sampler_t){0};
    if (control->running)
        meter_stop(&control->cpu);
    control->running = false;
    control->cpu_total += control->cpu.used;
    if (times)
        measure(control, times);
    stop_reason_t reason = control->stop;
    control->stop = STOP_NONE;
    pthread_mutex_unlock(&control->lock);
    return reason;
}

void control_measured(control_t *control, bool measured) {
    pthread_mutex_lock(&control->lock);
    control->measured = measured;
    control->cpu_total = 0;
    control->cpu.used = 0;
    pthread_mutex_unlock(&control->lock);
}

void control_note_wait(control_t *control, const control_wait_t *wait) {
    pthread_mutex_lock(&control->lock);
    control->wait = *wait;
    pthread_mutex_unlock(&control->lock);
}

void control_look(control_t *control, eryx_usage_t *out) {
    pthread_mutex_lock(&control->lock);
    uint64_t now = clock_monotonic();
    out->executing = control->slot != NULL;
    out->cpu_ns = control->cpu_total;
    if (!control->slot)
        return;
    out->running = control->running;
    out->wall_ns = (control->ready_at < now ? control->ready_at : now) - control->started;
    out->cpu_ns += control->running ? meter_read(&control->cpu) : control->cpu.used;
    if (control->running)
        return;
    bool ready = control->woken || control->ready_at <= now;
    out->wait = ready ? ERYX_WAIT_HOST : control->wait.kind;
    out->wait_count = control->wait.count;
    memcpy(out->callback, control->wait.callback, sizeof out->callback);
}

void control_looked(control_t *control) {
    pthread_mutex_unlock(&control->lock);
}

bool watchdog_init(watchdog_t *watchdog) {
    *watchdog = (watchdog_t){0};
    if (pthread_mutex_init(&watchdog->lock, NULL) != 0)
        return false;
    if (cond_init(&watchdog->wake))
        return true;
    pthread_mutex_destroy(&watchdog->lock);
    return false;
}

void watchdog_destroy(watchdog_t *watchdog) {
    if (watchdog->started) {
        pthread_mutex_lock(&watchdog->lock);
        watchdog->stopping = true;
        pthread_cond_signal(&watchdog->wake);
        pthread_mutex_unlock(&watchdog->lock);
        pthread_join(watchdog->thread, NULL);
    }
    heap_free(&watchdog->heap);
    while (watchdog->idle) {
        control_t *control = watchdog->idle;
        watchdog->idle = control->next;
        control_free(control);
    }
    pthread_cond_destroy(&watchdog->wake);
    pthread_mutex_destroy(&watchdog->lock);
}
