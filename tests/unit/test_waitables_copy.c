/* Tables of waitables as bytes: what was saved comes back with its order and its times, and what is
 * no table is refused. */
#include "fixture.h"

#include <stdlib.h>

#include "abi/waitables.h"
#include "base/buffer.h"

enum { TIMERS = 4 };

static void forget(void *owner) {
    *(int *)owner = 1;
}

/* A set with timers of which two are due, later ones first, and a call. */
static uint32_t fill(waitables_t *table, void *owner, waitable_t **call) {
    uint32_t set = 0, timer = 0, other = 0;
    assert_null(waitables_set_new(table, &other));
    assert_null(waitables_set_new(table, &set));
    assert_null(waitables_set_drop(table, other));
    for (uint32_t i = 0; i < TIMERS; i++) {
        assert_null(waitables_timer_new(table, 100 * (TIMERS - i), &timer));
        assert_null(waitables_join(table, timer, set));
    }
    assert_null(waitables_call_new(table, owner, call));
    assert_null(waitables_join(table, waitables_number(*call), set));
    waitables_expire(table, 200);
    return set;
}

static void test_round_trip(void **state) {
    (void)state;
    int owner = 0;
    waitable_t *call;
    waitables_t table = {.forget = forget}, copy = {.forget = forget};
    uint32_t set = fill(&table, &owner, &call), number = waitables_number(call);
    buffer_t bytes = {0};
    size_t used = 0;
    assert_true(waitables_save(&table, 250, &bytes));
    assert_null(waitables_restore(&copy, bytes.data, bytes.length, 1250, &used));
    assert_int_equal(used, bytes.length);
    assert_int_equal(waitables_deadline(&copy), 1300);
    for (int i = 0; i < 2; i++) {
        event_t one, two;
        void *nobody;
        assert_null(waitables_peek(&table, set, &one, &nobody));
        assert_null(waitables_peek(&copy, set, &two, &nobody));
        assert_int_equal(one.first, two.first);
        assert_int_equal(two.second, SUBTASK_RETURNED);
        waitables_take(&table, set);
        waitables_take(&copy, set);
    }
    assert_false(waitables_ready(&copy, set));
    assert_true(waitables_can_wait(&copy, set));
    assert_false(waitables_own(&copy, number + 1, &owner, &call));
    assert_false(waitables_own(&copy, set, &owner, &call));
    assert_true(waitables_own(&copy, number, &owner, &call));
    assert_false(waitables_own(&copy, number, &owner, &call));
    assert_ptr_equal(waitables_owner(&copy, number), &owner);
    waitables_return(&copy, call);
    assert_true(waitables_ready(&copy, set));
    waitables_free(&copy);
    assert_int_equal(owner, 1);
    waitables_free(&table);
    buffer_free(&bytes);
}

/* Every byte changed in turn, every length: refused, or a table that can be used. */
static void test_corrupt(void **state) {
    (void)state;
    int owner = 0;
    waitable_t *call;
    waitables_t table = {.forget = forget}, copy = {.forget = forget};
    fill(&table, &owner, &call);
    buffer_t bytes = {0};
    size_t used = 0;
    assert_true(waitables_save(&table, 250, &bytes));
    for (size_t i = 0; i < bytes.length; i++)
        assert_non_null(waitables_restore(&copy, bytes.data, i, 0, &used));
    int refused = 0;
    for (size_t i = 0; i < bytes.length; i++) {
        for (int change = 1; change < 256; change += 50) {
            bytes.data[i] ^= (char)change;
            if (waitables_restore(&copy, bytes.data, bytes.length, 0, &used)) {
                refused++;
                assert_int_equal(waitables_last(&copy), 0);
            } else {
                waitables_expire(&copy, UINT64_MAX - 1);
            }
            bytes.data[i] ^= (char)change;
        }
    }
    assert_true(refused > 100);
    waitables_free(&copy);
    waitables_free(&table);
    buffer_free(&bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_corrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
