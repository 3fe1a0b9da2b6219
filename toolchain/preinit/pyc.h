/* The .pyc files of the archive, made by the guest itself. */
#ifndef PREINIT_PYC_H
#define PREINIT_PYC_H

#include "preinit/guest.h"

/* In an initialised guest that has the archive: compiles every .py of it and encodes an archive
 * that has the .pyc files too. Prints how many there are. The guest is used up. */
bool pyc_make(struct guest *guest, const struct file_bytes *archive, struct file_bytes *out);

#endif
