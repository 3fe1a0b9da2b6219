/* Compiled code of programs that several sandboxes of a runtime run: each is compiled twice.
 *
 * A sandbox in which nothing has run compiles what the host gave it, and nothing but that and the image
 * have a say in the result: it would be the same in all others. Only such a sandbox hands code out and is
 * given some, for this one program and before anything of it runs, so programs reach nothing of each
 * other's. In images in which programs or packages have run, code of theirs could look at what a sandbox was
 * given: there only what CPython's compiler alone has made counts, and nothing if they have machine code.
 * The first to run a program does not hand it out: most programs run once. */
#ifndef SANDBOX_CODES_H
#define SANDBOX_CODES_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What compiling depends on. */
typedef struct code_key {
    const char *source;
    size_t length;
    const char *filename;
    uint32_t variant; /* other settings */
} code_key_t;

typedef struct codes {
    pthread_mutex_t lock;
    struct kept_code *kept; /* used last comes first */
    size_t max_bytes;       /* 0: none is kept */
    uint64_t seen[256];     /* hashes of keys; at their place: hash modulo count */
} codes_t;

bool codes_init(codes_t *codes, size_t max_bytes);
void codes_destroy(codes_t *codes);

/* As code-find in abi/imports_code.c. Any thread, and so codes_keep. */
int32_t codes_find(codes_t *codes, const code_key_t *key, char *buffer, size_t capacity);
/* length 0: there is none to keep. Nothing happens without memory. */
void codes_keep(codes_t *codes, const code_key_t *key, const char *code, size_t length);

/* The program that is about to run in a sandbox, and what its guest may do with its code. */
typedef struct code_query {
    enum { CODE_CLOSED, CODE_OPEN, CODE_WANTED } state;
    code_key_t key;
} code_query_t;

struct eryx_sandbox;

/* The sandbox is about to run a program; its guest must know its settings. Whoever runs it closes the query as
 * soon as it has begun. */
void codes_open(struct eryx_sandbox *sandbox, const char *source, size_t length);

/* For guest_streams_t; env is an eryx_sandbox_t. */
int32_t codes_answer_find(void *env, char *buffer, size_t capacity);
void codes_answer_keep(void *env, const char *code, size_t length);

#endif
