/* Files of time zones, of version 2 or later of RFC 9636: a header and data with times of 32 bits, which are skipped,
 * the same with 64, and a rule for what comes after. They may be anything: a program can write them. */
#include "zone.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEADER = 44, FILE_MOST = 1 << 20, PATH_MOST = 256, TYPE_BYTES = 6 };
#define FOLDER "/usr/share/zoneinfo/"

static uint32_t read32(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int64_t read64(const unsigned char *at)
{
    return (int64_t)((uint64_t)read32(at) << 32 | read32(at + 4));
}

/* The whole file with a zero after it, or NULL. */
static unsigned char *read_all(const char *path, size_t *length)
{
    unsigned char *data;
    ssize_t part = 0;
    int fd = open(path, O_RDONLY);
    *length = 0;
    data = fd < 0 ? NULL : malloc(FILE_MOST + 1);
    while (data != NULL && *length < FILE_MOST &&
           (part = read(fd, data + *length, FILE_MOST - *length)) > 0) {
        *length += (size_t)part;
    }
    if (fd >= 0) {
        close(fd);
    }
    if (data != NULL && (part < 0 || *length == FILE_MOST)) {
        free(data);
        return NULL;
    }
    if (data != NULL) {
        unsigned char *smaller = realloc(data, *length + 1);
        data = smaller == NULL ? data : smaller;
        data[*length] = '\0';
    }
    return data;
}

/* The bytes of a header and its data, or 0 if they are not all there. */
static size_t measure(const unsigned char *at, size_t left, size_t time_bytes)
{
    uint64_t size;
    if (left < HEADER || memcmp(at, "TZif", 4) != 0 || at[4] < '2') {
        return 0;
    }
    size = HEADER + (uint64_t)read32(at + 32) * (time_bytes + 1) +
           (uint64_t)read32(at + 36) * TYPE_BYTES + read32(at + 40) +
           (uint64_t)read32(at + 28) * (time_bytes + 4) + read32(at + 24) + read32(at + 20);
    return size <= left ? (size_t)size : 0;
}

/* Everything that is an index points to something. */
static bool is_sound(const struct zone_file *file)
{
    if (file->type_count == 0 || file->name_bytes == 0 ||
        file->names[file->name_bytes - 1] != '\0') {
        return false;
    }
    for (size_t i = 0; i < file->count; i++) {
        if (file->kinds[i] >= file->type_count) {
            return false;
        }
    }
    for (size_t i = 0; i < file->type_count; i++) {
        int64_t offset = (int32_t)read32(file->types + i * TYPE_BYTES);
        if (file->types[i * TYPE_BYTES + 5] >= file->name_bytes || offset < -89999 ||
            offset > 93599) {
            return false;
        }
    }
    return true;
}

static const char *take_apart(struct zone_file *file, size_t length)
{
    size_t skipped = measure(file->data, length, 4), size;
    const unsigned char *at = file->data + skipped;
    char *footer, *end;
    size = skipped == 0 ? 0 : measure(at, length - skipped, 8);
    if (size == 0) {
        return NULL;
    }
    file->count = read32(at + 32);
    file->type_count = read32(at + 36);
    file->name_bytes = read32(at + 40);
    file->times = at + HEADER;
    file->kinds = file->times + file->count * 8;
    file->types = file->kinds + file->count;
    file->names = (const char *)file->types + file->type_count * TYPE_BYTES;
    if (!is_sound(file)) {
        return NULL;
    }
    footer = (char *)file->data + skipped + size;
    if (*footer != '\n' || (end = strchr(footer + 1, '\n')) == NULL) {
        return "";
    }
    *end = '\0';
    return footer + 1;
}

const char *zone_file_read(struct zone_file *file, const char *name)
{
    char path[PATH_MOST];
    const char *footer;
    size_t length;
    int written = snprintf(path, sizeof path, "%s%s", *name == '/' ? "" : FOLDER, name);
    if (*name == '\0' || written >= (int)sizeof path || strstr(path, "..") != NULL) {
        return NULL;
    }
    file->data = read_all(path, &length);
    footer = file->data == NULL ? NULL : take_apart(file, length);
    if (footer == NULL) {
        zone_file_free(file);
    }
    return footer;
}

void zone_file_free(struct zone_file *file)
{
    free(file->data);
    memset(file, 0, sizeof *file);
}

static struct zone_local local_of(const struct zone_file *file, size_t type)
{
    const unsigned char *at = file->types + type * TYPE_BYTES;
    return (struct zone_local){(int32_t)read32(at), at[4] != 0, file->names + at[5]};
}

bool zone_file_at(const struct zone_file *file, int64_t when, bool has_rule,
                  struct zone_local *local)
{
    size_t low = 0, high = file->count; /* the number of transitions that are not after it */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (read64(file->times + middle * 8) <= when) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == file->count && has_rule) {
        return false;
    }
    *local = local_of(file, low == 0 ? 0 : file->kinds[low - 1]);
    return true;
}
