/* eryx-build pack: machine code and initial memory as one file, runtime.cwasm (src/image). */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "file.h"
#include "image/image.h"
#include "image/sha256.h"

static bool is_section(const char *path, const struct file_bytes *bytes,
                       const image_section_t *section)
{
    uint8_t digest[SHA256_BYTES];
    sha256_digest(bytes->data, bytes->size, digest);
    if (bytes->size == section->length && memcmp(digest, section->sha256, sizeof digest) == 0)
        return true;
    step_error("%s is not the file that the --meta file belongs to; run preinit again", path);
    return false;
}

static bool read_meta(const char *path, image_footer_t *out)
{
    struct file_bytes bytes;
    eryx_error_t error;
    if (!file_read(path, &bytes))
        return false;
    bool good = bytes.size == sizeof *out;
    if (good)
        memcpy(out, bytes.data, sizeof *out);
    good = good && image_footer_check_seal(out, &error) == ERYX_OK;
    if (!good)
        step_error("%s is no --meta file of eryx-build preinit", path);
    file_bytes_free(&bytes);
    return good;
}

static bool write_image(const char *path, image_footer_t *footer, const struct file_bytes *code,
                        const struct file_bytes *memory)
{
    struct file_output output;
    eryx_error_t error;
    if (!file_output_open(path, &output))
        return false;
    if (image_write(output.fd, footer,
                    &(image_parts_t){.code = {code->data, code->size},
                                     .memory = {memory->data, memory->size}},
                    &error) != ERYX_OK) {
        step_error("%s: %s", path, error.message);
        file_output_abort(&output);
        return false;
    }
    return file_output_commit(&output);
}

/* Counting code is not what preinit ran, so the meta file cannot vouch for it. */
static bool pack(const char *code_path, const char *memory_path, const char *meta_path, bool fuel,
                 const char *output)
{
    struct file_bytes code = {0}, memory = {0};
    image_footer_t footer;
    bool done = read_meta(meta_path, &footer) && file_read(code_path, &code) &&
                file_read(memory_path, &memory) &&
                (fuel || is_section(code_path, &code, &footer.code)) &&
                is_section(memory_path, &memory, &footer.memory);
    if (done && fuel)
        footer.features |= IMAGE_FUEL;
    done = done && write_image(output, &footer, &code, &memory);
    file_bytes_free(&code);
    file_bytes_free(&memory);
    return done;
}

static void print_help(FILE *stream)
{
    fputs(
        "usage: eryx-build pack --code code.elf --memory memory.img --meta image.meta\n"
        "           [--fuel] -o runtime.cwasm\n"
        "Joins what precompile and preinit made to the file that liberyx loads. --fuel: the code\n"
        "is that of precompile --fuel, of the module that preinit ran made with\n"
        "safepoints --fuel.\n",
        stream);
}

int pack_run(int argc, char **argv)
{
    static const struct option options[] = {{"code", required_argument, NULL, 'c'},
                                            {"memory", required_argument, NULL, 'm'},
                                            {"meta", required_argument, NULL, 't'},
                                            {"output", required_argument, NULL, 'o'},
                                            {"fuel", no_argument, NULL, 'f'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *code = NULL, *memory = NULL, *meta = NULL, *output = NULL;
    bool fuel = false;
    for (int option; (option = getopt_long(argc, argv, "o:h", options, NULL)) != -1;) {
        if (option == 'c')
            code = optarg;
        else if (option == 'm')
            memory = optarg;
        else if (option == 'f')
            fuel = true;
        else if (option == 't')
            meta = optarg;
        else if (option == 'o')
            output = optarg;
        else if (option == 'h')
            return print_help(stdout), COMMAND_OK;
        else
            return print_help(stderr), COMMAND_USAGE;
    }
    if (!code || !memory || !meta || !output || optind != argc)
        return print_help(stderr), COMMAND_USAGE;
    return pack(code, memory, meta, fuel, output) ? COMMAND_OK : COMMAND_FAILED;
}
