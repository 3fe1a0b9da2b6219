/* Fuzz target: packages. The first byte says as what the rest is read: a wheel's name, a lock file, or
 * the section `packages` of a runtime file, whose tree must be one that can be walked. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mount/source.h"
#include "package/lock.h"
#include "package/pack.h"
#include "package/wheel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A damaged tree may have a directory in itself: so deep, and so many files, are enough. */
enum { DEPTH_MAX = 20, FILES_MAX = 2000 };

static void require(int condition)
{
    if (!condition)
        abort();
}

static void check_name(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *project = NULL;
    eryx_error_t error;
    require(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    if (wheel_check_name(text, &project, &error) == ERYX_OK) {
        require(wheel_is_named(text) && project && *project && !strchr(project, '_'));
        free(project);
    }
    free(text);
}

static void check_lock(const uint8_t *data, size_t size)
{
    const char *at = (const char *)data, *end = at + size, *before = at;
    lock_line_t line;
    for (lock_kind_t kind; (kind = lock_next(&at, end, &line)) != LOCK_END; before = at) {
        require(at > before && at <= end);
        require(kind == LOCK_DAMAGED || strlen(line.hash) == 2 * (size_t)SHA256_BYTES);
        if (kind == LOCK_INPUT)
            require(line.name_length > 0 && line.name + line.name_length <= end);
    }
    require(at == end);
}

struct walk {
    const eryx_source_t *source;
    unsigned files;
};

static void visit(struct walk *walk, const char *path, unsigned depth);

static void visit_directory(struct walk *walk, const char *path, unsigned depth)
{
    const eryx_provider_t *provider = &walk->source->provider;
    void *directory;
    eryx_file_entry_t entry;
    if (depth == DEPTH_MAX ||
        provider->open(walk->source->env, path, ERYX_OPEN_DIRECTORY, &directory))
        return;
    while (walk->files < FILES_MAX &&
           provider->next_entry(walk->source->env, directory, &entry) > 0) {
        char below[SOURCE_PATH_MAX + SOURCE_NAME_MAX + 2];
        size_t length = strlen(path);
        if (length + entry.length + 2 > SOURCE_PATH_MAX || entry.length > SOURCE_NAME_MAX)
            continue;
        memcpy(below, path, length);
        if (length > 0)
            below[length++] = '/';
        memcpy(below + length, entry.name, entry.length);
        below[length + entry.length] = '\0';
        /* What the sandbox's mounts let through (mount/operations.c). */
        if (source_path_valid(below, length + entry.length))
            visit(walk, below, depth + 1);
    }
    provider->close(walk->source->env, directory);
}

static void visit_file(const struct walk *walk, const char *path)
{
    const eryx_provider_t *provider = &walk->source->provider;
    static char content[4096];
    void *file;
    eryx_file_stat_t status;
    if (provider->open(walk->source->env, path, 0, &file))
        return;
    require(provider->status(walk->source->env, file, &status) == 0);
    for (uint64_t offset = 0; offset < 3; offset++)
        require(provider->read(walk->source->env, file, offset, content, sizeof content) <=
                (ptrdiff_t)sizeof content);
    provider->read(walk->source->env, file, UINT64_MAX, content, sizeof content);
    provider->close(walk->source->env, file);
}

static void visit(struct walk *walk, const char *path, unsigned depth)
{
    const eryx_provider_t *provider = &walk->source->provider;
    char target[64];
    eryx_file_stat_t status;
    walk->files++;
    if (provider->stat(walk->source->env, path, &status))
        return;
    visit_directory(walk, path, depth);
    visit_file(walk, path);
    require(provider->readlink(walk->source->env, path, target, sizeof target) <=
            (ptrdiff_t)sizeof target);
}

static void check_pack(const uint8_t *data, size_t size)
{
    eryx_source_t *source;
    eryx_error_t error;
    void *copy = malloc(size + 1); /* aligned, as the mapped file is */
    require(copy != NULL);
    memcpy(copy, data, size);
    if (pack_source(copy, size, NULL, &source, &error) == ERYX_OK) {
        struct walk walk = {.source = source};
        visit(&walk, "", 0);
        eryx_source_free(source);
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    switch (data[0]) {
    case 'n':
        check_name(data + 1, size - 1);
        break;
    case 'l':
        check_lock(data + 1, size - 1);
        break;
    default:
        check_pack(data + 1, size - 1);
    }
    return 0;
}
