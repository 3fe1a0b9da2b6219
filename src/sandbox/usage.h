/* What an execution waits for, noted for other threads. */
#ifndef SANDBOX_USAGE_H
#define SANDBOX_USAGE_H

struct eryx_sandbox;

/* The execution begins to wait; before control_pause. Does nothing unless the sandbox is measured. */
void usage_note_wait(struct eryx_sandbox *sandbox);

#endif
