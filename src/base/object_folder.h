/* Where the code of this library is on disk. */
#ifndef BASE_OBJECT_FOLDER_H
#define BASE_OBJECT_FOLDER_H

#include <stdbool.h>

/* The folder of the shared library or program that `symbol`, a function of the caller, lies in;
 * out has PATH_MAX bytes. */
bool object_folder(const void *symbol, char *out);

#endif
