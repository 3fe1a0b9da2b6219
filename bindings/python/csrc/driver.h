/* A driver: a queue of executions, a few threads that run them, and the inbox of their events.
 *
 * Each event loop has one, and each thread that waits for a program while it must hear of signals
 * or of output. The threads never touch Python. Without threads, whoever waits for driver_queue_fd
 * calls driver_step, and programs run there. */
#ifndef ERYX_PYTHON_DRIVER_H
#define ERYX_PYTHON_DRIVER_H

#include "box.h"

/* NULL, with *error set: no memory, descriptor or thread left. */
driver_t *driver_new(unsigned threads, eryx_error_t *error);

/* Interrupts what runs and joins the threads. Calls `drop` for each box whose execution was not
 * over, and for those whose end was not taken: its token and reference are to be given back. */
void driver_free(driver_t *driver, void (*drop)(box_t *box));

/* Starts an execution of the box; code NULL: lets the one of a fork or resumed sandbox go on. On
 * success it has a reference to the box, which EVENT_DONE hands over; box->done is used up. */
int driver_start(driver_t *driver, box_t *box, const char *code, size_t length,
                 eryx_execute_options_t *options, eryx_error_t *error);

/* Whether there are threads. */
bool driver_threaded(const driver_t *driver);
inbox_t *driver_inbox(driver_t *driver);
int driver_queue_fd(const driver_t *driver);

/* Runs what can go on, until a time in nanoseconds has passed. */
void driver_step(driver_t *driver, uint64_t slice_ns);

/* A thread of the driver begins or ends to wait for Python; another one takes over. NULL: nothing.
 */
void driver_block(driver_t *driver, bool begins);

#endif
