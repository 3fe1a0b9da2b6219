#include "output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "message.h"

bool output_file_refuse(const struct output_file *file, int cause)
{
    message_error("cannot write %s: %s (%s)", file->path, strerror(cause), file->option);
    return false;
}

/* mkstemp makes files that only their owner reads; ours are to be like those that a shell's >
 * makes. */
static void set_mode(int fd, const struct stat *old)
{
    mode_t mask = umask(0);
    umask(mask);
    fchmod(fd, old ? old->st_mode & 0777 : 0666 & ~mask);
}

/* old: what is at the path, NULL: nothing. */
static bool begin(struct output_file *file, const struct stat *old)
{
    if (old && access(file->path, W_OK) != 0)
        return output_file_refuse(file, errno);
    file->target = old ? realpath(file->path, NULL) : strdup(file->path); /* not a link to it */
    if (!file->target || asprintf(&file->unfinished, "%s.XXXXXX", file->target) < 0)
        return output_file_refuse(file, errno);
    file->fd = mkostemp(file->unfinished, O_CLOEXEC);
    if (file->fd < 0)
        return output_file_refuse(file, errno);
    atomic_store(&file->exists, true);
    set_mode(file->fd, old);
    return true;
}

bool output_file_open(struct output_file *file, const char *path, const char *option, bool *at_once)
{
    struct stat status;
    file->path = path;
    file->option = option;
    *at_once = false;
    bool exists = stat(path, &status) == 0;
    if (!exists && errno != ENOENT)
        return output_file_refuse(file, errno);
    if (!exists && path[0] && path[strlen(path) - 1] == '/')
        return output_file_refuse(file, EISDIR);
    if (!exists || S_ISREG(status.st_mode)) {
        if (begin(file, exists ? &status : NULL))
            return true;
        output_file_abandon(file);
        return false;
    }
    *at_once = true;
    file->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    return file->fd >= 0 || output_file_refuse(file, errno);
}

bool output_file_finish(struct output_file *file)
{
    if (file->fd < 0)
        return true;
    /* Some file systems tell only now that there is no room. */
    int cause = close(file->fd) != 0 ? errno : 0;
    file->fd = -1;
    if (!cause && file->target && rename(file->unfinished, file->target) != 0)
        cause = errno;
    if (!cause) {
        atomic_store(&file->exists, false);
        return true;
    }
    output_file_abandon(file);
    return output_file_refuse(file, cause);
}

void output_file_abandon(struct output_file *file)
{
    if (atomic_exchange(&file->exists, false))
        unlink(file->unfinished);
}
