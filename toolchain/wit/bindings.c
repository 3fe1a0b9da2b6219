/* `eryx-build bindings`: C headers for both sides of a WIT world.
 *
 * Why our own: wit-bindgen and wit-dylib come only as crates whose compilation takes minutes of a
 * build that has six, and neither emits what is needed here. The guest's code speaks the
 * async callback ABI directly (wit-bindgen's C generator wraps it in its own task types), and the
 * host is no component runtime but C code against a core module, which needs the flattened
 * signatures and memory layouts themselves. Generating both sides from one list of core
 * functions makes a WIT change without the code fail the build on either side. */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../command.h"
#include "../file.h"
#include "core.h"

/* Interface files are written by hand. */
enum { MAX_FILE = 4 << 20 };

struct options {
    const char *input, *deps, *world, *guest, *host, *list;
};

static const char help[] =
    "usage: eryx-build bindings FILE.wit --world NAME [--deps FOLDER] [--guest FILE.h]\n"
    "                           [--host FILE.h] [--list FILE]\n"
    "Writes C bindings of a WIT world.\n"
    "  --deps FOLDER  the packages it refers to: all *.wit in the folder\n"
    "  --guest FILE   header for code inside: types, imports, prototypes of exports\n"
    "  --host FILE    header for code outside: table of functions, constants of layouts\n"
    "  --list FILE    the functions as text, one a line\n";

static bool parse_options(int argc, char **argv, struct options *out)
{
    static const struct option known[] = {
        {"deps", required_argument, NULL, 'd'},  {"world", required_argument, NULL, 'w'},
        {"guest", required_argument, NULL, 'g'}, {"host", required_argument, NULL, 'h'},
        {"list", required_argument, NULL, 'l'},  {0}};
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'd':
            out->deps = optarg;
            break;
        case 'w':
            out->world = optarg;
            break;
        case 'g':
            out->guest = optarg;
            break;
        case 'h':
            out->host = optarg;
            break;
        case 'l':
            out->list = optarg;
            break;
        default:
            return false;
        }
    }
    if (optind + 1 != argc || !out->world) {
        fputs(help, stderr);
        return false;
    }
    out->input = argv[optind];
    return true;
}

static struct wit_package *read_package(struct wit *wit, const char *path)
{
    struct file_bytes bytes;
    if (!file_read(path, &bytes))
        return NULL;
    struct wit_package *package = NULL;
    if (bytes.size > MAX_FILE)
        step_error("%s: larger than %d bytes; is it a WIT file?", path, MAX_FILE);
    else if (!(package = wit_read(wit, path, (const char *)bytes.data, bytes.size)))
        step_error("%s", wit->error);
    file_bytes_free(&bytes);
    return package;
}

static int is_wit_file(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 4 && strcmp(entry->d_name + length - 4, ".wit") == 0;
}

/* In order of name, so that the output does not depend on the file system. */
static bool read_folder(struct wit *wit, const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_wit_file, alphasort);
    if (count < 0) {
        step_error("cannot read folder: %s: %s; does --deps name it rightly?", folder,
                   strerror(errno));
        return false;
    }
    bool done = true;
    for (int i = 0; i < count; i++) {
        done = done && read_package(wit, wit_format(wit, "%s/%s", folder, entries[i]->d_name));
        free(entries[i]);
    }
    free(entries);
    return done;
}

static bool write_text(const char *path, char *(*emit)(const struct core_world *, size_t *),
                       const struct core_world *world)
{
    size_t size = 0;
    if (!path)
        return true;
    char *text = emit(world, &size);
    if (!text) {
        step_error("out of memory; close other programs and run again");
        return false;
    }
    bool done = file_write(path, text, size);
    free(text);
    return done;
}

static bool generate(struct wit *wit, const struct options *options)
{
    struct wit_package *package = read_package(wit, options->input);
    if (!package || (options->deps && !read_folder(wit, options->deps)))
        return false;
    struct core_world world;
    struct wit_scope *scope = wit_find_world(wit, package, options->world);
    if (!scope || !wit_resolve(wit) || !core_world_build(wit, scope, &world)) {
        step_error("%s", wit->error);
        return false;
    }
    return write_text(options->guest, core_emit_guest, &world) &&
           write_text(options->host, core_emit_host, &world) &&
           write_text(options->list, core_emit_list, &world);
}

int bindings_run(int argc, char **argv)
{
    struct options options = {0};
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        fputs(help, stdout);
        return COMMAND_OK;
    }
    if (!parse_options(argc, argv, &options))
        return COMMAND_USAGE;
    struct wit wit = {0};
    bool done = generate(&wit, &options);
    wit_free(&wit);
    return done ? COMMAND_OK : COMMAND_FAILED;
}
