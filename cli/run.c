/* `eryx run`: options and the program's arguments. As with python, everything after
 * FILE, -c CODE or - belongs to the program. */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <eryx.h>

#include "commands.h"
#include "limits.h"
#include "message.h"
#include "program.h"
#include "suggest.h"
#include "values.h"

static const uint64_t memory_max = UINT64_C(4) << 30;
static const uint64_t trace_bytes_default = UINT64_C(1) << 30;
static const uint64_t trace_locals_max = UINT64_C(1) << 20;

enum { OPTION_STDIN = 256, OPTION_TIMEOUT, OPTION_MEMORY, OPTION_ENV, OPTION_RUNTIME,
       OPTION_CALLBACKS, OPTION_RESULT, OPTION_JSON, OPTION_MOUNT, OPTION_MOUNT_ARCHIVE, OPTION_PUT, OPTION_GET,
       OPTION_ALLOW_NET, OPTION_DENY_NET, OPTION_NET_LOCAL, OPTION_NET_NAME, OPTION_NET_LOG,
       OPTION_SECRET, OPTION_SECRET_CLEARTEXT, OPTION_TLS_CA,
       OPTION_TRACE, OPTION_TRACE_LIMIT, OPTION_TRACE_LOCALS };

static const struct option options[] = {
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
    {"trace", required_argument, NULL, OPTION_TRACE},
    {"trace-limit", required_argument, NULL, OPTION_TRACE_LIMIT},
    {"trace-locals", required_argument, NULL, OPTION_TRACE_LOCALS},
    {"allow-net", required_argument, NULL, OPTION_ALLOW_NET},
    {"deny-net", required_argument, NULL, OPTION_DENY_NET},
    {"allow-net-local", no_argument, NULL, OPTION_NET_LOCAL},
    {"net-name", required_argument, NULL, OPTION_NET_NAME},
    {"net-log", required_argument, NULL, OPTION_NET_LOG},
    {"secret", required_argument, NULL, OPTION_SECRET},
    {"secret-cleartext", required_argument, NULL, OPTION_SECRET_CLEARTEXT},
    {"tls-ca", required_argument, NULL, OPTION_TLS_CA},
    {"json", no_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static int set_env(struct program *program, const char *value)
{
    const char *equals = strchr(value, '=');
    if (!equals || equals == value)
        return message_usage("run", "--env %s: NAME=VALUE is needed", value);
    if (value_utf8_prefix(value, strlen(value)) != strlen(value))
        return message_usage("run", "--env %.*s: the value is not UTF-8", (int)(equals - value),
                             value);
    program->environ[program->environ_count++] = value;
    return EXIT_OK;
}

static int set_trace_locals(struct program *program, const char *value)
{
    uint64_t bytes;
    if (!value_size(value, &bytes) || bytes > trace_locals_max)
        return message_usage("run", "--trace-locals %s: a size up to 1M is needed, such as 200",
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

static int set_option(struct program *program, int option, char *value)
{
    if (limits_is_option(option))
        return limits_set(&program->limits, option, value);
    switch (option) {
    case OPTION_STDIN:
        program->pass_stdin = true;
        return EXIT_OK;
    case OPTION_TIMEOUT:
        if (!value_duration(value, &program->limits.wall_time_ns))
            return message_usage("run",
                                 "--timeout %s: a duration is needed, such as 10, 1.5s, 500ms, "
                                 "2m, or none",
                                 value);
        return EXIT_OK;
    case OPTION_MEMORY:
        if (!value_size(value, &program->limits.memory_bytes))
            return message_usage("run", "--memory %s: a size is needed, such as 256M or 1G", value);
        if (program->limits.memory_bytes > memory_max)
            return message_usage("run", "--memory %s: a sandbox has at most 4G", value);
        return EXIT_OK;
    case OPTION_ENV:
        return set_env(program, value);
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
            return message_usage("run", "--result: the name is not UTF-8");
        program->result = value;
        return EXIT_OK;
    case OPTION_TRACE:
        program->trace_path = value;
        return EXIT_OK;
    case OPTION_TRACE_LIMIT:
        if (!value_size(value, &program->trace_bytes))
            return message_usage("run", "--trace-limit %s: a size is needed, such as 64M or 4G",
                                 value);
        return EXIT_OK;
    case OPTION_TRACE_LOCALS:
        return set_trace_locals(program, value);
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
    default:
        program->runtime_path = value;
        return EXIT_OK;
    }
}

/* Reads options up to the program. *code is the CODE of -c, NULL without. Returns
 * EXIT_OK, an exit code, or -1 for --help. */
static int parse_options(struct program *program, int argc, char **argv, const char **code)
{
    opterr = 0;
    optind = 1;
    *code = NULL;
    while (!*code) {
        int option = getopt_long(argc, argv, "+:c:h", options, NULL);
        if (option == -1)
            break;
        if (option == 'h')
            return -1;
        if (option == '?' || option == ':')
            return suggest_option("run", option, argv, options);
        if (option == 'c') {
            *code = optarg;
            break;
        }
        int result = set_option(program, option, optarg);
        if (result != EXIT_OK)
            return result;
    }
    return EXIT_OK;
}

static int check_arguments(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (value_utf8_prefix(argv[i], strlen(argv[i])) != strlen(argv[i]))
            return message_usage("run", "argument %d of the program is not UTF-8", i);
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

static int run_program(struct program *program, int argc, char **argv)
{
    const char *code;
    int result = parse_options(program, argc, argv, &code);
    if (result == -1)
        return command_help.run(2, (char *[]){"help", "run", NULL});
    if (result != EXIT_OK)
        return result;

    if (!code && optind == argc)
        return message_usage("run", "no program: give FILE, -c CODE, or - for stdin");
    /* sys.argv[0] is FILE, "-" or, with getopt's argument taken off, "-c". */
    char **arguments = argv + optind - (code ? 1 : 0);
    int count = argc - optind + (code ? 1 : 0);
    if (code)
        arguments[0] = "-c";
    result = check_arguments(count, arguments);
    if (result != EXIT_OK)
        return result;
    if (!read_source(program, code, arguments[0]))
        return EXIT_USAGE;
    if (!program->json && !program->limits.stop_on_output)
        program->limits.output_bytes = UINT64_MAX; /* nothing is kept: it goes through */
    program->argv = (const char *const *)arguments;
    program->argc = (size_t)count;
    result = program_run(program);
    source_free(&program->source);
    return result;
}

static int run(int argc, char **argv)
{
    struct program program = {.environ = calloc((size_t)argc, sizeof(char *)),
                              .trace_bytes = trace_bytes_default};
    if (!network_init(&program.net, argc) || !program.environ) {
        message_error("out of memory");
        return EXIT_FAILED;
    }
    eryx_limits_init(&program.limits);
    int result = run_program(&program, argc, argv);
    free(program.environ);
    mount_options_free(&program.mounts);
    transfers_free(&program.puts);
    transfers_free(&program.gets);
    network_free(&program.net);
    secret_options_free(&program.secrets);
    return result;
}

const struct command command_run = {
    .name = "run",
    .summary = "run a Python program in a sandbox",
    .help = "Usage: eryx run [options] FILE [argument ...]\n"
            "       eryx run [options] -c CODE [argument ...]\n"
            "       eryx run [options] - [argument ...]        program from stdin\n"
            "\n"
            "Runs a program in a fresh sandbox: a full CPython that sees no file, no network,\n"
            "no environment and no process of this machine. What it writes comes out as it is\n"
            "written. As with python, what follows FILE, CODE or - is sys.argv[1:].\n"
            "\n"
            "Examples:\n"
            "  eryx run hello.py                          a file\n"
            "  eryx run -c 'print(6 * 7)'                 code from the command line\n"
            "  echo 'print(6 * 7)' | eryx run -           code from stdin\n"
            "  eryx run --stdin report.py < access.log    hand data to the program\n"
            "  eryx run --timeout 500ms --memory 256M untrusted.py\n"
            "  eryx run --env LANG=C --env DEBUG=1 tool.py --verbose input.txt\n"
            "  eryx run -c 'import asyncio; await asyncio.sleep(1)'   await works at top level\n"
            "  eryx run --callbacks tools.json agent.py   functions that run commands of yours\n"
            "  eryx run --mount data:/data --mount out:/out:rw report.py   files of this machine\n"
            "  eryx run --allow-net api.example.org:443 client.py   and nobody else\n"
            "  eryx run --secret KEY:api.example.org --allow-net api.example.org client.py\n"
            "  eryx run --put in.csv:/tmp/in.csv --get /tmp/out.csv:out.csv convert.py\n"
            "  eryx run --result total -c 'total = sum(range(10))'         prints 45\n"
            "  eryx run --trace - -c 'x = 1'              each line that runs, on stderr\n"
            "  eryx run --json untrusted.py | python3 -m json.tool\n"
            "\n"
            "Options:\n"
            "  -c CODE            run CODE\n"
            "  --stdin            let the program read stdin (it is empty otherwise)\n"
            "  --timeout TIME     stop after TIME: 10, 1.5s, 500ms, 2m, none; default 60s\n"
            "  --memory SIZE      most memory of the sandbox: 256M, 1G; default 512M.\n"
            "                     Past it the program gets MemoryError\n"
            LIMITS_HELP
            "  --env NAME=VALUE   set a variable of os.environ; may be repeated\n"
            "  --mount SOURCE:TARGET[:MODE]\n"
            "                     show a directory or file of this machine in the sandbox at the\n"
            "                     absolute path TARGET; may be repeated; see below\n"
            "  --mount-archive SOURCE:TARGET[:MODE]\n"
            "                     the same with what is in an archive: tar, tar.gz, .bz2, .xz, .zst,\n"
            "                     zip or wheel; MODE ro or overlay\n"
            "  --put SOURCE:TARGET\n"
            "                     copy a file or directory into the sandbox before the program\n"
            "                     runs; may be repeated\n"
            "  --get SOURCE:TARGET\n"
            "                     copy a file or directory out of the sandbox when the program has\n"
            "                     ended, whatever its exit code; may be repeated. After a limit, an\n"
            "                     interrupt, a crash or os._exit the files are those from before the\n"
            "                     program. Links below SOURCE are left out. All together up to 1G and\n"
            "                     100,000 files, as with --put\n"
            "  --callbacks FILE   functions that the program can call; see below\n"
            "  --allow-net RULE   let the program talk to HOST[:PORT]; may be repeated; see below\n"
            "  --deny-net RULE    an exception to that\n"
            "  --allow-net-local  names may also lead to loopback and private addresses\n"
            "  --net-name NAME=ADDRESS[,ADDRESS]   instead of asking the name server\n"
            "  --net-log FILE     write each attempt as a line of JSON; '-' is stderr\n"
            "  --secret NAME[@FILE]:HOST[,HOST]\n"
            "                     os.environ[NAME] is a placeholder, which becomes the value in TLS\n"
            "                     to these hosts only; may be repeated; see below\n"
            "  --secret-cleartext NAME   also without TLS, where others can read it\n"
            "  --tls-ca FILE      trust these certificates (PEM), besides the system's\n"
            "  --result NAME      print the value of this variable as JSON, in a line of its own\n"
            "                     after the program's output; '' means the last expression. A\n"
            "                     value that is not JSON is an error, exit code 1\n"
            "  --trace FILE       write what the program does, a line of JSON an event; see below\n"
            "  --trace-limit SIZE   most bytes of that, default 1G; what follows is dropped\n"
            "  --trace-locals SIZE  add local variables to events, up to so many bytes, such as 200\n"
            "  --json             print nothing but one JSON object when the program has ended;\n"
            "                     see below\n"
            "  --runtime FILE     use this runtime.cwasm; default $ERYX_RUNTIME, then the\n"
            "                     installed one\n"
            "  --                 end of options\n"
            "  -h, --help         this help\n"
            "\n"
            "Mounts:\n"
            "  MODE is ro (read-only, the default), rw (what the program changes is changed on\n"
            "  this machine: at most 1G more, and 100,000 files more) or overlay (what it changes\n"
            "  stays in the sandbox and is gone with it). Symbolic links lead to paths of the\n"
            "  sandbox, never of this machine; devices, FIFOs, sockets and other file systems\n"
            "  mounted in SOURCE are out of reach. Mounts cannot lie in each other.\n"
            "\n"
            "Callbacks:\n"
            "  FILE is JSON (TOML is not read), an array with an object for each callback:\n"
            "    [{\"name\": \"lines\", \"description\": \"Counts lines.\",\n"
            "      \"parameters\": {\"type\": \"object\",\n"
            "                     \"properties\": {\"path\": {\"type\": \"string\"}}},\n"
            "      \"command\": [\"./lines.sh\", \"-q\"], \"timeout\": 5, \"blocking\": false}]\n"
            "  Only name and command are needed. parameters is a JSON schema; timeout is in\n"
            "  seconds, default 30; blocking makes it a plain function instead of an async one.\n"
            "  For each call the command runs once, on this machine, with your rights and your\n"
            "  environment, not through a shell. It gets the arguments as a JSON object on stdin\n"
            "  and writes the result as JSON to stdout. Another exit code than 0 raises an\n"
            "  exception with the last line of its stderr. Calls overlap, 64 at a time. A command\n"
            "  is killed with its process group when its time is over, the program ends or no longer\n"
            "  waits for it. Arguments come from code you do not trust: check them.\n"
            "\n"
            "Network:\n"
            "  RULE is [udp:|listen:]HOST[:PORT]. HOST: a name, '*.name' (names below it), an\n"
            "  address, a range such as 10.0.0.0/8, or '*'; PORT: a number, a range 8000-8099, or\n"
            "  '*'. Without prefix it grants TCP connections; listen:127.0.0.1:8080 grants a\n"
            "  server. Names and '*' grant public addresses only: loopback, private, link-local,\n"
            "  multicast and metadata addresses take a rule that names the address. Names are\n"
            "  resolved by eryx; the address that was checked is the one that is connected.\n"
            "  --net-log: {\"event\": \"connect\", \"allowed\": false, \"socket\": 7, \"name\": \"\",\n"
            "   \"address\": \"10.0.0.1:80\", \"bytes_in\": 0, \"bytes_out\": 0, \"reason\": \"...\"}\n"
            "  Events are resolve, connect, listen, accept, datagram and close.\n"
            "\n"
            "Secrets:\n"
            "  The value is that of NAME in eryx's own environment, or the text of FILE. NAME=VALUE\n"
            "  works, too, but others can see command lines. HOST: a name, '*.name' or an address, no\n"
            "  port; the certificate must be the host's. The program also needs --allow-net. In all\n"
            "  that comes back the value becomes the placeholder; docs/secrets.md has the limits.\n"
            "    API_KEY=... eryx run --secret API_KEY:api.example.org \\\n"
            "                         --allow-net api.example.org:443 client.py\n"
            "\n"
            "Traces:\n"
            "  {\"lineno\": 3, \"event\": {\"type\": \"line\", \"line\": 3},\n"
            "   \"context\": {\"file\": \"a.py\", \"function\": \"main\"}}\n"
            "  Types are line, call, return, exception (with \"exception\": \"ValueError: why\"),\n"
            "  callback-start and callback-end (lineno 0; with \"name\" instead of the line). Only\n"
            "  the program's own code is traced; it runs about four times slower. With --trace-locals\n"
            "  the context has \"locals\": {name: repr}. FILE appears when the program has ended,\n"
            "  however it ended, and is left as it was if eryx is killed. A pipe or device gets\n"
            "  every event at once, and so does stderr: '--trace -'.\n"
            "\n"
            "JSON outcome:\n"
            "  outcome            ok, exception, exit, limit, interrupted or trap\n"
            "  exit_code          that of eryx, as below\n"
            "  stdout, stderr     what the program wrote, together at most 16 MiB;\n"
            "                     bytes that are not UTF-8 become U+FFFD\n"
            "  output_dropped_bytes   what was beyond that\n"
            "  exception          of exception: {\"type\", \"message\", \"traceback\"}\n"
            "  message            of limit, interrupted and trap: what happened\n"
            "  limit              of limit: {\"name\", \"value\", \"used\"}\n"
            "  fuel_used          with --fuel: the instructions that the program used\n"
            "  result             with --result: the value, or result_error: why there is none\n"
            "  wall_time_ms       how long the program ran\n"
            "  If eryx itself fails (2, 125) there is no object, but a message on stderr.\n"
            "\n"
            "Exit codes:\n"
            "  the program's own  sys.exit(3) gives 3; sys.exit('text') writes text to stderr\n"
            "                     and gives 1\n"
            "  1                  uncaught exception, its traceback is on stderr; or no --result\n"
            "  2                  wrong options; the program or --callbacks cannot be read\n"
            "  124                a limit: --timeout, --cpu-time, --max-output, --host-memory,\n"
            "                     --fuel\n"
            "  125                eryx failed: no runtime file, output or --trace cannot be written\n"
            "  126                the interpreter crashed or aborted; this machine is unharmed\n"
            "  130                interrupted with Ctrl-C\n"
            "  141                the reader of the output went away\n",
    .run = run,
};
