/* Sessions in a bucket of S3, or of what is compatible with it. PREFIX/ID.session has the bytes, and
 * its ETag is the mark: each writing names the ETag that it replaces (If-Match, or If-None-Match if
 * there is none). PREFIX/ID.lease is there while somebody works with it; it was written anew when
 * the lease was renewed, and has ended when it is older than it says, by the clock of the server:
 * Date against Last-Modified, so that the clocks of those who use it need not agree.
 *
 * libcurl signs the requests (AWS Signature Version 4). */
#define _GNU_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <curl/curl.h>
#include <openssl/evp.h>

#include "store_url.h"

enum { IDLE_MAX = 64, SMALL = 4096 };

struct s3 {
    struct store_url url;
    char *base; /* of objects: endpoint, bucket, prefix */
    char *user_password, *token_header, *signing;
    pthread_mutex_t lock; /* of the two below */
    CURL *idle[IDLE_MAX];
    unsigned idle_count;
};

/* A request and its answer. */
struct exchange {
    const char *method, *id, *kind; /* kind: "session" or "lease" */
    const void *body;
    size_t body_length;
    const char *condition; /* a header, or NULL */
    size_t answer_max;

    long status;
    char *answer; /* for free() */
    size_t length;
    bool too_long;
    char tag[80], date[40], modified[40];
};

/* --- Requests ----------------------------------------------------------------------------- */

static CURL *take_idle(struct s3 *s3)
{
    pthread_mutex_lock(&s3->lock);
    CURL *easy = s3->idle_count > 0 ? s3->idle[--s3->idle_count] : NULL;
    pthread_mutex_unlock(&s3->lock);
    return easy ? easy : curl_easy_init();
}

static void keep(struct s3 *s3, CURL *easy)
{
    curl_easy_reset(easy); /* its connections stay */
    pthread_mutex_lock(&s3->lock);
    bool room = s3->idle_count < IDLE_MAX;
    if (room)
        s3->idle[s3->idle_count++] = easy;
    pthread_mutex_unlock(&s3->lock);
    if (!room)
        curl_easy_cleanup(easy);
}

static size_t on_body(char *data, size_t size, size_t count, void *env)
{
    struct exchange *exchange = env;
    size_t more = size * count;
    exchange->too_long = more > exchange->answer_max - exchange->length;
    char *grown =
        exchange->too_long ? NULL : realloc(exchange->answer, exchange->length + more + 1);
    if (!grown)
        return 0;
    exchange->answer = grown;
    memcpy(grown + exchange->length, data, more);
    exchange->length += more;
    grown[exchange->length] = '\0';
    return more;
}

static size_t on_header(char *data, size_t size, size_t count, void *env)
{
    struct exchange *exchange = env;
    size_t length = size * count;
    struct {
        const char *name;
        char *out;
        size_t capacity;
    } wanted[] = {{"ETag:", exchange->tag, sizeof exchange->tag},
                  {"Date:", exchange->date, sizeof exchange->date},
                  {"Last-Modified:", exchange->modified, sizeof exchange->modified}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        size_t start = strlen(wanted[i].name);
        if (length <= start || strncasecmp(data, wanted[i].name, start) != 0)
            continue;
        while (start < length && data[start] == ' ')
            start++;
        store_printable(wanted[i].out, wanted[i].capacity, data + start, length - start);
    }
    return length;
}

static void set_up(const struct s3 *s3, CURL *easy, struct exchange *exchange, const char *address)
{
    bool large = exchange->body_length > SMALL || exchange->answer_max > SMALL;
    long seconds = (long)(s3->url.timeout_ns / 1000000000);
    curl_easy_setopt(easy, CURLOPT_URL, address);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, seconds < 5 ? seconds : 5L);
    if (large) { /* as long as something moves */
        curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, seconds);
    } else {
        curl_easy_setopt(easy, CURLOPT_TIMEOUT, seconds);
    }
    curl_easy_setopt(easy, CURLOPT_AWS_SIGV4, s3->signing);
    curl_easy_setopt(easy, CURLOPT_USERPWD, s3->user_password);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, exchange->method);
    if (strcmp(exchange->method, "PUT") == 0) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, exchange->body);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)exchange->body_length);
    } else if (strcmp(exchange->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    }
    if (s3->url.ca)
        curl_easy_setopt(easy, CURLOPT_CAINFO, s3->url.ca);
}

/* S3 wants the hash of the body as a header, which libcurl before 8.0 does not send by itself. */
static struct curl_slist *add_hash(struct curl_slist *list, const void *body, size_t length)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    char header[32 + 2 * EVP_MAX_MD_SIZE] = "x-amz-content-sha256: ";
    EVP_Digest(length ? body : "", length, hash, &size, EVP_sha256(), NULL);
    for (size_t i = 0, at = strlen(header); i < size; i++, at += 2)
        snprintf(header + at, 3, "%02x", hash[i]);
    return curl_slist_append(list, header);
}

static struct curl_slist *headers_of(const struct s3 *s3, const struct exchange *exchange)
{
    struct curl_slist *list = add_hash(NULL, exchange->body, exchange->body_length);
    if (exchange->condition)
        list = curl_slist_append(list, exchange->condition);
    if (s3->token_header)
        list = curl_slist_append(list, s3->token_header);
    if (strcmp(exchange->method, "PUT") == 0)
        list = curl_slist_append(list, "Content-Type: application/octet-stream");
    return list;
}

/* True: there is an answer with a status. */
static bool perform(struct s3 *s3, struct exchange *exchange, struct store_error *error)
{
    char why[CURL_ERROR_SIZE] = "";
    char address[1024];
    CURL *easy = take_idle(s3);
    if (!easy)
        return store_fail(error, STORE_FAILED, "out of memory");
    snprintf(address, sizeof address, "%s%s%s%s", s3->base, exchange->id,
             *exchange->kind ? "." : "", exchange->kind);
    if (exchange->answer_max < SMALL)
        exchange->answer_max = SMALL;
    set_up(s3, easy, exchange, address);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, why);
    struct curl_slist *headers = headers_of(s3, exchange);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    CURLcode code = curl_easy_perform(easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &exchange->status);
    curl_slist_free_all(headers);
    keep(s3, easy);
    if (code == CURLE_OK)
        return true;
    free(exchange->answer);
    exchange->answer = NULL;
    if (exchange->too_long)
        return store_fail(error, STORE_TOO_BIG, "it has more than %zu bytes", exchange->answer_max);
    return store_fail(error, STORE_UNAVAILABLE, "%s", *why ? why : curl_easy_strerror(code));
}

/* What an answer with an unexpected status means. Frees the answer. */
static bool unexpected(struct exchange *exchange, struct store_error *error)
{
    char code[60] = "";
    const char *answer = exchange->answer ? exchange->answer : "";
    const char *start = strstr(answer, "<Code>");
    const char *end = start ? strstr(start, "</Code>") : NULL;
    if (end)
        store_printable(code, sizeof code, start + 6, (size_t)(end - start - 6));
    bool too_big = exchange->status == 413 || strcmp(code, "EntityTooLarge") == 0;
    bool mine = exchange->status == 400 || exchange->status == 411;
    store_fail(error,
               too_big ? STORE_TOO_BIG
               : mine  ? STORE_FAILED
                       : STORE_UNAVAILABLE,
               "it answers %s with status %ld%s%s", exchange->method, exchange->status,
               *code ? " " : "", code);
    free(exchange->answer);
    exchange->answer = NULL;
    return false;
}

static bool was_refused(const struct exchange *exchange)
{
    return exchange->status == 412 || exchange->status == 409;
}

static bool is_good(const struct exchange *exchange)
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
    struct exchange exchange = {.method = "PUT",
                                .id = id,
                                .kind = kind,
                                .body = body,
                                .body_length = length,
                                .condition = condition};
    condition_on(tag, condition, sizeof condition);
    if (!perform(s3, &exchange, error))
        return -1;
    /* 404: what was to be replaced has gone. */
    if (was_refused(&exchange) || (exchange.status == 404 && *tag)) {
        free(exchange.answer);
        return 0;
    }
    if (!is_good(&exchange)) {
        unexpected(&exchange, error);
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
    struct exchange exchange = {.method = "GET", .id = id, .kind = "lease"};
    if (!perform(s3, &exchange, error))
        return false;
    if (exchange.status == 404) {
        free(exchange.answer);
        *tag = '\0';
        return true;
    }
    if (!is_good(&exchange) || !exchange.tag[0])
        return unexpected(&exchange, error);
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
    struct exchange exchange = {.method = "DELETE", .id = id, .kind = kind, .condition = condition};
    if (!perform(s3, &exchange, error))
        return false;
    if (!is_good(&exchange) && exchange.status != 404)
        return unexpected(&exchange, error);
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
    struct exchange exchange = {.method = "GET", .id = "ping", .kind = ""};
    if (!perform(env, &exchange, error))
        return false;
    if (exchange.status == 404 && !(exchange.answer && strstr(exchange.answer, "NoSuchBucket"))) {
        free(exchange.answer);
        return true;
    }
    if (!is_good(&exchange))
        return unexpected(&exchange, error);
    free(exchange.answer);
    return true;
}

static bool look(void *env, const char *id, struct store_mark *mark, struct store_error *error)
{
    struct exchange exchange = {.method = "HEAD", .id = id, .kind = "session"};
    if (!perform(env, &exchange, error))
        return false;
    if (exchange.status == 404)
        return true;
    if (!is_good(&exchange))
        return unexpected(&exchange, error);
    strcpy(mark->text, exchange.tag);
    return *mark->text || store_fail(error, STORE_UNAVAILABLE, "it answers without an ETag");
}

static void *read_session(void *env, const char *id, size_t max, size_t *length,
                          struct store_mark *mark, struct store_error *error)
{
    struct exchange exchange = {.method = "GET", .id = id, .kind = "session", .answer_max = max};
    if (!perform(env, &exchange, error))
        return NULL;
    if (exchange.status == 404) {
        free(exchange.answer);
        store_fail(error, STORE_NONE, "there is none");
        return NULL;
    }
    if (!is_good(&exchange)) {
        unexpected(&exchange, error);
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
    while (s3->idle_count > 0)
        curl_easy_cleanup(s3->idle[--s3->idle_count]);
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
