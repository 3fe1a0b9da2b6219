/* Says how a program ended: as text, as python does it, or as a JSON object with all that
 * is known (`eryx run --json`; its members are public and listed in `eryx help run`). */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "interrupt.h"
#include "json_text.h"
#include "message.h"
#include "outcome_kind.h"
#include "streams.h"
#include "values.h"

static int exit_code_of(const eryx_outcome_t *outcome)
{
    switch (eryx_outcome_kind(outcome)) {
    case ERYX_OUTCOME_OK:
        return eryx_outcome_result_error(outcome) ? EXIT_EXCEPTION : EXIT_OK;
    case ERYX_OUTCOME_EXCEPTION:
        return EXIT_EXCEPTION;
    case ERYX_OUTCOME_EXIT:
        return eryx_outcome_exit_code(outcome) & 0xFF;
    case ERYX_OUTCOME_LIMIT:
        return EXIT_LIMIT;
    case ERYX_OUTCOME_INTERRUPTED:
        return EXIT_INTERRUPT;
    case ERYX_OUTCOME_TRAP:
        return EXIT_CRASHED;
    }
    return EXIT_FAILED;
}

static void print_result(const eryx_outcome_t *outcome, const char *result_name)
{
    size_t length;
    const char *json = eryx_outcome_result_json(outcome, &length);
    if (json) {
        streams_write(STREAMS_OUT, json, length);
        streams_write(STREAMS_OUT, "\n", 1);
    } else if (eryx_outcome_result_error(outcome)) {
        message_error("no result '%s': %s", result_name, eryx_outcome_result_error(outcome));
    }
}

static uint64_t limit_value(const eryx_outcome_t *outcome, uint64_t extra_ns)
{
    uint64_t value = eryx_outcome_limit_value(outcome);
    bool extra = eryx_outcome_limit(outcome) == ERYX_LIMIT_WALL_TIME && value > extra_ns;
    return extra ? value - extra_ns : value;
}

static void report_limit(const eryx_outcome_t *outcome, uint64_t extra_ns)
{
    char duration[32], extra[32];
    eryx_limit_t limit = eryx_outcome_limit(outcome);
    value_duration_text(limit_value(outcome, extra_ns), duration, sizeof duration);
    value_duration_text(extra_ns, extra, sizeof extra);
    if (limit == ERYX_LIMIT_WALL_TIME && extra_ns)
        message_error("stopped: time limit of %s reached (--timeout), and no await in %s more",
                      duration, extra);
    else if (limit == ERYX_LIMIT_WALL_TIME)
        message_error("stopped: time limit of %s reached (--timeout)", duration);
    else if (limit == ERYX_LIMIT_CPU_TIME)
        message_error("stopped: limit of %s of processor time reached (--cpu-time)", duration);
    else
        message_error("stopped: %s", eryx_outcome_exception_message(outcome));
}

int report_text(const eryx_outcome_t *outcome, const char *result_name, uint64_t extra_ns)
{
    uint64_t dropped = eryx_outcome_output_dropped(outcome);
    if (dropped && eryx_outcome_limit(outcome) != ERYX_LIMIT_OUTPUT)
        message_error("%" PRIu64 " bytes of output were dropped", dropped);
    const char *text = eryx_outcome_exception_message(outcome);
    switch (eryx_outcome_kind(outcome)) {
    case ERYX_OUTCOME_OK:
        print_result(outcome, result_name);
        break;
    case ERYX_OUTCOME_EXCEPTION:
        text = eryx_outcome_traceback(outcome);
        streams_write(STREAMS_ERR, text, strlen(text));
        break;
    case ERYX_OUTCOME_EXIT:
        break;
    case ERYX_OUTCOME_LIMIT:
        report_limit(outcome, extra_ns);
        break;
    case ERYX_OUTCOME_INTERRUPTED:
        return interrupt_finish();
    case ERYX_OUTCOME_TRAP:
        message_error("%s", text);
        break;
    }
    return exit_code_of(outcome);
}

static void print_member(const char *name, const char *text)
{
    printf(", \"%s\": ", name);
    json_print_text(text);
}

static void print_stream(const char *name, const char *data, size_t length)
{
    printf(", \"%s\": ", name);
    json_print_string(data, length);
}

int report_json(const eryx_outcome_t *outcome, const char *result_name, uint64_t extra_ns)
{
    eryx_outcome_kind_t kind = eryx_outcome_kind(outcome);
    int code = exit_code_of(outcome);
    size_t length;
    printf("{\"outcome\": \"%s\", \"exit_code\": %d", outcome_kind_name(kind), code);
    const char *text = eryx_outcome_stdout(outcome, &length);
    print_stream("stdout", text, length);
    text = eryx_outcome_stderr(outcome, &length);
    print_stream("stderr", text, length);
    printf(", \"output_dropped_bytes\": %" PRIu64, eryx_outcome_output_dropped(outcome));
    text = eryx_outcome_exception_message(outcome);
    if (kind == ERYX_OUTCOME_EXCEPTION) {
        fputs(", \"exception\": {\"type\": ", stdout);
        json_print_text(eryx_outcome_exception_type(outcome));
        print_member("message", text);
        print_member("traceback", eryx_outcome_traceback(outcome));
        putchar('}');
    } else if (kind != ERYX_OUTCOME_OK && kind != ERYX_OUTCOME_EXIT) {
        char own[80];
        snprintf(own, sizeof own, "wall time limit of %g s exceeded",
                 (double)limit_value(outcome, extra_ns) / 1e9);
        bool extra = extra_ns && eryx_outcome_limit(outcome) == ERYX_LIMIT_WALL_TIME;
        print_member("message", extra ? own : text);
    }
    if (eryx_outcome_fuel_used(outcome) > 0)
        printf(", \"fuel_used\": %" PRIu64, eryx_outcome_fuel_used(outcome));
    if (kind == ERYX_OUTCOME_LIMIT) {
        fputs(", \"limit\": {\"name\": ", stdout);
        json_print_text(eryx_limit_name(eryx_outcome_limit(outcome)));
        printf(", \"value\": %" PRIu64 ", \"used\": %" PRIu64 "}", limit_value(outcome, extra_ns),
               eryx_outcome_limit_used(outcome));
    }
    if (result_name && eryx_outcome_result_json(outcome, NULL))
        printf(", \"result\": %s", eryx_outcome_result_json(outcome, NULL));
    else if (result_name && eryx_outcome_result_error(outcome))
        print_member("result_error", eryx_outcome_result_error(outcome));
    printf(", \"wall_time_ms\": %.3f}\n", (double)eryx_outcome_wall_time_ns(outcome) / 1e6);
    code = message_flush_stdout(code);
    return kind == ERYX_OUTCOME_INTERRUPTED ? interrupt_finish() : code;
}
