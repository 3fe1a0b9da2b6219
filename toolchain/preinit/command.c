/* eryx-build preinit: runs the module once, up to where a sandbox begins, and keeps its memory.
 *
 * Two instances are made. The first, thrown away, compiles the Python files of the archive;
 * the second starts with an archive that has the .pyc files, and its memory becomes the
 * image. Clocks and entropy are fixed (imports.c), so the same input gives the same image. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "file.h"
#include "image/sha256.h"
#include "module_file.h"
#include "preinit/guest.h"
#include "preinit/pyc.h"
#include "preinit/snapshot.h"
#include "preinit/split.h"
#include "stdlib/archive.h"

#define WASM_PAGE UINT64_C(65536)

struct arguments {
    const char *module, *code, *archive, *memory, *meta, *archive_out;
    bool no_pyc;
};

struct work {
    const struct arguments *arguments;
    struct wasm_module module;
    struct file_bytes module_bytes, code, archive;
    struct machine machine;
    image_footer_t footer;
    struct constant_range range;
};

/* An instance with data segments and archive in place, constructors run and Python started. */
static bool start(struct work *work, struct guest *guest)
{
    uint64_t memory_bytes = work->module.memories[0].min * WASM_PAGE;
    uint32_t status = 0;
    if (!guest_start(guest, &work->machine, memory_bytes))
        return false;
    if (split_write_data(&work->module, guest->memory, guest->memory_bytes) &&
        snapshot_place_archive(guest, &work->archive, &work->range) &&
        guest_call(guest, "eryx_ctors", NULL, 0, NULL) &&
        guest_call(guest, "eryx_init", NULL, 0, &status)) {
        if (status == 0)
            return true;
        step_error("eryx_init failed with %d; its message is above", (int32_t)status);
    }
    guest_stop(guest);
    return false;
}

static bool add_pyc(struct work *work)
{
    struct guest guest;
    struct file_bytes full;
    if (!start(work, &guest))
        return false;
    bool done = pyc_make(&guest, &work->archive, &full);
    guest_stop(&guest);
    if (done) {
        file_bytes_free(&work->archive);
        work->archive = full;
    }
    return done;
}

/* What only the started guest can tell. */
static bool describe(struct work *work, struct guest *guest)
{
    image_footer_t *footer = &work->footer;
    if (guest->memory_bytes > footer->memory_min_bytes) {
        step_error("initialisation needs %" PRIu64
                   " bytes of memory, the code was compiled for %" PRIu64
                   "; precompile with a larger --memory-minimum",
                   guest->memory_bytes, footer->memory_min_bytes);
        return false;
    }
    footer->constant_start = work->range.start;
    footer->constant_end = work->range.end;
    footer->code.length = work->code.size;
    sha256_digest(work->code.data, work->code.size, footer->code.sha256);
    footer->memory.length = snapshot_image_bytes(guest->memory, guest->memory_bytes, &work->range);
    sha256_digest(guest->memory, footer->memory.length, footer->memory.sha256);
    for (uint32_t i = 0; i < footer->global_count; i++)
        if (!guest_global(guest, footer->globals[i].name, &footer->globals[i].value))
            return false;
    return snapshot_python_version(&work->archive, footer->python_version,
                                   sizeof footer->python_version);
}

static bool save(struct work *work, struct guest *guest)
{
    const struct constant_range *range = &work->range;
    image_footer_t *footer = &work->footer;
    if (!snapshot_check(&work->module, guest, &work->archive, range) || !describe(work, guest))
        return false;
    image_footer_seal(footer);
    const struct arguments *arguments = work->arguments;
    if (arguments->archive_out &&
        !file_write(arguments->archive_out, work->archive.data, work->archive.size))
        return false;
    if (!file_write(arguments->memory, guest->memory, footer->memory.length) ||
        !file_write(arguments->meta, footer, sizeof *footer))
        return false;
    printf(
        "preinit: Python %s, image %.1f MiB (archive %.1f of %.1f MiB), memory %.1f of %.1f MiB\n",
        footer->python_version, (double)footer->memory.length / (1 << 20),
        (double)work->archive.size / (1 << 20), (double)(range->end - range->start) / (1 << 20),
        (double)guest->memory_bytes / (1 << 20), (double)footer->memory_min_bytes / (1 << 20));
    return true;
}

static bool run(void *context)
{
    struct work *work = context;
    struct guest guest;
    if (!machine_load(&work->machine, work->code.data, work->code.size)) {
        step_error("%s is not code of this engine and configuration; run precompile again",
                   work->arguments->code);
        return false;
    }
    bool done =
        snapshot_describe(&work->module, machine_memory_minimum(&work->machine), &work->footer) &&
        snapshot_constant_range(&work->footer, work->module.memories[0].min * WASM_PAGE,
                                &work->range) &&
        (work->arguments->no_pyc || add_pyc(work));
    if (done && (done = start(work, &guest))) {
        done = save(work, &guest);
        guest_stop(&guest);
    }
    machine_free(&work->machine);
    return done;
}

static bool preinit(const struct arguments *arguments)
{
    struct work work = {.arguments = arguments};
    if (!module_file_read(arguments->module, &work.module_bytes, &work.module))
        return false;
    bool done = split_check(&work.module) && file_read(arguments->code, &work.code) &&
                file_read(arguments->archive, &work.archive) &&
                archive_check(arguments->archive, work.archive.data, work.archive.size) &&
                guest_run_on_large_stack(run, &work);
    wasm_free(&work.module);
    file_bytes_free(&work.module_bytes);
    file_bytes_free(&work.code);
    file_bytes_free(&work.archive);
    return done;
}

static void print_help(FILE *stream)
{
    fputs("usage: eryx-build preinit polled.wasm --code code.elf --archive stdlib.arc\n"
          "           --memory memory.img --meta image.meta [--archive-out full.arc] [--no-pyc]\n"
          "Runs the module until Python is started and saves its linear memory.\n"
          "  --code FILE         what precompile made of the same module\n"
          "  --archive FILE      what stdlib made\n"
          "  --memory FILE       out: linear memory from address 0\n"
          "  --meta FILE         out: globals, ranges, versions and checksums, for pack\n"
          "  --archive-out FILE  out: the archive with the .pyc files\n"
          "  --no-pyc            don't make .pyc files\n",
          stream);
}

int preinit_run(int argc, char **argv)
{
    static const struct option options[] = {{"code", required_argument, NULL, 'c'},
                                            {"archive", required_argument, NULL, 'a'},
                                            {"memory", required_argument, NULL, 'm'},
                                            {"meta", required_argument, NULL, 't'},
                                            {"archive-out", required_argument, NULL, 'o'},
                                            {"no-pyc", no_argument, NULL, 'n'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct arguments arguments = {0};
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        const char **target = option == 'c'   ? &arguments.code
                              : option == 'a' ? &arguments.archive
                              : option == 'm' ? &arguments.memory
                              : option == 't' ? &arguments.meta
                              : option == 'o' ? &arguments.archive_out
                                              : NULL;
        if (target)
            *target = optarg;
        else if (option == 'n')
            arguments.no_pyc = true;
        else if (option == 'h')
            return print_help(stdout), COMMAND_OK;
        else
            return print_help(stderr), COMMAND_USAGE;
    }
    if (optind + 1 != argc || !arguments.code || !arguments.archive || !arguments.memory ||
        !arguments.meta)
        return print_help(stderr), COMMAND_USAGE;
    arguments.module = argv[optind];
    return preinit(&arguments) ? COMMAND_OK : COMMAND_FAILED;
}
