/* Images with packages: found in the user's folder, or made. */
#ifndef PACKAGE_IMAGE_H
#define PACKAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

#include <eryx/runtime.h>

#include "image/image.h"

bool packages_wanted(const eryx_runtime_options_t *options);
/* Puts an image of options->packages, made of *image, in its place. path: where it is, "" if no file is
 * kept. On failure *image is as it was.
 * Errors: those of reading packages, of opening runtimes and of <eryx/image.h>. */
int packages_image(image_t *image, const eryx_runtime_options_t *options, char *path,
                   size_t capacity, eryx_error_t *error);

#endif
