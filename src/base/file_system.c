#include "base/file_system.h"

#include <sys/vfs.h>

bool file_system_among(int fd, const unsigned long *magics, size_t count) {
    struct statfs status;
    if (fstatfs(fd, &status) != 0)
        return false;
    for (size_t i = 0; i < count; i++)
        if ((unsigned long)status.f_type == magics[i])
            return true;
    return false;
}
