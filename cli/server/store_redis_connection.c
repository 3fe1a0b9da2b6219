/* Connections to a Redis server. hiredis writes commands and reads answers; libcurl makes the
 * connection, with TLS for rediss:// (hiredis before 1.0 has none). */
#include "store_redis.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <curl/curl.h>

enum { IDLE_MAX = 64, TRIES_MAX = 20 };

struct redis_connection {
    CURL *easy;
    curl_socket_t socket;
    redisReader *reader;
    struct redis_address to;
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
    static const char *const unusable[] = {
        "NOAUTH",  "WRONGPASS", "NOPERM",     "LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN",
        "MISCONF", "BUSY",      "UNKILLABLE", "MOVED",   "ASK",      "TRYAGAIN"};
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

static CURLcode dial(const struct redis *redis, const struct redis_address *to, CURL *easy)
{
    char address[300];
    long milliseconds = (long)(redis->url.timeout_ns / 1000000);
    snprintf(address, sizeof address, "%s://%s:%s", redis->secure ? "https" : "http", to->host,
             to->port);
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

static struct redis_connection *connect_to(struct redis *redis, unsigned node,
                                           struct store_error *error)
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
    pthread_mutex_lock(&redis->lock);
    connection->to = redis->nodes[node];
    pthread_mutex_unlock(&redis->lock);
    CURLcode code = dial(redis, &connection->to, connection->easy);
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

static struct redis_connection *take_idle(struct redis *redis, unsigned node)
{
    pthread_mutex_lock(&redis->lock);
    struct redis_connection **at = &redis->idle, *connection;
    while (*at && !redis_same_address(&(*at)->to, &redis->nodes[node]))
        at = &(*at)->next;
    connection = *at;
    if (connection) {
        *at = connection->next;
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

/* A node that gets a slot takes a command for it only after this. */
static bool say_asking(const struct redis *redis, struct redis_connection *connection,
                       struct store_error *error)
{
    struct redis_exchange asking = {0};
    redis_add_text(&asking, "ASKING");
    return greet(redis, connection, &asking, error);
}

/* With whatever answer. */
static bool ask_node(struct redis *redis, unsigned node, bool asking,
                     struct redis_exchange *exchange, struct store_error *error)
{
    struct redis_connection *connection;
    bool fresh, good;
    do {
        connection = take_idle(redis, node);
        fresh = !connection;
        if (fresh && !(connection = connect_to(redis, node, error)))
            return false;
        exchange->broke = false;
        good = (!asking || say_asking(redis, connection, error)) &&
               talk(redis, connection, exchange, error);
        if (!good)
            drop(connection);
    } while (!good && !fresh && (exchange->broke || asking));
    if (good)
        keep(redis, connection);
    return good;
}

/* Whether to ask again: another node, or the same when the two keys of a session are just moving. */
static bool goes_on(struct redis *redis, const redisReply *reply, unsigned *node, bool *asking)
{
    static const struct timespec moment = {.tv_nsec = 50000000};
    char text[300];
    store_printable(text, sizeof text, reply->str, reply->len);
    if (strncmp(text, "TRYAGAIN ", 9) != 0)
        return redis_redirect(redis, text, node, asking);
    nanosleep(&moment, NULL);
    return true;
}

bool redis_ask(struct redis *redis, struct redis_exchange *exchange, int type, bool nil,
               struct store_error *error)
{
    unsigned node = redis_node_of(redis, exchange->key);
    bool asking = false, lost = false;
    for (int i = 0; i < TRIES_MAX; i++) {
        if (!ask_node(redis, node, asking, exchange, error)) {
            if (node == 0 || lost)
                return false;
            redis_forget_node(redis, node); /* that of the URL knows who has its slots */
            lost = true;
            node = 0;
            asking = false;
            continue;
        }
        const redisReply *reply = exchange->reply;
        if (reply->type == type || (nil && reply->type == REDIS_REPLY_NIL))
            return true;
        bool again = reply->type == REDIS_REPLY_ERROR && i + 1 < TRIES_MAX &&
                     goes_on(redis, reply, &node, &asking);
        if (!again && reply->type == REDIS_REPLY_ERROR)
            refused(reply, error);
        else if (!again)
            store_fail(error, STORE_FAILED, "it answers with the wrong type");
        freeReplyObject(exchange->reply);
        exchange->reply = NULL;
        if (!again)
            return false;
    }
    return false;
}

void redis_hang_up(struct redis *redis)
{
    while (redis->idle) {
        struct redis_connection *connection = redis->idle;
        redis->idle = connection->next;
        drop(connection);
    }
}
