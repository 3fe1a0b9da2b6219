/* Reading a tar archive in memory: see tar.h. */
#include "stdlib/tar.h"

#include <stdio.h>
#include <string.h>

#define BLOCK 512u

struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8];
    char type, link[100], magic[6], version[2], user[32], group[32], major[8], minor[8];
    char prefix[155], padding[12];
};

_Static_assert(sizeof(struct header) == BLOCK, "one block");

static bool octal(const char *field, size_t size, uint64_t *out)
{
    uint64_t value = 0;
    size_t i = 0;
    while (i < size && field[i] == ' ')
        i++;
    size_t first = i;
    for (; i < size && field[i] >= '0' && field[i] <= '7'; i++)
        value = value * 8 + (uint64_t)(field[i] - '0');
    *out = value;
    return i > first && (i == size || field[i] == 0 || field[i] == ' ');
}

static bool is_header(const uint8_t *block)
{
    const struct header *header = (const struct header *)(const void *)block;
    uint64_t expected, sum = 0;
    if (memcmp(header->magic, "ustar", 5) != 0 ||
        !octal(header->checksum, sizeof header->checksum, &expected))
        return false;
    const size_t from = offsetof(struct header, checksum), to = offsetof(struct header, type);
    for (size_t i = 0; i < BLOCK; i++)
        sum += i >= from && i < to ? ' ' : block[i];
    return sum == expected;
}

bool tar_is(const uint8_t *data, size_t size)
{
    return size >= BLOCK && is_header(data);
}

/* Only ustar archives have a prefix; GNU puts other things there. */
static const char *entry_path(const struct header *header, struct tar_entry *entry)
{
    bool has_prefix = memcmp(header->magic, "ustar\0", 6) == 0 && header->prefix[0];
    snprintf(entry->path, sizeof entry->path, "%.*s%s%.*s",
             has_prefix ? (int)sizeof header->prefix : 0, header->prefix, has_prefix ? "/" : "",
             (int)sizeof header->name, header->name);
    char *path = entry->path;
    if (strncmp(path, "./", 2) == 0)
        memmove(path, path + 2, strlen(path) - 1);
    for (size_t length = strlen(path); length > 0 && path[length - 1] == '/'; length--)
        path[length - 1] = 0;
    if (path[0] == '/')
        return "an absolute path";
    for (const char *part = path; part; part = strchr(part, '/') ? strchr(part, '/') + 1 : NULL)
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == 0))
            return "a path with '..'";
    return NULL;
}

static const char *read_entry(const uint8_t *data, size_t size, size_t *at, struct tar_entry *out)
{
    const struct header *header = (const struct header *)(const void *)(data + *at);
    if (!is_header(data + *at))
        return "a header with a wrong checksum";
    uint64_t length;
    if (!octal(header->size, sizeof header->size, &length))
        return "a size that is no octal number";
    if (header->type != '0' && header->type != 0 && header->type != '5')
        return "an entry that is neither a file nor a directory";
    *at += BLOCK;
    if (length > size - *at)
        return "an entry that ends after the archive: it is truncated";
    out->is_directory = header->type == '5';
    out->data = data + *at;
    out->size = (size_t)length;
    uint64_t next = *at + (length + BLOCK - 1) / BLOCK * BLOCK;
    *at = next < size ? (size_t)next : size;
    return entry_path(header, out);
}

bool tar_visit(const uint8_t *data, size_t size,
               bool (*visit)(void *context, const struct tar_entry *entry), void *context,
               const char **reason)
{
    static const uint8_t zeros[BLOCK];
    size_t at = 0;
    while (size - at >= BLOCK && memcmp(data + at, zeros, BLOCK) != 0) {
        struct tar_entry entry;
        const char *wrong = read_entry(data, size, &at, &entry);
        if (wrong) {
            if (reason)
                *reason = wrong;
            return false;
        }
        if (entry.path[0] && !visit(context, &entry))
            return true;
    }
    return true;
}
