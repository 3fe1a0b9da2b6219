/* eryx-build stdlib: the standard library, our own modules and the time zones as one archive. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "command.h"
#include "file.h"
#include "stdlib/archive.h"
#include "stdlib/omit.h"
#include "stdlib/tar.h"
#include "stdlib/tree.h"

#define LIBRARY "lib/python3.14"
#define TAR_MAX ((size_t)256 << 20)

static bool is_omitted(const char *path)
{
    for (size_t i = 0; i < OMITTED_COUNT; i++) {
        size_t length = strlen(omitted_paths[i].path);
        if (strncmp(path, omitted_paths[i].path, length) == 0 &&
            (path[length] == 0 || path[length] == '/'))
            return true;
    }
    return false;
}

struct unpacking {
    struct archive_builder *builder;
    bool failed;
};

static bool add_entry(void *context, const struct tar_entry *entry)
{
    struct unpacking *unpacking = context;
    if (entry->is_directory || is_omitted(entry->path))
        return true;
    char path[sizeof entry->path + sizeof LIBRARY];
    snprintf(path, sizeof path, LIBRARY "/%s", entry->path);
    unpacking->failed = !archive_add(unpacking->builder, path, entry->data, entry->size);
    return !unpacking->failed;
}

/* libs/stdlib.tar.zst as it is, or a plain tar. */
static bool decompress(const char *path, struct file_bytes *bytes)
{
    if (tar_is(bytes->data, bytes->size))
        return true;
    uint8_t *data = malloc(TAR_MAX);
    size_t size = data ? ZSTD_decompress(data, TAR_MAX, bytes->data, bytes->size) : 0;
    if (!data || ZSTD_isError(size)) {
        step_error("%s: %s", path, data ? "neither a tar nor a zstd file" : "out of memory");
        free(data);
        return false;
    }
    file_bytes_free(bytes);
    *bytes = (struct file_bytes){data, size};
    return true;
}

static bool add_tar(struct archive_builder *builder, const char *path)
{
    struct file_bytes bytes;
    if (!file_read(path, &bytes))
        return false;
    const char *reason = "";
    struct unpacking unpacking = {.builder = builder};
    bool done = decompress(path, &bytes);
    if (done && !tar_visit(bytes.data, bytes.size, add_entry, &unpacking, &reason)) {
        step_error("%s: malformed tar: %s", path, reason);
        done = false;
    }
    file_bytes_free(&bytes);
    return done && !unpacking.failed;
}

static void print_help(FILE *stream)
{
    fputs("usage: eryx-build stdlib --tar stdlib.tar[.zst] [options] -o stdlib.arc\n"
          "Makes the archive that becomes the read-only part of the sandbox's file system.\n"
          "  --tar FILE       the standard library, to " LIBRARY "/\n"
          "  --add FOLDER     files of ours, to " LIBRARY "/; may be repeated\n"
          "  --site FOLDER    packages, to " LIBRARY "/site-packages/; may be repeated\n"
          "  --zoneinfo FOLDER  compiled time zones, to usr/share/zoneinfo/\n"
          "  -o FILE          the archive\n"
          "A later file replaces an earlier one of the same path. Not taken from the tar:\n",
          stream);
    for (size_t i = 0; i < OMITTED_COUNT; i++)
        fprintf(stream, "  %-26s %s\n", omitted_paths[i].path, omitted_paths[i].reason);
}

static bool write_archive(struct archive_builder *builder, const char *output)
{
    struct file_bytes bytes;
    if (!archive_encode(builder, &bytes))
        return false;
    bool done = file_write(output, bytes.data, bytes.size);
    file_bytes_free(&bytes);
    return done;
}

int stdlib_run(int argc, char **argv)
{
    static const struct option options[] = {{"tar", required_argument, NULL, 't'},
                                            {"add", required_argument, NULL, 'a'},
                                            {"site", required_argument, NULL, 's'},
                                            {"zoneinfo", required_argument, NULL, 'z'},
                                            {"output", required_argument, NULL, 'o'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct archive_builder builder = {0};
    const char *output = NULL;
    bool done = true, has_tar = false, usage = false;
    for (int option; done && (option = getopt_long(argc, argv, "o:h", options, NULL)) != -1;) {
        switch (option) {
        case 't':
            done = has_tar = add_tar(&builder, optarg);
            break;
        case 'a':
            done = tree_add(&builder, optarg, LIBRARY);
            break;
        case 's':
            done = tree_add(&builder, optarg, LIBRARY "/site-packages");
            break;
        case 'z':
            done = tree_add_zones(&builder, optarg, "usr/share/zoneinfo");
            break;
        case 'o':
            output = optarg;
            break;
        case 'h':
            archive_free(&builder);
            return print_help(stdout), COMMAND_OK;
        default:
            usage = true;
        }
    }
    usage = usage || (done && (!output || !has_tar || optind != argc));
    if (usage)
        print_help(stderr);
    done = done && !usage && write_archive(&builder, output);
    archive_free(&builder);
    return usage ? COMMAND_USAGE : done ? COMMAND_OK : COMMAND_FAILED;
}
