/* The library's hand-written side of the world against what the WIT says (host_bindings.h):
 * every import and export has the WIT's name and core signature, and the layouts that the lifting
 * code writes down are those of the WIT. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "abi/guest.h"
#include "abi/imports.h"
#include "host_bindings.h"

/* src/abi/calls.c reads these. */
_Static_assert(WIT_STRING_SIZE == 8, "string");
_Static_assert(WIT_TUPLE2_STRING_STRING_SIZE == 16, "environ");
_Static_assert(WIT_TUPLE2_STRING_STRING_AT_F1 == 8, "environ");
_Static_assert(WIT_OPTION_CONTROL_EXCEPTION_INFO_SIZE == 36, "last-exception");
_Static_assert(WIT_OPTION_CONTROL_EXCEPTION_INFO_PAYLOAD == 4, "last-exception");
_Static_assert(WIT_CONTROL_EXCEPTION_INFO_AT_KIND == 4 - 4, "kind");
_Static_assert(WIT_CONTROL_EXCEPTION_INFO_AT_MESSAGE == 12 - 4, "message");
_Static_assert(WIT_CONTROL_EXCEPTION_INFO_AT_TRACEBACK == 20 - 4, "traceback");
_Static_assert(WIT_CONTROL_EXCEPTION_INFO_AT_EXIT_CODE == 28 - 4, "exit-code");
_Static_assert(WIT_OPTION_S32_PAYLOAD == 4, "exit-code");

/* src/abi/imports.c writes these. */
_Static_assert(WIT_RESULT_VOID_WASI_IO_0_2_0_STREAMS_STREAM_ERROR_SIZE == 12, "write");
_Static_assert(WIT_RESULT_VOID_WASI_IO_0_2_0_STREAMS_STREAM_ERROR_PAYLOAD == 4, "write");
_Static_assert(WIT_RESULT_LIST_U8_WASI_IO_0_2_0_STREAMS_STREAM_ERROR_SIZE == 12, "read");
_Static_assert(WIT_RESULT_LIST_U8_WASI_IO_0_2_0_STREAMS_STREAM_ERROR_PAYLOAD == 4, "read");
_Static_assert(WIT_WASI_IO_0_2_0_STREAMS_STREAM_ERROR_PAYLOAD == 4, "stream-error");
_Static_assert(WIT_WASI_IO_0_2_0_STREAMS_STREAM_ERROR_CASE_LAST_OPERATION_FAILED == 0, "error");
_Static_assert(WIT_WASI_IO_0_2_0_STREAMS_STREAM_ERROR_CASE_CLOSED == 1, "stream-error");
_Static_assert(WIT_RESULT_STRING_STRING_SIZE == 12, "invoke");
_Static_assert(WIT_RESULT_STRING_STRING_PAYLOAD == 4, "invoke");
_Static_assert(WIT_WASI_CLOCKS_0_2_0_WALL_CLOCK_DATETIME_AT_NANOSECONDS == 8, "wall-clock");

static const struct wit_core_function *find(const struct wit_core_function *table, size_t count,
                                            const char *module, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(table[i].name, name) == 0 && (!module || strcmp(table[i].module, module) == 0))
            return &table[i];
    fail_msg("the WIT has no %s %s", module ? module : "export", name);
    return NULL;
}

/* Of module "eryx": nothing in the WIT, but a form that the stub can answer. */
static void check_private(const engine_import_t *import) {
    assert_int_equal(strspn(import->parameters, "iI"), strlen(import->parameters));
    assert_true(strcmp(import->results, "") == 0 || strcmp(import->results, "i") == 0);
}

static void check_import(const engine_import_t *import) {
    print_message("%s %s\n", import->module, import->name);
    if (strcmp(import->module, IMPORTS_PRIVATE) == 0) {
        check_private(import);
        return;
    }
    const struct wit_core_function *function =
        find(wit_imports, WIT_IMPORTS_COUNT, import->module, import->name);
    assert_string_equal(import->parameters, function->params);
    assert_string_equal(import->results, function->results);
}

static void test_imports(void **state) {
    (void)state;
    assert_true(guest_import_tables > 0);
    for (size_t i = 0; i < guest_import_tables; i++) {
        assert_true(guest_imports[i]->count > 0);
        for (size_t k = 0; k < guest_imports[i]->count; k++)
            check_import(&guest_imports[i]->items[k]);
    }
}

/* What the guest could import but, by design, has no need of (see docs/architecture.md). */
static const char *const not_offered[] = {"wasi:cli/environment@0.2.0", "to-debug-string"};

static bool is_offered(const struct wit_core_function *function) {
    for (size_t i = 0; i < guest_import_tables; i++) {
        const engine_import_table_t *table = guest_imports[i];
        for (size_t k = 0; k < table->count; k++)
            if (strcmp(table->items[k].module, function->module) == 0 &&
                strcmp(table->items[k].name, function->name) == 0)
                return true;
    }
    return false;
}

static void test_all_imports(void **state) {
    (void)state;
    for (size_t i = 0; i < WIT_IMPORTS_COUNT; i++) {
        const struct wit_core_function *function = &wit_imports[i];
        bool wanted = true;
        for (size_t j = 0; j < sizeof not_offered / sizeof not_offered[0]; j++)
            if (strstr(function->module, not_offered[j]) || strstr(function->name, not_offered[j]))
                wanted = false;
        if (is_offered(function) != wanted)
            fail_msg("%s %s is %s by the library", function->module, function->name,
                     wanted ? "not offered" : "offered");
    }
}

static void test_exports(void **state) {
    (void)state;
    assert_true(guest_export_count > 0);
    for (size_t i = 0; i < guest_export_count; i++) {
        const engine_export_t *export = &guest_exports[i];
        if (strncmp(export->name, "eryx_", 5) == 0)
            continue; /* between the library and its own runtime */
        const struct wit_core_function *function =
            find(wit_exports, WIT_EXPORTS_COUNT, NULL, export->name);
        print_message("%s\n", export->name);
        assert_string_equal(export->parameters, function->params);
        assert_string_equal(export->results, function->results);
        assert_int_equal(export->optional, function->kind == WIT_CORE_POST_RETURN);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_imports),
        cmocka_unit_test(test_all_imports),
        cmocka_unit_test(test_exports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
