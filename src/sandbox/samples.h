/* Samples of the running program, from the guest's bytes to the host's function. */
#ifndef SANDBOX_SAMPLES_H
#define SANDBOX_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* For guest_streams_t; env is an eryx_sandbox_t with on_sample. */
bool samples_begin(void *env, uint32_t *word, uint32_t bit, uint32_t *wanted);
void samples_take(void *env, const char *frames, size_t length, bool cut);

#endif
