/* --put and --get: files into a sandbox before the program runs, and out of it afterwards. */
#ifndef ERYX_CLI_TRANSFER_H
#define ERYX_CLI_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>

#include <eryx.h>

struct transfer {
    char *from, *to;
};

struct transfers {
    struct transfer *list;
    size_t count;
};

/* Adds SOURCE:TARGET; `put` tells which of them is in the sandbox. EXIT_OK or an exit code after a
 * message. */
int transfers_add(struct transfers *transfers, bool put, const char *value);
void transfers_free(struct transfers *transfers);

/* Copies all. EXIT_OK or an exit code after a message. */
int transfers_put(const struct transfers *transfers, eryx_sandbox_t *sandbox);
int transfers_get(const struct transfers *transfers, eryx_sandbox_t *sandbox);

#endif
