/* Errors of the host's network, and the functions of libc that have to know more of them than WASI can
 * say: a stream that fails is EIO to libc, and no code carries a reason. The originals are reached
 * as imports of the module "next" (docs/architecture.md, section 2). */
#include "network.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "wasi_internal.h"

#define NEXT(name) __attribute__((import_module("next"), import_name(name)))

NEXT("recvfrom")
ssize_t next_recvfrom(int fd, void *buffer, size_t length, int flags, void *address,
                      socklen_t *size);
NEXT("sendto")
ssize_t next_sendto(int fd, const void *data, size_t length, int flags, const void *address,
                    socklen_t size);
NEXT("strerror") char *next_strerror(int number);

WASI_VISIBLE ssize_t recv(int fd, void *buffer, size_t length, int flags);
WASI_VISIBLE ssize_t recvfrom(int fd, void *restrict buffer, size_t length, int flags,
                              struct sockaddr *restrict address, socklen_t *restrict size);
WASI_VISIBLE ssize_t send(int fd, const void *data, size_t length, int flags);
WASI_VISIBLE ssize_t sendto(int fd, const void *data, size_t length, int flags,
                            const struct sockaddr *address, socklen_t size);
WASI_VISIBLE char *strerror(int number);

enum { FLAG_PEEK = 2, FLAG_WAITALL = 256 }; /* those of libc for WASI 0.2, not of 0.1 */

struct network_watch network_watch;
int network_last_errno;
bool network_peek;

static int reason_errno; /* of the failure whose reason strerror is to tell, once */

static int errno_of(uint8_t code)
{
    static const uint8_t numbers[] = {
        EIO,        EACCES,       EOPNOTSUPP,   EINVAL,     ENOMEM,       ETIMEDOUT,
        EALREADY,   EINVAL,       EAGAIN,       EINVAL,     EMFILE,       EADDRNOTAVAIL,
        EADDRINUSE, EHOSTUNREACH, ECONNREFUSED, ECONNRESET, ECONNABORTED, EMSGSIZE,
        EIO,        EAGAIN,       EIO,          EPIPE,
    };
    return code < sizeof numbers ? numbers[code] : EIO;
}

uint8_t network_code(int32_t answer)
{
    uint8_t code = answer == -1 ? NETWORK_ACCESS_DENIED : (uint8_t)(-2 - answer);
    network_last_errno = errno_of(code);
    reason_errno = code == NETWORK_WOULD_BLOCK ? 0 : network_last_errno;
    return code;
}

/* --- Replaced functions ------------------------------------------------------------------- */

static ssize_t finish(ssize_t count)
{
    if (count < 0 && network_last_errno) {
        errno = network_last_errno;
    }
    return count;
}

static ssize_t receive(int fd, void *buffer, size_t length, int flags, void *address,
                       socklen_t *size)
{
    network_last_errno = 0;
    network_peek = flags & FLAG_PEEK;
    ssize_t count = finish(
        next_recvfrom(fd, buffer, length, flags & ~(FLAG_PEEK | FLAG_WAITALL), address, size));
    network_peek = false;
    return count;
}

ssize_t recvfrom(int fd, void *restrict buffer, size_t length, int flags,
                 struct sockaddr *restrict address, socklen_t *restrict size)
{
    return receive(fd, buffer, length, flags, address, size);
}

ssize_t recv(int fd, void *buffer, size_t length, int flags)
{
    ssize_t total = receive(fd, buffer, length, flags, NULL, NULL);
    while (flags & FLAG_WAITALL && !(flags & FLAG_PEEK) && total > 0 && (size_t)total < length) {
        ssize_t count =
            receive(fd, (char *)buffer + total, length - (size_t)total, flags, NULL, NULL);
        if (count <= 0) {
            break;
        }
        total += count;
    }
    return total;
}

ssize_t sendto(int fd, const void *data, size_t length, int flags, const struct sockaddr *address,
               socklen_t size)
{
    network_last_errno = 0;
    return finish(next_sendto(fd, data, length, flags, address, size));
}

ssize_t send(int fd, const void *data, size_t length, int flags)
{
    return sendto(fd, data, length, flags, NULL, 0);
}

/* Python makes the message of an OSError of it, right after the call that failed. */
char *strerror(int number)
{
    static char text[384];
    if (number && number == reason_errno) {
        int32_t length = net_reason(text, sizeof text - 1);
        reason_errno = 0;
        if (length > 0) {
            text[length] = 0;
            return text;
        }
    }
    return next_strerror(number);
}
