/* Commands to a Redis server and their answers: between store_redis.c, which knows what is stored,
 * and the connections. */
#ifndef ERYX_CLI_SERVER_STORE_REDIS_H
#define ERYX_CLI_SERVER_STORE_REDIS_H

#include <pthread.h>

#include <hiredis/hiredis.h>

#include "store_url.h"

enum { REDIS_ARGUMENTS_MAX = 10, REDIS_SLOTS = 16384, REDIS_NODES_MAX = 255 };

struct redis_connection;

struct redis_address {
    char host[256], port[8];
};

struct redis {
    struct store_url url;
    bool secure;
    char database[16];
    pthread_mutex_t lock; /* of what is below */
    struct redis_connection *idle;
    unsigned idle_count;
    struct redis_address nodes[REDIS_NODES_MAX]; /* the first is that of the URL */
    unsigned node_count;
    unsigned char slots[REDIS_SLOTS]; /* of a cluster: the node that has it, as far as is known */
};

/* A command and its answer. */
struct redis_exchange {
    int count;
    const char *arguments[REDIS_ARGUMENTS_MAX];
    size_t lengths[REDIS_ARGUMENTS_MAX];
    const char *key;   /* by which a cluster finds the node; NULL: any */
    size_t answer_max; /* bytes; 0: small */
    bool broke;        /* the connection was not there any more */
    redisReply *reply;
};

void redis_add(struct redis_exchange *exchange, const char *data, size_t length);
void redis_add_text(struct redis_exchange *exchange, const char *text);

/* The answer is of the given type, or nil where that may be; it is the exchange's, for
 * freeReplyObject. A connection that was idle may have been closed by the server: then the command is
 * sent again on the next, a new one at last; and where another node of a cluster has the key, to that. */
bool redis_ask(struct redis *redis, struct redis_exchange *exchange, int type, bool nil,
               struct store_error *error);

bool redis_same_address(const struct redis_address *a, const struct redis_address *b);
/* The node that has a key, as far as is known. */
unsigned redis_node_of(struct redis *redis, const char *key);
/* A node that cannot be reached: others may have its slots now. */
void redis_forget_node(struct redis *redis, unsigned node);
/* Whether an error is a redirection (MOVED, ASK) from *node, which becomes the one to ask. */
bool redis_redirect(struct redis *redis, const char *text, unsigned *node, bool *asking);

/* Closes all connections. */
void redis_hang_up(struct redis *redis);

#endif
