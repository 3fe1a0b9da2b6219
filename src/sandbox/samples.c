/* The bytes are the guest's: what makes no sense ends the sample. */
#define _GNU_SOURCE
#include "sandbox/samples.h"

#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "sandbox/sandbox.h"
#include "sandbox/scrub.h"

enum { FRAMES_MAX = 200, TEXT_MAX = 255 };

/* As in runtime/python/sample.c. */
typedef struct frame_head {
    uint32_t line, first_line;
    uint16_t function_length, file_length;
} frame_head_t;

/* Copies of the texts of one sample, on the host's stack of 1 MiB. */
typedef struct texts {
    size_t used;
    char bytes[FRAMES_MAX * 2 * (TEXT_MAX + 1)];
} texts_t;

bool samples_begin(void *env, uint32_t *word, uint32_t bit, uint32_t *wanted) {
    eryx_sandbox_t *sandbox = env;
    return control_sample(sandbox->control, sandbox->sample_interval, word, bit, wanted);
}

/* NULL: it is none. */
static const char *copy_text(texts_t *texts, const char *from, size_t length) {
    char *to = texts->bytes + texts->used;
    if (length > TEXT_MAX || !utf8_valid(from, length) || memchr(from, 0, length))
        return NULL;
    memcpy(to, from, length);
    to[length] = 0;
    texts->used += length + 1;
    return to;
}

/* Bytes that the frame takes; 0: there is none, or no sense in it. */
static size_t read_frame(eryx_sandbox_t *sandbox, const char *from, size_t length, texts_t *texts,
                         eryx_frame_t *out) {
    frame_head_t head;
    if (length < sizeof head)
        return 0;
    memcpy(&head, from, sizeof head);
    size_t whole = sizeof head + head.function_length + head.file_length;
    if (length < whole)
        return 0;
    const char *function = from + sizeof head, *file = function + head.function_length;
    if (!scrub_pair(sandbox, &function, head.function_length, &file, head.file_length))
        return 0;
    *out = (eryx_frame_t){.function = copy_text(texts, function, head.function_length),
                          .file = copy_text(texts, file, head.file_length),
                          .line = head.line,
                          .first_line = head.first_line};
    return out->function && out->file ? whole : 0;
}

void samples_take(void *env, const char *bytes, size_t length, bool cut) {
    eryx_sandbox_t *sandbox = env;
    eryx_sample_t sample = {.time_ns = clock_monotonic(), .cut = cut};
    eryx_frame_t frames[FRAMES_MAX];
    texts_t texts;
    texts.used = 0;
    if (!control_sampled(sandbox->control, &sample.cpu_ns))
        return;
    while (length > 0 && sample.count < FRAMES_MAX) {
        size_t used = read_frame(sandbox, bytes, length, &texts, &frames[sample.count]);
        if (used == 0)
            break;
        bytes += used;
        length -= used;
        sample.count++;
    }
    sample.frames = frames;
    sample.cut = cut || length > 0;
    sandbox->on_sample(sandbox->env, &sample);
}
