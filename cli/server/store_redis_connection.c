/* Connections to a Redis server. hiredis writes commands and reads answers; libcurl makes the
 * connection, with TLS for rediss:// (hiredis before 1.0 has none). */
#include "store_redis.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

enum { IDLE_MAX = 64 };

struct redis_connection {
    CURL *easy;
    curl_socket_t socket;
    redisReader *reader;
    struct redis_connection *next;
};

void redis_add(struct redis_exchange *exchange, const char *data, size_t length)
{
    exchange->arguments[exchange->count] = data;
    exchange->lengths[exchange->count++] = length;
}

void redis_add_text(struct redis_exchange *exchange, const char *text)
{
    redis_add(exchange, text, strlen(text));
}

static void drop(struct redis_connection *connection)
{
    if (!connection)
        return;
    if (connection->reader)
        redisReaderFree(connection->reader);
    curl_easy_cleanup(connection->easy);
    free(connection);
}

static bool wait_for(const struct redis *redis, const struct redis_connection *connection,
                     short events, struct store_error *error)
{
    struct pollfd fd = {.fd = connection->socket, .events = events};
    int count;
    do
        count = poll(&fd, 1, (int)(redis->url.timeout_ns / 1000000));
    while (count < 0 && errno == EINTR);
    return count > 0 || store_fail(error, STORE_UNAVAILABLE, "no answer in %" PRIu64 " s",
                                   redis->url.timeout_ns / 1000000000);
}

static bool broke(struct redis_exchange *exchange, struct store_error *error, CURLcode code)
{
    exchange->broke = true;
    return store_fail(error, STORE_UNAVAILABLE, "the connection broke: %s",
                      curl_easy_strerror(code));
}

static bool send_all(const struct redis *redis, struct redis_connection *connection,
                     struct redis_exchange *exchange, const char *data, size_t length,
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

static bool receive(const struct redis *redis, struct redis_connection *connection,
                    struct redis_exchange *exchange, struct store_error *error)
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
static bool talk(const struct redis *redis, struct redis_connection *connection,
                 struct redis_exchange *exchange, struct store_error *error)
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
static bool greet(const struct redis *redis, struct redis_connection *connection,
                  struct redis_exchange *exchange, struct store_error *error)
{
    if (!talk(redis, connection, exchange, error))
        return false;
    bool good = exchange->reply->type != REDIS_REPLY_ERROR || refused(exchange->reply, error);
    freeReplyObject(exchange->reply);
    error->cause = STORE_UNAVAILABLE;
    return good;
}

static bool introduce(const struct redis *redis, struct redis_connection *connection,
                      struct store_error *error)
{
    struct redis_exchange hello = {0}, select = {0};
    const char *user = redis->url.user, *password = redis->url.password;
    redis_add_text(&hello, "AUTH");
    if (user && *user)
        redis_add_text(&hello, user);
    if (password)
        redis_add_text(&hello, password);
    if (password && !greet(redis, connection, &hello, error))
        return false;
    redis_add_text(&select, "SELECT");
    redis_add_text(&select, redis->database);
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

static struct redis_connection *connect_to(const struct redis *redis, struct store_error *error)
{
    char why[CURL_ERROR_SIZE] = "";
    struct redis_connection *connection = calloc(1, sizeof *connection);
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

static struct redis_connection *take_idle(struct redis *redis)
{
    pthread_mutex_lock(&redis->lock);
    struct redis_connection *connection = redis->idle;
    if (connection) {
        redis->idle = connection->next;
        redis->idle_count--;
    }
    pthread_mutex_unlock(&redis->lock);
    return connection;
}

static void keep(struct redis *redis, struct redis_connection *connection)
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

bool redis_ask(struct redis *redis, struct redis_exchange *exchange, int type, bool nil,
               struct store_error *error)
{
    struct redis_connection *connection;
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

void redis_hang_up(struct redis *redis)
{
    struct redis_connection *connection;
    while ((connection = take_idle(redis)))
        drop(connection);
}
