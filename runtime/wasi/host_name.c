/* What programs are told when they ask for the name of their machine, which libc has none for. */
#include "network.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "wasi_internal.h"

#define NEXT(name) __attribute__((import_module("next"), import_name(name)))

NEXT("uname") int next_uname(struct utsname *out);

WASI_VISIBLE int uname(struct utsname *out);
WASI_VISIBLE int gethostname(char *name, size_t length);

static const char host_name[] = "sandbox";

bool network_is_own_name(const char *name, size_t length)
{
    return length == sizeof host_name - 1 && memcmp(name, host_name, length) == 0;
}

int uname(struct utsname *out)
{
    int status = next_uname(out);
    memcpy(out->nodename, host_name, sizeof host_name);
    return status;
}

int gethostname(char *name, size_t length)
{
    if (length < sizeof host_name) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(name, host_name, sizeof host_name);
    return 0;
}
