/* The terminal of `eryx top`: a screen of its own, keys without echo, all put back at the end. */
#ifndef ERYX_CLI_TOP_SCREEN_H
#define ERYX_CLI_TOP_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

/* stdin and stdout are terminals. False with errno. */
bool screen_begin(void);
void screen_end(void);

void screen_size(size_t *rows, size_t *columns);

/* Shows text, whose lines are ended by SCREEN_LINE_END, instead of what there was. */
#define SCREEN_LINE_END "\x1b[K\r\n"
void screen_show(const char *text, size_t length);

/* A key, 0 when the time is over or the window has another size, -1: a signal asks for the end, or the
 * terminal is gone. */
int screen_key(int timeout_ms);

#endif
