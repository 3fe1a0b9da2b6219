/* cmocka sets its own SIGSEGV, SIGILL and SIGFPE handlers around every test, where the engine
 * needs its own to see traps. */
#ifndef TESTS_SIGNALS_H
#define TESTS_SIGNALS_H

/* In main, once an engine has been made: remembers its handlers. */
void signals_save(void);
/* In a test, before guest code runs: sets them again. */
void signals_restore(void);

#endif
