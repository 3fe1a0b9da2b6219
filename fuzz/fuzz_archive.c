/* Fuzz target: archives of the standard library, tar files, and files embedded as zstd frames. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "libs/frames.h"
#include "libs/identify.h"
#include "stdlib/archive.h"
#include "stdlib/tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint8_t sink;

static void touch(const void *data, size_t size)
{
    for (size_t i = 0; i < size; i += 61)
        sink = ((const uint8_t *)data)[i];
}

static bool visit_entry(void *context, const struct tar_entry *entry)
{
    (void)context;
    if (strstr(entry->path, "/../") || entry->path[0] == '/')
        abort();
    touch(entry->data, entry->size);
    return true;
}

static bool visit_frame(void *context, const struct frame *frame)
{
    (void)context;
    touch(frame->compressed, frame->compressed_size);
    sink = identify(frame->data, frame->size) != NULL;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *reason;
    if (tar_is(data, size))
        (void)tar_visit(data, size, visit_entry, NULL, &reason);
    (void)identify(data, size);
    (void)frames_visit(data, size, 1 << 20, visit_frame, NULL);
    if (!archive_check("input", data, size))
        return 0;
    for (uint32_t i = 0; i < archive_count(data); i++) {
        struct archive_file file = archive_get(data, i);
        touch(file.path, file.path_length);
        touch(file.data, file.size);
    }
    struct archive_file file;
    (void)archive_find(data, "lib/python3.14/os.py", &file);
    return 0;
}
