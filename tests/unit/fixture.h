/* What the tests of liberyx share: the test runtime (guest/guest.c) and running commands. */
#ifndef TESTS_FIXTURE_H
#define TESTS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <eryx.h>

/* Path of the test runtime: the first argument of the test program. */
extern const char *fixture_path;

/* Takes the arguments of main, before the tests. Not 0: exit with it. */
int fixture_main(int argc, char **argv);
/* Opens the test runtime or fails the test. */
eryx_runtime_t *fixture_runtime(void);
/* Set-up and tear-down of a group of tests, around the runtime they share. */
extern eryx_runtime_t *runtime;
int open_runtime(void **state);
int close_runtime(void **state);
/* A sandbox with default options and another wall time limit (0: none). */
eryx_sandbox_t *fixture_sandbox(eryx_runtime_t *runtime, uint64_t wall_time_ns);
/* Runs a command of the test guest; the outcome is the caller's. */
eryx_outcome_t *fixture_run(eryx_sandbox_t *sandbox, const char *command);
/* Runs a command and expects kind OK and this output. */
void fixture_expect(eryx_sandbox_t *sandbox, const char *command, const char *output);
/* Runs a command and expects that it ends this way, losing the session if told. */
void fixture_expect_kind(eryx_sandbox_t *sandbox, const char *command, eryx_outcome_kind_t kind,
                         bool lost);

#endif
