/* Saves and sets the engine's signal handlers. */
#include "signals.h"

#include <signal.h>
#include <stddef.h>

static const int numbers[] = {SIGSEGV, SIGILL, SIGFPE};
static struct sigaction saved[sizeof numbers / sizeof numbers[0]];

void signals_save(void) {
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sigaction(numbers[i], NULL, &saved[i]);
}

void signals_restore(void) {
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sigaction(numbers[i], &saved[i], NULL);
}

/* Under AddressSanitizer the engine must still get the faults of guest code. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "handle_segv=0:handle_sigbus=0:handle_sigill=0:handle_sigfpe=0:"
           "detect_stack_use_after_return=0:allow_user_segv_handler=1";
}
