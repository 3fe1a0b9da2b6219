/* Options of `eryx run` that set limits, beside --timeout and --memory. */
#ifndef ERYX_CLI_LIMITS_H
#define ERYX_CLI_LIMITS_H

#include <stdbool.h>

#include <eryx.h>

/* Their numbers for getopt_long begin here. */
enum { LIMITS_FIRST = 512 };

/* The lines for the table of getopt_long. */
#define LIMITS_OPTIONS                                                                             \
    {"cpu-time", required_argument, NULL, LIMITS_FIRST},                                           \
        {"host-memory", required_argument, NULL, LIMITS_FIRST + 1},                                \
        {"max-output", required_argument, NULL, LIMITS_FIRST + 2},                                 \
        {"disk", required_argument, NULL, LIMITS_FIRST + 3},                                       \
        {"max-files", required_argument, NULL, LIMITS_FIRST + 4},                                  \
        {"max-open-files", required_argument, NULL, LIMITS_FIRST + 5},                             \
        {"max-recursion", required_argument, NULL, LIMITS_FIRST + 6},                              \
        {"max-calls", required_argument, NULL, LIMITS_FIRST + 7},                                  \
        {"max-extensions", required_argument, NULL, LIMITS_FIRST + 8},                             \
        {"fuel", required_argument, NULL, LIMITS_FIRST + 9},                                       \
        {"net-connections", required_argument, NULL, LIMITS_FIRST + 10},                           \
        {"net-total", required_argument, NULL, LIMITS_FIRST + 11},                                 \
        {"net-bytes-in", required_argument, NULL, LIMITS_FIRST + 12},                              \
        {"net-bytes-out", required_argument, NULL, LIMITS_FIRST + 13},                             \
        {"net-connect-time", required_argument, NULL, LIMITS_FIRST + 14},                          \
        {"net-idle-time", required_argument, NULL, LIMITS_FIRST + 15}

/* Their part of the help. */
#define LIMITS_HELP                                                                                \
    "  --cpu-time TIME    stop after using the processor so long; default none\n"                  \
    "  --host-memory SIZE most memory of this process that the program can make eryx use for\n"    \
    "                     output, calls and results; default 256M\n"                               \
    "  --max-output SIZE  stop at the first byte of output beyond SIZE\n"                          \
    "  --disk SIZE        most data in the sandbox's own files, which take of --memory;\n"         \
    "                     default 1G. Past it OSError (ENOSPC), as past the next two\n"            \
    "  --max-files N      most files and folders; default 200000\n"                                \
    "  --max-open-files N most open files (EMFILE); default 1000\n"                                \
    "  --max-recursion N  what sys.setrecursionlimit sets at most; default 1000000\n"              \
    "  --max-calls N      most calls of callbacks; default 1000000\n"                              \
    "  --max-extensions SIZE  most bytes of native extensions that it can load;\n"                 \
    "                     default 64M\n"                                                           \
    "  --fuel N           stop after N WebAssembly instructions, on any machine at the same\n"     \
    "                     place. Uses the runtime that counts, which is half as fast\n"            \
    "  --net-connections N  most sockets at once; default 64\n"                                    \
    "  --net-total N      most connections in all; default 10000\n"                                \
    "  --net-bytes-in SIZE  most bytes from all connections; default 1G\n"                         \
    "  --net-bytes-out SIZE  most bytes to all connections; default 1G\n"                          \
    "  --net-connect-time TIME  for a connection to stand; default 30s, or none\n"                 \
    "  --net-idle-time TIME  without a byte on a connection; default 300s, or none\n"

/* Whether it is one of them. */
bool limits_is_option(int option);
/* Takes the value of an option. EXIT_OK, or an exit code after a message. */
int limits_set(eryx_limits_t *limits, int option, const char *value);

#endif
