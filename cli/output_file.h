/* A file that appears whole or not at all: written beside its place under another name, then renamed. */
#ifndef ERYX_CLI_OUTPUT_FILE_H
#define ERYX_CLI_OUTPUT_FILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>

struct output_file {
    const char *path, *option; /* as given, for messages */
    char *target;              /* what the file is to be; NULL: nothing is renamed */
    char *unfinished;          /* never freed: the thread that takes signals may want it */
    atomic_bool exists;        /* unfinished does */
    int fd;                    /* -1: not open */
};

#define OUTPUT_FILE_NONE {.fd = -1}

/* Opens a file to be written for an option such as "--trace". A regular one, or a new one, takes its place in
 * output_file_finish; *at_once: it is something else (a pipe, a device), written as it comes. Prints its own
 * message and returns false on failure. */
bool output_file_open(struct output_file *file, const char *path, const char *option,
                      bool *at_once);

/* Says that it cannot be written; returns false. */
bool output_file_refuse(const struct output_file *file, int cause);

/* Closes it and puts it in its place; same. Does nothing if it is not open. */
bool output_file_finish(struct output_file *file);

/* Removes the unfinished file: nothing will come of it. Any thread. */
void output_file_abandon(struct output_file *file);

#endif
