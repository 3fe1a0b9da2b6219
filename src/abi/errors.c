/* Numbers of errors: see errors.h. */
#include "abi/errors.h"

#include <errno.h>
#include <stddef.h>

enum { CODE_EIO = 14, CODE_ELOOP = 16 }; /* to the guest ELOOP is another: a link is in the way */

static const struct {
    int error;
    int code;
} codes[] = {
    {EACCES, 1},      {EAGAIN, 2},        {EBADF, 4},      {EBUSY, 5},   {EDQUOT, 7},
    {EEXIST, 8},      {EFBIG, 9},         {EINVAL, 13},    {EIO, 14},    {EISDIR, 15},
    {EMLINK, 17},     {ENAMETOOLONG, 19}, {ENODEV, 20},    {ENOENT, 21}, {ENOMEM, 23},
    {ENOSPC, 24},     {ENOTDIR, 25},      {ENOTEMPTY, 26}, {ENOSYS, 28}, {ENXIO, 30},
    {EPERM, 32},      {EOVERFLOW, 31},    {EROFS, 34},     {ESPIPE, 35}, {ETXTBSY, 36},
    {EXDEV, 37},      {EMFILE, 64},       {ENFILE, 64},    {ELOOP, 65},  {ESTALE, 66},
    {EOPNOTSUPP, 28},
};

int error_to_code(int error) {
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i].error == error)
            return codes[i].code;
    return CODE_EIO;
}

int error_from_code(int64_t code) {
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i].code == code)
            return codes[i].error;
    return code == CODE_ELOOP ? ELOOP : EIO;
}
