/* os.dup: libc has no dup, since WASI 0.2 has none. Libc's table of descriptors is its own; which
 * handle one stands for is learnt by having it synced. The copy has a position of its own, which is
 * where the original's is: the only difference to POSIX. */
#include "wasi_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int __wasilibc_add_file(uint32_t handle, int flags);

uint32_t *wasi_sync_asked;

/* 0: not a file or directory. */
static uint32_t handle_of(int fd)
{
    uint32_t handle = 0;
    wasi_sync_asked = &handle;
    int failed = fdatasync(fd);
    wasi_sync_asked = NULL;
    return failed ? 0 : handle;
}

struct handle *wasi_descriptor(int fd)
{
    uint32_t handle = handle_of(fd);
    return handle ? handle_get(handle, HANDLE_DESCRIPTOR) : NULL;
}

static int open_flags(const struct handle *handle)
{
    bool reads = handle->flags & DESCRIPTOR_READ, writes = handle->flags & DESCRIPTOR_WRITE;
    return reads && writes ? O_RDWR : writes ? O_WRONLY : O_RDONLY;
}

static int fail(int error)
{
    errno = error;
    return -1;
}

int wasi_duplicate(int fd)
{
    struct stat status;
    if (fstat(fd, &status))
        return -1;
    struct handle *handle = wasi_descriptor(fd);
    if (!handle)
        return fail(ENOTSUP);
    struct vfs_inode *inode = handle->inode;
    int flags = open_flags(handle), error = vfs_open_again(wasi_file_system(), inode);
    if (error)
        return fail(EMFILE);
    uint32_t copy = handle_new(*handle);
    if (!copy) {
        vfs_close(wasi_file_system(), inode);
        return fail(ENOMEM);
    }
    int made = __wasilibc_add_file(copy, flags);
    if (made < 0) {
        wasi_drop_descriptor(copy);
        return -1;
    }
    off_t position = lseek(fd, 0, SEEK_CUR);
    if (position > 0)
        lseek(made, position, SEEK_SET);
    wasi_keep_appending(fd, made);
    return made;
}
