/* The event loop of `eryx mcp` and `eryx serve`: one thread, epoll. All of it is used by that
 * thread. */
#ifndef ERYX_CLI_SERVER_LOOP_H
#define ERYX_CLI_SERVER_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

struct loop;

/* A descriptor that is looked at. Belongs to whoever adds it, and may be freed once removed. */
struct loop_watch {
    int fd;
    void (*ready)(void *env, uint32_t events);
    void *env;
    bool added;
};

/* Called before every wait; returns after how many nanoseconds at most it is to be called again
 * (UINT64_MAX: when something happens). */
typedef uint64_t (*loop_tick_fn)(void *env);

/* NULL with errno. */
struct loop *loop_new(void);

/* events as of epoll(7). False with errno. */
bool loop_add(struct loop *loop, struct loop_watch *watch, uint32_t events);
/* From any thread. */
void loop_modify(struct loop *loop, struct loop_watch *watch, uint32_t events);
void loop_remove(struct loop *loop, struct loop_watch *watch);

/* At most four. */
void loop_add_tick(struct loop *loop, loop_tick_fn tick, void *env);

/* Until loop_stop. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

void loop_free(struct loop *loop);

/* Nanoseconds of the monotonic clock. */
uint64_t loop_now(void);

#endif
