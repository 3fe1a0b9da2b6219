/* getrusage(RUSAGE_THREAD) reads exact counters of the calling thread. */
#define _GNU_SOURCE
#include "memory/faults.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

uint64_t faults_count(void) {
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return (uint64_t)usage.ru_minflt + (uint64_t)usage.ru_majflt;
}

uint64_t faults_thread(void) {
    static atomic_uint_fast64_t last;
    static _Thread_local uint64_t mine;
    if (mine == 0)
        mine = atomic_fetch_add(&last, 1) + 1;
    return mine;
}

bool faults_are_counted(void) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t length = 4 * page;
    volatile uint8_t *memory =
        mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    bool counted = madvise((void *)memory, length, MADV_NOHUGEPAGE) == 0;
    for (size_t i = 0; i < length; i += page) {
        uint64_t before = faults_count();
        memory[i] = 1;
        counted = counted && faults_count() > before;
    }
    munmap((void *)memory, length);
    return counted;
}
