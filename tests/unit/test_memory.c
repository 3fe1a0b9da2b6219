/* Linear memory slots: content of a fresh one, growth, guest ranges, and that recycling
 * brings back every byte whatever was done. */
#include "fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory/faults.h"
#include "memory_image.h"
#include "memory/slot.h"
#include "memory/verify.h"

static memory_slot_t *new_slot(void) {
    memory_slot_t *slot = NULL;
    eryx_error_t error;
    assert_int_equal(slot_new(&origin, &slot, &error), ERYX_OK);
    slot_begin(slot);
    return slot;
}

static void assert_fresh(const memory_slot_t *slot) {
    assert_int_equal(slot->size, MINIMUM);
    for (size_t i = 0; i < MINIMUM; i++)
        if (slot->base[i] != image_byte(i))
            fail_msg("byte %zu is %u, not %u", i, slot->base[i], image_byte(i));
}

static void test_fresh(void **state) {
    (void)state;
    memory_slot_t *slot = new_slot();
    assert_fresh(slot);
    slot_free(slot);
}

static void recycle_after(memory_slot_t *slot, size_t first, size_t step, size_t end) {
    for (size_t i = first; i < end; i += step)
        if (i < CONSTANT_START || i >= CONSTANT_END)
            slot->base[i] ^= 0xff;
    assert_true(slot_recycle(slot));
    assert_fresh(slot);
    slot_begin(slot);
}

static void test_recycle(void **state) {
    (void)state;
    memory_slot_t *slot = new_slot();
    recycle_after(slot, KIB64, 5000, MINIMUM);
    recycle_after(slot, KIB64, 5000, MINIMUM);
    recycle_after(slot, KIB64 + 4095, 4096, KIB64 + 40960);
    recycle_after(slot, MINIMUM - 1, 1, MINIMUM);
    recycle_after(slot, KIB64, 1, MINIMUM);
    recycle_after(slot, KIB64, MINIMUM, MINIMUM);
    slot_free(slot);
}

static void test_recycle_at_random(void **state) {
    (void)state;
    memory_slot_t *slot = new_slot();
    srand(7);
    for (int round = 0; round < 100; round++) {
        int writes = rand() % 400;
        for (int i = 0; i < writes; i++) {
            size_t address = KIB64 + (size_t)rand() % (MINIMUM - KIB64);
            if (address < CONSTANT_START || address >= CONSTANT_END)
                slot->base[address] = (uint8_t)rand();
        }
        assert_true(slot_recycle(slot));
        assert_fresh(slot);
        slot_begin(slot);
    }
    slot_free(slot);
}

/* A page that nobody changes any more is dropped in the end, and comes back on demand. */
static void test_idle_pages(void **state) {
    (void)state;
    memory_slot_t *slot = new_slot();
    recycle_after(slot, KIB64, 4096, KIB64 + 10 * 4096);
    size_t known = slot->known_count;
    assert_true(known >= 10);
    for (int i = 0; i < 100; i++)
        recycle_after(slot, MINIMUM - 1, 1, MINIMUM);
    assert_true(slot->known_count < known);
    recycle_after(slot, KIB64, 4096, KIB64 + 10 * 4096);
    slot_free(slot);
}

static void *write_from_thread(void *argument) {
    memory_slot_t *slot = argument;
    slot_enter(slot);
    for (size_t i = KIB64; i < CONSTANT_START; i += 4096)
        slot->base[i] ^= 1;
    return NULL;
}

static void test_other_thread(void **state) {
    (void)state;
    memory_slot_t *slot = new_slot();
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, write_from_thread, slot), 0);
    pthread_join(thread, NULL);
    assert_true(slot_recycle(slot));
    assert_fresh(slot);
    slot_free(slot);
}

/* Kernels without PAGEMAP_SCAN, and children of fork(). */
static void test_without_scan(void **state) {
    (void)state;
    int pagemap = origin.pagemap;
    origin.pagemap = -1;
    memory_slot_t *slot = new_slot();
    recycle_after(slot, KIB64, 5000, MINIMUM);
    recycle_after(slot, KIB64, 4096, KIB64 + 40960);
    slot_free(slot);
    origin.pagemap = pagemap;
}

static void test_grow(void **state) {
    (void)state;
    memory_slot_t *slot = new_slot();
    slot->limit = MINIMUM + 10 * KIB64;
    assert_false(slot_grow(slot, MINIMUM + 11 * KIB64));
    assert_int_equal(slot->size, MINIMUM);
    assert_true(slot_grow(slot, MINIMUM + 10 * KIB64));
    memset(slot->base + MINIMUM, 1, 10 * KIB64);
    assert_true(slot_recycle(slot));
    assert_fresh(slot);
    assert_true(slot_grow(slot, MINIMUM + KIB64));
    for (size_t i = 0; i < KIB64; i++)
        assert_int_equal(slot->base[MINIMUM + i], 0);
    slot->limit = SIZE_MAX;
    assert_false(slot_grow(slot, MEMORY_RESERVE_BYTES + KIB64));
    slot_free(slot);
}

static void test_ranges(void **state) {
    (void)state;
    memory_slot_t *slot = new_slot();
    assert_true(slot_readable(slot, KIB64, MINIMUM - KIB64));
    assert_false(slot_readable(slot, KIB64, MINIMUM - KIB64 + 1));
    assert_false(slot_readable(slot, KIB64 - 1, 1));
    assert_false(slot_readable(slot, 0, 0));
    assert_true(slot_readable(slot, MINIMUM, 0));
    assert_false(slot_readable(slot, MINIMUM + 1, 0));
    assert_false(slot_readable(slot, UINT64_MAX, 2));
    assert_false(slot_readable(slot, KIB64, UINT64_MAX));
    assert_true(slot_writable(slot, KIB64, CONSTANT_START - KIB64));
    assert_false(slot_writable(slot, KIB64, CONSTANT_START - KIB64 + 1));
    assert_false(slot_writable(slot, CONSTANT_START, 1));
    assert_false(slot_writable(slot, CONSTANT_END - 1, 1));
    assert_true(slot_writable(slot, CONSTANT_END, 1));
    slot_free(slot);
}

static void test_faults(void **state) {
    (void)state;
    assert_true(faults_are_counted());
    assert_true(faults_thread() != 0);
    assert_true(faults_thread() == faults_thread());
}

static void test_bad_layouts(void **state) {
    (void)state;
    int fd = image_file();
    static const struct {
        size_t field;
        uint64_t value;
    } changes[] = {
        {offsetof(memory_layout_t, file_offset), 4096},
        {offsetof(memory_layout_t, file_offset), 64 * KIB64},
        {offsetof(memory_layout_t, file_offset), UINT64_MAX - KIB64 + 1},
        {offsetof(memory_layout_t, image_bytes), IMAGE_BYTES + 1},
        {offsetof(memory_layout_t, image_bytes), UINT64_MAX},
        {offsetof(memory_layout_t, minimum), MINIMUM + 1},
        {offsetof(memory_layout_t, minimum), 31 * KIB64},
        {offsetof(memory_layout_t, minimum), MEMORY_RESERVE_BYTES + KIB64},
        {offsetof(memory_layout_t, minimum), 0},
        {offsetof(memory_layout_t, constant_start), CONSTANT_END + KIB64},
        {offsetof(memory_layout_t, constant_start), 0},
        {offsetof(memory_layout_t, constant_end), MINIMUM + KIB64},
        {offsetof(memory_layout_t, constant_end), CONSTANT_START + 1},
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        memory_layout_t layout = valid_layout();
        memcpy((char *)&layout + changes[i].field, &changes[i].value, sizeof(uint64_t));
        memory_origin_t opened;
        eryx_error_t error;
        if (memory_origin_open(fd, &layout, &opened, &error) != ERYX_ERR_FORMAT)
            fail_msg("layout %zu was accepted", i);
        assert_non_null(strstr(error.message, "corrupt"));
    }
    close(fd);
}

/* The check of recycled slots sees any byte that differs, and grown memory. */
static void test_verify(void **state) {
    (void)state;
    static const size_t places[] = {KIB64, IMAGE_BYTES - 1, IMAGE_BYTES, MINIMUM - 1};
    memory_slot_t *slot = NULL;
    size_t address;
    assert_int_equal(slot_new(&origin, &slot, NULL), ERYX_OK);
    slot_begin(slot);
    slot_enter(slot);
    assert_true(slot_equals_image(slot, &address));
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        slot->base[places[i]] ^= 1;
        assert_false(slot_equals_image(slot, &address));
        assert_int_equal(address, places[i]);
        assert_true(slot_recycle(slot));
        assert_true(slot_equals_image(slot, &address));
        slot_begin(slot);
    }
    assert_true(slot_grow(slot, MINIMUM + KIB64));
    assert_false(slot_equals_image(slot, &address));
    assert_true(slot_recycle(slot));
    assert_true(slot_equals_image(slot, &address));
    slot_free(slot);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verify),
        cmocka_unit_test(test_fresh),
        cmocka_unit_test(test_recycle),
        cmocka_unit_test(test_idle_pages),
        cmocka_unit_test(test_recycle_at_random),
        cmocka_unit_test(test_other_thread),
        cmocka_unit_test(test_without_scan),
        cmocka_unit_test(test_grow),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_bad_layouts),
    };
    return cmocka_run_group_tests(tests, open_origin, close_origin);
}
