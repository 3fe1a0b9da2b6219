/* Sessions in a bucket of S3, or of what is compatible with it. PREFIX/ID.session has the bytes, and
 * its ETag is the mark: each writing names the ETag that it replaces (If-Match, or If-None-Match if
 * there is none). PREFIX/ID.lease is there while somebody works with it; it was written anew when
 * the lease was renewed, and has ended when it is older than it says, by the clock of the server:
 * Date against Last-Modified, so that the clocks of those who use it need not agree. */
#define _GNU_SOURCE
#include "store_s3.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- Conditional writes -------------------------------------------------------------------- */

static bool was_refused(const struct s3_exchange *exchange)
{
    return exchange->status == 412 || exchange->status == 409;
}

static bool is_good(const struct s3_exchange *exchange)
{
    return exchange->status >= 200 && exchange->status < 300;
}

static void condition_on(const char *tag, char *out, size_t capacity)
{
    if (*tag)
        snprintf(out, capacity, "If-Match: %s", tag);
    else
        snprintf(out, capacity, "If-None-Match: *");
}

/* PUT on the condition that the object is still what has the tag, "": that there is none. 1: done,
 * tag is the new one; 0: it is not; -1: an error. */
static int put(struct s3 *s3, const char *id, const char *kind, const void *body, size_t length,
               char tag[80], struct store_error *error)
{
    char condition[100];
    struct s3_exchange exchange = {.method = "PUT",
                                   .id = id,
                                   .kind = kind,
                                   .body = body,
                                   .body_length = length,
                                   .condition = condition};
    condition_on(tag, condition, sizeof condition);
    if (!s3_perform(s3, &exchange, error))
        return -1;
    /* 404: what was to be replaced has gone. */
    if (was_refused(&exchange) || (exchange.status == 404 && *tag)) {
        free(exchange.answer);
        return 0;
    }
    if (!is_good(&exchange)) {
        s3_unexpected(&exchange, error);
        return -1;
    }
    free(exchange.answer);
    if (!exchange.tag[0]) {
        store_fail(error, STORE_UNAVAILABLE, "it answers without an ETag");
        return -1;
    }
    strcpy(tag, exchange.tag);
    return 1;
}

/* --- Leases ------------------------------------------------------------------------------- */

static uint64_t lease_ns(void *env)
{
    const struct s3 *s3 = env;
    return s3->url.lease_ns;
}

/* A new token each time, so that the ETag is another one too. */
static int put_lease(struct s3 *s3, struct store_lease *lease, char tag[80],
                     struct store_error *error)
{
    char body[80];
    if (!store_random_token(lease->token, error))
        return -1;
    int length = snprintf(body, sizeof body, "%s %" PRIu64 "\n", lease->token,
                          s3->url.lease_ns / 1000000000 + 1);
    int done = put(s3, lease->id, "lease", body, (size_t)length, tag, error);
    if (done == 1)
        strcpy(lease->mark, tag);
    return done;
}

static bool busy(struct store_error *error)
{
    return store_fail(error, STORE_BUSY, "somebody else is using it");
}

/* Whether the lease that is there has ended; its ETag, "" if there is none any more. */
static bool has_ended(struct s3 *s3, const char *id, char tag[80], struct store_error *error)
{
    struct s3_exchange exchange = {.method = "GET", .id = id, .kind = "lease"};
    if (!s3_perform(s3, &exchange, error))
        return false;
    if (exchange.status == 404) {
        free(exchange.answer);
        *tag = '\0';
        return true;
    }
    if (!is_good(&exchange) || !exchange.tag[0])
        return s3_unexpected(&exchange, error);
    time_t now = curl_getdate(exchange.date, NULL), then = curl_getdate(exchange.modified, NULL);
    const char *space = exchange.answer ? strchr(exchange.answer, ' ') : NULL;
    long seconds = space ? strtol(space, NULL, 10) : 0;
    free(exchange.answer);
    strcpy(tag, exchange.tag);
    if (now < 0 || then < 0)
        return store_fail(error, STORE_UNAVAILABLE, "it answers without Date and Last-Modified");
    return now - then > (seconds < 7200 ? seconds : 7200) || busy(error);
}

static bool take(void *env, struct store_lease *lease, struct store_error *error)
{
    char tag[80] = "";
    int done = put_lease(env, lease, tag, error);
    if (done == 0) {
        if (!has_ended(env, lease->id, tag, error))
            return false;
        done = put_lease(env, lease, tag, error);
    }
    return done == 1 || (done == 0 && busy(error));
}

static bool lost(struct store_error *error)
{
    return store_fail(error, STORE_LOST, "somebody else has taken it meanwhile");
}

static bool renew(void *env, struct store_lease *lease, struct store_error *error)
{
    char tag[80];
    strcpy(tag, lease->mark);
    int done = put_lease(env, lease, tag, error);
    return done == 1 || (done == 0 && lost(error));
}

static bool delete_object(struct s3 *s3, const char *id, const char *kind, const char *condition,
                          struct store_error *error)
{
    struct s3_exchange exchange = {
        .method = "DELETE", .id = id, .kind = kind, .condition = condition};
    if (!s3_perform(s3, &exchange, error))
        return false;
    if (!is_good(&exchange) && exchange.status != 404)
        return s3_unexpected(&exchange, error);
    free(exchange.answer);
    return true;
}

/* Where If-Match is not known for DELETE, another's lease may be deleted if ours had ended: what
 * two then write is decided by the session's own ETag. */
static void release(void *env, struct store_lease *lease)
{
    char condition[100];
    struct store_error error;
    condition_on(lease->mark, condition, sizeof condition);
    delete_object(env, lease->id, "lease", condition, &error);
}

/* --- Sessions ----------------------------------------------------------------------------- */

/* An object that nobody makes: whoever may not ask for it may not ask for others. */
static bool ping(void *env, struct store_error *error)
{
    struct s3_exchange exchange = {.method = "GET", .id = "ping", .kind = ""};
    if (!s3_perform(env, &exchange, error))
        return false;
    if (exchange.status == 404 && !(exchange.answer && strstr(exchange.answer, "NoSuchBucket"))) {
        free(exchange.answer);
        return true;
    }
    if (!is_good(&exchange))
        return s3_unexpected(&exchange, error);
    free(exchange.answer);
    return true;
}

static bool look(void *env, const char *id, struct store_mark *mark, struct store_error *error)
{
    struct s3_exchange exchange = {.method = "HEAD", .id = id, .kind = "session"};
    if (!s3_perform(env, &exchange, error))
        return false;
    if (exchange.status == 404)
        return true;
    if (!is_good(&exchange))
        return s3_unexpected(&exchange, error);
    strcpy(mark->text, exchange.tag);
    return *mark->text || store_fail(error, STORE_UNAVAILABLE, "it answers without an ETag");
}

static void *read_session(void *env, const char *id, size_t max, size_t *length,
                          struct store_mark *mark, struct store_error *error)
{
    struct s3_exchange exchange = {.method = "GET", .id = id, .kind = "session", .answer_max = max};
    if (!s3_perform(env, &exchange, error))
        return NULL;
    if (exchange.status == 404) {
        free(exchange.answer);
        store_fail(error, STORE_NONE, "there is none");
        return NULL;
    }
    if (!is_good(&exchange)) {
        s3_unexpected(&exchange, error);
        return NULL;
    }
    if (exchange.length > max) {
        free(exchange.answer);
        store_fail(error, STORE_TOO_BIG, "it has %zu bytes", exchange.length);
        return NULL;
    }
    *length = exchange.length;
    *mark = (struct store_mark){.size = exchange.length};
    strcpy(mark->text, exchange.tag);
    return exchange.answer ? exchange.answer : calloc(1, 1);
}

static bool write_session(void *env, struct store_lease *lease, const void *data, size_t length,
                          struct store_mark *mark, struct store_error *error)
{
    char tag[80];
    strcpy(tag, mark->text);
    int done = put(env, lease->id, "session", data, length, tag, error);
    if (done != 1)
        return done == 0 && lost(error);
    *mark = (struct store_mark){.size = length};
    strcpy(mark->text, tag);
    return true;
}

/* The lease is renewed first: nobody else can take it while the deletion is on its way. */
static bool remove_session(void *env, struct store_lease *lease, struct store_error *error)
{
    return renew(env, lease, error) && delete_object(env, lease->id, "session", NULL, error);
}

/* --- Opening ------------------------------------------------------------------------------ */

static void close_s3(void *env)
{
    struct s3 *s3 = env;
    s3_hang_up(s3);
    pthread_mutex_destroy(&s3->lock);
    store_url_free(&s3->url);
    if (s3->user_password)
        explicit_bzero(s3->user_password, strlen(s3->user_password));
    free(s3->base);
    free(s3->user_password);
    free(s3->token_header);
    free(s3->signing);
    free(s3);
}

static bool format(char **out, struct store_error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool format(char **out, struct store_error *error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vasprintf(out, format, args);
    va_end(args);
    if (length >= 0)
        return true;
    *out = NULL;
    return store_fail(error, STORE_FAILED, "out of memory");
}

static bool is_plain(const char *text, const char *more)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    for (; *text; text++) {
        if (!strchr(letters, *text) && !strchr(more, *text))
            return false;
    }
    return true;
}

static bool find_base(struct s3 *s3, struct store_error *error)
{
    const struct store_url *url = &s3->url;
    const char *endpoint = url->endpoint, *prefix = url->path && *url->path ? url->path : "/";
    char amazon[120];
    size_t length = endpoint ? strlen(endpoint) : 0;
    if (url->user || url->password)
        return store_fail(error, STORE_FAILED,
                          "the store's URL: the keys of S3 are taken from "
                          "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
    if (url->port)
        return store_fail(error, STORE_FAILED,
                          "the store's URL: s3://BUCKET has no port; the server "
                          "is endpoint=https://HOST:PORT");
    if (strlen(prefix) > 200 || !is_plain(prefix, "-_./") || strstr(prefix, "//") ||
        strstr(prefix, "/.") || !is_plain(url->host, "-_.") || strlen(url->host) > 63)
        return store_fail(error, STORE_FAILED,
                          "the store's URL: bucket and prefix may have letters, "
                          "digits, '-', '_' and '.'");
    if (endpoint &&
        ((strncmp(endpoint, "https://", 8) != 0 && strncmp(endpoint, "http://", 7) != 0) ||
         strpbrk(endpoint, "?#@") || length > 300))
        return store_fail(error, STORE_FAILED,
                          "the store's URL: endpoint must be http://HOST:PORT or "
                          "https://HOST:PORT");
    if (!is_plain(url->region, "-") || strlen(url->region) > 40)
        return store_fail(error, STORE_FAILED,
                          "the store's URL: the region must be as in us-east-1");
    if (!endpoint) {
        snprintf(amazon, sizeof amazon, "https://s3.%s.amazonaws.com", url->region);
        endpoint = amazon;
        length = strlen(amazon);
    }
    while (length > 0 && endpoint[length - 1] == '/')
        length--;
    return format(&s3->base, error, "%.*s/%s%s%s", (int)length, endpoint, url->host, prefix,
                  prefix[strlen(prefix) - 1] == '/' ? "" : "/");
}

static bool set_region(struct s3 *s3, struct store_error *error)
{
    static const char *const variables[] = {"AWS_REGION", "AWS_DEFAULT_REGION"};
    const char *region = NULL;
    for (size_t i = 0; i < 2 && (!region || !*region); i++)
        region = getenv(variables[i]);
    if (!s3->url.region)
        s3->url.region = curl_easy_escape(NULL, region && *region ? region : "us-east-1", 0);
    return s3->url.region || store_fail(error, STORE_FAILED, "out of memory");
}

static bool read_keys(struct s3 *s3, struct store_error *error)
{
    const char *key = getenv("AWS_ACCESS_KEY_ID"), *secret = getenv("AWS_SECRET_ACCESS_KEY");
    const char *token = getenv("AWS_SESSION_TOKEN");
    if (!key || !*key || !secret || !*secret || strchr(key, ':'))
        return store_fail(error, STORE_FAILED,
                          "stores on S3 need AWS_ACCESS_KEY_ID and "
                          "AWS_SECRET_ACCESS_KEY in the environment");
    if (token && strpbrk(token, "\r\n"))
        return store_fail(error, STORE_FAILED, "AWS_SESSION_TOKEN has a line break");
    return format(&s3->user_password, error, "%s:%s", key, secret) &&
           (!token || !*token ||
            format(&s3->token_header, error, "X-Amz-Security-Token: %s", token)) &&
           format(&s3->signing, error, "aws:amz:%s:s3", s3->url.region);
}

const struct store_backend *store_open_s3(const char *place, void **env, char name[200],
                                          struct store_error *error)
{
    static const char *const options[] = {"endpoint", "region", "ca", NULL};
    static const struct store_backend backend = {
        lease_ns, close_s3, ping,         take,          renew,
        release,  look,     read_session, write_session, remove_session,
    };
    struct s3 *s3 = calloc(1, sizeof *s3);
    if (!s3 || !store_url_parse(place, options, &s3->url, error)) {
        free(s3);
        return NULL;
    }
    pthread_mutex_init(&s3->lock, NULL);
    if (!set_region(s3, error) || !find_base(s3, error) || !read_keys(s3, error)) {
        close_s3(s3);
        return NULL;
    }
    snprintf(name, 200, "s3://%.70s%.120s", s3->url.host, s3->url.path ? s3->url.path : "");
    *env = s3;
    return &backend;
}
