/* Runtime files made of sessions: <eryx/image.h>, for those that have the file already. */
#ifndef CHECKPOINT_IMAGE_H
#define CHECKPOINT_IMAGE_H

#include <eryx/image.h>

#include "image/image.h"
#include "sandbox/sandbox.h"

/* Every sandbox of an image begins with as much memory. */
#define IMAGE_MEMORY_MAX ((size_t)256 << 20)

/* As eryx_image_build, to an empty file; packages: the section of that name. */
int session_image_write(eryx_sandbox_t *sandbox, int fd, const image_part_t *packages,
                        eryx_error_t *error);

#endif
