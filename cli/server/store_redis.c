/* Sessions in Redis, or what speaks its protocol. A session is a hash PREFIX{ID} with its bytes and
 * its mark; PREFIX{ID}:lease has the token of who works with it, and expires. Scripts do what must be
 * done at once; each may be sent again when the connection broke before its answer. */
#define _GNU_SOURCE
#include "store_redis.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- Scripts ------------------------------------------------------------------------------ */

/* keys: the session and its lease. */
static const char take_script[] = "local has = redis.call('GET', KEYS[2]) "
                                  "if has and has ~= ARGV[1] then return 0 end "
                                  "redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2]) return 1";
static const char renew_script[] = "if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end "
                                   "redis.call('PEXPIRE', KEYS[2], ARGV[2]) return 1";
static const char release_script[] =
    "if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end return 1";
/* ARGV: token, mark before, mark after, bytes. A second time it has no effect. */
static const char write_script[] =
    "if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end "
    "local mark = redis.call('HGET', KEYS[1], 'mark') or '' "
    "if mark == ARGV[3] then return 1 end "
    "if mark ~= ARGV[2] then return 0 end "
    "redis.call('HSET', KEYS[1], 'mark', ARGV[3], 'data', ARGV[4]) return 1";
static const char remove_script[] = "if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end "
                                    "redis.call('DEL', KEYS[1]) return 1";

struct keys {
    char session[200], lease[210];
};

static void name_keys(const struct redis *redis, const char *id, struct keys *keys)
{
    const char *prefix = redis->url.prefix ? redis->url.prefix : "eryx:";
    snprintf(keys->session, sizeof keys->session, "%s{%s}", prefix, id);
    snprintf(keys->lease, sizeof keys->lease, "%s:lease", keys->session);
}

/* more: the arguments after the token. 1 or 0 as the script says; -1 with an error. */
static int run(struct redis *redis, const char *script, const struct store_lease *lease,
               const struct redis_exchange *more, struct store_error *error)
{
    struct keys keys;
    struct redis_exchange exchange = {0};
    name_keys(redis, lease->id, &keys);
    exchange.key = keys.session;
    redis_add_text(&exchange, "EVAL");
    redis_add_text(&exchange, script);
    redis_add_text(&exchange, "2");
    redis_add_text(&exchange, keys.session);
    redis_add_text(&exchange, keys.lease);
    redis_add_text(&exchange, lease->token);
    for (int i = 0; i < more->count; i++)
        redis_add(&exchange, more->arguments[i], more->lengths[i]);
    if (!redis_ask(redis, &exchange, REDIS_REPLY_INTEGER, false, error))
        return -1;
    int value = exchange.reply->integer == 1;
    freeReplyObject(exchange.reply);
    return value;
}

static int run_for_lease(struct redis *redis, const char *script, const struct store_lease *lease,
                         struct store_error *error)
{
    char milliseconds[24];
    struct redis_exchange more = {0};
    snprintf(milliseconds, sizeof milliseconds, "%" PRIu64, redis->url.lease_ns / 1000000);
    redis_add_text(&more, milliseconds);
    return run(redis, script, lease, &more, error);
}

/* --- The store ---------------------------------------------------------------------------- */

static uint64_t lease_ns(void *env)
{
    const struct redis *redis = env;
    return redis->url.lease_ns;
}

static bool ping(void *env, struct store_error *error)
{
    struct redis_exchange exchange = {0};
    redis_add_text(&exchange, "PING");
    bool good = redis_ask(env, &exchange, REDIS_REPLY_STATUS, false, error);
    if (good)
        freeReplyObject(exchange.reply);
    return good;
}

static bool lost(struct store_error *error)
{
    return store_fail(error, STORE_LOST, "somebody else has taken it meanwhile");
}

static bool take(void *env, struct store_lease *lease, struct store_error *error)
{
    if (!lease->token[0] && !store_random_token(lease->token, error))
        return false;
    int value = run_for_lease(env, take_script, lease, error);
    return value == 1 || (value == 0 && store_fail(error, STORE_BUSY, "somebody else is using it"));
}

static bool renew(void *env, struct store_lease *lease, struct store_error *error)
{
    int value = run_for_lease(env, renew_script, lease, error);
    return value == 1 || (value == 0 && lost(error));
}

static void release(void *env, struct store_lease *lease)
{
    struct store_error error;
    run(env, release_script, lease, &(struct redis_exchange){0}, &error);
}

static bool look(void *env, const char *id, struct store_mark *mark, struct store_error *error)
{
    struct keys keys;
    struct redis_exchange exchange = {0};
    name_keys(env, id, &keys);
    exchange.key = keys.session;
    redis_add_text(&exchange, "HGET");
    redis_add_text(&exchange, keys.session);
    redis_add_text(&exchange, "mark");
    if (!redis_ask(env, &exchange, REDIS_REPLY_STRING, true, error))
        return false;
    if (exchange.reply->type == REDIS_REPLY_STRING)
        store_printable(mark->text, sizeof mark->text, exchange.reply->str, exchange.reply->len);
    freeReplyObject(exchange.reply);
    return true;
}

/* Only so much is asked for as may be; what is longer shows by the byte that follows. */
static bool length_of(struct redis *redis, const char *key, size_t max, size_t *length,
                      struct store_error *error)
{
    struct redis_exchange exchange = {0};
    exchange.key = key;
    redis_add_text(&exchange, "HSTRLEN");
    redis_add_text(&exchange, key);
    redis_add_text(&exchange, "data");
    if (!redis_ask(redis, &exchange, REDIS_REPLY_INTEGER, false, error))
        return false;
    unsigned long long there = (unsigned long long)exchange.reply->integer;
    freeReplyObject(exchange.reply);
    *length = (size_t)there;
    return there <= max || store_fail(error, STORE_TOO_BIG, "it has %llu bytes", there);
}

static void *read_session(void *env, const char *id, size_t max, size_t *length,
                          struct store_mark *mark, struct store_error *error)
{
    struct keys keys;
    struct redis_exchange exchange = {0};
    void *data = NULL;
    name_keys(env, id, &keys);
    if (!length_of(env, keys.session, max, length, error))
        return NULL;
    exchange.key = keys.session;
    redis_add_text(&exchange, "HMGET");
    redis_add_text(&exchange, keys.session);
    redis_add_text(&exchange, "mark");
    redis_add_text(&exchange, "data");
    exchange.answer_max = *length;
    if (!redis_ask(env, &exchange, REDIS_REPLY_ARRAY, false, error))
        return NULL;
    redisReply *reply = exchange.reply;
    if (reply->elements != 2 || reply->element[0]->type != REDIS_REPLY_STRING ||
        reply->element[1]->type != REDIS_REPLY_STRING) {
        store_fail(error, STORE_NONE, "there is none, or not a whole one");
    } else if ((data = malloc(reply->element[1]->len + 1))) {
        *length = reply->element[1]->len;
        memcpy(data, reply->element[1]->str, *length);
        *mark = (struct store_mark){.size = *length};
        store_printable(mark->text, sizeof mark->text, reply->element[0]->str,
                        reply->element[0]->len);
    } else {
        store_fail(error, STORE_FAILED, "out of memory");
    }
    freeReplyObject(reply);
    return data;
}

static bool write_session(void *env, struct store_lease *lease, const void *data, size_t length,
                          struct store_mark *mark, struct store_error *error)
{
    struct redis_exchange more = {0};
    char after[33];
    if (!store_random_token(after, error))
        return false;
    redis_add_text(&more, mark->text);
    redis_add_text(&more, after);
    redis_add(&more, data, length);
    int value = run(env, write_script, lease, &more, error);
    if (value != 1)
        return value == 0 && lost(error);
    *mark = (struct store_mark){.size = length};
    strcpy(mark->text, after);
    return true;
}

static bool remove_session(void *env, struct store_lease *lease, struct store_error *error)
{
    int value = run(env, remove_script, lease, &(struct redis_exchange){0}, error);
    return value == 1 || (value == 0 && lost(error));
}

static void close_redis(void *env)
{
    struct redis *redis = env;
    redis_hang_up(redis);
    pthread_mutex_destroy(&redis->lock);
    store_url_free(&redis->url);
    free(redis);
}

/* --- Opening ------------------------------------------------------------------------------ */

static bool check(struct redis *redis, struct store_error *error)
{
    const struct store_url *url = &redis->url;
    const char *database = url->path && url->path[0] == '/' ? url->path + 1 : "";
    redis->secure = strcmp(url->scheme, "rediss") == 0;
    snprintf(redis->database, sizeof redis->database, "%s", *database ? database : "0");
    if (strspn(database, "0123456789") != strlen(database) || strlen(database) > 6)
        return store_fail(error, STORE_FAILED,
                          "the store's URL: what follows the host must be the "
                          "number of a database, such as /0");
    if (url->user && *url->user && !url->password)
        return store_fail(error, STORE_FAILED,
                          "the store's URL has a user without a password: "
                          "USER:PASSWORD@, or :PASSWORD@");
    if (url->ca && !redis->secure)
        return store_fail(error, STORE_FAILED, "the store's URL: ca needs rediss://");
    if (url->prefix && strlen(url->prefix) > 100)
        return store_fail(error, STORE_FAILED, "the store's URL: prefix has more than 100 bytes");
    if (strlen(url->host) >= 250)
        return store_fail(error, STORE_FAILED, "the store's URL: the host's name is too long");
    snprintf(redis->nodes[0].host, sizeof redis->nodes[0].host, "%s", url->host);
    snprintf(redis->nodes[0].port, sizeof redis->nodes[0].port, "%s",
             url->port ? url->port : "6379");
    redis->node_count = 1;
    return true;
}

const struct store_backend *store_open_redis(const char *place, void **env, char name[200],
                                             struct store_error *error)
{
    static const char *const options[] = {"prefix", "ca", NULL};
    static const struct store_backend backend = {
        lease_ns, close_redis, ping,         take,          renew,
        release,  look,        read_session, write_session, remove_session,
    };
    struct redis *redis = calloc(1, sizeof *redis);
    if (!redis || !store_url_parse(place, options, &redis->url, error)) {
        free(redis);
        return NULL;
    }
    pthread_mutex_init(&redis->lock, NULL);
    if (!check(redis, error)) {
        close_redis(redis);
        return NULL;
    }
    snprintf(name, 200, "%s://%.140s:%s/%s", redis->url.scheme, redis->url.host,
             redis->url.port ? redis->url.port : "6379", redis->database);
    *env = redis;
    return &backend;
}
