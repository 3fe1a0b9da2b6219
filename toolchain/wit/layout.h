/* Sizes and alignments of WIT types in linear memory, pointers being 4 bytes.
 * CanonicalABI.md, "Alignment" and "Element Size". */
#ifndef TOOLCHAIN_WIT_LAYOUT_H
#define TOOLCHAIN_WIT_LAYOUT_H

#include "wit.h"

/* Sets size and align of a type whose parts have theirs. */
void wit_lay_out(struct wit *wit, struct wit_type *type);

#endif
