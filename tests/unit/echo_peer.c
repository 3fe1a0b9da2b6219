/* See echo_peer.h. */
#define _GNU_SOURCE
#include "echo_peer.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { CONNECTIONS_MAX = 64, FIRST = 2, WAIT_SECONDS = 10 };

/* items: the pipe that ends it, the listener, the connections. */
static struct pollfd items[FIRST + CONNECTIONS_MAX];
static unsigned count;
static int stop_pipe[2];
static pthread_t thread;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static unsigned open_connections;

static void tell_open(void) {
    pthread_mutex_lock(&lock);
    open_connections = count - FIRST;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void serve_one(unsigned i) {
    char data[4096];
    ssize_t got = read(items[i].fd, data, sizeof data);
    if (got > 0 && send(items[i].fd, data, (size_t)got, MSG_NOSIGNAL) == got)
        return;
    close(items[i].fd);
    items[i] = items[--count];
    tell_open();
}

static void *serve(void *argument) {
    while (poll(items, count, -1) > 0 && !items[0].revents) {
        for (unsigned i = count; i-- > FIRST;)
            if (items[i].revents)
                serve_one(i);
        if (items[1].revents && count < FIRST + CONNECTIONS_MAX) {
            items[count] = (struct pollfd){accept(items[1].fd, NULL, NULL), POLLIN, 0};
            count++;
            tell_open();
        }
    }
    return argument;
}

uint16_t echo_start(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&changed, &attributes);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(pipe2(stop_pipe, 0), 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(listener, CONNECTIONS_MAX), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    items[0] = (struct pollfd){stop_pipe[0], POLLIN, 0};
    items[1] = (struct pollfd){listener, POLLIN, 0};
    count = FIRST;
    open_connections = 0;
    assert_int_equal(pthread_create(&thread, NULL, serve, NULL), 0);
    return ntohs(address.sin_port);
}

void echo_wait_open(unsigned wanted) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += WAIT_SECONDS;
    int status = 0;
    pthread_mutex_lock(&lock);
    while (open_connections != wanted && status == 0)
        status = pthread_cond_timedwait(&changed, &lock, &until);
    unsigned there = open_connections;
    pthread_mutex_unlock(&lock);
    if (there != wanted)
        fail_msg("the peer has %u connections, not %u", there, wanted);
}

void echo_stop(void) {
    close(stop_pipe[1]);
    pthread_join(thread, NULL);
    for (unsigned i = 0; i < count; i++)
        close(items[i].fd);
    pthread_cond_destroy(&changed);
}

unsigned descriptors_open(void) {
    unsigned found = 0;
    DIR *directory = opendir("/proc/self/fd");
    assert_non_null(directory);
    while (readdir(directory))
        found++;
    closedir(directory);
    return found;
}
