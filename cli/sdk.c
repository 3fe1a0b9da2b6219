/* `eryx sdk`: finds the SDK for native extensions and hands over to its programs. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "message.h"

#define PROGRAM "tools/eryx_sdk.py"

/* $ERYX_SDK, or beside the command: in the build tree, or installed under the same prefix. */
static bool find_program(char *out, size_t capacity)
{
    static const char *const places[] = {"/sdk/" PROGRAM, "/../lib/eryx/sdk/" PROGRAM};
    const char *given = getenv("ERYX_SDK");
    char folder[PATH_MAX];
    if (given && *given)
        return (size_t)snprintf(out, capacity, "%s/" PROGRAM, given) < capacity &&
               access(out, R_OK) == 0;
    ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
    if (length < 0)
        return false;
    folder[length] = 0;
    *strrchr(folder, '/') = 0;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if ((size_t)snprintf(out, capacity, "%s%s", folder, places[i]) < capacity &&
            access(out, R_OK) == 0)
            return true;
    return false;
}

static int run(int argc, char **argv)
{
    char program[PATH_MAX + 64];
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(command_sdk.help, stdout);
        return message_flush_stdout(EXIT_OK);
    }
    if (argc < 2)
        return message_usage("sdk", "one of cc, c++, build-wheel and info is needed");
    if (!find_program(program, sizeof program)) {
        message_error("there is no SDK %s; run `make sdk` in the source tree of eryx, or set "
                      "ERYX_SDK to its folder",
                      getenv("ERYX_SDK") ? "in the folder that ERYX_SDK names"
                                         : "beside this command");
        return EXIT_FAILED;
    }
    /* python3 -I -B PROGRAM arguments ... */
    char **command = calloc((size_t)argc + 4, sizeof *command);
    if (!command) {
        message_error("out of memory");
        return EXIT_FAILED;
    }
    command[0] = "python3";
    command[1] = "-I";
    command[2] = "-B";
    command[3] = program;
    memcpy(command + 4, argv + 1, ((size_t)argc - 1) * sizeof *command);
    execvp(command[0], command);
    message_error("cannot run python3: %s", strerror(errno));
    free(command);
    return EXIT_FAILED;
}

const struct command command_sdk = {
    .name = "sdk",
    .summary = "build native extensions for the sandbox",
    .help = "Usage: eryx sdk cc ARGUMENTS ...\n"
            "       eryx sdk c++ ARGUMENTS ...\n"
            "       eryx sdk build-wheel [options] PACKAGE ...\n"
            "       eryx sdk info\n"
            "\n"
            "Examples:\n"
            "  eryx sdk cc -shared spam.c -o spam.cpython-314-wasm32-wasi.so\n"
            "  eryx sdk build-wheel msgpack==1.1.2      the wheel is written to this folder\n"
            "  eryx sdk build-wheel ./my-project\n"
            "\n"
            "cc and c++ are used like the compilers of those names. What they link is an\n"
            "extension module: import it in the sandbox like any other. Exceptions of C++,\n"
            "setjmp and threads are not supported there; -fexceptions -fignore-exceptions\n"
            "compiles code that uses exceptions but does without them (a throw ends the sandbox).\n"
            "\n"
            "The SDK is a folder that `make sdk` makes in the source tree of eryx: beside this\n"
            "command, or what ERYX_SDK names. It needs python3, and build-wheel pip.\n",
    .run = run,
};
