/* The bindings generator: parsing, layouts, flattening, errors.
 *
 * Expected layouts and signatures are worked out by hand from CanonicalABI.md. The headers made of
 * tests/unit/wit/tricky.wit are compiled for wasm32, where their static assertions count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "file.h"
#include "wit/core.h"

static const char *source_folder;

static struct wit_package *read_file(struct wit *wit, const char *name) {
    struct file_bytes bytes;
    char path[512];
    snprintf(path, sizeof path, "%s/%s", source_folder, name);
    assert_true(file_read(path, &bytes));
    struct wit_package *package = wit_read(wit, name, (const char *)bytes.data, bytes.size);
    file_bytes_free(&bytes);
    assert_string_equal(wit->error, "");
    return package;
}

static void build_tricky(struct wit *wit, struct core_world *world) {
    struct wit_package *package = read_file(wit, "tricky.wit");
    read_file(wit, "other.wit");
    struct wit_scope *scope = wit_find_world(wit, package, "everything");
    bool done = wit_resolve(wit) && core_world_build(wit, scope, world);
    assert_string_equal(wit->error, "");
    assert_true(done);
}

static const struct wit_type *type_called(const struct core_world *world, const char *identifier) {
    for (size_t i = 0; i < world->type_count; i++)
        if (strcmp(world->types[i].identifier, identifier) == 0)
            return world->types[i].type;
    fail_msg("no type %s", identifier);
    return NULL;
}

static void test_layouts(void **state) {
    (void)state;
    static const struct {
        const char *identifier;
        uint32_t size, align, payload;
    } expected[] = {
        {"shapes_padded", 24, 8, 0},
        {"tuple3_u8_u16_u8", 6, 2, 0},
        {"shapes_nested", 32, 8, 0},
        {"shapes_wide", 24, 8, 8},
        {"shapes_level", 1, 1, 0},
        {"shapes_rights", 2, 2, 0},
        {"option_shapes_level", 2, 1, 1},
        {"shapes_keywords", 12, 4, 0},
        {"shapes_variant_of_floats", 16, 8, 8},
        {"result_f32_u64", 16, 8, 8},
        {"option_shapes_wide", 32, 8, 8},
        {"test_other_0_1_0_things_pair", 16, 8, 0},
        {"test_other_0_1_0_things_result", 12, 4, 0},
        {"shapes_levels", 8, 4, 0},
        {"result_shapes_levels_shapes_keywords", 16, 4, 4},
        {"shapes_many_args", 96, 8, 0},
        {"shapes_slow_args", 24, 8, 0},
    };
    struct wit wit = {0};
    struct core_world world;
    build_tricky(&wit, &world);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const struct wit_type *type = type_called(&world, expected[i].identifier);
        if (type->size != expected[i].size || type->align != expected[i].align)
            fail_msg("%s: size %u align %u, expected %u and %u", expected[i].identifier, type->size,
                     type->align, expected[i].size, expected[i].align);
        if (expected[i].payload)
            assert_int_equal(wit_payload_offset(type), expected[i].payload);
    }
    static const uint32_t offsets[] = {0, 8, 16, 20};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(wit_field_offset(type_called(&world, "shapes_padded"), i), offsets[i]);
    wit_free(&wit);
}

/* The whole list of core functions, worked out by hand. */
static void test_signatures(void **state) {
    (void)state;
    static const char expected[] =
        "import\ttest:other/things@0.1.0\t[constructor]widget\ti\ti\n"
        "import\ttest:other/things@0.1.0\t[method]widget.grow\tiI\ti\n"
        "import\ttest:other/things@0.1.0\t[static]widget.count\t\ti\n"
        "import\ttest:other/things@0.1.0\t[resource-drop]widget\ti\t\n"
        "import\ttest:tricky/shapes@1.2.3-rc.1+build\tjoined\tiIiIi\t\n"
        "import\ttest:tricky/shapes@1.2.3-rc.1+build\tmany\tii\t\n"
        "import\ttest:tricky/shapes@1.2.3-rc.1+build\thandles\tii\ti\n"
        "import\ttest:tricky/shapes@1.2.3-rc.1+build\t[async-lower]slow\tii\ti\n"
        "import\ttest:tricky/shapes@1.2.3-rc.1+build\t[async-lower]slow-unit\t\ti\n"
        "import\tlocal\tping\t\ti\n"
        "import\t$root\t[async-lower]callback\tiiii\ti\n"
        "import\t$root\t[waitable-set-new]\t\ti\n"
        "import\t$root\t[waitable-set-wait]\tii\ti\n"
        "import\t$root\t[waitable-set-poll]\tii\ti\n"
        "import\t$root\t[waitable-set-drop]\ti\t\n"
        "import\t$root\t[waitable-join]\tii\t\n"
        "import\t$root\t[subtask-drop]\ti\t\n"
        "import\t$root\t[subtask-cancel]\ti\ti\n"
        "import\t[export]test:tricky/shapes@1.2.3-rc.1+build\t[task-return]slow\tiiii\t\n"
        "import\t[export]test:tricky/shapes@1.2.3-rc.1+build\t[task-return]slow-unit\t\t\n"
        "import\t[export]$root\t[task-return]run\tii\t\n"
        "export\ttest:tricky/shapes@1.2.3-rc.1+build#joined\tiIiI\ti\n"
        "optional\tcabi_post_test:tricky/shapes@1.2.3-rc.1+build#joined\ti\t\n"
        "export\ttest:tricky/shapes@1.2.3-rc.1+build#many\ti\ti\n"
        "optional\tcabi_post_test:tricky/shapes@1.2.3-rc.1+build#many\ti\t\n"
        "export\ttest:tricky/shapes@1.2.3-rc.1+build#handles\tii\ti\n"
        "export\t[async-lift]test:tricky/shapes@1.2.3-rc.1+build#slow\tIiiii\ti\n"
        "export\t[callback][async-lift]test:tricky/shapes@1.2.3-rc.1+build#slow\tiii\ti\n"
        "export\t[async-lift]test:tricky/shapes@1.2.3-rc.1+build#slow-unit\t\ti\n"
        "export\t[callback][async-lift]test:tricky/shapes@1.2.3-rc.1+build#slow-unit\tiii\ti\n"
        "export\t[async-lift]run\tiii\ti\n"
        "export\t[callback][async-lift]run\tiii\ti\n"
        "export\tplain\ti\ti\n"
        "export\tcabi_realloc\tiiii\ti\n";
    struct wit wit = {0};
    struct core_world world;
    size_t size;
    build_tricky(&wit, &world);
    char *list = core_emit_list(&world, &size);
    assert_non_null(list);
    assert_string_equal(list, expected);
    free(list);
    wit_free(&wit);
}

struct bad {
    const char *text, *error;
};

static const struct bad bad_files[] = {
    {"", "bad.wit:1:1: expected 'package', found the end of the file"},
    {"package a:b@1;", "bad.wit:1:13: expected a version such as 1.2.3 after '@'"},
    {"package a:b;\ninterface i {\n  f: func(x: u32 y: u8);\n}",
     "bad.wit:3:18: expected ',' or ')', found 'y'"},
    {"package a:b;\ninterface i {\n  f: func(x: unknown);\n}",
     "bad.wit:3:14: unknown type 'unknown' in 'i'"},
    {"package a:b; interface i { record r { x: option<r> } }",
     "bad.wit:1:35: type 'r' contains itself"},
    {"package a:b; interface i { record r {} }",
     "bad.wit:1:38: expected at least one member, found '}'"},
    {"package a:b; interface i { record r { x: u8, x: u8 } }", "bad.wit:1:47: 'x' appears twice"},
    {"package a:b; interface i { type t = u8; type t = u16; }",
     "bad.wit:1:46: 't' is defined twice, first on line 1"},
    {"package a:b; interface i { use x:y/z@1.0.0.{t}; }",
     "bad.wit:1:32: unknown package 'x:y@1.0.0'; is its file in the folder of --deps?"},
    {"package a:b; interface i { use j.{t}; }", "bad.wit:1:32: package 'a:b' has no interface 'j'"},
    {"package a:b; interface i { use j.{t}; } interface j {}",
     "bad.wit:1:35: interface 'a:b/j' has no type 't'"},
    {"package a:b; interface i { f: func(x: borrow<u8>); }",
     "bad.wit:1:46: a handle must be of a resource"},
    {"package a:b; interface i { f: func(x: stream<u8>); }",
     "bad.wit:1:39: type 'stream' is not supported"},
    {"package a:b; interface i { func: func(); }",
     "bad.wit:1:28: expected a function, a type or '}', found the keyword 'func'; write %func"},
    {"package a:b; interface i { f: func(); f: func(); }",
     "bad.wit:1:39: 'f' is defined twice, first on line 1"},
    {"package a:b; interface i {",
     "bad.wit:1:27: expected a function, a type or '}', found the end "
     "of the file"},
    {"package a:b; /* no end", "bad.wit:1:14: comment without end"},
    {"package a:b; interface i { \x01 }", "bad.wit:1:28: unexpected byte 0x01"},
    {"package a:b; world w { include v; }",
     "bad.wit:1:24: expected an item of the world ('include' is not supported), found 'include'"},
    {"package a:b; world v {}", "bad.wit:1:20: package 'a:b' has no world 'w'"},
    {"package a:b; world w { import f: func(); import g: func(); import f: func(); }",
     "bad.wit:1:20: two functions of the world would both be called 'import_f' in C; rename one"},
    {"package a:b; interface i { type x = list<u8>; type y-x = u8; } interface i-y { type x = u8; }"
     "world w { import i; import i-y; }",
     "bad.wit:1:85: two types would both be called 'i_y_x_t' in C, the other is at bad.wit:1:52; "
     "rename one"},
};

static const char *error_of(struct wit *wit, const char *text) {
    struct core_world world;
    struct wit_package *package = wit_read(wit, "bad.wit", text, strlen(text));
    if (!package || !wit_resolve(wit))
        return wit->error;
    struct wit_scope *scope = wit_find_world(wit, package, "w");
    if (scope)
        core_world_build(wit, scope, &world);
    return wit->error;
}

static void test_errors(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bad_files / sizeof bad_files[0]; i++) {
        struct wit wit = {0};
        const char *error = error_of(&wit, bad_files[i].text);
        if (strcmp(error, bad_files[i].error) != 0)
            fail_msg("%s\n  gives    %s\n  expected %s", bad_files[i].text, error,
                     bad_files[i].error);
        wit_free(&wit);
    }
}

/* Nesting and reference chains must end in an error, not in an exhausted stack. */
static void test_depth(void **state) {
    (void)state;
    enum { DEEP = 100000 };
    char *text = malloc(DEEP * 64);
    struct wit wit = {0};
    size_t used = (size_t)sprintf(text, "package a:b; interface i { type t = ");
    for (int i = 0; i < DEEP; i++)
        used += (size_t)sprintf(text + used, "list<");
    assert_non_null(strstr(error_of(&wit, text), "types are nested deeper than 64"));
    wit_free(&wit);
    used = (size_t)sprintf(text, "package a:b; interface i {");
    for (int i = 0; i < 1000; i++)
        used += (size_t)sprintf(text + used, "type t%d = tuple<t%d, t%d>;\n", i, i + 1, i + 1);
    sprintf(text + used, "}");
    assert_non_null(strstr(error_of(&wit, text), "types refer to each other deeper than 256"));
    wit_free(&wit);
    used = (size_t)sprintf(text, "package a:b; interface i { type t0 = u64;");
    for (int i = 0; i < 40; i++)
        used += (size_t)sprintf(text + used, "type t%d = tuple<t%d, t%d>;\n", i + 1, i, i);
    sprintf(text + used, "}");
    assert_non_null(strstr(error_of(&wit, text), "a type of more than 1048576 bytes"));
    wit_free(&wit);
    free(text);
}

/* Every cut of a good file must give an error or parse, never crash (with sanitizers). */
static void test_truncation(void **state) {
    (void)state;
    struct file_bytes bytes;
    char path[512];
    snprintf(path, sizeof path, "%s/tricky.wit", source_folder);
    assert_true(file_read(path, &bytes));
    for (size_t i = 0; i < bytes.size; i++) {
        struct wit wit = {0};
        char *copy = malloc(i + 1);
        memcpy(copy, bytes.data, i);
        wit_read(&wit, "cut.wit", copy, i);
        free(copy);
        wit_free(&wit);
    }
    file_bytes_free(&bytes);
}

static const char *output_folder, *zig;

static void write_output(const char *name, const char *text, size_t size) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", output_folder, name);
    assert_true(file_write(path, text, size));
}

/* Whether a C file made of text, in the output folder, compiles for the guest. */
static bool compiles(const char *text) {
    char path[512], object[512];
    write_output("tricky.c", text, strlen(text));
    snprintf(path, sizeof path, "%s/tricky.c", output_folder);
    snprintf(object, sizeof object, "%s/tricky.o", output_folder);
    const char *arguments[] = {zig,     "cc",      "-target", "wasm32-wasi", "-std=c11",
                               "-Wall", "-Wextra", "-Werror", "-c",          path,
                               "-o",    object,    NULL};
    pid_t child;
    int status;
    assert_int_equal(posix_spawn(&child, zig, NULL, NULL, (char *const *)arguments, environ), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void test_headers(void **state) {
    (void)state;
    struct wit wit = {0};
    struct core_world world;
    size_t size;
    build_tricky(&wit, &world);
    char *guest = core_emit_guest(&world, &size);
    assert_non_null(guest);
    write_output("tricky_guest.h", guest, size);
    char *host = core_emit_host(&world, &size);
    assert_non_null(host);
    write_output("tricky_host.h", host, size);
    wit_free(&wit);
    free(guest);
    free(host);
    static const char good[] = "#include \"tricky_guest.h\"\n#include \"tricky_host.h\"\n"
                               "uint32_t export_run(bool is_some, const char *x, size_t len) { "
                               "return *x + len + is_some; }"
                               "_Static_assert(WIT_SHAPES_PADDED_AT_D == 20, \"offset\");"
                               "_Static_assert(WIT_SHAPES_WIDE_CASE_BOTH == 4, \"case\");"
                               "_Static_assert(SHAPES_RIGHTS_A8 == 256, \"bit\");";
    static const char wrong[] =
        "#include \"tricky_guest.h\"\n"
        "uint32_t export_run(const char *x, size_t len) { return *x + len; }";
    assert_true(compiles(good));
    assert_false(compiles(wrong));
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layouts),    cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_errors),     cmocka_unit_test(test_depth),
        cmocka_unit_test(test_truncation), cmocka_unit_test(test_headers),
    };
    if (argc != 4) {
        fprintf(stderr, "usage: %s FOLDER-OF-WIT OUTPUT-FOLDER ZIG\n", argv[0]);
        return 2;
    }
    source_folder = argv[1];
    output_folder = argv[2];
    zig = argv[3];
    step_set("test_wit");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
