/* Waiting for the host: timers and pending calls.
 *
 * There is one waitable set for an execution: its callback is resumed when one of the
 * set's subtasks ends. Blocking in the middle of a call (time.sleep) has a set of its
 * own, so that no event of the execution is taken at a point where Python cannot run. */
#ifndef ERYX_WIT_WAIT_H
#define ERYX_WIT_WAIT_H

#include <stdbool.h>
#include <stdint.h>

/* Blocks the sandbox. False, at once, where blocking is not possible: outside of execute. */
bool abi_wait_ns(uint64_t nanoseconds);

/* Whether blocking is possible now. */
bool abi_wait_possible(void);

/* Blocks until one of the subtasks has returned, or for that time (UINT64_MAX: without end). All of
 * them are over then: those that have returned are 0 in the array, the others were cancelled. Where
 * blocking is not possible it does not block. */
void abi_wait_subtasks(uint32_t *subtasks, uint32_t count, uint64_t nanoseconds);

struct abi_call;
/* A call is over: the receiver frees it. `subtask` is the number it had. */
typedef void abi_returned_fn(struct abi_call *call, uint32_t subtask);
/* A watch (watch.h) is over: what it was about may be ready. */
typedef void abi_ready_fn(uint32_t subtask);
/* The host wants the execution to end soon. */
typedef void abi_cancelled_fn(void);

/* Who is told. Once, before anything else. */
void abi_wait_handlers(abi_returned_fn *returned, abi_ready_fn *ready, abi_cancelled_fn *cancelled);

/* Around an execution. abi_wait_end cancels the timer, the calls and watches that are left. */
void abi_wait_begin(void);
/* Gives the waitable sets back; between executions. New ones are made when they are needed. */
void abi_wait_forget(void);
void abi_wait_end(void);

/* Sees to it that the execution is resumed in `nanoseconds` or earlier; negative: only by
 * a pending call. False if that time is over already. */
bool abi_wait_arm(int64_t nanoseconds);

/* The set to return with WIT_WAIT. */
uint32_t abi_wait_set(void);

/* Handles what the host passed to the callback of execute. */
void abi_wait_event(uint32_t event, uint32_t waitable, uint32_t state);

/* Waits for one event, or handles those that are there. True if there was one. */
bool abi_wait_block(int64_t nanoseconds);
bool abi_wait_poll(void);

#endif
