/* Pieces of files with their surroundings: see scrub.h. */
#include "mount/scrub.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/wipe.h"
#include "mount/source.h"

/* [start, start + before) of the file lies before the piece, `after` bytes behind it. */
typedef struct window {
    char *data;
    uint64_t start;
    size_t before, length, after;
} window_t;

static bool window_new(const mounts_t *mounts, uint64_t offset, size_t length, window_t *out) {
    size_t span = mounts->scrub.span;
    *out = (window_t){.before = offset < span ? (size_t)offset : span, .length = length};
    out->start = offset - out->before;
    out->after = (uint64_t)INT64_MAX - offset > length + span ? span : 0;
    out->data = malloc(out->before + length + out->after + 1);
    return out->data != NULL;
}

static void window_free(window_t *window) {
    wipe(window->data, window->before + window->length + window->after);
    free(window->data);
}

static bool clean(const mounts_t *mounts, char *text, size_t length) {
    return mounts->scrub.piece(mounts->scrub.env, text, length);
}

static ptrdiff_t read_source(const open_file_t *file, uint64_t offset, char *buffer,
                             size_t length) {
    ptrdiff_t got =
        file->source->provider.read(file->source->env, file->file, offset, buffer, length);
    return got > 0 && (size_t)got > length ? -EIO : got;
}

static ptrdiff_t write_source(const open_file_t *file, uint64_t offset, const char *data,
                              size_t length) {
    return file->source->provider.write(file->source->env, file->file, offset, data, length);
}

ptrdiff_t scrub_read(const mounts_t *mounts, const open_file_t *file, uint64_t offset, void *buffer,
                     size_t length) {
    window_t window;
    if (!window_new(mounts, offset, length, &window))
        return -ENOMEM;
    ptrdiff_t got =
        read_source(file, window.start, window.data, window.before + window.length + window.after);
    if (got > 0 && !clean(mounts, window.data, (size_t)got))
        got = -ENOMEM;
    if (got >= 0) {
        size_t there = (size_t)got > window.before ? (size_t)got - window.before : 0;
        got = (ptrdiff_t)(there < length ? there : length);
        memcpy(buffer, window.data + window.before, (size_t)got);
    }
    window_free(&window);
    return got;
}

/* What of the file lies around the piece; what cannot be read, or is not there, is zeros. */
static void read_around(const open_file_t *file, window_t *window) {
    size_t end = window->before + window->length;
    memset(window->data, 0, window->before);
    if (window->before > 0)
        read_source(file, window->start, window->data, window->before);
    ptrdiff_t got = window->after > 0
                        ? read_source(file, window->start + end, window->data + end, window->after)
                        : 0;
    window->after = got > 0 ? (size_t)got : 0;
}

/* Writes one side of the piece, if it is no longer as it was. 0 or an error. */
static int write_side(const open_file_t *file, uint64_t offset, const char *now, const char *was,
                      size_t length) {
    if (memcmp(now, was, length) == 0)
        return 0;
    ptrdiff_t count = write_source(file, offset, now, length);
    return count < 0 ? (int)count : (size_t)count == length ? 0 : -EIO;
}

/* The sides first: the file never holds the value. */
static ptrdiff_t write_window(const mounts_t *mounts, const open_file_t *file, window_t *window,
                              char *was) {
    size_t end = window->before + window->length, all = end + window->after;
    memcpy(was, window->data, all);
    if (!clean(mounts, window->data, all))
        return -ENOMEM;
    int error = write_side(file, window->start, window->data, was, window->before);
    if (!error)
        error = write_side(file, window->start + end, window->data + end, was + end, window->after);
    return error ? error
                 : write_source(file, window->start + window->before, window->data + window->before,
                                window->length);
}

ptrdiff_t scrub_write(const mounts_t *mounts, const open_file_t *file, uint64_t offset,
                      const void *data, size_t length) {
    window_t window;
    if (!window_new(mounts, offset, length, &window))
        return -ENOMEM;
    size_t all = window.before + window.length + window.after;
    char *was = malloc(all);
    ptrdiff_t count = -ENOMEM;
    if (was) {
        memcpy(window.data + window.before, data, length);
        read_around(file, &window);
        count = write_window(mounts, file, &window, was);
        wipe(was, all);
        free(was);
    }
    window_free(&window);
    return count;
}
