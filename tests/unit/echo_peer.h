/* An echo server on 127.0.0.1, a thread of the test. */
#ifndef TESTS_ECHO_PEER_H
#define TESTS_ECHO_PEER_H

#include <stdint.h>

/* Its port. */
uint16_t echo_start(void);
/* Waits until it has that many connections; fails the test after 10 seconds. */
void echo_wait_open(unsigned count);
/* Closes everything and ends the thread. */
void echo_stop(void);
/* Descriptors of this process. */
unsigned descriptors_open(void);

#endif
