/* The file system of the sandbox: built once from the archive in the constant range, and what
 * it needs of the host. wasi:filesystem/preopens gives its root to libc. */
#include "wasi_internal.h"

#include <string.h>

/* Defined by the linker: the range that the toolchain puts the archive into. */
extern const char eryx_constant_start[], eryx_constant_end[];

extern char *__wasilibc_cwd;

static struct vfs *file_system;

static int64_t device_read(enum vfs_device device, void *buffer, size_t length)
{
    if (device == VFS_DEVICE_STDIN) {
        return stdio_read(buffer, length);
    }
    if (device != VFS_DEVICE_RANDOM) {
        return -VFS_EBADF;
    }
    wasi_random_fill(buffer, length);
    return (int64_t)length;
}

static int64_t device_write(enum vfs_device device, const void *data, size_t length)
{
    if (device == VFS_DEVICE_RANDOM) {
        return (int64_t)length;
    }
    if (device != VFS_DEVICE_STDOUT && device != VFS_DEVICE_STDERR) {
        return -VFS_EBADF;
    }
    int error =
        stdio_write(device == VFS_DEVICE_STDOUT ? STREAM_STDOUT : STREAM_STDERR, data, length);
    return error ? error : (int64_t)length;
}

/* What goes wrong here is a defect of the build, not of a program: there is no sandbox. */
void wasi_start(void)
{
    static const struct vfs_host host = {wasi_wall_clock, device_read, device_write, &wasi_outside};
    if (file_system) {
        return;
    }
    struct vfs *fs = vfs_new(&host);
    size_t length = (uintptr_t)eryx_constant_end - (uintptr_t)eryx_constant_start;
    if (!fs || vfs_add_archive(fs, eryx_constant_start, length) || vfs_add_standard_tree(fs)) {
        __builtin_trap();
    }
    static char home[] = WASI_HOME;
    __wasilibc_cwd = home;
    file_system = fs;
}

struct vfs *wasi_file_system(void)
{
    wasi_start();
    return file_system;
}

struct preopen {
    uint32_t descriptor;
    struct wasi_list path;
};

WASI_EXPORT("wasi:filesystem/preopens@0.2.0#get-directories")
void wasi_get_directories(struct wasi_list *result)
{
    struct vfs *fs = wasi_file_system();
    struct vfs_inode *root = NULL;
    struct preopen *preopen = wasi_alloc(sizeof *preopen);
    preopen->path = (struct wasi_list){wasi_alloc(1), 1};
    memcpy(preopen->path.ptr, "/", 1);
    if (vfs_open(fs, (struct vfs_path){vfs_root(fs), "/", 1}, 0, &root)) {
        __builtin_trap();
    }
    preopen->descriptor = handle_new((struct handle){
        .kind = HANDLE_DESCRIPTOR,
        .flags = DESCRIPTOR_READ | DESCRIPTOR_WRITE | DESCRIPTOR_MUTATE,
        .inode = root,
    });
    *result = (struct wasi_list){preopen, 1};
}
