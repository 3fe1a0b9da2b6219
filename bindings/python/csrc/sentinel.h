/* A thread that interrupts the program which the main thread runs itself, when a signal arrives.
 *
 * Handlers of signals run in the main thread, which cannot get to them while it is inside of a
 * program. Where the only handler is the one that raises KeyboardInterrupt, it is known what would
 * come of it: the program is to end. Elsewhere programs of the main thread run on a driver. */
#ifndef ERYX_PYTHON_SENTINEL_H
#define ERYX_PYTHON_SENTINEL_H

#include "box.h"

/* The descriptor that Python's handler of signals is to write to (signal.set_wakeup_fd); starts the
 * thread, in this process. -1, with errno: no descriptor or thread left. */
int sentinel_fd(void);

/* From here on, until called with NULL, a signal interrupts the program of the box. */
void sentinel_watch(box_t *box);

#endif
