/* Running steps of eryx-build in a test, and small modules written as text. */
#ifndef TESTS_STEPS_H
#define TESTS_STEPS_H

#include "command.h"
#include "file.h"

/* In main, before the tests: remembers the engine's signal handlers (signals.h). */
void steps_start(void);

/* Runs a step's function with arguments that end in NULL; the first is its name. */
int steps_run(int (*run)(int, char **), const char *const *arguments);
#define STEP(run, ...) steps_run(run, (const char *const[]){#run, __VA_ARGS__, NULL})

/* What the last step printed on stderr. */
const char *steps_message(void);

/* Fail with the message when it is not as expected. */
void steps_assert_ok(int result);
void steps_assert_says(int result, const char *part);

/* A copy of the text (from malloc) with its first `from` replaced by `to`, which may be NULL for
 * nothing. Fails when there is none; from NULL: unchanged. */
char *steps_replace(const char *text, const char *from, const char *to);
/* The binary of a module in text format, from malloc. Fails when it is malformed. */
struct file_bytes steps_module(const char *text);

#endif
