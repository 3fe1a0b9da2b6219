/* eryx-build: the program that makes runtime.wasm and runtime.cwasm, one subcommand a step. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "file.h"

int bindings_run(int argc, char **argv);
int component_run(int argc, char **argv);
int libs_run(int argc, char **argv);
int link_run(int argc, char **argv);
int pack_run(int argc, char **argv);
int precompile_run(int argc, char **argv);
int preinit_run(int argc, char **argv);
int safepoints_run(int argc, char **argv);
int stdlib_run(int argc, char **argv);

static const struct command commands[] = {
    {"bindings", "WIT world -> C headers for guest and host", bindings_run},
    {"libs", "componentize-py wheel -> libraries and standard library", libs_run},
    {"link", "dylibs -> one core module", link_run},
    {"safepoints", "insert a poll at every loop header", safepoints_run},
    {"stdlib", "standard library, our modules, time zones -> archive", stdlib_run},
    {"precompile", "module -> machine code", precompile_run},
    {"preinit", "run the module until Python is started -> initial memory", preinit_run},
    {"pack", "machine code and initial memory -> runtime.cwasm", pack_run},
    {"component", "module and initial memory -> runtime.wasm", component_run},
};

static const size_t command_count = sizeof commands / sizeof commands[0];

static void print_help(FILE *stream)
{
    fputs("usage: eryx-build STEP [options]\n"
          "Builds the eryx runtime from its parts. Steps:\n",
          stream);
    for (size_t i = 0; i < command_count; i++)
        fprintf(stream, "  %-12s %s\n", commands[i].name, commands[i].summary);
    fputs("`eryx-build STEP --help` tells the options of a step.\n", stream);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return COMMAND_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return COMMAND_OK;
    }
    for (size_t i = 0; i < command_count; i++)
        if (strcmp(argv[1], commands[i].name) == 0) {
            step_set(commands[i].name);
            return commands[i].run(argc - 1, argv + 1);
        }
    fprintf(stderr, "eryx-build: unknown step '%s'; `eryx-build --help` lists them\n", argv[1]);
    return COMMAND_USAGE;
}
