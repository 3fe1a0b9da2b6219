/* See vfs_support.h. */
#include "vfs_support.h"

#include "archive.h"

#include <stdlib.h>
#include <string.h>

int64_t support_clock = 1000;
size_t support_written[6];

static struct vfs_time now(void) {
    return (struct vfs_time){support_clock, 7};
}

static int64_t device_read(enum vfs_device device, void *buffer, size_t length) {
    memset(buffer, 'A' + (int)device, length);
    return (int64_t)length;
}

static int64_t device_write(enum vfs_device device, const void *buffer, size_t length) {
    (void)buffer;
    support_written[device] += length;
    return (int64_t)length;
}

struct vfs *support_new(void) {
    static const struct vfs_host host = {now, device_read, device_write, NULL};
    return vfs_new(&host);
}

struct vfs_path at_root(struct vfs *fs, const char *path) {
    return (struct vfs_path){vfs_root(fs), path, strlen(path)};
}

int make_file(struct vfs *fs, const char *path, const void *data, size_t length) {
    struct vfs_inode *file;
    int error = vfs_open(fs, at_root(fs, path),
                         VFS_OPEN_CREATE | VFS_OPEN_TRUNCATE | VFS_OPEN_WRITE, &file);
    if (error) {
        return error;
    }
    int64_t count = vfs_write(fs, file, 0, data, length);
    vfs_close(fs, file);
    return count < 0 ? (int)count : 0;
}

const char *text_of(struct vfs *fs, const char *path) {
    static char text[1 << 16];
    struct vfs_inode *file;
    if (vfs_open(fs, at_root(fs, path), 0, &file)) {
        return NULL;
    }
    int64_t count = vfs_read(fs, file, 0, text, sizeof text - 1);
    vfs_close(fs, file);
    if (count < 0) {
        return NULL;
    }
    text[count] = 0;
    return text;
}

struct vfs_stat stat_of(struct vfs *fs, const char *path) {
    struct vfs_stat stat = {0};
    vfs_stat_path(fs, at_root(fs, path), false, &stat);
    return stat;
}

int exists(struct vfs *fs, const char *path) {
    return stat_of(fs, path).inode != 0;
}

static uint32_t aligned(uint32_t offset) {
    return (offset + 15) & ~15u;
}

void *support_archive(const struct support_file *files, uint32_t count, size_t *length) {
    size_t table = sizeof(struct archive_header) + count * sizeof(struct archive_entry);
    uint32_t paths = (uint32_t)table;
    uint32_t data = paths;
    for (uint32_t i = 0; i < count; i++) {
        data += (uint32_t)strlen(files[i].path);
    }
    uint32_t total = aligned(data);
    for (uint32_t i = 0; i < count; i++) {
        total = aligned(total + files[i].length);
    }
    uint8_t *bytes = calloc(1, total);
    struct archive_header *header = (struct archive_header *)bytes;
    memcpy(header->magic, ARCHIVE_MAGIC, sizeof header->magic);
    header->entry_count = count;
    header->total_bytes = total;
    struct archive_entry *entries = (struct archive_entry *)(header + 1);
    data = aligned(data);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t path_length = (uint32_t)strlen(files[i].path);
        entries[i] = (struct archive_entry){
            paths,           path_length, files[i].data ? data : 0,
            files[i].length, 500 + i,     files[i].data ? ARCHIVE_FILE : ARCHIVE_DIRECTORY};
        memcpy(bytes + paths, files[i].path, path_length);
        if (files[i].data) {
            memcpy(bytes + data, files[i].data, files[i].length);
        }
        paths += path_length;
        data = aligned(data + files[i].length);
    }
    *length = total;
    return bytes;
}
