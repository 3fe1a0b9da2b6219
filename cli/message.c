/* Messages of the command on stderr. A message is composed first and written at
 * once, so that it stays whole beside what other threads or processes write. */
#include "message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"

enum { MESSAGE_MAX = 2048 };

void message_error(const char *format, ...)
{
    char text[MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "eryx: %s\n", text);
}

int message_usage(const char *command, const char *format, ...)
{
    char text[MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "eryx %s: %s\nTry 'eryx help %s'.\n", command, text, command);
    return EXIT_USAGE;
}

int message_flush_stdout(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    message_error("cannot write to standard output: %s", strerror(errno));
    return EXIT_FAILED;
}
