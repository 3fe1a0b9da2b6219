/* Savepoints against a model: whatever is written, grown, saved, rolled back and recycled, memory is
 * what plain copies of it say; with and without what kernels offer. */
#include "fixture.h"

#include <pthread.h>
#include <stdlib.h>

#include "memory/slot.h"
#include "memory_image.h"

#define LIMIT (MINIMUM + 64 * KIB64)

typedef struct model {
    memory_slot_t *slot;
    uint8_t now[LIMIT], saved[LIMIT];
    size_t saved_size;
} model_t;

static model_t model;

static void model_reset(void) {
    for (size_t i = 0; i < LIMIT; i++)
        model.now[i] = model.saved[i] = image_byte(i);
    model.saved_size = MINIMUM;
}

static void assert_memory(const char *what, int round) {
    const memory_slot_t *slot = model.slot;
    for (size_t page = 0; page < slot->size; page += 4096)
        if (memcmp(slot->base + page, model.now + page, 4096) != 0)
            fail_msg("%s in round %d: page %zu differs", what, round, page / 4096);
}

static void write_at_random(size_t writes, size_t spread) {
    size_t start = (size_t)rand() % (model.slot->size - KIB64);
    for (size_t i = 0; i < writes; i++) {
        size_t address = KIB64 + (start + (size_t)rand() % spread) % (model.slot->size - KIB64);
        if (address >= CONSTANT_START && address < CONSTANT_END)
            continue;
        model.slot->base[address] = model.now[address] = (uint8_t)rand();
    }
}

static void grow_at_random(void) {
    size_t size = model.slot->size + (size_t)(rand() % 8) * KIB64;
    if (size <= LIMIT)
        assert_true(slot_grow(model.slot, size));
}

/* What fork and checkpoint rely on. */
static void assert_collected(int round) {
    const page_set_t *changed, *unsaved;
    slot_collect(model.slot, &changed, &unsaved);
    for (size_t i = KIB64 / 4096; i < model.slot->size / 4096; i++) {
        const uint8_t *page = model.slot->base + i * 4096;
        if (!page_set_has(changed, i) && memcmp(page, slot_image_page(model.slot, i), 4096) != 0)
            fail_msg("round %d: changed page %zu was not collected", round, i);
        if (memcmp(slot_saved_page(model.slot, i), model.saved + i * 4096, 4096) != 0)
            fail_msg("round %d: saved page %zu is wrong", round, i);
        if (!page_set_has(unsaved, i) && memcmp(page, model.saved + i * 4096, 4096) != 0)
            fail_msg("round %d: unsaved page %zu was not collected", round, i);
    }
}

static void recycle(int round) {
    assert_true(slot_recycle(model.slot));
    slot_begin(model.slot);
    model_reset();
    assert_int_equal(model.slot->size, MINIMUM);
    assert_memory("recycle", round);
}

static void play(int rounds) {
    eryx_error_t error;
    model_reset();
    assert_int_equal(slot_new(&origin, &model.slot, &error), ERYX_OK);
    model.slot->limit = LIMIT;
    slot_begin(model.slot);
    for (int round = 0; round < rounds; round++) {
        slot_enter(model.slot);
        write_at_random((size_t)(rand() % 300), rand() % 3 ? 20000 : LIMIT);
        switch (rand() % 8) {
        case 0:
            grow_at_random();
            break;
        case 1:
        case 2:
            assert_true(slot_rollback(model.slot));
            memcpy(model.now, model.saved, LIMIT);
            assert_int_equal(model.slot->size, model.saved_size);
            break;
        case 3:
            assert_collected(round);
            break;
        case 4:
            if (rand() % 4 == 0)
                recycle(round);
            break;
        default:
            assert_true(slot_save(model.slot));
            memcpy(model.saved, model.now, LIMIT);
            model.saved_size = model.slot->size;
        }
        assert_memory("memory", round);
        for (size_t i = model.slot->size; i < LIMIT; i++)
            model.now[i] = 0;
    }
    slot_free(model.slot);
}

static void test_tracked(void **state) {
    (void)state;
    srand(1);
    play(150);
}

/* Kernels that scan page tables and track nothing; that only list them; and no /proc at all. */
static void test_fallbacks(void **state) {
    (void)state;
    memory_origin_t whole = origin;
    srand(2);
    origin.tracker = -1;
    play(80);
    origin.scans = false;
    play(40);
    origin.pagemap = -1;
    play(15);
    origin = whole;
}

/* Child processes have no tracker, and a pagemap of their own. */
static void test_other_process(void **state) {
    (void)state;
    memory_origin_t whole = origin;
    srand(3);
    origin.process++;
    play(40);
    origin = whole;
}

static void *write_from_thread(void *argument) {
    memory_slot_t *slot = argument;
    slot_enter(slot);
    for (size_t i = CONSTANT_END; i < MINIMUM; i += 4096)
        slot->base[i] = model.now[i] = 77;
    return NULL;
}

static void test_other_thread(void **state) {
    (void)state;
    eryx_error_t error;
    pthread_t thread;
    model_reset();
    assert_int_equal(slot_new(&origin, &model.slot, &error), ERYX_OK);
    slot_begin(model.slot);
    slot_enter(model.slot);
    model.slot->base[CONSTANT_END] = model.now[CONSTANT_END] = 1;
    assert_true(slot_save(model.slot));
    memcpy(model.saved, model.now, LIMIT);
    assert_int_equal(pthread_create(&thread, NULL, write_from_thread, model.slot), 0);
    pthread_join(thread, NULL);
    assert_true(slot_rollback(model.slot));
    memcpy(model.now, model.saved, LIMIT);
    assert_memory("rollback", 0);
    slot_free(model.slot);
}

/* A page that is written again and again is not protected any more: writing it costs no fault, and
 * it is found nevertheless. */
static void test_known_pages(void **state) {
    (void)state;
    eryx_error_t error;
    model_reset();
    assert_int_equal(slot_new(&origin, &model.slot, &error), ERYX_OK);
    slot_begin(model.slot);
    for (int i = 0; i < 20; i++) {
        slot_enter(model.slot);
        model.slot->base[CONSTANT_END + 5] = (uint8_t)i;
        assert_true(slot_save(model.slot));
    }
    assert_true(model.slot->known_count > 0);
    slot_enter(model.slot);
    model.slot->base[CONSTANT_END + 5] = 99;
    assert_true(slot_rollback(model.slot));
    assert_int_equal(model.slot->base[CONSTANT_END + 5], 19);
    for (int i = 0; i < 40; i++) {
        slot_enter(model.slot);
        assert_true(slot_save(model.slot));
    }
    assert_int_equal(model.slot->known_count, 0);
    slot_free(model.slot);
}

static void test_page_sets(void **state) {
    (void)state;
    static const size_t pages[] = {0, 1, 63, 64, 4095, 4096, 262144, PAGES_MAX - 1};
    size_t count = sizeof pages / sizeof pages[0];
    page_set_t *set = page_sets_new(1);
    assert_non_null(set);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(page_set_next(set, 0), PAGES_MAX);
        for (size_t i = 0; i < count; i++) {
            page_set_add(set, pages[i]);
            page_set_add(set, pages[i]);
        }
        assert_int_equal(set->count, count);
        size_t at = 0;
        for (size_t i = 0; i < count; i++, at++) {
            at = page_set_next(set, at);
            assert_int_equal(at, pages[i]);
        }
        assert_int_equal(page_set_next(set, at), PAGES_MAX);
        page_set_remove(set, 64);
        page_set_remove(set, 64);
        assert_int_equal(set->count, count - 1);
        assert_int_equal(page_set_next(set, 64), 4095);
        page_set_clear(set);
    }
    page_sets_free(set, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tracked),       cmocka_unit_test(test_fallbacks),
        cmocka_unit_test(test_other_process), cmocka_unit_test(test_other_thread),
        cmocka_unit_test(test_known_pages),   cmocka_unit_test(test_page_sets),
    };
    return cmocka_run_group_tests(tests, open_origin, close_origin);
}
