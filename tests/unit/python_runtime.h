/* The real runtime for tests: callbacks that echo or hold their calls, and code that must print. */
#ifndef TESTS_PYTHON_RUNTIME_H
#define TESTS_PYTHON_RUNTIME_H

#include <stdatomic.h>

#include <eryx.h>

enum { HELD_MAX = 10000 };

static const uint64_t second = 1000000000;

extern eryx_runtime_t *runtime;
/* Calls of on_hold, in their order; the tests complete and free them. */
extern eryx_call_t *held[HELD_MAX];
extern atomic_uint held_count, cancelled;

int open_runtime(void **state);
int close_runtime(void **state);

void on_echo(void *env, eryx_call_t *call);
void on_hold(void *env, eryx_call_t *call);
void on_cancel(void *env, eryx_call_t *call);

/* Fails the test unless the outcome is of that kind and printed `output`; frees it. */
void check(eryx_outcome_t *outcome, eryx_outcome_kind_t kind, const char *output);
/* Runs code after the prelude: asyncio, and call and call_blocking of the runtime. */
extern const char prelude[];
eryx_outcome_t *run(eryx_sandbox_t *sandbox, const char *code, const char *result);
void expect(eryx_sandbox_t *sandbox, const char *code, const char *output);
/* Runs code as it is, without the prelude. */
eryx_outcome_t *execute(eryx_sandbox_t *sandbox, const char *code);
void prints(eryx_sandbox_t *sandbox, const char *code, const char *output);
/* Runs code until it waits for a held call. */
eryx_execution_t *start_waiting(eryx_sandbox_t *sandbox, const char *code);
/* Completes held call number i and drives the execution to its end. */
void finish_held(eryx_execution_t *execution, unsigned i, const char *result, const char *output);
/* A thread: waits until `wanted` calls are held, completes and frees them, the last first. */
extern unsigned wanted;
void *complete_wanted(void *argument);
/* Same as expect, while a thread completes `count` held calls. */
void expect_later(eryx_sandbox_t *sandbox, unsigned count, const char *code, const char *output);
extern size_t answer_length; /* bytes of what it answers */
void free_held(void);

#endif
