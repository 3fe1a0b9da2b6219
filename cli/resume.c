/* `eryx resume`: a program that was written to a file goes on. */
#include <getopt.h>

#include <eryx.h>

#include "commands.h"
#include "message.h"
#include "options.h"
#include "program.h"

static int resume_program(struct program *program, int argc, char **argv)
{
    const char *code;
    int result = options_parse("resume", program, argc, argv, &code);
    if (result == -1)
        return command_help.run(2, (char *[]){"help", "resume", NULL});
    if (result != EXIT_OK)
        return result;
    if (code)
        return message_usage("resume", "-c: the program is in the checkpoint");
    if (optind + 1 != argc)
        return message_usage("resume", optind == argc ? "no FILE" : "more than one FILE");
    program->resume_path = argv[optind];
    program->source.name = argv[optind];
    return program_run(program);
}

static int run(int argc, char **argv)
{
    struct program program;
    int result = options_begin(&program, argc) ? resume_program(&program, argc, argv) : EXIT_FAILED;
    options_end(&program);
    return result;
}

const struct command command_resume = {
    .name = "resume",
    .summary = "go on with a program that was written to a file",
    .help =
        "Usage: eryx resume [options] FILE\n"
        "\n"
        "Goes on with a program that 'eryx run --checkpoint FILE' wrote while it waited: with\n"
        "all its variables, in the middle of an await, in another process or on another\n"
        "machine with the same runtime file. Calls of callbacks that were pending run again.\n"
        "Nothing of this machine is in FILE: give --callbacks, --mount and --allow-net again.\n"
        "FILE stays as it is, so a program can go on from it more than once.\n"
        "\n"
        "Examples:\n"
        "  eryx run --checkpoint job.ckpt --timeout 2s -c 'import asyncio\n"
        "  for i in range(5): print(i); await asyncio.sleep(1)'\n"
        "  eryx resume job.ckpt\n"
        "  eryx resume --checkpoint job.ckpt --timeout 2s job.ckpt     a piece at a time\n"
        "\n"
        "Options and exit codes are those of 'eryx run' (see 'eryx help run'); --timeout counts\n"
        "from now on.\n",
    .run = run,
};
