/* Waitables (sets, subtasks, timers) against a guest that does everything wrong, and the heap
 * and buffer below them. */
#include "fixture.h"

#include <stdlib.h>

#include "abi/waitables.h"
#include "base/buffer.h"
#include "base/clock.h"

static uint32_t new_set(waitables_t *table) {
    uint32_t set = 0;
    assert_null(waitables_set_new(table, &set));
    assert_true(set != 0);
    return set;
}

static uint32_t new_timer(waitables_t *table, uint64_t time) {
    uint32_t subtask = 0;
    assert_null(waitables_timer_new(table, time, &subtask));
    return subtask;
}

static event_t next_event(waitables_t *table, uint32_t set) {
    event_t event;
    void *owner;
    assert_null(waitables_peek(table, set, &event, &owner));
    assert_null(owner);
    if (event.code != EVENT_NONE)
        waitables_take(table, set);
    return event;
}

static void test_timers_in_order(void **state) {
    (void)state;
    waitables_t table = {0};
    uint32_t set = new_set(&table), timers[5];
    static const uint64_t times[5] = {50, 10, 30, 20, 40};
    for (int i = 0; i < 5; i++) {
        timers[i] = new_timer(&table, times[i]);
        assert_null(waitables_join(&table, timers[i], set));
    }
    assert_int_equal(waitables_deadline(&table), 10);
    assert_int_equal(next_event(&table, set).code, EVENT_NONE);
    waitables_expire(&table, 30);
    assert_int_equal(waitables_deadline(&table), 40);
    static const int order[3] = {1, 3, 2};
    for (int i = 0; i < 3; i++) {
        event_t event = next_event(&table, set);
        assert_int_equal(event.code, EVENT_SUBTASK);
        assert_int_equal(event.first, timers[order[i]]);
        assert_int_equal(event.second, SUBTASK_RETURNED);
        assert_null(waitables_subtask_drop(&table, event.first));
    }
    assert_int_equal(next_event(&table, set).code, EVENT_NONE);
    assert_true(waitables_can_wait(&table, set));
    waitables_free(&table);
}

static void test_cancel(void **state) {
    (void)state;
    waitables_t table = {0};
    uint32_t set = new_set(&table), timer = new_timer(&table, 10), ended;
    assert_null(waitables_join(&table, timer, set));
    assert_null(waitables_subtask_cancel(&table, timer, &ended));
    assert_int_equal(ended, SUBTASK_CANCELLED_BEFORE_RETURNED);
    assert_int_equal(waitables_deadline(&table), CLOCK_NEVER);
    assert_false(waitables_can_wait(&table, set));
    assert_non_null(waitables_subtask_cancel(&table, timer, &ended));
    assert_null(waitables_subtask_drop(&table, timer));
    timer = new_timer(&table, 10);
    waitables_expire(&table, 10);
    assert_null(waitables_subtask_cancel(&table, timer, &ended));
    assert_int_equal(ended, SUBTASK_RETURNED);
    waitables_free(&table);
}

static void test_join_moves(void **state) {
    (void)state;
    waitables_t table = {0};
    uint32_t first = new_set(&table), second = new_set(&table), timer = new_timer(&table, 5);
    assert_null(waitables_join(&table, timer, first));
    waitables_expire(&table, 5);
    assert_true(waitables_ready(&table, first));
    assert_null(waitables_join(&table, timer, second));
    assert_false(waitables_ready(&table, first));
    assert_true(waitables_ready(&table, second));
    assert_null(waitables_join(&table, timer, 0));
    assert_false(waitables_can_wait(&table, second));
    assert_null(waitables_join(&table, timer, second));
    assert_int_equal(next_event(&table, second).first, timer);
    assert_null(waitables_set_drop(&table, first));
    assert_non_null(waitables_set_drop(&table, second));
    assert_null(waitables_subtask_drop(&table, timer));
    assert_null(waitables_set_drop(&table, second));
    waitables_free(&table);
}

static void test_misuse(void **state) {
    (void)state;
    waitables_t table = {0};
    event_t event;
    void *owner;
    uint32_t ended;
    static const uint32_t numbers[] = {0, 1, 2, 3, 1000, 0x0fffffff, 0xffffffff};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        assert_non_null(waitables_peek(&table, numbers[i], &event, &owner));
        assert_non_null(waitables_set_drop(&table, numbers[i]));
        assert_non_null(waitables_join(&table, numbers[i], 0));
        assert_non_null(waitables_subtask_drop(&table, numbers[i]));
        assert_non_null(waitables_subtask_cancel(&table, numbers[i], &ended));
        assert_false(waitables_can_wait(&table, numbers[i]));
    }
    uint32_t set = new_set(&table), timer = new_timer(&table, 1);
    assert_non_null(waitables_peek(&table, timer, &event, &owner));
    assert_non_null(waitables_subtask_drop(&table, set));
    assert_non_null(waitables_join(&table, set, set));
    assert_non_null(waitables_join(&table, timer, timer));
    assert_non_null(waitables_subtask_drop(&table, timer));
    assert_null(waitables_set_drop(&table, set));
    assert_non_null(waitables_set_drop(&table, set));
    waitables_free(&table);
}

static void test_full_and_clear(void **state) {
    (void)state;
    waitables_t table = {0};
    uint32_t number;
    uint32_t made = 0;
    while (!waitables_timer_new(&table, CLOCK_NEVER, &number))
        made++;
    assert_int_equal(made, WAITABLES_MAX);
    waitables_clear(&table);
    assert_int_equal(waitables_deadline(&table), CLOCK_NEVER);
    for (int i = 0; i < 10; i++)
        assert_int_equal(new_set(&table), i + 1);
    waitables_clear(&table);
    assert_int_equal(new_set(&table), 1);
    waitables_free(&table);
}

/* The same operations on a heap and on a plain array give the same minimum. */
static void test_heap(void **state) {
    (void)state;
    enum { ITEMS = 64 };
    heap_t heap = {0};
    heap_item_t items[ITEMS] = {{0, 0}};
    srand(3);
    for (int step = 0; step < 20000; step++) {
        heap_item_t *item = &items[rand() % ITEMS];
        uint64_t key = (uint64_t)(rand() % 50);
        if (!heap_contains(item))
            assert_true(heap_insert(&heap, item, key));
        else if (rand() % 2)
            heap_change(&heap, item, key);
        else
            heap_remove(&heap, item);
        uint64_t least = UINT64_MAX;
        size_t count = 0;
        for (int i = 0; i < ITEMS; i++) {
            if (heap_contains(&items[i]) && items[i].key < least)
                least = items[i].key;
            count += heap_contains(&items[i]);
        }
        assert_int_equal(heap.count, count);
        assert_true(count == 0 ? !heap_first(&heap) : heap_first(&heap)->key == least);
    }
    heap_free(&heap);
}

static void test_buffer(void **state) {
    (void)state;
    buffer_t buffer = {0};
    size_t length;
    assert_true(buffer_append(&buffer, NULL, 0));
    int grown = 0; /* linear in the bytes appended: it grows seldom */
    for (int i = 0; i < 1000; i++) {
        size_t capacity = buffer.capacity;
        assert_true(buffer_append(&buffer, "abc", 3));
        grown += buffer.capacity != capacity;
    }
    assert_in_range(grown, 1, 5);
    assert_false(buffer_append(&buffer, "x", SIZE_MAX));
    char *data = buffer_take(&buffer, &length);
    assert_int_equal(length, 3000);
    assert_int_equal(strlen(data), 3000);
    assert_null(buffer.data);
    free(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timers_in_order), cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_join_moves),      cmocka_unit_test(test_misuse),
        cmocka_unit_test(test_full_and_clear),  cmocka_unit_test(test_heap),
        cmocka_unit_test(test_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
