/* Messages of the command on stderr, all beginning with `eryx`. */
#ifndef ERYX_CLI_MESSAGE_H
#define ERYX_CLI_MESSAGE_H

/* "eryx: ...\n" */
void message_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "eryx COMMAND: ...\nTry 'eryx help COMMAND'.\n"; returns EXIT_USAGE. */
int message_usage(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Ends stdout's buffer; EXIT_FAILED with a message if it could not be written, else code. */
int message_flush_stdout(int code);

#endif
