/* The guest's allocator, in memory below 4 GiB: blocks keep their content and are aligned,
 * zeroed blocks are zero, and all that is freed serves as one block again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "heap.h"

enum { MEMORY = 128 << 20, SLOTS = 2000, STEPS = 200000 };

static const uintptr_t base = 0x10000000;
static uintptr_t grown, limit;

uintptr_t heap_more(size_t bytes) {
    uintptr_t start = base + grown;
    if (bytes % 65536 != 0 || bytes > limit - grown)
        return 0;
    grown += bytes;
    return start;
}

static uint32_t random_below(uint32_t end) {
    static uint64_t state = 88172645463325252ULL;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 16) % end;
}

static size_t random_size(void) {
    switch (random_below(100)) {
    case 0:
        return random_below(3000000);
    case 1:
    case 2:
        return random_below(100000);
    case 3:
    case 4:
    case 5:
    case 6:
        return random_below(5000);
    default:
        return random_below(600);
    }
}

static struct slot {
    uint8_t *block;
    size_t size;
} slots[SLOTS];

static uint8_t mark_of(const struct slot *slot) {
    return (uint8_t)((slot - slots) * 7 + 1);
}

static void check(const struct slot *slot, size_t size) {
    for (size_t i = 0; i < size; i += i < 64 ? 1 : 61)
        assert_int_equal(slot->block[i], mark_of(slot));
}

static void put(struct slot *slot, uint8_t *block, size_t size) {
    assert_int_equal((uintptr_t)block % 8, 0);
    slot->block = block;
    slot->size = size;
    if (block)
        memset(block, mark_of(slot), size);
}

static void take_zeroed(struct slot *slot, size_t size) {
    uint8_t *block = heap_alloc_zeroed(size, 1);
    for (size_t i = 0; block && i < size; i++)
        assert_int_equal(block[i], 0);
    put(slot, block, size);
}

static void resize(struct slot *slot, size_t size) {
    uint8_t *block = heap_realloc(slot->block, size);
    if (block) {
        slot->block = block;
        check(slot, size < slot->size ? size : slot->size);
        put(slot, block, size);
    }
}

static void step(struct slot *slot) {
    size_t size = random_size();
    if (slot->block)
        check(slot, slot->size);
    if (slot->block && random_below(2)) {
        resize(slot, size);
        return;
    }
    if (slot->block) {
        heap_free(slot->block);
        slot->block = NULL;
    } else if (random_below(2)) {
        take_zeroed(slot, size);
    } else {
        put(slot, heap_alloc(size), size);
    }
}

static void free_all(void) {
    for (size_t i = 0; i < SLOTS; i++) {
        heap_free(slots[i].block);
        slots[i].block = NULL;
    }
}

static void test_random(void **state) {
    (void)state;
    for (int i = 0; i < STEPS; i++)
        step(&slots[random_below(SLOTS)]);
    free_all();
    void *all = heap_alloc(MEMORY - (1 << 20));
    assert_non_null(all);
    heap_free(all);
}

static bool shares_unit(const void *block) {
    for (int i = 0; i < SLOTS; i++)
        if (slots[i].block && (uintptr_t)slots[i].block >> 14 == (uintptr_t)block >> 14)
            return true;
    return false;
}

/* New blocks come from new pools, and what was free in the old ones is not lost. */
static void test_settle(void **state) {
    (void)state;
    for (int i = 0; i < STEPS / 10; i++)
        step(&slots[random_below(SLOTS)]);
    heap_settle();
    for (size_t size = 8; size <= 32768; size += size < 512 ? 8 : size / 8) {
        void *block = heap_alloc(size);
        assert_non_null(block);
        assert_false(shares_unit(block));
        heap_free(block);
    }
    for (int i = 0; i < STEPS / 10; i++)
        step(&slots[random_below(SLOTS)]);
    free_all();
    void *all = heap_alloc(MEMORY - (1 << 20));
    assert_non_null(all);
    heap_free(all);
}

/* The first blocks of all small sizes lie on few pages, and serve again. */
static void test_settle_mixed(void **state) {
    (void)state;
    enum { PAGE = 4096, COUNT = 64 };
    void *blocks[COUNT];
    size_t pages = 0;
    heap_settle();
    for (size_t i = 0; i < COUNT; i++) {
        blocks[i] = heap_alloc(8 * (i + 1));
        memset(blocks[i], 0x55, 8 * (i + 1));
        bool found = false;
        for (size_t j = 0; j < i; j++)
            found = found || (uintptr_t)blocks[j] / PAGE == (uintptr_t)blocks[i] / PAGE;
        pages += !found;
    }
    assert_in_range(pages, 1, COUNT / 2);
    for (size_t i = 0; i < COUNT; i++) {
        heap_free(blocks[i]);
        assert_ptr_equal(heap_alloc(8 * (i + 1)), blocks[i]);
        heap_free(blocks[i]);
    }
}

/* Pools that are full when all are settled have nothing to give when memory is short. */
static void test_settle_full(void **state) {
    (void)state;
    enum { SIZE = 1024, UNIT = 16384 };
    uint8_t **chain = NULL, *block;
    do {
        assert_non_null(block = heap_alloc(SIZE));
        *(uint8_t ***)block = chain;
        chain = (uint8_t **)block;
    } while (((uintptr_t)block & (UNIT - 1)) != UNIT - SIZE);
    heap_settle();
    uint8_t *large = NULL;
    for (size_t size = MEMORY; size > SIZE; size /= 2)
        while ((block = heap_alloc(size))) {
            memset(block, 0x55, size);
            *(uint8_t **)block = large;
            *(size_t *)(block + sizeof large) = size;
            large = block;
        }
    while ((block = heap_alloc(SIZE))) {
        memset(block, 0xaa, SIZE);
        *(uint8_t ***)block = chain;
        chain = (uint8_t **)block;
    }
    while (large) {
        uint8_t *before = *(uint8_t **)large;
        size_t size = *(size_t *)(large + sizeof large);
        for (size_t i = sizeof large + sizeof size; i < size; i++)
            assert_int_equal(large[i], 0x55);
        heap_free(large);
        large = before;
    }
    while (chain) {
        uint8_t **before = (uint8_t **)*chain;
        heap_free(chain);
        chain = before;
    }
    assert_non_null(block = heap_alloc(MEMORY - (1 << 20)));
    heap_free(block);
}

static void test_full(void **state) {
    (void)state;
    for (int round = 0; round < 19; round++) {
        size_t size = (size_t)16 << round, used = 0;
        void **last = NULL;
        for (void **block; (block = heap_alloc(size)); last = block) {
            *block = last;
            used += size;
        }
        assert_true(used >= MEMORY / 16 * 15);
        while (last) {
            void **before = *last;
            heap_free(last);
            last = before;
        }
    }
}

static void test_grows_in_place(void **state) {
    (void)state;
    uint8_t *block = heap_alloc(100000), *first = block;
    for (size_t size = 200000; size < 100 << 20; size += 1 << 20)
        block = heap_realloc(block, size);
    assert_ptr_equal(block, first);
    assert_non_null(block = heap_realloc(block, 100000));
    assert_ptr_equal(block, first);
    heap_free(block);
}

static void test_refuses(void **state) {
    (void)state;
    assert_null(heap_alloc(SIZE_MAX));
    assert_null(heap_alloc((size_t)1 << 31));
    assert_null(heap_alloc_zeroed(SIZE_MAX / 2, 3));
    void *block = heap_alloc(40000);
    assert_null(heap_realloc(block, SIZE_MAX));
    assert_null(heap_realloc(block, MEMORY));
    heap_free(block);
    heap_free(NULL);
    block = heap_alloc(0);
    assert_non_null(block);
    heap_free(heap_realloc(block, 0));
}

static int start(void **state) {
    (void)state;
    void *memory = mmap((void *)base, MEMORY, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    limit = MEMORY;
    grown = 4 << 20;
    heap_start();
    heap_add(base + 5000, base + grown);
    return memory == (void *)base ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),       cmocka_unit_test(test_settle),
        cmocka_unit_test(test_settle_mixed), cmocka_unit_test(test_settle_full),
        cmocka_unit_test(test_full),         cmocka_unit_test(test_grows_in_place),
        cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
