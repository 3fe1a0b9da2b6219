/* The prompt: reads lines until they are a whole input, runs it in the session with values
 * displayed as Python's own prompt does, says how it ended, and goes on. The session lives through
 * exceptions and, as far as the library can keep it, through Ctrl-C and limits. */
#include "prompt.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <eryx.h>
#include <jansson.h>

#include "../commands.h"
#include "../message.h"
#include "../streams.h"
#include "../values.h"
#include "magics.h"
#include "paint.h"

enum { INPUT_MAX = 16 << 20 }; /* bytes of one input */

struct input {
    char *text; /* whole lines */
    size_t length;
};

/* --- What an input came to ---------------------------------------------------------------- */

static void say_session_lost(const eryx_outcome_t *outcome)
{
    if (eryx_outcome_session_lost(outcome))
        message_error("the session's names are gone");
}

/* Returns the exit code if the program has asked to end, else -1. */
static int report(const eryx_outcome_t *outcome, bool colour)
{
    switch (eryx_outcome_kind(outcome)) {
    case ERYX_OUTCOME_OK:
        return -1;
    case ERYX_OUTCOME_EXCEPTION:
        paint_traceback(eryx_outcome_traceback(outcome), colour);
        return -1;
    case ERYX_OUTCOME_EXIT:
        return eryx_outcome_exit_code(outcome) & 0xFF;
    case ERYX_OUTCOME_INTERRUPTED:
        message_error("interrupted");
        break;
    default:
        message_error("%s", eryx_outcome_exception_message(outcome));
    }
    say_session_lost(outcome);
    return -1;
}

static void say_time(const eryx_outcome_t *outcome)
{
    char text[32];
    uint64_t wall = eryx_outcome_wall_time_ns(outcome);
    if (wall < 1000000)
        printf("wall time %.1f us\n", (double)wall / 1e3);
    else
        printf("wall time %s\n", value_duration_text(wall, text, sizeof text));
    fflush(stdout);
}

static int run_code(struct console *console, const char *code, size_t length, bool timed,
                    bool colour)
{
    eryx_execute_options_t execute;
    eryx_execute_options_init(&execute);
    execute.filename = "<stdin>";
    execute.display = ERYX_DISPLAY_ALL;
    eryx_outcome_t *outcome = console_run(console, code, length, &execute);
    if (!outcome)
        return -1;
    if (console->line_open)
        streams_write(STDOUT_FILENO, "\n", 1);
    console->line_open = false;
    int code_asked = report(outcome, colour);
    if (timed)
        say_time(outcome);
    eryx_outcome_free(outcome);
    return code_asked;
}

/* --- Reading ------------------------------------------------------------------------------ */

static bool append(struct input *input, const char *line, size_t length)
{
    if (length > INPUT_MAX || input->length + length + 2 > INPUT_MAX) {
        message_error("the input is longer than %d MiB", INPUT_MAX >> 20);
        return false;
    }
    char *text = realloc(input->text, input->length + length + 2);
    if (!text) {
        message_error("out of memory");
        return false;
    }
    memcpy(text + input->length, line, length);
    input->text = text;
    input->length += length;
    memcpy(text + input->length, "\n", 2);
    input->length++;
    return true;
}

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '\0';
}

/* Reads one whole input. EDITOR_LINE: *magic tells what it is and *code what there is to run. */
static enum editor_event read_input(struct console *console, struct input *input, enum magic *magic,
                                    const char **code)
{
    const char *line, *prompt = ">>> ";
    size_t length, start = 0; /* of the code: what follows %time */
    input->length = 0;
    *magic = MAGIC_NONE;
    for (;;) {
        enum editor_event event = editor_read(console->editor, prompt, &line, &length);
        if (event != EDITOR_LINE && !(event == EDITOR_END && input->text && input->length > 0))
            return event;
        bool first = input->length == 0;
        if (event == EDITOR_LINE && !append(input, line, length))
            return EDITOR_INTERRUPTED;
        if (first) {
            input->text[input->length - 1] = '\0';
            *magic = magic_run(console, input->text, code);
            start = *magic == MAGIC_TIME ? (size_t)(*code - input->text) : 0;
            input->text[input->length - 1] = '\n';
        }
        *code = input->text + start;
        if ((*magic != MAGIC_NONE && *magic != MAGIC_TIME) || (first && is_blank(input->text)))
            return EDITOR_LINE;
        if (event == EDITOR_END || !console_lacks_lines(console, *code, input->length - start - 1))
            return EDITOR_LINE;
        prompt = "... ";
    }
}

bool prompt_complete(void *env, const char *line, size_t length, struct completion *out)
{
    json_t *answer = console_ask(env, "complete", line, length);
    json_t *matches = json_object_get(answer, "matches");
    size_t count = json_array_size(matches);
    out->matches = calloc(count + 1, sizeof *out->matches);
    if (!answer || !out->matches) {
        json_decref(answer);
        return false;
    }
    json_int_t replace = json_integer_value(json_object_get(answer, "replace"));
    out->replace = replace > 0 && (size_t)replace <= length ? (size_t)replace : 0;
    for (size_t i = 0; i < count; i++) {
        const char *match = json_string_value(json_array_get(matches, i));
        if (match && !strpbrk(match, "\033\n\r"))
            out->matches[out->count++] = (char *)match;
    }
    out->json = answer;
    return true;
}

/* --- The loop ----------------------------------------------------------------------------- */

int prompt_loop(struct console *console, bool colour)
{
    struct input input = {0};
    int exit_code = -1;
    while (exit_code < 0) {
        enum magic magic;
        const char *code;
        enum editor_event event = read_input(console, &input, &magic, &code);
        if (event == EDITOR_INTERRUPTED) {
            message_error("interrupted");
            continue;
        }
        if (event != EDITOR_LINE || magic == MAGIC_QUIT || console->ended_by)
            break;
        if (is_blank(input.text))
            continue;
        size_t length = strlen(input.text);
        input.text[length - 1] = '\0'; /* the history has entries without a newline at the end */
        editor_remember(console->editor, input.text);
        input.text[length - 1] = '\n';
        if (magic != MAGIC_DONE)
            exit_code = run_code(console, code, input.length - (size_t)(code - input.text),
                                 magic == MAGIC_TIME, colour);
        if (console->ended_by)
            break;
    }
    if (exit_code < 0 && editor_is_terminal(console->editor))
        streams_write(STDOUT_FILENO, "\n", 1);
    free(input.text);
    if (console->ended_by)
        return 128 + console->ended_by;
    return exit_code < 0 ? EXIT_OK : exit_code;
}
