/* Lines of source: of the program, and of files of its sandbox. */
#ifndef ERYX_CLI_PROFILE_SOURCES_H
#define ERYX_CLI_PROFILE_SOURCES_H

#include <stddef.h>
#include <stdint.h>

#include <eryx.h>

#include "../source.h"

struct sources;

/* source and sandbox are borrowed. NULL when out of memory: it has no lines then. */
struct sources *sources_new(const struct source *source, eryx_sandbox_t *sandbox);

/* The line without what surrounds it, whole UTF-8; "" if nobody knows. Valid until sources_free. */
const char *sources_line(struct sources *sources, const char *file, uint32_t line, size_t *length);

void sources_free(struct sources *sources);

#endif
