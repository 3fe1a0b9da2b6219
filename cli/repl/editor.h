/* Reads lines from a terminal with editing, history and completion, or from anything else. */
#ifndef ERYX_CLI_REPL_EDITOR_H
#define ERYX_CLI_REPL_EDITOR_H

#include <stdbool.h>
#include <stddef.h>

struct editor;

enum editor_event {
    EDITOR_LINE,        /* *line and *length are set */
    EDITOR_INTERRUPTED, /* Ctrl-C: what was typed is dropped */
    EDITOR_END          /* end of input, or a signal that ends the process */
};

/* What may complete a line. */
struct completion {
    size_t replace; /* characters before the cursor that a match replaces */
    char **matches; /* sorted */
    size_t count;
    struct json_t *json; /* what matches points into */
};

struct editor_options {
    const char *history_path; /* NULL: none is kept */
    int signal_fd;            /* a signalfd of SIGINT, SIGWINCH and signals that end the process */
    int *ended_by;            /* set to the number of a signal that ended reading */
    /* Looks for what completes `line`, which ends at the cursor. False: nothing is known. */
    bool (*complete)(void *env, const char *line, size_t length, struct completion *out);
    void *env;
};

/* NULL with errno if there is no memory. */
struct editor *editor_new(const struct editor_options *options);

/* Whether lines come from a terminal and the prompt is shown. */
bool editor_is_terminal(const struct editor *editor);

/* The line has no newline at its end and is valid until the next call. */
enum editor_event editor_read(struct editor *editor, const char *prompt, const char **line,
                              size_t *length);

/* For a program that reads stdin, as eryx_input_fn: at most one line, so that what follows is still
 * the prompt's. Ends with an error when stop_fd is readable. */
ptrdiff_t editor_input(struct editor *editor, int stop_fd, char *buffer, size_t capacity);

/* An entry of the history: all lines of one input. */
void editor_remember(struct editor *editor, const char *text);

/* Writes the history. NULL is allowed. */
void editor_free(struct editor *editor);

#endif
