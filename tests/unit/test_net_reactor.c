/* The thread that watches descriptors: an event that it has taken from the kernel, but not yet given to
 * anyone, is of an earlier arming once the watch was armed again or removed. */
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "net/net.h"
#include "net/reactor.h"

enum { CALLS_MAX = 8 };

/* A watch, and the events it was told; guarded by the reactor's lock. */
typedef struct told {
    reactor_watch_t watch; /* first */
    unsigned calls, events[CALLS_MAX];
} told_t;

static reactor_t reactor;
static pthread_cond_t called = PTHREAD_COND_INITIALIZER;
static int pair[2];

static void ready(reactor_watch_t *watch, unsigned events) {
    told_t *told = (told_t *)watch;
    if (told->calls < CALLS_MAX)
        told->events[told->calls++] = events;
    pthread_cond_broadcast(&called);
}

static int set_up(void **state) {
    (void)state;
    assert_true(reactor_init(&reactor));
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
}

static int tear_down(void **state) {
    (void)state;
    reactor_stop(&reactor);
    reactor_close(&reactor);
    pthread_mutex_destroy(&reactor.lock);
    close(pair[0]);
    return close(pair[1]);
}

static void wait_for_calls(told_t *told, unsigned count) {
    while (told->calls < count)
        pthread_cond_wait(&called, &reactor.lock);
}

/* Makes pair[0] readable and returns when the thread has the event, and waits for the lock, which we
 * hold: what is armed once is gone from the epoll descriptor when it was taken. */
static void have_event_taken(told_t *told) {
    struct pollfd epoll = {.fd = reactor.epoll, .events = POLLIN};
    reactor_arm(&reactor, &told->watch, NET_READ);
    if (write(pair[1], "x", 1) != 1)
        abort();
    while (poll(&epoll, 1, 0) != 0)
        sched_yield();
}

static void test_event_of_an_earlier_arming(void **state) {
    (void)state;
    char byte;
    told_t told = {0};
    assert_true(reactor_add(&reactor, &told.watch, pair[0], ready));
    for (unsigned i = 0; i < CALLS_MAX; i++) {
        pthread_mutex_lock(&reactor.lock);
        have_event_taken(&told);
        if (read(pair[0], &byte, 1) != 1)
            abort();
        reactor_arm(&reactor, &told.watch, NET_WRITE);
        wait_for_calls(&told, i + 1);
        unsigned calls = told.calls;
        pthread_mutex_unlock(&reactor.lock);
        assert_int_equal(told.events[i], NET_WRITE);
        assert_int_equal(calls, i + 1);
    }
    pthread_mutex_lock(&reactor.lock);
    reactor_remove(&reactor, &told.watch);
    pthread_mutex_unlock(&reactor.lock);
}

static void test_event_of_a_removed_watch(void **state) {
    (void)state;
    told_t gone = {0}, other = {0};
    assert_true(reactor_add(&reactor, &gone.watch, pair[0], ready));
    uint32_t place = gone.watch.place;
    pthread_mutex_lock(&reactor.lock);
    have_event_taken(&gone);
    reactor_remove(&reactor, &gone.watch);
    pthread_mutex_unlock(&reactor.lock);
    assert_true(reactor_add(&reactor, &other.watch, pair[0], ready));
    assert_int_equal(other.watch.place, place);
    pthread_mutex_lock(&reactor.lock);
    reactor_arm(&reactor, &other.watch, NET_WRITE);
    wait_for_calls(&other, 1);
    reactor_remove(&reactor, &other.watch);
    pthread_mutex_unlock(&reactor.lock);
    assert_int_equal(gone.calls, 0);
    assert_int_equal(other.events[0], NET_WRITE);
}

static void test_deadlines(void **state) {
    (void)state;
    told_t told = {0};
    assert_true(reactor_add(&reactor, &told.watch, pair[0], ready));
    pthread_mutex_lock(&reactor.lock);
    reactor_set_deadline(&reactor, &told.watch, clock_monotonic() + UINT64_C(3600000000000));
    reactor_set_deadline(&reactor, &told.watch, clock_monotonic() + 1000000);
    wait_for_calls(&told, 1);
    reactor_set_deadline(&reactor, &told.watch, clock_monotonic());
    reactor_set_deadline(&reactor, &told.watch, CLOCK_NEVER);
    reactor_arm(&reactor, &told.watch, NET_WRITE);
    wait_for_calls(&told, 2);
    reactor_remove(&reactor, &told.watch);
    pthread_mutex_unlock(&reactor.lock);
    assert_int_equal(told.events[0], 0);
    assert_int_equal(told.events[1], NET_WRITE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_event_of_an_earlier_arming, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_event_of_a_removed_watch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_deadlines, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
