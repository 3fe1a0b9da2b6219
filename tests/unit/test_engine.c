/* The engine interface: loading, imports and exports that do not fit, calls, suspension, kinds
 * of traps, reset. Modules are written as text and compiled here. */
#include "fixture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <wasmtime.h>

#include "engine/config.h"
#include "engine/engine.h"
#include "signals.h"

#define MODULE                                                                                     \
    "(module (import \"h\" \"add\" (func $add (param i32 i64) (result i64)))"                      \
    " (import \"h\" \"wait\" (func $wait (param i32) (result i32)))"                               \
    " (import \"h\" \"refuse\" (func $refuse))"                                                    \
    " (memory (export \"memory\") 4) (global $sp (export \"sp\") (mut i32) (i32.const 5))"         \
    " (global (export \"fixed\") i32 (i32.const 1234))"                                            \
    " (func (export \"add\") (param i32 i64) (result i64) local.get 0 local.get 1 call $add)"      \
    " (func (export \"wait\") (param i32) (result i32) local.get 0 call $wait"                     \
    "   i32.const 1000 i32.add)"                                                                   \
    " (func (export \"trap\") (param i32)"                                                         \
    "   (if (i32.eq (local.get 0) (i32.const 0)) (then unreachable))"                              \
    "   (if (i32.eq (local.get 0) (i32.const 1)) (then"                                            \
    "     (drop (i32.load (i32.const 0xfffffff0)))))"                                              \
    "   (if (i32.eq (local.get 0) (i32.const 2)) (then call $recurse))"                            \
    "   (if (i32.eq (local.get 0) (i32.const 3)) (then call $refuse))"                             \
    "   (if (i32.eq (local.get 0) (i32.const 4)) (then"                                            \
    "     (drop (i32.div_u (i32.const 1) (i32.const 0))))))"                                       \
    " (func $recurse (call $recurse) (call $recurse))"                                             \
    " (func (export \"sp_\") (param i32) (result i32) global.get $sp local.get 0 global.set $sp)"  \
    " (func (export \"grow\") (param i32) (result i32) local.get 0 memory.grow drop memory.size)"  \
    ")"

enum { EXPORT_ADD, EXPORT_WAIT, EXPORT_TRAP, EXPORT_SP, EXPORT_GROW, EXPORT_MISSING };

static engine_reply_t import_add(void *context, engine_value_t *values) {
    *(int *)context += 1;
    values[0].i64 = values[0].i32 + values[1].i64;
    return ENGINE_RETURN;
}

/* Suspends as often as its argument says. */
static engine_reply_t import_wait(void *context, engine_value_t *values) {
    int *calls = context;
    if ((*calls)++ < values[0].i32)
        return ENGINE_WAIT;
    if (values[0].i32 == 9)
        return ENGINE_REFUSE;
    values[0].i32 = *calls;
    return ENGINE_RETURN;
}

static engine_reply_t import_refuse(void *context, engine_value_t *values) {
    (void)context, (void)values;
    return ENGINE_REFUSE;
}

static engine_import_t imports[] = {
    {"h", "add", "iI", "I", false, import_add},
    {"h", "wait", "i", "i", true, import_wait},
    {"h", "refuse", "", "", false, import_refuse},
};
static engine_export_t exports[] = {
    {"add", "iI", "I", false}, {"wait", "i", "i", false}, {"trap", "i", "", false},
    {"sp_", "i", "i", false},  {"grow", "i", "i", false}, {"missing", "i", "", true},
};
static memory_origin_t origin;

static int memory_file(const void *data, size_t size) {
    int fd = memfd_create("module", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), size);
    return fd;
}

static int compile(const char *text) {
    wasm_engine_t *engine = wasm_engine_new_with_config(engine_config_new(false));
    wasm_byte_vec_t binary, code;
    wasmtime_module_t *module;
    assert_null(wasmtime_wat2wasm(text, strlen(text), &binary));
    assert_null(wasmtime_module_new(engine, (uint8_t *)binary.data, binary.size, &module));
    assert_null(wasmtime_module_serialize(module, &code));
    int fd = memory_file(code.data, code.size);
    wasm_byte_vec_delete(&binary);
    wasm_byte_vec_delete(&code);
    wasmtime_module_delete(module);
    wasm_engine_delete(engine);
    return fd;
}

static engine_import_table_t table = {imports, 3};
static const engine_import_table_t *const tables[] = {&table};

static int try_open(const char *text, size_t import_count, size_t export_count, engine_t **engine,
                    eryx_error_t *error) {
    engine_global_t global = {"sp", 77};
    table.count = import_count;
    engine_description_t description = {.imports = tables,
                                        .import_tables = 1,
                                        .exports = exports,
                                        .export_count = export_count,
                                        .globals = &global,
                                        .global_count = 1,
                                        .cache_folder = ""};
    int fd = compile(text);
    int status = engine_open(fd, &description, engine, error);
    close(fd);
    return status;
}

static engine_t *open_module(void) {
    engine_t *engine = NULL;
    eryx_error_t error = {0, ""};
    if (try_open(MODULE, 3, 6, &engine, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    return engine;
}

static int open_origin(void **state) {
    (void)state;
    memory_layout_t layout = {.minimum = 4 * 65536};
    eryx_error_t error;
    int fd = memory_file("", 0);
    int status = memory_origin_open(fd, &layout, &origin, &error);
    close(fd);
    return status;
}

typedef struct subject {
    engine_t *engine;
    memory_slot_t *slot;
    engine_instance_t *instance;
    int calls;
} subject_t;

static void begin(subject_t *subject) {
    eryx_error_t error = {0, ""};
    *subject = (subject_t){.engine = open_module()};
    signals_restore();
    assert_int_equal(slot_new(&origin, &subject->slot, &error), ERYX_OK);
    if (engine_instantiate(subject->engine, subject->slot, &subject->calls, &subject->instance,
                           &error) != ERYX_OK)
        fail_msg("%s", error.message);
}

static void end(subject_t *subject) {
    engine_instance_free(subject->instance);
    slot_free(subject->slot);
    engine_close(subject->engine);
}

static void test_call(void **state) {
    (void)state;
    subject_t subject;
    begin(&subject);
    engine_value_t arguments[ENGINE_MAX_ARGUMENTS] = {{.i32 = -3}, {.i64 = INT64_C(1) << 40}};
    engine_value_t result = {.i64 = 0};
    assert_int_equal(engine_call(subject.instance, EXPORT_ADD, arguments, &result), ENGINE_DONE);
    assert_true(result.i64 == (INT64_C(1) << 40) - 3);
    assert_int_equal(subject.calls, 1);
    assert_false(engine_has_export(subject.instance, EXPORT_MISSING));
    uint32_t value;
    assert_true(engine_global_get(subject.instance, "fixed", &value));
    assert_int_equal(value, 1234);
    assert_false(engine_global_get(subject.instance, "nowhere", &value));
    assert_false(engine_global_get(subject.instance, "memory", &value));
    end(&subject);
}

static void test_suspend(void **state) {
    (void)state;
    subject_t subject;
    begin(&subject);
    engine_value_t arguments[ENGINE_MAX_ARGUMENTS] = {{.i32 = 2}}, result;
    assert_int_equal(engine_call(subject.instance, EXPORT_WAIT, arguments, &result),
                     ENGINE_SUSPENDED);
    assert_int_equal(engine_resume(subject.instance, &result), ENGINE_SUSPENDED);
    assert_int_equal(engine_resume(subject.instance, &result), ENGINE_DONE);
    assert_int_equal(result.i32, 1003);
    subject.calls = 0;
    arguments[0].i32 = 9;
    assert_int_equal(engine_call(subject.instance, EXPORT_WAIT, arguments, &result),
                     ENGINE_SUSPENDED);
    subject.calls = 20;
    assert_int_equal(engine_resume(subject.instance, &result), ENGINE_TRAPPED);
    assert_int_equal(engine_trap(subject.instance)->kind, ENGINE_TRAP_IMPORT);
    end(&subject);
}

static void test_cancel_suspended(void **state) {
    (void)state;
    subject_t subject;
    engine_value_t arguments[ENGINE_MAX_ARGUMENTS] = {{.i32 = 5}}, result;
    begin(&subject);
    assert_int_equal(engine_call(subject.instance, EXPORT_WAIT, arguments, &result),
                     ENGINE_SUSPENDED);
    engine_cancel(subject.instance);
    end(&subject);
    begin(&subject);
    assert_int_equal(engine_call(subject.instance, EXPORT_WAIT, arguments, &result),
                     ENGINE_SUSPENDED);
    end(&subject);
}

static void test_traps(void **state) {
    (void)state;
    static const engine_trap_kind_t kinds[] = {ENGINE_TRAP_UNREACHABLE, ENGINE_TRAP_MEMORY,
                                               ENGINE_TRAP_STACK, ENGINE_TRAP_IMPORT,
                                               ENGINE_TRAP_OTHER};
    for (int i = 0; i < 5; i++) {
        subject_t subject;
        begin(&subject);
        engine_value_t arguments[ENGINE_MAX_ARGUMENTS] = {{.i32 = i}}, result;
        assert_int_equal(engine_call(subject.instance, EXPORT_TRAP, arguments, &result),
                         ENGINE_TRAPPED);
        assert_int_equal(engine_trap(subject.instance)->kind, kinds[i]);
        if (kinds[i] == ENGINE_TRAP_OTHER)
            assert_string_equal(engine_trap(subject.instance)->message, "integer divide by zero");
        end(&subject);
    }
}

static void test_reset(void **state) {
    (void)state;
    subject_t subject;
    begin(&subject);
    engine_value_t arguments[ENGINE_MAX_ARGUMENTS] = {{.i32 = 3}}, result;
    assert_int_equal(engine_call(subject.instance, EXPORT_GROW, arguments, &result), ENGINE_DONE);
    assert_int_equal(result.i32, 7);
    assert_true(slot_recycle(subject.slot));
    assert_true(engine_instance_reset(subject.instance));
    arguments[0].i32 = 0;
    assert_int_equal(engine_call(subject.instance, EXPORT_GROW, arguments, &result), ENGINE_DONE);
    assert_int_equal(result.i32, 4);
    uint32_t pointer;
    assert_true(engine_global_get(subject.instance, "sp", &pointer));
    assert_int_equal(pointer, 77);
    end(&subject);
}

static void test_misfits(void **state) {
    (void)state;
    engine_t *engine = NULL;
    eryx_error_t error;
    assert_int_equal(try_open(MODULE, 2, 6, &engine, &error), ERYX_ERR_FORMAT);
    assert_non_null(strstr(error.message, "imports refuse from h"));
    exports[EXPORT_MISSING].optional = false;
    assert_int_equal(try_open(MODULE, 3, 6, &engine, &error), ERYX_ERR_FORMAT);
    assert_non_null(strstr(error.message, "does not export missing"));
    exports[EXPORT_MISSING].optional = true;
    exports[EXPORT_ADD].parameters = "ii";
    assert_int_equal(try_open(MODULE, 3, 6, &engine, &error), ERYX_ERR_FORMAT);
    assert_non_null(strstr(error.message, "exports add with another type"));
    exports[EXPORT_ADD].parameters = "iI";
    imports[0].results = "i";
    assert_int_equal(try_open(MODULE, 3, 6, &engine, &error), ERYX_ERR_FORMAT);
    imports[0].results = "I";
    assert_int_equal(try_open("(module)", 3, 6, &engine, &error), ERYX_ERR_FORMAT);
    assert_non_null(strstr(error.message, "memory"));
    assert_null(engine);
}

static void test_not_code(void **state) {
    (void)state;
    static const char *const contents[] = {"", "hello", "\177ELF and nothing else"};
    engine_description_t description = {.imports = tables,
                                        .import_tables = 1,
                                        .exports = exports,
                                        .export_count = 6,
                                        .cache_folder = ""};
    for (size_t i = 0; i < 3; i++) {
        engine_t *engine = NULL;
        eryx_error_t error;
        int fd = memory_file(contents[i], strlen(contents[i]));
        assert_int_equal(engine_open(fd, &description, &engine, &error), ERYX_ERR_VERSION);
        close(fd);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_call),     cmocka_unit_test(test_suspend),
        cmocka_unit_test(test_traps),    cmocka_unit_test(test_cancel_suspended),
        cmocka_unit_test(test_reset),    cmocka_unit_test(test_misfits),
        cmocka_unit_test(test_not_code),
    };
    wasm_engine_delete(wasm_engine_new_with_config(engine_config_new(false)));
    signals_save();
    return cmocka_run_group_tests(tests, open_origin, NULL);
}
