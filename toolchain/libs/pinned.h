/* What the componentize-py wheel must contain: the contents of version 0.25.1.
 *
 * Everything is taken from these bytes and no others, so that a build from a clean clone gives
 * what was tested. To move to another version, run the step, check what it reports, and
 * replace the rows. */
#ifndef LIBS_PINNED_H
#define LIBS_PINNED_H

#include <stddef.h>

struct pinned_file {
    const char *name; /* as in libs/NAME.zst */
    size_t bytes;     /* decompressed */
    const char *sha256;
};

static const struct pinned_file pinned_files[] = {
    {"libpython3.14.so", 9388441,
     "0ab4ec14447dc6a983de96b294d904a9a2b77126a1b96ff1a6ae340c72405549"},
    {"libc.so", 652596, "f1b113e24a8c7774f361d7318ababd98124f3b75889f8b5fc0ab10f97c17e42d"},
    {"libwasi-emulated-mman.so", 1010,
     "2a46491aae39bac9819508c7d95ab1d50d4b152884e48215b264a489caad2d58"},
    {"libwasi-emulated-process-clocks.so", 1072,
     "4d9173a2b8dbeaf1f6aca286c50eec651ef03bbe5c4c61cc8e2a5c0f3f3141c0"},
    {"libwasi-emulated-getpid.so", 407,
     "9c09b6361fcf03bfa26a11e39177462472a2c293dbed9d9020b0c08b47166e8b"},
    {"libwasi-emulated-signal.so", 3567,
     "e6758eba79ff4f6daf93e4cab0ea6768ccb0d2657b00369ff4599d0593c1f4e9"},
    {"libc++.so", 1365580, "65a44e3f7ad79ff246b82b61782789a35d0683f56f823cca22496fd6d597b9f3"},
    {"libc++abi.so", 285328, "f93f92bc4fa31c3ccf86a140e1ba68254b5a937434b41fa0ba8b7feefa7d0e0e"},
    {"stdlib.tar", 12666368, "2198e963c7c29aa626347c1c2418e69ac5836250be00bebd240232968a353535"},
};

enum { PINNED_COUNT = sizeof pinned_files / sizeof pinned_files[0] };

#endif
