/* This process's standard streams, as the program in the sandbox uses them. */
#ifndef ERYX_CLI_STREAMS_H
#define ERYX_CLI_STREAMS_H

#include <stddef.h>
#include <stdint.h>

#include <eryx.h>

enum { STREAMS_OUT = 1, STREAMS_ERR = 2 };

struct streams {
    uint64_t limit_ns;    /* time limit of the program; 0: none */
    uint64_t deadline_ns; /* monotonic; set by streams_begin */
};

/* The program begins now. */
void streams_begin(struct streams *streams);

/* For eryx_sandbox_options_t; env is a struct streams. */
void streams_on_output(void *env, eryx_stream_t stream, const char *data, size_t length);
ptrdiff_t streams_on_input(void *env, char *buffer, size_t capacity);

/* Writes all of it. Returns 0, or errno. */
int streams_try_write(int fd, const char *data, size_t length);

/* Writes all of it, or ends this process. */
void streams_write(int fd, const char *data, size_t length);

#endif
