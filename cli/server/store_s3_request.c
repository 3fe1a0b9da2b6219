/* Requests to an S3-compatible server, signed by libcurl (AWS Signature Version 4). */
#define _GNU_SOURCE
#include "store_s3.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

enum { SMALL = 4096 };

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
    bool room = s3->idle_count < S3_IDLE_MAX;
    if (room)
        s3->idle[s3->idle_count++] = easy;
    pthread_mutex_unlock(&s3->lock);
    if (!room)
        curl_easy_cleanup(easy);
}

static size_t on_body(char *data, size_t size, size_t count, void *env)
{
    struct s3_exchange *exchange = env;
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
    struct s3_exchange *exchange = env;
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

static void set_up(const struct s3 *s3, CURL *easy, struct s3_exchange *exchange,
                   const char *address)
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

static struct curl_slist *headers_of(const struct s3 *s3, const struct s3_exchange *exchange)
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

bool s3_perform(struct s3 *s3, struct s3_exchange *exchange, struct store_error *error)
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

bool s3_unexpected(struct s3_exchange *exchange, struct store_error *error)
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

void s3_hang_up(struct s3 *s3)
{
    while (s3->idle_count > 0)
        curl_easy_cleanup(s3->idle[--s3->idle_count]);
}
