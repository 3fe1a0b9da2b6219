/* eryx-build precompile: the module, without its data, as machine code.
 *
 * Data segments are taken out: preinit writes them to memory, and what a sandbox begins with is
 * the image. The memory minimum is raised to what initialisation will need, because in a
 * sandbox the memory has that size from the beginning. A component has been initialised: of it
 * the whole runtime.cwasm is made (whole.c). */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "file.h"
#include "module_file.h"
#include "precompile/whole.h"
#include "preinit/guest.h"
#include "preinit/split.h"
#include "wasm/component.h"

#define WASM_PAGE UINT64_C(65536)

static bool compile(const struct wasm_buffer *code, bool fuel, struct file_bytes *elf)
{
    struct machine machine;
    if (!machine_compile(&machine, fuel, code->data, code->size))
        return false;
    bool done = machine_serialize(&machine, elf);
    machine_free(&machine);
    if (done)
        printf("precompile: %.1f MiB of code\n", (double)elf->size / (1 << 20));
    return done;
}

/* The machine code of a core module, or runtime.cwasm of a component's. */
static bool make(const struct wasm_module *module, bool is_component, bool fuel, uint64_t minimum,
                 const char *module_out, const char *output)
{
    struct wasm_buffer code = {0};
    struct file_bytes elf = {0};
    struct whole whole = {0};
    bool done = (!is_component || whole_prepare(module, minimum, &whole)) &&
                split_code(module, minimum, &code) &&
                (!module_out || file_write(module_out, code.data, code.size)) &&
                compile(&code, fuel, &elf);
    if (fuel)
        whole.footer.features |= IMAGE_FUEL;
    done = done && (is_component ? whole_write(&whole, &elf, output)
                                 : file_write(output, elf.data, elf.size));
    whole_free(&whole);
    file_bytes_free(&elf);
    wasm_buffer_free(&code);
    return done;
}

static bool precompile(const char *input, bool fuel, uint64_t minimum, const char *module_out,
                       const char *output)
{
    struct file_bytes bytes;
    struct wasm_module module;
    if (!module_file_read(input, &bytes, &module))
        return false;
    bool done = split_check(&module);
    if (done && module.memories[0].min * WASM_PAGE > minimum)
        minimum = module.memories[0].min * WASM_PAGE;
    done = done &&
           make(&module, component_is(bytes.data, bytes.size), fuel, minimum, module_out, output);
    wasm_free(&module);
    file_bytes_free(&bytes);
    return done;
}

/* "48M" or bytes, a multiple of 64 KiB up to 4 GiB. */
static bool parse_bytes(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (*end == 'M' && value <= 4096) {
        value <<= 20;
        end++;
    }
    *out = value;
    return errno == 0 && end != text && *end == 0 && value % WASM_PAGE == 0 &&
           value <= UINT64_C(1) << 32;
}

static void print_help(FILE *stream)
{
    fputs("usage: eryx-build precompile polled.wasm [options] -o code.elf\n"
          "       eryx-build precompile runtime.wasm [options] -o runtime.cwasm\n"
          "Compiles the module, without its data segments, with liberyx's configuration. Of a\n"
          "component that eryx-build made it makes the whole file that liberyx loads.\n"
          "  --memory-minimum BYTES  linear memory of a fresh sandbox, at least what preinit\n"
          "                          leaves behind; a suffix M is MiB (default: the module's)\n"
          "  --fuel                  code that counts what it executes (eryx_limits_t.fuel)\n"
          "  --module FILE           out: the module that was compiled\n",
          stream);
}

int precompile_run(int argc, char **argv)
{
    static const struct option options[] = {{"memory-minimum", required_argument, NULL, 'm'},
                                            {"module", required_argument, NULL, 'w'},
                                            {"fuel", no_argument, NULL, 'f'},
                                            {"output", required_argument, NULL, 'o'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *output = NULL, *module_out = NULL;
    uint64_t minimum = 0;
    bool fuel = false;
    for (int option; (option = getopt_long(argc, argv, "o:h", options, NULL)) != -1;) {
        if (option == 'o')
            output = optarg;
        else if (option == 'f')
            fuel = true;
        else if (option == 'w')
            module_out = optarg;
        else if (option == 'h')
            return print_help(stdout), COMMAND_OK;
        else if (option != 'm')
            return print_help(stderr), COMMAND_USAGE;
        else if (!parse_bytes(optarg, &minimum)) {
            step_error("--memory-minimum %s: give a multiple of 64 KiB up to 4096M", optarg);
            return COMMAND_USAGE;
        }
    }
    if (optind + 1 != argc || !output)
        return print_help(stderr), COMMAND_USAGE;
    return precompile(argv[optind], fuel, minimum, module_out, output) ? COMMAND_OK
                                                                       : COMMAND_FAILED;
}
