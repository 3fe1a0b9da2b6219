/* Words are emptied lazily: a summary bit may stand for a word that became zero. */
#define _GNU_SOURCE
#include "memory/pages.h"

#include <sys/mman.h>

/* The first bit >= from of the words, or `bits` if there is none. */
static size_t next_bit(const uint64_t *words, size_t bits, size_t from) {
    if (from >= bits)
        return bits;
    size_t word = from / 64;
    uint64_t rest = words[word] & ~(uint64_t)0 << (from % 64);
    while (rest == 0) {
        if (++word == bits / 64)
            return bits;
        rest = words[word];
    }
    return word * 64 + (size_t)__builtin_ctzll(rest);
}

size_t page_set_next(const page_set_t *set, size_t from) {
    if (from >= PAGES_MAX)
        return PAGES_MAX;
    size_t word = from / 64;
    uint64_t rest = set->words[word] & ~(uint64_t)0 << (from % 64);
    while (rest == 0) {
        word = next_bit(set->summary, PAGES_WORDS, word + 1);
        if (word == PAGES_WORDS)
            return PAGES_MAX;
        rest = set->words[word];
    }
    return word * 64 + (size_t)__builtin_ctzll(rest);
}

void page_set_clear(page_set_t *set) {
    for (size_t word = next_bit(set->summary, PAGES_WORDS, 0); word < PAGES_WORDS;
         word = next_bit(set->summary, PAGES_WORDS, word + 1))
        set->words[word] = 0;
    for (size_t i = 0; i < PAGES_SUMMARY; i++)
        if (set->summary[i] != 0)
            set->summary[i] = 0;
    set->count = 0;
}

page_set_t *page_sets_new(size_t count) {
    void *sets = mmap(NULL, count * sizeof(page_set_t), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return sets == MAP_FAILED ? NULL : sets;
}

void page_sets_free(page_set_t *sets, size_t count) {
    if (sets)
        munmap(sets, count * sizeof *sets);
}
