/* The section `libraries` of a runtime file: which extensions the image has in its memory, where, and their
 * compiled code, so that it depends on no cache. Trusted like the rest of the file. */
#ifndef CHECKPOINT_LIBRARIES_H
#define CHECKPOINT_LIBRARIES_H

#include "base/buffer.h"
#include "engine/library.h"

/* Nothing if there are none. Errors: ERYX_ERR_MEMORY. */
int libraries_write(const engine_libraries_t *libraries, buffer_t *out, eryx_error_t *error);
/* Makes them what every instance of the engine begins with. Errors: ERYX_ERR_FORMAT, _VERSION, _MEMORY. */
int libraries_preload(engine_t *engine, const void *data, size_t length, eryx_error_t *error);

#endif
