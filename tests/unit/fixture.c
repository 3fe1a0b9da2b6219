/* Shared by the tests of liberyx. */
#include "fixture.h"

#include <stdio.h>

#include "signals.h"

const char *fixture_path;
eryx_runtime_t *runtime;

int fixture_main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: %s GUEST.cwasm\n", argv[0]);
        return 2;
    }
    fixture_path = argv[1];
    eryx_runtime_t *probe;
    eryx_error_t error;
    if (eryx_runtime_open(fixture_path, NULL, &probe, &error) != ERYX_OK) {
        fprintf(stderr, "%s: %s\n", fixture_path, error.message);
        return 1;
    }
    signals_save();
    eryx_runtime_free(probe);
    return 0;
}

eryx_runtime_t *fixture_runtime(void) {
    eryx_runtime_t *opened = NULL;
    eryx_error_t error = {0, ""};
    int status = eryx_runtime_open(fixture_path, NULL, &opened, &error);
    if (status != ERYX_OK)
        fail_msg("%s: %s", fixture_path, error.message);
    return opened;
}

int open_runtime(void **state) {
    (void)state;
    runtime = fixture_runtime();
    return 0;
}

int close_runtime(void **state) {
    (void)state;
    eryx_runtime_free(runtime);
    return 0;
}

eryx_sandbox_t *fixture_sandbox(eryx_runtime_t *runtime, uint64_t wall_time_ns) {
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    options.limits.wall_time_ns = wall_time_ns;
    eryx_sandbox_t *sandbox = NULL;
    eryx_error_t error = {0, ""};
    if (eryx_sandbox_new(runtime, &options, &sandbox, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    return sandbox;
}

eryx_outcome_t *fixture_run(eryx_sandbox_t *sandbox, const char *command) {
    eryx_outcome_t *outcome = NULL;
    eryx_error_t error = {0, ""};
    signals_restore();
    int status = eryx_sandbox_execute(sandbox, command, strlen(command), NULL, &outcome, &error);
    if (status != ERYX_OK)
        fail_msg("%s: %s", command, error.message);
    return outcome;
}

void fixture_expect(eryx_sandbox_t *sandbox, const char *command, const char *output) {
    eryx_outcome_t *outcome = fixture_run(sandbox, command);
    if (eryx_outcome_kind(outcome) != ERYX_OUTCOME_OK)
        fail_msg("%s: kind %d, %s", command, eryx_outcome_kind(outcome),
                 eryx_outcome_exception_message(outcome));
    assert_string_equal(eryx_outcome_stdout(outcome, NULL), output);
    eryx_outcome_free(outcome);
}

void fixture_expect_kind(eryx_sandbox_t *sandbox, const char *command, eryx_outcome_kind_t kind,
                         bool lost) {
    eryx_outcome_t *outcome = fixture_run(sandbox, command);
    if (eryx_outcome_kind(outcome) != kind)
        fail_msg("%s: kind %d, not %d: %s", command, eryx_outcome_kind(outcome), kind,
                 eryx_outcome_exception_message(outcome));
    assert_int_equal(!!eryx_outcome_session_lost(outcome), lost);
    eryx_outcome_free(outcome);
}
