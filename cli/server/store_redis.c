/* Sessions in Redis, or what speaks its protocol. A session is a hash PREFIX{ID} with its bytes and
 * its mark; PREFIX{ID}:lease has the token of who works with it, and expires. Scripts do what must be
 * done at once; each may be sent again when the connection broke before its answer.
 *
 * hiredis writes commands and reads answers; libcurl makes the connection, with TLS for rediss://
 * (hiredis before 1.0 has none). */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <hiredis/hiredis.h>

#include "store_url.h"

enum { IDLE_MAX = 64, ARGUMENTS_MAX = 10 };

struct connection {
    CURL *easy;
    curl_socket_t socket;
    redisReader *reader;
    struct connection *next;
};

struct redis {
    struct store_url url;
    bool secure;
    char database[16];
    pthread_mutex_t lock; /* of the two below */
    struct connection *idle;
    unsigned idle_count;
};

/* A command and its answer. */
struct exchange {
    int count;
    const char *arguments[ARGUMENTS_MAX];
    size_t lengths[ARGUMENTS_MAX];
    size_t answer_max; /* bytes; 0: small */
    bool broke;        /* the connection was not there any more */
    redisReply *reply;
};

static void add(struct exchange *exchange, const char *data, size_t length)
{
    exchange->arguments[exchange->count] = data;
    exchange->lengths[exchange->count++] = length;
}

static void add_text(struct exchange *exchange, const char *text)
{
    add(exchange, text, strlen(text));
}

/* --- Connections -------------------------------------------------------------------------- */

static void drop(struct connection *connection)
{
    if (!connection)
        return;
    if (connection->reader)
        redisReaderFree(connection->reader);
    curl_easy_cleanup(connection->easy);
    free(connection);
}

static bool wait_for(const struct redis *redis, const struct connection *connection, short events,
                     struct store_error *error)
{
    struct pollfd fd = {.fd = connection->socket, .events = events};
    int count;
    do
        count = poll(&fd, 1, (int)(redis->url.timeout_ns / 1000000));
    while (count < 0 && errno == EINTR);
    return count > 0 || store_fail(error, STORE_UNAVAILABLE, "no answer in %" PRIu64 " s",
                                   redis->url.timeout_ns / 1000000000);
}

static bool broke(struct exchange *exchange, struct store_error *error, CURLcode code)
{
    exchange->broke = true;
    return store_fail(error, STORE_UNAVAILABLE, "the connection broke: %s",
                      curl_easy_strerror(code));
}

static bool send_all(const struct redis *redis, struct connection *connection,
                     struct exchange *exchange, const char *data, size_t length,
                     struct store_error *error)
{
    while (length > 0) {
        size_t sent = 0;
        CURLcode code = curl_easy_send(connection->easy, data, length, &sent);
        if (code == CURLE_AGAIN && !wait_for(redis, connection, POLLOUT, error))
            return false;
        if (code != CURLE_OK && code != CURLE_AGAIN)
            return broke(exchange, error, code);
        data += sent;
        length -= sent;
    }
    return true;
}

static bool receive(const struct redis *redis, struct connection *connection,
                    struct exchange *exchange, struct store_error *error)
{
    char buffer[65536];
    size_t left = exchange->answer_max + sizeof buffer;
    void *reply = NULL;
    while (!reply) {
        size_t got = 0;
        CURLcode code = curl_easy_recv(connection->easy, buffer, sizeof buffer, &got);
        if (code == CURLE_AGAIN) {
            if (!wait_for(redis, connection, POLLIN, error))
                return false;
            continue;
        }
        if (code != CURLE_OK || got == 0)
            return broke(exchange, error, code == CURLE_OK ? CURLE_RECV_ERROR : code);
        if (got > left)
            return store_fail(error, STORE_UNAVAILABLE, "the answer is longer than it can be");
        left -= got;
        if (redisReaderFeed(connection->reader, buffer, got) != REDIS_OK ||
            redisReaderGetReply(connection->reader, &reply) != REDIS_OK)
            return store_fail(error, STORE_UNAVAILABLE,
                              "what answers does not speak the protocol "
                              "of Redis");
    }
    exchange->reply = reply;
    return true;
}

/* An answer that is an error. */
static bool refused(const redisReply *reply, struct store_error *error)
{
    static const char *const unusable[] = {"NOAUTH",   "WRONGPASS",  "NOPERM",      "LOADING",
                                           "READONLY", "MASTERDOWN", "CLUSTERDOWN", "MISCONF",
                                           "MOVED",    "BUSY",       "UNKILLABLE"};
    char text[150];
    enum store_cause cause = STORE_FAILED;
    store_printable(text, sizeof text, reply->str, reply->len);
    for (size_t i = 0; i < sizeof unusable / sizeof *unusable; i++) {
        size_t length = strlen(unusable[i]);
        if (strncmp(text, unusable[i], length) == 0 && text[length] == ' ')
            cause = STORE_UNAVAILABLE;
    }
    return store_fail(error, cause, "it answers: %s", text);
}

/* The answer is the exchange's, for freeReplyObject. */
static bool talk(const struct redis *redis, struct connection *connection,
                 struct exchange *exchange, struct store_error *error)
{
    char *text = NULL;
    int length =
        redisFormatCommandArgv(&text, exchange->count, exchange->arguments, exchange->lengths);
    if (length < 0)
        return store_fail(error, STORE_FAILED, "out of memory");
    bool good = send_all(redis, connection, exchange, text, (size_t)length, error);
    redisFreeCommand(text);
    return good && receive(redis, connection, exchange, error);
}

/* Says a first command, whose answer only matters if it is an error: then nothing can be done. */
static bool greet(const struct redis *redis, struct connection *connection,
                  struct exchange *exchange, struct store_error *error)
{
    if (!talk(redis, connection, exchange, error))
        return false;
    bool good = exchange->reply->type != REDIS_REPLY_ERROR || refused(exchange->reply, error);
    freeReplyObject(exchange->reply);
    error->cause = STORE_UNAVAILABLE;
    return good;
}

static bool introduce(const struct redis *redis, struct connection *connection,
                      struct store_error *error)
{
    struct exchange hello = {0}, select = {0};
    const char *user = redis->url.user, *password = redis->url.password;
    add_text(&hello, "AUTH");
    if (user && *user)
        add_text(&hello, user);
    if (password)
        add_text(&hello, password);
    if (password && !greet(redis, connection, &hello, error))
        return false;
    add_text(&select, "SELECT");
    add_text(&select, redis->database);
    return greet(redis, connection, &select, error);
}

static CURLcode dial(const struct redis *redis, CURL *easy)
{
    char address[300];
    long milliseconds = (long)(redis->url.timeout_ns / 1000000);
    snprintf(address, sizeof address, "%s://%s:%s", redis->secure ? "https" : "http",
             redis->url.host, redis->url.port ? redis->url.port : "6379");
    curl_easy_setopt(easy, CURLOPT_URL, address);
    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_ENABLE_ALPN, 0L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds < 5000 ? milliseconds : 5000L);
    if (redis->url.ca)
        curl_easy_setopt(easy, CURLOPT_CAINFO, redis->url.ca);
    return curl_easy_perform(easy);
}

static struct connection *connect_to(const struct redis *redis, struct store_error *error)
{
    char why[CURL_ERROR_SIZE] = "";
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection)
        connection->easy = curl_easy_init();
    if (!connection || !connection->easy || !(connection->reader = redisReaderCreate())) {
        store_fail(error, STORE_FAILED, "out of memory");
        drop(connection);
        return NULL;
    }
    curl_easy_setopt(connection->easy, CURLOPT_ERRORBUFFER, why);
    CURLcode code = dial(redis, connection->easy);
    curl_easy_setopt(connection->easy, CURLOPT_ERRORBUFFER, NULL);
    if (code == CURLE_OK)
        code = curl_easy_getinfo(connection->easy, CURLINFO_ACTIVESOCKET, &connection->socket);
    if (code != CURLE_OK)
        store_fail(error, STORE_UNAVAILABLE, "cannot connect: %s",
                   *why ? why : curl_easy_strerror(code));
    else if (introduce(redis, connection, error))
        return connection;
    drop(connection);
    return NULL;
}

static struct connection *take_idle(struct redis *redis)
{
    pthread_mutex_lock(&redis->lock);
    struct connection *connection = redis->idle;
    if (connection) {
        redis->idle = connection->next;
        redis->idle_count--;
    }
    pthread_mutex_unlock(&redis->lock);
    return connection;
}

static void keep(struct redis *redis, struct connection *connection)
{
    pthread_mutex_lock(&redis->lock);
    bool room = redis->idle_count < IDLE_MAX;
    if (room) {
        connection->next = redis->idle;
        redis->idle = connection;
        redis->idle_count++;
    }
    pthread_mutex_unlock(&redis->lock);
    if (!room)
        drop(connection);
}

/* The answer is of the given type, or nil where that may be; it is the exchange's, for
 * freeReplyObject. A connection that was idle may have been closed by the server: then the next is
 * tried, a new one at last. */
static bool ask(struct redis *redis, struct exchange *exchange, int type, bool nil,
                struct store_error *error)
{
    struct connection *connection;
    bool fresh, good;
    do {
        connection = take_idle(redis);
        fresh = !connection;
        if (fresh && !(connection = connect_to(redis, error)))
            return false;
        exchange->broke = false;
        good = talk(redis, connection, exchange, error);
        if (!good)
            drop(connection);
    } while (!good && !fresh && exchange->broke);
    if (!good)
        return false;
    keep(redis, connection);
    const redisReply *reply = exchange->reply;
    if (reply->type == type || (nil && reply->type == REDIS_REPLY_NIL))
        return true;
    if (reply->type == REDIS_REPLY_ERROR)
        refused(reply, error);
    else
        store_fail(error, STORE_FAILED, "it answers with the wrong type");
    freeReplyObject(exchange->reply);
    exchange->reply = NULL;
    return false;
}

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
               const struct exchange *more, struct store_error *error)
{
    struct keys keys;
    struct exchange exchange = {0};
    name_keys(redis, lease->id, &keys);
    add_text(&exchange, "EVAL");
    add_text(&exchange, script);
    add_text(&exchange, "2");
    add_text(&exchange, keys.session);
    add_text(&exchange, keys.lease);
    add_text(&exchange, lease->token);
    for (int i = 0; i < more->count; i++)
        add(&exchange, more->arguments[i], more->lengths[i]);
    if (!ask(redis, &exchange, REDIS_REPLY_INTEGER, false, error))
        return -1;
    int value = exchange.reply->integer == 1;
    freeReplyObject(exchange.reply);
    return value;
}

static int run_for_lease(struct redis *redis, const char *script, const struct store_lease *lease,
                         struct store_error *error)
{
    char milliseconds[24];
    struct exchange more = {0};
    snprintf(milliseconds, sizeof milliseconds, "%" PRIu64, redis->url.lease_ns / 1000000);
    add_text(&more, milliseconds);
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
    struct exchange exchange = {0};
    add_text(&exchange, "PING");
    bool good = ask(env, &exchange, REDIS_REPLY_STATUS, false, error);
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
    run(env, release_script, lease, &(struct exchange){0}, &error);
}

static bool look(void *env, const char *id, struct store_mark *mark, struct store_error *error)
{
    struct keys keys;
    struct exchange exchange = {0};
    name_keys(env, id, &keys);
    add_text(&exchange, "HGET");
    add_text(&exchange, keys.session);
    add_text(&exchange, "mark");
    if (!ask(env, &exchange, REDIS_REPLY_STRING, true, error))
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
    struct exchange exchange = {0};
    add_text(&exchange, "HSTRLEN");
    add_text(&exchange, key);
    add_text(&exchange, "data");
    if (!ask(redis, &exchange, REDIS_REPLY_INTEGER, false, error))
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
    struct exchange exchange = {0};
    void *data = NULL;
    name_keys(env, id, &keys);
    if (!length_of(env, keys.session, max, length, error))
        return NULL;
    add_text(&exchange, "HMGET");
    add_text(&exchange, keys.session);
    add_text(&exchange, "mark");
    add_text(&exchange, "data");
    exchange.answer_max = *length;
    if (!ask(env, &exchange, REDIS_REPLY_ARRAY, false, error))
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
    struct exchange more = {0};
    char after[33];
    if (!store_random_token(after, error))
        return false;
    add_text(&more, mark->text);
    add_text(&more, after);
    add(&more, data, length);
    int value = run(env, write_script, lease, &more, error);
    if (value != 1)
        return value == 0 && lost(error);
    *mark = (struct store_mark){.size = length};
    strcpy(mark->text, after);
    return true;
}

static bool remove_session(void *env, struct store_lease *lease, struct store_error *error)
{
    int value = run(env, remove_script, lease, &(struct exchange){0}, error);
    return value == 1 || (value == 0 && lost(error));
}

static void close_redis(void *env)
{
    struct redis *redis = env;
    struct connection *connection;
    while ((connection = take_idle(redis)))
        drop(connection);
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
    return strlen(url->host) < 250 || store_fail(error, STORE_FAILED,
                                                 "the store's URL: the host's "
                                                 "name is too long");
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
