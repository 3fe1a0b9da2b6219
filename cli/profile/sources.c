/* File names come from the program: they lead to files of its sandbox, never of this machine. */
#include "sources.h"

#include <stdlib.h>
#include <string.h>

#include "../values.h"

enum { FILES_MAX = 50, FILE_BYTES_MAX = 2 << 20, LINE_BYTES_MAX = 200 };

struct file {
    char *name;
    void *text; /* of eryx_bytes_free; NULL: there is none */
    size_t length;
};

struct sources {
    const struct source *source;
    eryx_sandbox_t *sandbox;
    struct file files[FILES_MAX];
    size_t count;
};

struct sources *sources_new(const struct source *source, eryx_sandbox_t *sandbox)
{
    struct sources *sources = calloc(1, sizeof *sources);
    if (sources) {
        sources->source = source;
        sources->sandbox = sandbox;
    }
    return sources;
}

/* NULL: no more files are read. */
static const struct file *find_file(struct sources *sources, const char *name)
{
    for (size_t i = 0; i < sources->count; i++) {
        if (strcmp(sources->files[i].name, name) == 0)
            return &sources->files[i];
    }
    if (sources->count == FILES_MAX)
        return NULL;
    struct file *file = &sources->files[sources->count];
    file->name = strdup(name);
    if (!file->name)
        return NULL;
    sources->count++;
    if (name[0] != '/' || eryx_fs_read(sources->sandbox, name, FILE_BYTES_MAX, &file->text,
                                       &file->length, NULL) != ERYX_OK)
        file->text = NULL;
    return file;
}

static const char *cut(const char *text, size_t length, uint32_t line, size_t *out)
{
    const char *end = text + length;
    for (uint32_t i = 1; i < line && text; i++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        text = newline ? newline + 1 : NULL;
    }
    if (!text)
        return "";
    const char *newline = memchr(text, '\n', (size_t)(end - text));
    end = newline ? newline : end;
    while (text < end && (unsigned char)*text <= ' ')
        text++;
    while (text < end && (unsigned char)end[-1] <= ' ')
        end--;
    size_t most = (size_t)(end - text) < LINE_BYTES_MAX ? (size_t)(end - text) : LINE_BYTES_MAX;
    *out = value_utf8_prefix(text, most);
    return memchr(text, 0, *out) ? (*out = 0, "") : text;
}

const char *sources_line(struct sources *sources, const char *file, uint32_t line, size_t *length)
{
    *length = 0;
    if (!sources || line == 0)
        return "";
    if (sources->source->text && strcmp(file, sources->source->name) == 0)
        return cut(sources->source->text, sources->source->length, line, length);
    const struct file *found = find_file(sources, file);
    return found && found->text ? cut(found->text, found->length, line, length) : "";
}

void sources_free(struct sources *sources)
{
    if (!sources)
        return;
    for (size_t i = 0; i < sources->count; i++) {
        free(sources->files[i].name);
        eryx_bytes_free(sources->files[i].text);
    }
    free(sources);
}
