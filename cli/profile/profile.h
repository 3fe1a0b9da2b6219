/* `eryx run --profile FILE`: where the time went, as a page to look at.
 *
 *     profile_open       before anything runs: can FILE be written?
 *     profile_on_sample, profile_call    while the program runs
 *     profile_write      when it has ended, however it did
 *
 * All numbers are bounded, since the program decides what there is to tell: what is beyond is counted
 * only. profile_abandon from any thread, profile_call from any one thread, the rest from the main one. */
#ifndef ERYX_CLI_PROFILE_H
#define ERYX_CLI_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include <eryx.h>

#include "../source.h"

/* Prints its own message and returns false on failure. */
bool profile_open(const char *path);
bool profile_wanted(void);

/* For eryx_sandbox_options_t. */
void profile_on_sample(void *env, const eryx_sample_t *sample);

enum profile_call_end { CALL_RETURNED, CALL_FAILED, CALL_CANCELLED };

/* A call of a callback: when it was made, when its command began (0: never), and that it has ended now. Times
 * of CLOCK_MONOTONIC. Does nothing if no profile is wanted. */
void profile_call(const char *name, uint64_t made_ns, uint64_t began_ns, enum profile_call_end end);

/* Around the execution, on its thread. */
void profile_begin(void);
void profile_end(void);

/* Writes the page; lines of source come from `source` and from files of the sandbox. outcome NULL: the
 * program did not end. Prints its own message and returns false on failure; does nothing if none is
 * wanted. */
bool profile_write(const struct source *source, eryx_sandbox_t *sandbox,
                   const eryx_outcome_t *outcome);
void profile_abandon(void);

#endif
