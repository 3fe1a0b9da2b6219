/* Fuzz target: the bytes of a sample, as a guest makes them up. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "sandbox/samples.h"
#include "sandbox/sandbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t samples;

static void check_text(const char *text)
{
    size_t length = strlen(text);
    if (length > 255 || !utf8_valid(text, length))
        abort();
}

static void on_sample(void *env, const eryx_sample_t *sample)
{
    (void)env;
    if (sample->count > 200)
        abort();
    for (size_t i = 0; i < sample->count; i++) {
        check_text(sample->frames[i].function);
        check_text(sample->frames[i].file);
    }
    samples++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static control_t control = {.lock = PTHREAD_MUTEX_INITIALIZER};
    static eryx_sandbox_t sandbox = {.control = &control, .on_sample = on_sample};
    char *copy = malloc(size + 1); /* of this size, so that a sanitizer sees what is read past it */
    if (!copy)
        return 0;
    memcpy(copy, data, size);
    char *exact = realloc(copy, size ? size : 1);
    samples = 0;
    control.sampler.asked = true;
    samples_take(&sandbox, exact, size, size % 2);
    samples_take(&sandbox, exact, size, false); /* not asked for: ignored */
    if (samples != 1)
        abort();
    free(exact);
    return 0;
}
