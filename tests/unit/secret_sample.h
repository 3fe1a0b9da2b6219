/* A secret for tests with the real runtime, and how its value gets into the sandbox all the same. */
#ifndef TESTS_SECRET_SAMPLE_H
#define TESTS_SECRET_SAMPLE_H

#include <stddef.h>

#include <eryx.h>

static const char value[] = "sk-live-4eC39HqLyjWDarjtT1zdp7dc";

/* API_KEY for api.example.org, with that value. */
void secret_sample(eryx_secret_t *secret);
/* eryx_input_fn: the value as a line. */
ptrdiff_t secret_on_input(void *env, char *buffer, size_t capacity);

#endif
