/* What the host grants of its files: the imports of module "eryx" that only liberyx has, and the
 * list of mounts. src/abi/imports_mount.c is the other side, and has the layouts too. */
#include "mounts.h"

#include "wasi.h"
#include "wasi_internal.h"

#include <stdlib.h>
#include <string.h>

#define MOUNT_IMPORT(name) WASI_IMPORT("eryx", name)

MOUNT_IMPORT("mount-list") int32_t mount_list(void *buffer, uint32_t capacity);
MOUNT_IMPORT("mount-stat")
int32_t mount_stat(uint32_t mount, const char *path, uint32_t length, struct mount_stat *stat);
MOUNT_IMPORT("mount-open")
int32_t mount_open(uint32_t mount, const char *path, uint32_t length, uint32_t flags,
                   struct mount_open *out);
MOUNT_IMPORT("mount-close") int32_t mount_close(uint64_t file);
MOUNT_IMPORT("mount-status") int32_t mount_status(uint64_t file, struct mount_stat *stat);
MOUNT_IMPORT("mount-read")
int32_t mount_read(uint64_t file, uint64_t offset, void *buffer, uint32_t length);
MOUNT_IMPORT("mount-write")
int32_t mount_write(uint64_t file, uint64_t offset, const void *data, uint32_t length);
MOUNT_IMPORT("mount-resize") int32_t mount_resize(uint64_t file, uint64_t size);
MOUNT_IMPORT("mount-sync") int32_t mount_sync(uint64_t file);
MOUNT_IMPORT("mount-entries")
int32_t mount_entries(uint64_t file, void *buffer, uint32_t capacity);
MOUNT_IMPORT("mount-readlink")
int32_t mount_readlink(uint32_t mount, const char *path, uint32_t length, char *buffer,
                       uint32_t capacity);
MOUNT_IMPORT("mount-set-times")
int32_t mount_set_times(uint32_t mount, const char *path, uint32_t length,
                        const struct mount_times *times);
MOUNT_IMPORT("mount-change")
int32_t mount_change(uint32_t change, uint32_t mount, const char *path, uint32_t length,
                     const char *other, uint32_t other_length);

/* -1 is "this host has no mounts", so errors begin after it. */
static int32_t result_of(int32_t answer)
{
    return answer >= 0 ? answer : answer == -1 ? -VFS_ENOENT : answer + 1;
}

static struct vfs_time time_of(int64_t seconds, uint32_t nanoseconds)
{
    return (struct vfs_time){seconds < 0 ? 0 : seconds, seconds < 0 ? 0 : nanoseconds};
}

static void put_stat(const struct mount_stat *from, struct vfs_stat *to)
{
    *to = (struct vfs_stat){
        .inode = from->inode,
        .size = from->size,
        .links = from->links,
        .kind = (enum vfs_kind)from->kind,
        .accessed = time_of(from->seconds[0], from->nanoseconds[0]),
        .modified = time_of(from->seconds[1], from->nanoseconds[1]),
        .changed = time_of(from->seconds[2], from->nanoseconds[2]),
    };
}

static int stat_outside(uint32_t mount, const char *path, size_t length, struct vfs_stat *stat)
{
    struct mount_stat got;
    int error = result_of(mount_stat(mount, path, (uint32_t)length, &got));
    if (!error) {
        put_stat(&got, stat);
    }
    return error;
}

static int open_outside(uint32_t mount, const char *path, size_t length, unsigned flags,
                        uint64_t *file, struct vfs_stat *stat)
{
    struct mount_open got;
    int error = result_of(mount_open(mount, path, (uint32_t)length, flags, &got));
    if (!error) {
        *file = got.file;
        put_stat(&got.stat, stat);
    }
    return error;
}

static void close_outside(uint64_t file)
{
    mount_close(file);
}

static int status_outside(uint64_t file, struct vfs_stat *stat)
{
    struct mount_stat got;
    int error = result_of(mount_status(file, &got));
    if (!error) {
        put_stat(&got, stat);
    }
    return error;
}

static int64_t read_outside(uint64_t file, uint64_t offset, void *buffer, size_t length)
{
    return result_of(mount_read(file, offset, buffer, (uint32_t)length));
}

static int64_t write_outside(uint64_t file, uint64_t offset, const void *data, size_t length)
{
    return result_of(mount_write(file, offset, data, (uint32_t)length));
}

static int resize_outside(uint64_t file, uint64_t size)
{
    return result_of(mount_resize(file, size));
}

static int sync_outside(uint64_t file)
{
    return result_of(mount_sync(file));
}

static int64_t list_outside(uint64_t file, void *buffer, size_t capacity)
{
    return result_of(mount_entries(file, buffer, (uint32_t)capacity));
}

static int64_t readlink_outside(uint32_t mount, const char *path, size_t length, char *buffer,
                                size_t capacity)
{
    return result_of(mount_readlink(mount, path, (uint32_t)length, buffer, (uint32_t)capacity));
}

static int set_times_outside(uint32_t mount, const char *path, size_t length,
                             const struct vfs_time *accessed, const struct vfs_time *modified)
{
    struct mount_times times = {0};
    const struct vfs_time *given[] = {accessed, modified};
    for (int i = 0; i < 2; i++) {
        if (given[i]) {
            times.given[i] = 1;
            times.seconds[i] = given[i]->seconds;
            times.nanoseconds[i] = given[i]->nanoseconds;
        }
    }
    return result_of(mount_set_times(mount, path, (uint32_t)length, &times));
}

static int change_outside(enum vfs_change change, uint32_t mount, const char *path, size_t length,
                          const char *other, size_t other_length)
{
    return result_of(
        mount_change(change, mount, path, (uint32_t)length, other, (uint32_t)other_length));
}

const struct vfs_outside wasi_outside = {
    .stat = stat_outside,
    .open = open_outside,
    .close = close_outside,
    .status = status_outside,
    .read = read_outside,
    .write = write_outside,
    .resize = resize_outside,
    .sync = sync_outside,
    .list = list_outside,
    .readlink = readlink_outside,
    .set_times = set_times_outside,
    .change = change_outside,
};

/* --- The list ----------------------------------------------------------------------------- */

/* Records of number, flags, length of the path (u32 each), then the path. */
struct list {
    uint8_t *data;
    uint32_t length;
};

enum { FEW_BYTES = 256 };

struct record {
    uint32_t number, flags, length;
    const char *path;
};

static struct list current;

static bool next_record(const struct list *list, uint32_t *at, struct record *out)
{
    uint32_t fields[3], left = list->length - *at;
    if (left < sizeof fields) {
        return false;
    }
    memcpy(fields, list->data + *at, sizeof fields);
    *at += sizeof fields;
    *out = (struct record){fields[0], fields[1], fields[2], (const char *)list->data + *at};
    if (out->length > left - sizeof fields) {
        return false;
    }
    *at += out->length;
    return true;
}

static bool is_listed(uint32_t number, const char *path, size_t length, void *context)
{
    const struct list *list = context;
    struct record record;
    for (uint32_t at = 0; next_record(list, &at, &record);) {
        if (record.number == number && record.length == length &&
            memcmp(record.path, path, length) == 0) {
            return true;
        }
    }
    return false;
}

/* After a resume the same mounts may have other numbers. */
static void apply(struct list *list)
{
    struct vfs *fs = wasi_file_system();
    struct record record;
    for (uint32_t at = 0; next_record(list, &at, &record);) {
        vfs_renumber(fs, record.number, record.flags, record.path, record.length);
    }
    vfs_unmount(fs, is_listed, list);
    for (uint32_t at = 0; next_record(list, &at, &record);) {
        vfs_mount(fs, record.number, record.flags, record.path, record.length);
    }
}

/* Without memory for it, or for all mounts, what is there stays, and the next execution asks again
 * if the host tells it to. */
void wasi_mounts_ask(void)
{
    struct list list = {0};
    uint8_t few[FEW_BYTES];
    int32_t length = mount_list(few, sizeof few);
    if (length >= 0 && length <= FEW_BYTES && (uint32_t)length == current.length &&
        (length == 0 || memcmp(few, current.data, (size_t)length) == 0)) {
        return; /* nearly always: those of the image, or none */
    }
    if (length > 0) {
        list.data = malloc((size_t)length);
        if (!list.data) {
            return;
        }
        list.length = (uint32_t)length;
        length = mount_list(list.data, list.length);
    }
    if (length < 0 || (uint32_t)length != list.length) {
        list.length = 0;
    }
    bool same = list.length == current.length &&
                (!list.length || memcmp(list.data, current.data, list.length) == 0);
    if (same) {
        free(list.data);
        return;
    }
    apply(&list);
    free(current.data);
    current = list;
}
