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
