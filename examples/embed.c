/* Python in a C program: a runtime, a sandbox, three executions of one session.
 *
 *     cc embed.c $(pkg-config --cflags --libs eryx) -o embed && ./embed
 */
#include <eryx.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Prints what came out of one execution. */
static void show(const eryx_outcome_t *outcome)
{
    fputs(eryx_outcome_stdout(outcome, NULL), stdout);
    switch (eryx_outcome_kind(outcome)) {
    case ERYX_OUTCOME_OK:
        break;
    case ERYX_OUTCOME_EXCEPTION:
        printf("%s: %s\n%s", eryx_outcome_exception_type(outcome),
               eryx_outcome_exception_message(outcome), eryx_outcome_traceback(outcome));
        break;
    case ERYX_OUTCOME_EXIT:
        printf("exit code %d\n", eryx_outcome_exit_code(outcome));
        break;
    default:
        printf("stopped: %s\n", eryx_outcome_exception_message(outcome));
    }
}

static int execute(eryx_sandbox_t *sandbox, const char *code)
{
    eryx_outcome_t *outcome;
    eryx_error_t error;
    int status = eryx_sandbox_execute(sandbox, code, strlen(code), NULL, &outcome, &error);
    if (status != ERYX_OK) {
        fprintf(stderr, "%s: %s\n", eryx_status_name(status), error.message);
        return 1;
    }
    show(outcome);
    eryx_outcome_free(outcome);
    return 0;
}

int main(void)
{
    eryx_runtime_t *runtime;
    eryx_sandbox_t *sandbox;
    eryx_sandbox_options_t options;
    eryx_error_t error;

    if (eryx_runtime_open(NULL, NULL, &runtime, &error) != ERYX_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    eryx_sandbox_options_init(&options);
    options.limits.wall_time_ns = 500 * 1000000ull; /* half a second for each execution */
    options.limits.memory_bytes = 256 << 20;
    if (eryx_sandbox_new(runtime, &options, &sandbox, &error) != ERYX_OK) {
        fprintf(stderr, "%s\n", error.message);
        eryx_runtime_free(runtime);
        return 1;
    }

    int failed = execute(sandbox, "import math\n"
                                  "numbers = [math.factorial(n) for n in range(10)]\n") ||
                 execute(sandbox, "print(sum(numbers))") || /* names persist */
                 execute(sandbox, "numbers[99]") ||         /* an exception is an outcome */
                 execute(sandbox, "while True: pass");      /* and so is a time-out */

    eryx_sandbox_free(sandbox);
    eryx_runtime_free(runtime);
    return failed;
}
