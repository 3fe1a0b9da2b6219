#include "progress.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static const uint64_t tick_ns = 250000000, silent_ns = 500000000;

static struct {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool live, over, shown;
    size_t number, total;
    uint64_t step_ns, hidden_ns; /* when the step began; until when nothing is shown */
    char text[200];
} progress = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static void clear(void)
{
    if (progress.shown)
        fputs("\r\x1b[K", stderr);
    progress.shown = false;
}

static void show(uint64_t now)
{
    struct winsize size;
    char line[300];
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
    snprintf(line, sizeof line, "[%zu/%zu] %s %.0f s", progress.number, progress.total,
             progress.text, (double)(now - progress.step_ns) / 1e9);
    fprintf(stderr, "\r\x1b[K%.*s", known ? size.ws_col - 1 : 79, line);
    progress.shown = true;
}

static void *draw(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&progress.mutex);
    while (!progress.over) {
        uint64_t now = now_ns(), next = now + tick_ns;
        struct timespec until = {(time_t)(next / 1000000000), (long)(next % 1000000000)};
        if (progress.number > 0 && now >= progress.hidden_ns)
            show(now);
        pthread_cond_timedwait(&progress.wake, &progress.mutex, &until);
    }
    pthread_mutex_unlock(&progress.mutex);
    return NULL;
}

void progress_begin(size_t total)
{
    const char *terminal = getenv("TERM");
    pthread_condattr_t attributes;
    progress.total = total;
    progress.hidden_ns = now_ns() + silent_ns;
    if (!isatty(STDERR_FILENO) || !terminal || strcmp(terminal, "dumb") == 0)
        return;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&progress.wake, &attributes);
    pthread_condattr_destroy(&attributes);
    progress.live = pthread_create(&progress.thread, NULL, draw, NULL) == 0;
}

void progress_step(size_t number, const char *what, const char *name)
{
    pthread_mutex_lock(&progress.mutex);
    progress.number = number;
    progress.step_ns = now_ns();
    snprintf(progress.text, sizeof progress.text, "%s %s", what, name);
    for (char *c = progress.text; *c; c++)
        *c = *c >= ' ' && *c <= '~' ? *c : '?';
    pthread_mutex_unlock(&progress.mutex);
}

void progress_hide(void)
{
    pthread_mutex_lock(&progress.mutex);
    clear();
    progress.hidden_ns = now_ns() + silent_ns;
    pthread_mutex_unlock(&progress.mutex);
}

void progress_end(void)
{
    if (!progress.live)
        return;
    pthread_mutex_lock(&progress.mutex);
    progress.over = true;
    pthread_cond_signal(&progress.wake);
    pthread_mutex_unlock(&progress.mutex);
    pthread_join(progress.thread, NULL);
    clear();
    progress.live = false;
}
