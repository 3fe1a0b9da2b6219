/* Reading the archive of the standard library. */
#include <string.h>

#include "stdlib/archive.h"

static struct archive_entry entry_at(const uint8_t *data, uint32_t index)
{
    struct archive_entry entry;
    memcpy(&entry, data + sizeof(struct archive_header) + (size_t)index * sizeof entry,
           sizeof entry);
    return entry;
}

static int compare_paths(const char *a, size_t a_length, const char *b, size_t b_length)
{
    int by_bytes = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return by_bytes ? by_bytes : (a_length > b_length) - (a_length < b_length);
}

static const char *check_entry(const uint8_t *data, uint32_t index, uint64_t table, uint64_t size)
{
    struct archive_entry entry = entry_at(data, index);
    if (entry.kind != ARCHIVE_FILE && entry.kind != ARCHIVE_DIRECTORY)
        return "an entry of unknown kind";
    if (entry.path_length == 0 || entry.path_offset < table || entry.path_offset > size ||
        entry.path_length > size - entry.path_offset)
        return "a path outside of the archive";
    if (entry.kind == ARCHIVE_FILE && (entry.data_offset < table || entry.data_offset > size ||
                                       entry.data_length > size - entry.data_offset))
        return "a file outside of the archive";
    if (index > 0) {
        struct archive_entry last = entry_at(data, index - 1);
        if (compare_paths((const char *)data + last.path_offset, last.path_length,
                          (const char *)data + entry.path_offset, entry.path_length) >= 0)
            return "entries out of order";
    }
    return NULL;
}

bool archive_check(const char *name, const uint8_t *data, size_t size)
{
    struct archive_header header;
    if (size < sizeof header || memcmp(data, ARCHIVE_MAGIC, sizeof header.magic) != 0) {
        step_error("%s is no archive of eryx-build stdlib", name);
        return false;
    }
    memcpy(&header, data, sizeof header);
    const char *wrong = NULL;
    uint64_t table = sizeof header + (uint64_t)header.entry_count * sizeof(struct archive_entry);
    if (header.total_bytes != size || table > size)
        wrong = "the size in its header";
    for (uint32_t i = 0; i < header.entry_count && !wrong; i++)
        wrong = check_entry(data, i, table, size);
    if (wrong)
        step_error("%s is damaged: %s; build it again", name, wrong);
    return !wrong;
}

uint32_t archive_count(const uint8_t *data)
{
    struct archive_header header;
    memcpy(&header, data, sizeof header);
    return header.entry_count;
}

struct archive_file archive_get(const uint8_t *data, uint32_t index)
{
    struct archive_entry entry = entry_at(data, index);
    bool is_directory = entry.kind == ARCHIVE_DIRECTORY;
    return (struct archive_file){.path = (const char *)data + entry.path_offset,
                                 .path_length = entry.path_length,
                                 .data = is_directory ? NULL : data + entry.data_offset,
                                 .size = is_directory ? 0 : entry.data_length,
                                 .is_directory = is_directory};
}

bool archive_find(const uint8_t *data, const char *path, struct archive_file *out)
{
    uint32_t low = 0, high = archive_count(data);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        *out = archive_get(data, middle);
        int order = compare_paths(out->path, out->path_length, path, strlen(path));
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}
