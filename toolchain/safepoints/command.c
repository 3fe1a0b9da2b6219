/* eryx-build safepoints IN -o OUT */
#include <getopt.h>
#include <stdio.h>

#include "command.h"
#include "module_file.h"
#include "wasm/safepoints.h"

int safepoints_run(int argc, char **argv);

static const char usage[] =
    "usage: eryx-build safepoints [--no-polls] [--fuel] IN.wasm -o OUT.wasm\n"
    "Inserts a poll of the interrupt page at every loop header, and guards of memory.copy\n"
    "and memory.fill. --no-polls: only the guards, to measure what polls cost.\n"
    "--fuel: guards for precompile --fuel, which cost as much as what they copy or fill.\n";

static int run(const char *input, const char *output, bool polls, bool fuel)
{
    struct file_bytes bytes;
    struct wasm_module module;
    struct safepoints_result result;
    struct wasm_error error;
    if (!module_file_read(input, &bytes, &module))
        return COMMAND_FAILED;
    struct safepoints_options options = safepoints_options_of(&module);
    options.loops = polls;
    options.fuel = fuel;
    bool done = safepoints_insert(&module, &options, &result, &error);
    if (!done)
        step_error("cannot insert polls: %s: function %zu: %s; make the file again", input,
                   error.offset, error.reason);
    done = done && module_file_write(output, &module);
    if (done)
        printf("%s: %u polls in %u of %u functions, %u bulk memory instructions guarded\n", output,
               result.loops, result.functions, module.function_count, result.guarded);
    wasm_free(&module);
    file_bytes_free(&bytes);
    return done ? COMMAND_OK : COMMAND_FAILED;
}

int safepoints_run(int argc, char **argv)
{
    static const struct option options[] = {{"output", required_argument, NULL, 'o'},
                                            {"no-polls", no_argument, NULL, 'n'},
                                            {"fuel", no_argument, NULL, 'f'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *output = NULL;
    bool polls = true, fuel = false;
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
        if (option == 'o')
            output = optarg;
        else if (option == 'n')
            polls = false;
        else if (option == 'f')
            fuel = true;
        else {
            fputs(usage, option == 'h' ? stdout : stderr);
            return option == 'h' ? COMMAND_OK : COMMAND_USAGE;
        }
    }
    if (!output || argc - optind != 1) {
        step_error("one input and -o OUT.wasm are needed");
        fputs(usage, stderr);
        return COMMAND_USAGE;
    }
    return run(argv[optind], output, polls, fuel);
}
