/* Commands to a Redis server and their answers: between store_redis.c, which knows what is stored,
 * and the connections. */
#ifndef ERYX_CLI_SERVER_STORE_REDIS_H
#define ERYX_CLI_SERVER_STORE_REDIS_H

#include <pthread.h>

#include <hiredis/hiredis.h>

#include "store_url.h"

enum { REDIS_ARGUMENTS_MAX = 10 };

struct redis_connection;

struct redis {
    struct store_url url;
    bool secure;
    char database[16];
    pthread_mutex_t lock; /* of the two below */
    struct redis_connection *idle;
    unsigned idle_count;
};

/* A command and its answer. */
struct redis_exchange {
    int count;
    const char *arguments[REDIS_ARGUMENTS_MAX];
    size_t lengths[REDIS_ARGUMENTS_MAX];
    size_t answer_max; /* bytes; 0: small */
    bool broke;        /* the connection was not there any more */
    redisReply *reply;
};

void redis_add(struct redis_exchange *exchange, const char *data, size_t length);
void redis_add_text(struct redis_exchange *exchange, const char *text);

/* The answer is of the given type, or nil where that may be; it is the exchange's, for
 * freeReplyObject. A connection that was idle may have been closed by the server: then the command is
 * sent again on the next, a new one at last. */
bool redis_ask(struct redis *redis, struct redis_exchange *exchange, int type, bool nil,
               struct store_error *error);

/* Closes all connections. */
void redis_hang_up(struct redis *redis);

#endif
