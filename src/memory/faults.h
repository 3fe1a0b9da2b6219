/* Page faults of the calling thread.
 *
 * A page of linear memory becomes private through a page fault only. So when the one
 * thread that used a memory took none, no page can have become private, and the page
 * tables need not be walked (30 ns a page). */
#ifndef MEMORY_FAULTS_H
#define MEMORY_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

/* Faults the calling thread took since it started. */
uint64_t faults_count(void);

/* A number for the calling thread that no other thread of the process ever gets. */
uint64_t faults_thread(void);

/* Whether faults_count() works here: it must see faults made on purpose. */
bool faults_are_counted(void);

#endif
