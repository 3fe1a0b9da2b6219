/* Requests to an S3-compatible server: between store_s3.c, which knows what is stored, and libcurl. */
#ifndef ERYX_CLI_SERVER_STORE_S3_H
#define ERYX_CLI_SERVER_STORE_S3_H

#include <pthread.h>

#include <curl/curl.h>

#include "store_url.h"

enum { S3_IDLE_MAX = 64 };

struct s3 {
    struct store_url url;
    char *base; /* of objects: endpoint, bucket, prefix */
    char *user_password, *token_header, *signing;
    pthread_mutex_t lock; /* of the two below */
    CURL *idle[S3_IDLE_MAX];
    unsigned idle_count;
};

/* A request and its answer. */
struct s3_exchange {
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

/* True: there is an answer with a status. */
bool s3_perform(struct s3 *s3, struct s3_exchange *exchange, struct store_error *error);

/* What an answer with an unexpected status means. Frees the answer, returns false. */
bool s3_unexpected(struct s3_exchange *exchange, struct store_error *error);

/* Closes all connections. */
void s3_hang_up(struct s3 *s3);

#endif
