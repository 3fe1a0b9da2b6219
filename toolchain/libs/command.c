/* eryx-build libs: the libraries and the standard library out of the componentize-py wheel.
 *
 * The wheel's extension module embeds them as zstd frames. Each is recognised by content,
 * compared with what is pinned, and kept as the very frame of the wheel. Nothing is written
 * before all are there and right. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "file.h"
#include "image/sha256.h"
#include "libs/frames.h"
#include "libs/identify.h"
#include "libs/pinned.h"
#include "libs/wheel.h"

#define MEMBER "componentize_py.abi3.so"
#define MEMBER_MAX ((size_t)512 << 20)
#define FRAME_MAX ((size_t)64 << 20)

struct found {
    const uint8_t *compressed; /* in the wheel's member */
    size_t compressed_size;
};

struct scan {
    struct found found[PINNED_COUNT];
    int differing;
};

static size_t pinned_index(const char *name)
{
    size_t i = 0;
    while (strcmp(pinned_files[i].name, name) != 0)
        i++;
    return i;
}

static bool check_frame(void *context, const struct frame *frame)
{
    struct scan *scan = context;
    const char *name = identify(frame->data, frame->size);
    if (!name)
        return true;
    size_t index = pinned_index(name);
    const struct pinned_file *pinned = &pinned_files[index];
    uint8_t digest[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];
    sha256_digest(frame->data, frame->size, digest);
    sha256_hex(digest, hex);
    if (frame->size != pinned->bytes || strcmp(hex, pinned->sha256) != 0) {
        step_error("%s differs from the pinned one\n"
                   "  pinned: %9zu bytes, sha256 %s\n"
                   "  wheel:  %9zu bytes, sha256 %s",
                   name, pinned->bytes, pinned->sha256, frame->size, hex);
        scan->differing++;
    } else {
        scan->found[index] = (struct found){frame->compressed, frame->compressed_size};
    }
    return true;
}

static bool check_complete(const struct scan *scan, const char *wheel)
{
    int missing = 0;
    for (size_t i = 0; i < PINNED_COUNT && !scan->differing; i++)
        if (!scan->found[i].compressed) {
            step_error("%s is not in the wheel", pinned_files[i].name);
            missing++;
        }
    if (scan->differing || missing)
        step_error("%s is not the pinned componentize-py (see toolchain/libs/pinned.h); "
                   "deps/ names the version to download",
                   wheel);
    return !scan->differing && !missing;
}

static bool write_libraries(const struct scan *scan, const char *folder)
{
    char path[4096];
    for (size_t i = 0; i < PINNED_COUNT; i++) {
        const struct found *found = &scan->found[i];
        snprintf(path, sizeof path, "%s/%s.zst", folder, pinned_files[i].name);
        if (!file_write(path, found->compressed, found->compressed_size))
            return false;
    }
    return true;
}

static bool write_manifest(const struct scan *scan, const char *folder)
{
    char *text = NULL, path[4096];
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (!stream) {
        step_error("out of memory");
        return false;
    }
    fputs("{\n  \"files\": [\n", stream);
    for (size_t i = 0; i < PINNED_COUNT; i++)
        fprintf(stream,
                "    {\"name\": \"%s\", \"bytes\": %zu, \"compressed_bytes\": %zu, "
                "\"sha256\": \"%s\"}%s\n",
                pinned_files[i].name, pinned_files[i].bytes, scan->found[i].compressed_size,
                pinned_files[i].sha256, i + 1 < PINNED_COUNT ? "," : "");
    fputs("  ]\n}\n", stream);
    bool done = fclose(stream) == 0;
    snprintf(path, sizeof path, "%s/manifest.json", folder);
    if (!done)
        step_error("out of memory");
    done = done && file_write(path, text, size);
    free(text);
    return done;
}

static bool extract(const char *wheel, const char *folder)
{
    struct file_bytes member;
    if (!wheel_read(wheel, MEMBER, MEMBER_MAX, &member))
        return false;
    struct scan scan = {0};
    bool done = frames_visit(member.data, member.size, FRAME_MAX, check_frame, &scan) &&
                check_complete(&scan, wheel);
    if (done && mkdir(folder, 0777) != 0 && errno != EEXIST) {
        step_error("cannot create the folder %s: %s", folder, strerror(errno));
        done = false;
    }
    done = done && write_libraries(&scan, folder) && write_manifest(&scan, folder);
    file_bytes_free(&member);
    return done;
}

static void print_help(FILE *stream)
{
    fputs("usage: eryx-build libs --wheel componentize_py.whl -o FOLDER\n"
          "Takes the wasm libraries and the standard library out of the wheel and writes\n"
          "FOLDER/NAME.zst and FOLDER/manifest.json. The contents must be the pinned ones.\n",
          stream);
}

int libs_run(int argc, char **argv)
{
    static const struct option options[] = {{"wheel", required_argument, NULL, 'w'},
                                            {"output", required_argument, NULL, 'o'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *wheel = NULL, *folder = NULL;
    for (int option; (option = getopt_long(argc, argv, "o:h", options, NULL)) != -1;) {
        if (option == 'w')
            wheel = optarg;
        else if (option == 'o')
            folder = optarg;
        else if (option == 'h')
            return print_help(stdout), COMMAND_OK;
        else
            return print_help(stderr), COMMAND_USAGE;
    }
    if (!wheel || !folder || optind != argc)
        return print_help(stderr), COMMAND_USAGE;
    return extract(wheel, folder) ? COMMAND_OK : COMMAND_FAILED;
}
