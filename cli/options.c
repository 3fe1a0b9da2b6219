/* Options of a program, and the program itself. As with python, everything after FILE, -c CODE or
 * - belongs to the program. */
#include "options.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "limits.h"
#include "message.h"
#include "suggest.h"
#include "values.h"

static const uint64_t memory_max = UINT64_C(4) << 30;
static const uint64_t trace_bytes_default = UINT64_C(1) << 30;
static const uint64_t trace_locals_max = UINT64_C(1) << 20;

enum {
    OPTION_STDIN = 256,
    OPTION_TIMEOUT,
    OPTION_MEMORY,
    OPTION_ENV,
    OPTION_RUNTIME,
    OPTION_CALLBACKS,
    OPTION_RESULT,
    OPTION_JSON,
    OPTION_MOUNT,
    OPTION_MOUNT_ARCHIVE,
    OPTION_PUT,
    OPTION_GET,
    OPTION_ALLOW_NET,
    OPTION_DENY_NET,
    OPTION_NET_LOCAL,
    OPTION_NET_NAME,
    OPTION_NET_LOG,
    OPTION_SECRET,
    OPTION_SECRET_CLEARTEXT,
    OPTION_TLS_CA,
    OPTION_TRACE,
    OPTION_TRACE_LIMIT,
    OPTION_TRACE_LOCALS,
    OPTION_PROFILE,
    OPTION_CHECKPOINT,
    OPTION_CHECKPOINT_WAITING
};

const struct option options_list[] = {
    {"stdin", no_argument, NULL, OPTION_STDIN},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"memory", required_argument, NULL, OPTION_MEMORY},
    LIMITS_OPTIONS,
    {"env", required_argument, NULL, OPTION_ENV},
    {"runtime", required_argument, NULL, OPTION_RUNTIME},
    {"callbacks", required_argument, NULL, OPTION_CALLBACKS},
    {"result", required_argument, NULL, OPTION_RESULT},
    {"mount", required_argument, NULL, OPTION_MOUNT},
    {"mount-archive", required_argument, NULL, OPTION_MOUNT_ARCHIVE},
    {"put", required_argument, NULL, OPTION_PUT},
    {"get", required_argument, NULL, OPTION_GET},
    PACKAGES_OPTIONS,
    {"trace", required_argument, NULL, OPTION_TRACE},
    {"trace-limit", required_argument, NULL, OPTION_TRACE_LIMIT},
    {"trace-locals", required_argument, NULL, OPTION_TRACE_LOCALS},
    {"profile", required_argument, NULL, OPTION_PROFILE},
    {"allow-net", required_argument, NULL, OPTION_ALLOW_NET},
    {"deny-net", required_argument, NULL, OPTION_DENY_NET},
    {"allow-net-local", no_argument, NULL, OPTION_NET_LOCAL},
    {"net-name", required_argument, NULL, OPTION_NET_NAME},
    {"net-log", required_argument, NULL, OPTION_NET_LOG},
    {"secret", required_argument, NULL, OPTION_SECRET},
    {"secret-cleartext", required_argument, NULL, OPTION_SECRET_CLEARTEXT},
    {"tls-ca", required_argument, NULL, OPTION_TLS_CA},
    {"json", no_argument, NULL, OPTION_JSON},
    {"checkpoint", required_argument, NULL, OPTION_CHECKPOINT},
    {"checkpoint-waiting", no_argument, NULL, OPTION_CHECKPOINT_WAITING},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static int set_env(const char *command, struct program *program, const char *value)
{
    const char *equals = strchr(value, '=');
    if (!equals || equals == value)
        return message_usage(command, "--env %s: NAME=VALUE is needed", value);
    if (value_utf8_prefix(value, strlen(value)) != strlen(value))
        return message_usage(command, "--env %.*s: the value is not UTF-8", (int)(equals - value),
                             value);
    program->environ[program->environ_count++] = value;
    return EXIT_OK;
}

static int set_trace_locals(const char *command, struct program *program, const char *value)
{
    uint64_t bytes;
    if (!value_size(value, &bytes) || bytes > trace_locals_max)
        return message_usage(command, "--trace-locals %s: a size up to 1M is needed, such as 200",
                             value);
    program->trace_locals_bytes = (uint32_t)bytes;
    return EXIT_OK;
}

static int set_net_option(struct network *net, int option, const char *value)
{
    switch (option) {
    case OPTION_NET_LOCAL:
        net->allow_local = net->wanted = true;
        return EXIT_OK;
    case OPTION_NET_NAME:
        return network_add_name(net, value);
    case OPTION_NET_LOG:
        net->log_path = value;
        net->wanted = true; /* attempts are told of even if nothing is granted */
        return EXIT_OK;
    default:
        return network_add_rule(net, option == OPTION_DENY_NET, value);
    }
}

static int set_option(const char *command, struct program *program, int option, char *value)
{
    if (limits_is_option(option))
        return limits_set(&program->limits, option, value);
    if (package_options_has(option))
        return package_options_set(&program->packages, option, value);
    switch (option) {
    case OPTION_STDIN:
        program->pass_stdin = true;
        return EXIT_OK;
    case OPTION_TIMEOUT:
        if (!value_duration(value, &program->limits.wall_time_ns))
            return message_usage(command,
                                 "--timeout %s: a duration is needed, such as 10, 1.5s, 500ms, "
                                 "2m, or none",
                                 value);
        return EXIT_OK;
    case OPTION_MEMORY:
        if (!value_size(value, &program->limits.memory_bytes))
            return message_usage(command, "--memory %s: a size is needed, such as 256M or 1G",
                                 value);
        if (program->limits.memory_bytes > memory_max)
            return message_usage(command, "--memory %s: a sandbox has at most 4G", value);
        return EXIT_OK;
    case OPTION_ENV:
        return set_env(command, program, value);
    case OPTION_CALLBACKS:
        program->callbacks_path = value;
        return EXIT_OK;
    case OPTION_MOUNT:
        return mount_options_add(&program->mounts, false, value);
    case OPTION_MOUNT_ARCHIVE:
        return mount_options_add(&program->mounts, true, value);
    case OPTION_PUT:
        return transfers_add(&program->puts, true, value);
    case OPTION_GET:
        return transfers_add(&program->gets, false, value);
    case OPTION_RESULT:
        if (value_utf8_prefix(value, strlen(value)) != strlen(value))
            return message_usage(command, "--result: the name is not UTF-8");
        program->result = value;
        return EXIT_OK;
    case OPTION_TRACE:
        program->trace_path = value;
        return EXIT_OK;
    case OPTION_TRACE_LIMIT:
        if (!value_size(value, &program->trace_bytes))
            return message_usage(command, "--trace-limit %s: a size is needed, such as 64M or 4G",
                                 value);
        return EXIT_OK;
    case OPTION_TRACE_LOCALS:
        return set_trace_locals(command, program, value);
    case OPTION_PROFILE:
        program->profile_path = value;
        return EXIT_OK;
    case OPTION_ALLOW_NET:
    case OPTION_DENY_NET:
    case OPTION_NET_LOCAL:
    case OPTION_NET_NAME:
    case OPTION_NET_LOG:
        return set_net_option(&program->net, option, value);
    case OPTION_SECRET:
        return secret_options_add(&program->secrets, value);
    case OPTION_SECRET_CLEARTEXT:
        return secret_options_cleartext(&program->secrets, value);
    case OPTION_TLS_CA:
        return secret_options_authorities(&program->secrets, value);
    case OPTION_JSON:
        program->json = true;
        return EXIT_OK;
    case OPTION_CHECKPOINT:
        program->checkpoint_path = value;
        return EXIT_OK;
    case OPTION_CHECKPOINT_WAITING:
        program->checkpoint_waiting = true;
        return EXIT_OK;
    default:
        program->runtime_path = value;
        return EXIT_OK;
    }
}

static int check_arguments(const char *command, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (value_utf8_prefix(argv[i], strlen(argv[i])) != strlen(argv[i]))
            return message_usage(command, "argument %d of the program is not UTF-8", i);
    }
    return EXIT_OK;
}

static bool read_source(struct program *program, const char *code, const char *file)
{
    if (code)
        return source_from_argument(code, &program->source);
    if (strcmp(file, "-") == 0)
        return source_from_stdin(&program->source);
    return source_from_file(file, &program->source);
}

int options_parse(const char *command, struct program *program, int argc, char **argv,
                  const char **code)
{
    opterr = 0;
    optind = 1;
    *code = NULL;
    while (!*code) {
        int option = getopt_long(argc, argv, "+:c:r:h", options_list, NULL);
        if (option == -1)
            break;
        if (option == 'h')
            return -1;
        if (option == '?' || option == ':')
            return suggest_option(command, option, argv, options_list);
        if (option == 'c') {
            *code = optarg;
            break;
        }
        int result = set_option(command, program, option, optarg);
        if (result != EXIT_OK)
            return result;
    }
    if (program->checkpoint_waiting && !program->checkpoint_path)
        return message_usage(command, "--checkpoint-waiting: give --checkpoint FILE, too");
    if (!program->json && !program->limits.stop_on_output)
        program->limits.output_bytes = UINT64_MAX; /* nothing is kept: it goes through */
    return EXIT_OK;
}

bool options_begin(struct program *program, int argc)
{
    *program = (struct program){.environ = calloc((size_t)argc, sizeof(char *)),
                                .trace_bytes = trace_bytes_default};
    eryx_limits_init(&program->limits);
    if (network_init(&program->net, argc) && program->environ)
        return true;
    message_error("out of memory");
    return false;
}

void options_end(struct program *program)
{
    free(program->environ);
    mount_options_free(&program->mounts);
    package_options_free(&program->packages);
    transfers_free(&program->puts);
    transfers_free(&program->gets);
    network_free(&program->net);
    secret_options_free(&program->secrets);
}

int options_program(const char *command, struct program *program, int argc, char **argv,
                    const char *code)
{
    if (!code && optind == argc)
        return message_usage(command, "no program: give FILE, -c CODE, or - for stdin");
    /* sys.argv[0] is FILE, "-" or, with getopt's argument taken off, "-c". */
    char **arguments = argv + optind - (code ? 1 : 0);
    int count = argc - optind + (code ? 1 : 0);
    if (code)
        arguments[0] = "-c";
    int result = check_arguments(command, count, arguments);
    if (result != EXIT_OK)
        return result;
    if (!read_source(program, code, arguments[0]))
        return EXIT_USAGE;
    program->argv = (const char *const *)arguments;
    program->argc = (size_t)count;
    return EXIT_OK;
}
