/* A set of host pages of one linear memory: a bitmap with a summary, so that walking a small
 * set in a large memory is quick. Zero bytes are the empty set. */
#ifndef MEMORY_PAGES_H
#define MEMORY_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGES_MAX ((size_t)1 << 20) /* 4 GiB of 4 KiB pages */
#define PAGES_WORDS (PAGES_MAX / 64)
#define PAGES_SUMMARY (PAGES_WORDS / 64)

typedef struct page_set {
    uint64_t summary[PAGES_SUMMARY]; /* one bit a word that is not zero */
    uint64_t words[PAGES_WORDS];
    size_t count;
} page_set_t;

static inline bool page_set_has(const page_set_t *set, size_t page) {
    return set->words[page / 64] >> (page % 64) & 1;
}

static inline void page_set_add(page_set_t *set, size_t page) {
    size_t word = page / 64;
    set->count += !page_set_has(set, page);
    set->words[word] |= (uint64_t)1 << (page % 64);
    set->summary[word / 64] |= (uint64_t)1 << (word % 64);
}

static inline void page_set_remove(page_set_t *set, size_t page) {
    set->count -= page_set_has(set, page);
    set->words[page / 64] &= ~((uint64_t)1 << (page % 64));
}

/* The first page >= from in the set; PAGES_MAX: none. */
size_t page_set_next(const page_set_t *set, size_t from);
void page_set_clear(page_set_t *set);

/* Sets in address space of their own, of which only touched parts cost memory. count of them; NULL
 * when out of memory. */
page_set_t *page_sets_new(size_t count);
void page_sets_free(page_set_t *sets, size_t count);

#endif
