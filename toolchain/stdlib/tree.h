/* Folders of the build machine into the archive. */
#ifndef STDLIB_TREE_H
#define STDLIB_TREE_H

#include "stdlib/archive.h"

/* Adds the files below folder as prefix/..., hidden files and __pycache__ left out. */
bool tree_add(struct archive_builder *builder, const char *folder, const char *prefix);

/* Same for a folder of time zones: only compiled zones (the rest is for tools that make them). */
bool tree_add_zones(struct archive_builder *builder, const char *folder, const char *prefix);

#endif
