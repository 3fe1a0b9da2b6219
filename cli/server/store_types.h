/* What the stores of sessions have in common, and what one is: a table of functions. Those on the
 * network are in a module of their own, which is loaded when a URL names one, so that nothing else
 * needs their libraries. */
#ifndef ERYX_CLI_SERVER_STORE_TYPES_H
#define ERYX_CLI_SERVER_STORE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum store_cause {
    STORE_FAILED,     /* this session or this request cannot be served */
    STORE_BUSY,       /* somebody else has taken it */
    STORE_LOST,       /* somebody else has written it meanwhile */
    STORE_NONE,       /* there is none */
    STORE_TOO_BIG,    /* more than was asked for, or than the store takes */
    STORE_UNAVAILABLE /* the store cannot be used: not reached, too slow, not with this password */
};

struct store_error {
    enum store_cause cause;
    char text[200];
};

/* Which version of a session somebody has. */
struct store_mark {
    char text[80];   /* "": none */
    int64_t seconds; /* when it was written, since 1970; 0: not known */
    uint64_t size;   /* 0: not known */
};

/* That a session was taken, as its store knows it. */
struct store_lease {
    char id[65];
    int file;
    char token[33];
    char mark[80];
};

struct store_backend {
    /* How long a lease lasts; 0: until it is released, or the process ends. */
    uint64_t (*lease_ns)(void *env);
    void (*close)(void *env);
    /* Whether it can be used: for stores with leases. */
    bool (*ping)(void *env, struct store_error *error);
    /* lease->id is set. Also on a lease that was taken before and may have ended. */
    bool (*take)(void *env, struct store_lease *lease, struct store_error *error);
    bool (*renew)(void *env, struct store_lease *lease, struct store_error *error);
    void (*release)(void *env, struct store_lease *lease);
    /* As the functions of store.h. */
    bool (*look)(void *env, const char *id, struct store_mark *mark, struct store_error *error);
    void *(*read)(void *env, const char *id, size_t max, size_t *length, struct store_mark *mark,
                  struct store_error *error);
    bool (*write)(void *env, struct store_lease *lease, const void *data, size_t length,
                  struct store_mark *mark, struct store_error *error);
    bool (*remove)(void *env, struct store_lease *lease, struct store_error *error);
};

/* How a store is opened: name gets what messages call it. NULL with an error. */
typedef const struct store_backend *store_open_t(const char *place, void **env, char name[200],
                                                 struct store_error *error);

store_open_t store_open_directory;

/* Returns false. */
static inline bool store_fail(struct store_error *error, enum store_cause cause, const char *format,
                              ...) __attribute__((format(printf, 3, 4)));

#include <stdarg.h>
#include <stdio.h>

static inline bool store_fail(struct store_error *error, enum store_cause cause, const char *format,
                              ...)
{
    va_list args;
    error->cause = cause;
    va_start(args, format);
    vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    return false;
}

#endif
