/* Fuzz target: archives as mounts. Whatever is accepted must be a tree that can be walked, with names that
 * are names, and within its limits. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <eryx/mount.h>

#include "mount/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILES_MAX = 200, BYTES_MAX = 1 << 20 };

struct walk {
    const eryx_source_t *source;
    unsigned files;
    uint64_t bytes;
};

static void require(int condition)
{
    if (!condition)
        abort();
}

static void visit(struct walk *walk, const char *path);

static void visit_directory(struct walk *walk, const char *path)
{
    const eryx_provider_t *provider = &walk->source->provider;
    void *directory;
    eryx_file_entry_t entry;
    require(provider->open(walk->source->env, path, ERYX_OPEN_DIRECTORY, &directory) == 0);
    while (provider->next_entry(walk->source->env, directory, &entry) > 0) {
        char below[SOURCE_PATH_MAX + SOURCE_NAME_MAX + 2];
        size_t length = strlen(path);
        require(entry.length > 0 && entry.length <= SOURCE_NAME_MAX);
        memcpy(below, path, length);
        if (length > 0)
            below[length++] = '/';
        memcpy(below + length, entry.name, entry.length);
        below[length + entry.length] = '\0';
        require(source_path_valid(below, length + entry.length));
        visit(walk, below);
    }
    provider->close(walk->source->env, directory);
}

static void visit_file(struct walk *walk, const char *path, uint64_t size)
{
    const eryx_provider_t *provider = &walk->source->provider;
    static char content[BYTES_MAX + 1];
    void *file;
    require(provider->open(walk->source->env, path, 0, &file) == 0);
    require(size <= BYTES_MAX);
    require(provider->read(walk->source->env, file, 0, content, sizeof content) == (ptrdiff_t)size);
    provider->close(walk->source->env, file);
}

static void visit(struct walk *walk, const char *path)
{
    const eryx_provider_t *provider = &walk->source->provider;
    char target[SOURCE_PATH_MAX];
    eryx_file_stat_t status;
    require(provider->stat(walk->source->env, path, &status) == 0);
    require(++walk->files <= FILES_MAX + 1); /* the root is not counted */
    if (status.kind == ERYX_FILE_DIRECTORY)
        visit_directory(walk, path);
    else if (status.kind == ERYX_FILE_REGULAR)
        visit_file(walk, path, status.size);
    else
        require(provider->readlink(walk->source->env, path, target, sizeof target) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    eryx_archive_options_t options;
    eryx_source_t *source;
    eryx_error_t error;
    eryx_archive_options_init(&options);
    options.max_bytes = BYTES_MAX;
    options.max_files = FILES_MAX;
    int status = eryx_source_new_archive(data, size, &options, &source, &error);
    require((status == ERYX_OK) == (source != NULL));
    if (source) {
        struct walk walk = {.source = source};
        visit(&walk, "");
    }
    eryx_source_free(source);
    return 0;
}
