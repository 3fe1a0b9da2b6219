/* Runs one program in a sandbox, connected to this process's streams and Ctrl-C. */
#ifndef ERYX_CLI_PROGRAM_H
#define ERYX_CLI_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

#include <eryx.h>

#include "mount_options.h"
#include "network.h"
#include "package_options.h"
#include "secrets.h"
#include "source.h"
#include "transfer.h"

struct program {
    struct source source;
    const char *runtime_path; /* NULL: the library's default */
    const char *const *argv;  /* sys.argv */
    size_t argc;
    const char **environ; /* "NAME=value" */
    size_t environ_count;
    eryx_limits_t limits;
    bool pass_stdin;
    const char *callbacks_path; /* NULL: none */
    struct mount_options mounts;
    struct package_options packages;
    struct transfers puts, gets;
    struct network net;
    struct secret_options secrets;
    const char *result;     /* as of eryx_execute_options_t */
    const char *trace_path; /* NULL: none */
    uint64_t trace_bytes;   /* at most in that file */
    uint32_t trace_locals_bytes;
    const char *profile_path;    /* see profile/profile.h; NULL: none */
    const char *checkpoint_path; /* see checkpoint.h; NULL: none */
    bool checkpoint_waiting;     /* as soon as it waits */
    const char *resume_path;     /* a checkpoint that goes on, instead of source; NULL: none */
    const char *session_path;    /* a checkpoint at rest to begin with, if it exists, and to write
                                  * at the end; NULL: none */
    bool json;                   /* keep the output, and print all as one JSON object */
};

/* Returns the exit code for the process; messages are printed. */
int program_run(const struct program *program);

#endif
