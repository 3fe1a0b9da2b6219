/* Secrets: values that programs can use in network requests without ever having them. */
#ifndef ERYX_SECRET_H
#define ERYX_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include <eryx/export.h>
#include <eryx/sandbox.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A named value. In the sandbox os.environ[name] is a random placeholder of the same length and
 * shape. In what the program sends over TLS to one of the hosts, whose certificate this library
 * checks against the host's trust store whatever the program's own settings are, the placeholder is
 * replaced by the value; anywhere else it stays what it is. In everything that comes back (network,
 * output, results, exceptions, traces, arguments and results of callbacks, files of mounts, files that
 * the host reads) the value is replaced by the placeholder; snapshots and checkpoints with a value in
 * them are refused. docs/secrets.md tells what that does not cover: a host that can be made
 * to send the value back in disguise gives it to the program. */
typedef struct eryx_secret {
    size_t size; /* sizeof(eryx_secret_t), set by eryx_secret_init */
    /* Name of the environment variable: letters, digits and _, at most 255 bytes. Copied. */
    const char *name;
    /* UTF-8, 8 to 16,384 bytes with at least 8 letters or digits: what is shorter cannot be told
     * from ordinary text. Copied; the copy is wiped when the sandbox is freed. */
    const char *value;
    /* Where it may go: "api.example.org", "*.example.org" (any name below it), or an address. At
     * least one. Without port: what counts is whom the certificate names. Copied. */
    const char *const *hosts;
    size_t host_count;
    /* Also without TLS: then whoever is on the way can read it, and the address that the host's
     * resolver gave for the name is believed. Default false. */
    bool cleartext;
} eryx_secret_t;

/* Sets the defaults. Any thread. */
ERYX_API void eryx_secret_init(eryx_secret_t *secret);

/* The placeholder of a secret of this sandbox, NULL if it has none of that name. Valid until
 * eryx_sandbox_free. Sandboxes with secrets of the same name have different ones. */
ERYX_API const char *eryx_sandbox_placeholder(const eryx_sandbox_t *sandbox, const char *name);

#ifdef __cplusplus
}
#endif
#endif
