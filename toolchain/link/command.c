/* eryx-build link [options] -o OUT.wasm [NAME=]RUNTIME.so [NAME=]LIB.so ... */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "link/link.h"
#include "module_file.h"

int link_run(int argc, char **argv);

enum { MAX_TABLE_ROOM = 1 << 20 };

static const char usage[] =
    "usage: eryx-build link [options] -o OUT.wasm [NAME=]RUNTIME.so [NAME=]LIB.so ...\n"
    "Links dylibs, plain or zstd-compressed, into one core module. The first is the runtime. A\n"
    "symbol belongs to the first library that exports it. NAME is what other libraries call it in\n"
    "their `needed` lists, by default the name of the file. Libraries nobody needs are left out.\n"
    "  -o, --output FILE       the module\n"
    "  --stack BYTES           shadow stack (default 1048576)\n"
    "  --constant-size BYTES   room for the standard library (default 0)\n"
    "  --initial-heap BYTES    heap before the first memory.grow (default 4194304)\n"
    "  --table-room SLOTS      free slots at the end of the table (default 0)\n"
    "  --null-word NUMBER      what reading 32 bits through a null pointer gives (default 0)\n"
    "  --export NAME           export this symbol of any library too (repeatable)\n"
    "  --charge NAME=BYTES     each activation of this function takes BYTES of the shadow stack,\n"
    "                          so that its recursion is noticed (repeatable)\n"
    "  --symbols               add the table of symbols that extensions are linked against\n"
    "  --keep-all              leave no library out\n"
    "  --strip                 no function names\n"
    "  --map                   print where everything lies\n";

struct arguments {
    struct link_options link;
    const char *output;
    bool map, help;
};

static bool parse_number(const char *name, const char *text, uint64_t max, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 0);
    if (errno || end == text || *end || *text == '-' || *out > max) {
        step_error("--%s: '%s' is no number up to %" PRIu64, name, text, max);
        return false;
    }
    return true;
}

static bool parse_charge(struct link_options *link, const char *text)
{
    const char *equals = strchr(text, '=');
    uint64_t bytes;
    if (!equals) {
        step_error("--charge: '%s' is not NAME=BYTES", text);
        return false;
    }
    if (!parse_number("charge", equals + 1, UINT32_MAX, &bytes))
        return false;
    struct link_charge *charge = &link->charges[link->charge_count];
    *charge = (struct link_charge){.name = strndup(text, (size_t)(equals - text)),
                                   .bytes = (uint32_t)bytes};
    if (!charge->name) {
        step_error("out of memory; close other programs and run again");
        return false;
    }
    link->charge_count++;
    return true;
}

enum option_id {
    STACK = 256,
    CONSTANT_SIZE,
    INITIAL_HEAP,
    TABLE_ROOM,
    NULL_WORD,
    EXPORT,
    CHARGE,
    KEEP_ALL,
    STRIP,
    SYMBOLS,
    MAP
};

static bool take_option(struct arguments *arguments, int option)
{
    struct link_options *link = &arguments->link;
    switch (option) {
    case 'o':
        arguments->output = optarg;
        return true;
    case 'h':
        arguments->help = true;
        return true;
    case STACK:
        return parse_number("stack", optarg, UINT32_MAX, &link->stack_size);
    case CONSTANT_SIZE:
        return parse_number("constant-size", optarg, UINT32_MAX, &link->constant_size);
    case INITIAL_HEAP:
        return parse_number("initial-heap", optarg, UINT32_MAX, &link->initial_heap);
    case TABLE_ROOM:
        return parse_number("table-room", optarg, MAX_TABLE_ROOM, &link->table_room);
    case NULL_WORD:
        return parse_number("null-word", optarg, UINT32_MAX, &link->null_word);
    case CHARGE:
        return parse_charge(link, optarg);
    case EXPORT:
        link->exports[link->export_count++] = optarg;
        return true;
    case KEEP_ALL:
        return link->keep_all = true;
    case STRIP:
        return link->strip = true;
    case SYMBOLS:
        return link->symbols = true;
    case MAP:
        return arguments->map = true;
    default:
        return false;
    }
}

static bool take_arguments(struct arguments *arguments, int argc, char **argv)
{
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'},
        {"stack", required_argument, NULL, STACK},
        {"constant-size", required_argument, NULL, CONSTANT_SIZE},
        {"initial-heap", required_argument, NULL, INITIAL_HEAP},
        {"table-room", required_argument, NULL, TABLE_ROOM},
        {"null-word", required_argument, NULL, NULL_WORD},
        {"export", required_argument, NULL, EXPORT},
        {"charge", required_argument, NULL, CHARGE},
        {"keep-all", no_argument, NULL, KEEP_ALL},
        {"strip", no_argument, NULL, STRIP},
        {"symbols", no_argument, NULL, SYMBOLS},
        {"map", no_argument, NULL, MAP},
        {"help", no_argument, NULL, 'h'},
        {0}};
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "o:h", options, NULL)) != -1)
        if (!take_option(arguments, option))
            return false;
    if (!arguments->help && (!arguments->output || optind == argc)) {
        step_error("a runtime library and -o OUT.wasm are needed");
        return false;
    }
    return true;
}

static void print_map(const struct link *link)
{
    const struct link_layout *layout = &link->layout;
    printf("%10s %10s  %s\n", "address", "bytes", "what");
    printf("%10" PRIu32 " %10" PRIu32 "  shadow stack\n", layout->stack_low,
           layout->stack_high - layout->stack_low);
    printf("%10" PRIu32 " %10" PRIu32 "  constant range\n", layout->constant_start,
           layout->constant_end - layout->constant_start);
    for (uint32_t i = 0; i < link->library_count; i++) {
        const struct library *library = &link->libraries[i];
        if (library->included)
            printf("%10" PRIu32 " %10" PRIu32 "  %s, table from %" PRIu32 ", %" PRIu32
                   " functions%s\n",
                   library->memory_base, library->dylink.memory_size, library->name,
                   library->table_base, library->module.function_count,
                   library->relocated ? "" : ", relocated at run time");
        else
            printf("%10s %10s  %s: not needed\n", "-", "-", library->name);
    }
    printf("%10" PRIu32 " %10" PRIu64 "  heap\n", layout->heap_base,
           layout->memory_size - layout->heap_base);
}

static bool run(struct arguments *arguments, char **libraries, int count)
{
    struct link link = {.options = arguments->link};
    link.libraries = calloc((size_t)count, sizeof *link.libraries);
    bool done = link.libraries;
    if (!done)
        step_error("out of memory; close other programs and run again");
    struct library *first = link.libraries;
    for (int i = 0; done && i < count; i++) {
        done = library_read(libraries[i], &link.libraries[i]);
        link.library_count += done;
    }
    done = done && link_all(&link) && module_file_write(arguments->output, &link.output);
    if (done && arguments->map)
        print_map(&link);
    if (done)
        printf("%s: %u functions, %u imports, %u exports, %u table slots, %" PRIu64
               " bytes of memory\n",
               arguments->output, link.output.function_count, link.output.import_count,
               link.output.export_count, link.layout.table_size, link.layout.memory_size);
    link_free(&link);
    free(first);
    return done;
}

int link_run(int argc, char **argv)
{
    struct arguments arguments = {.link = {.stack_size = 1 << 20, .initial_heap = 4 << 20}};
    struct link_options *options = &arguments.link;
    options->exports = calloc((size_t)argc, sizeof *options->exports);
    options->charges = calloc((size_t)argc, sizeof *options->charges);
    int result = COMMAND_USAGE;
    if (!options->exports || !options->charges) {
        step_error("out of memory; close other programs and run again");
        result = COMMAND_FAILED;
    } else if (!take_arguments(&arguments, argc, argv))
        fputs("`eryx-build link --help` tells the options\n", stderr);
    else if (arguments.help) {
        fputs(usage, stdout);
        result = COMMAND_OK;
    } else {
        result = run(&arguments, argv + optind, argc - optind) ? COMMAND_OK : COMMAND_FAILED;
    }
    for (uint32_t i = 0; i < options->charge_count; i++)
        free(options->charges[i].name);
    free(options->charges);
    free(options->exports);
    return result;
}
