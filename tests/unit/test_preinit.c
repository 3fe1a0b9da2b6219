/* precompile, preinit, pack, component: from a small module to a file that liberyx can open, and
 * what the steps say about modules whose state an image cannot hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/image.h"
#include "stdlib/archive.h"
#include "steps.h"

int component_run(int argc, char **argv);
int pack_run(int argc, char **argv);
int precompile_run(int argc, char **argv);
int preinit_run(int argc, char **argv);

#define PAGE 65536u

/* Memory: poll page, one page of stack, two of constants, one of data and heap. The functions are
 * those of the contract; a test replaces parts of the text. eryx_compile_archive claims one
 * file, eryx_read_file gives "pyc!" for any path. */
static const char good_module[] =
    "(module"
    "  (import \"wasi:clocks/monotonic-clock@0.2.0\" \"now\" (func $now (result i64)))"
    "  (import \"wasi:random/random@0.2.0\" \"get-random-u64\" (func $random (result i64)))"
    "  (import \"wasi:cli/exit@0.2.0\" \"exit\" (func $exit (param i32)))"
    "  (memory (export \"memory\") 5)"
    "  (global $sp (export \"__stack_pointer\") (mut i32) (i32.const 131072))"
    "  (global (export \"eryx_constant_start\") i32 (i32.const 131072))"
    "  (global (export \"eryx_constant_end\") i32 (i32.const 262144))"
    "  (data (i32.const 262144) \"data\")"
    "  (data $passive \"x\")"
    "  (table (export \"__indirect_function_table\") 1 funcref)"
    "  (func (export \"eryx_ctors\") (i32.store (i32.const 262148) (i32.const 7)))"
    "  (func (export \"eryx_init\") (result i32)"
    "    (i64.store (i32.const 262152) (call $now))"
    "    (i64.store (i32.const 262160) (call $random))"
    "    (global.set $sp (i32.const 131056))"
    "    (i32.store (i32.const 262168) (i32.load (i32.const 131072)))"
    "    (drop (memory.grow (i32.const 1)))"
    "    (i32.const 0))"
    "  (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 270336))"
    "  (func (export \"eryx_compile_archive\") (result i32) (i32.const 1))"
    "  (func (export \"eryx_read_file\") (param i32 i32 i32) (result i32)"
    "    (i32.store (i32.const 262172) (i32.const 0x21637970))"
    "    (i32.store (local.get 1) (i32.const 262172))"
    "    (i32.store (local.get 2) (i32.const 4))"
    "    (i32.const 0)))";

static char folder[] = "/tmp/test_preinit.XXXXXX";

static const char *in_folder(const char *name) {
    static char paths[8][64];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

/* good_module without the passive segment (see passive_data), with one part replaced. */
static void write_module(const char *from, const char *to) {
    char *text = steps_replace(good_module, from, to);
    const char *passive = "  (data $passive \"x\")";
    char *left = strstr(text, passive);
    if (left)
        memset(left, ' ', strlen(passive));
    struct file_bytes wasm = steps_module(text);
    assert_true(file_write(in_folder("module.wasm"), wasm.data, wasm.size));
    file_bytes_free(&wasm);
    free(text);
}

static int precompile(const char *minimum) {
    return STEP(precompile_run, in_folder("module.wasm"), "--memory-minimum", minimum, "-o",
                in_folder("code.elf"));
}

static int preinit(void) {
    return STEP(preinit_run, in_folder("module.wasm"), "--code", in_folder("code.elf"), "--archive",
                in_folder("stdlib.arc"), "--memory", in_folder("memory.img"), "--meta",
                in_folder("image.meta"), "--archive-out", in_folder("full.arc"));
}

static int pack(void) {
    return STEP(pack_run, "--code", in_folder("code.elf"), "--memory", in_folder("memory.img"),
                "--meta", in_folder("image.meta"), "-o", in_folder("runtime.cwasm"));
}

static void to_a_runtime_file(void **state) {
    (void)state;
    write_module(NULL, NULL);
    steps_assert_ok(precompile("8M"));
    steps_assert_ok(preinit());
    steps_assert_ok(pack());
    image_t image;
    eryx_error_t error;
    if (image_open(in_folder("runtime.cwasm"), NULL, &image, &error) != ERYX_OK ||
        image_verify(&image, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    assert_string_equal(image.footer.python_version, "3.14.2");
    assert_int_equal(image.footer.memory_min_bytes, 8 << 20);
    assert_int_equal(image.footer.memory.length, 5 * PAGE);
    assert_int_equal(image.footer.constant_start, 2 * PAGE);
    assert_int_equal(image.footer.constant_end, 4 * PAGE);
    const image_global_t *stack = image_footer_global(&image.footer, "__stack_pointer");
    assert_non_null(stack);
    assert_int_equal(stack->mutable_, 1);
    assert_int_equal(stack->value, 131056);

    uint8_t data[32];
    assert_int_equal(pread(image.fd, data, sizeof data, (off_t)image.footer.memory.offset + 262144),
                     sizeof data);
    assert_memory_equal(data, "data\7\0\0\0", 8);
    uint64_t time;
    memcpy(&time, data + 8, 8);
    assert_int_equal(time, 1000);
    assert_memory_equal(data + 24, ARCHIVE_MAGIC, 4); /* the constants were there at init */
    image_close(&image);
}

static void archive_gets_pyc(void **state) {
    (void)state;
    write_module(NULL, NULL);
    steps_assert_ok(precompile("8M"));
    steps_assert_ok(preinit());
    struct file_bytes archive;
    struct archive_file file;
    assert_true(file_read(in_folder("full.arc"), &archive));
    assert_true(archive_check("full.arc", archive.data, archive.size));
    assert_true(archive_find(archive.data, "lib/python3.14/__pycache__/os.cpython-314.pyc", &file));
    assert_int_equal(file.size, 4);
    assert_memory_equal(file.data, "pyc!", 4);
    file_bytes_free(&archive);
}

static void same_input_same_image(void **state) {
    (void)state;
    struct file_bytes first, second;
    write_module(NULL, NULL);
    steps_assert_ok(precompile("8M"));
    steps_assert_ok(preinit());
    assert_true(file_read(in_folder("memory.img"), &first));
    steps_assert_ok(preinit());
    assert_true(file_read(in_folder("memory.img"), &second));
    assert_int_equal(first.size, second.size);
    assert_memory_equal(first.data, second.data, first.size);
    file_bytes_free(&first);
    file_bytes_free(&second);
}

static void state_an_image_cannot_hold(void **state) {
    (void)state;
    static const struct {
        const char *from, *to, *says;
    } cases[] = {
        {"(memory (export \"memory\") 5)", "(memory 5)", "exported as 'memory'"},
        {"(export \"__stack_pointer\") (mut", "(mut", "mutable global 0 is not exported"},
        {"(func (export \"eryx_ctors\")", "(start 3) (func (export \"eryx_ctors\")",
         "start function"},
        {"(drop (memory.grow (i32.const 1)))", "(drop (table.grow (ref.null func) (i32.const 1)))",
         "table.grow"},
        {"(drop (memory.grow (i32.const 1)))", "(table.set (i32.const 0) (ref.null func))",
         "table.set"},
        {"  (data $passive \"x\")", " (data $p \"x\")", "segment 1 is passive"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_module(cases[i].from, cases[i].to);
        steps_assert_says(precompile("8M"), cases[i].says);
    }
}

static void initialisation_that_fails(void **state) {
    (void)state;
    static const struct {
        const char *from, *to, *says;
    } cases[] = {
        {"(drop (memory.grow (i32.const 1)))", "(i32.store (i32.const 12) (i32.const 1))",
         "address 12 in the poll page"},
        {"(drop (memory.grow (i32.const 1)))", "(i32.store8 (i32.const 131073) (i32.const 1))",
         "constant range, at address 131073"},
        {"(drop (memory.grow (i32.const 1)))", "(i32.store8 (i32.const 262143) (i32.const 1))",
         "constant range, at address 262143"},
        {"(drop (memory.grow (i32.const 1)))", "(call $exit (i32.const 0))",
         "called the import wasi:cli/exit@0.2.0 exit"},
        {"(drop (memory.grow (i32.const 1)))", "(return (i32.const 5))", "eryx_init failed with 5"},
        {"(drop (memory.grow (i32.const 1)))", "unreachable", "unreachable"},
        {"(drop (memory.grow (i32.const 1)))", "(drop (memory.grow (i32.const 200)))",
         "larger --memory-minimum"},
        {"(func (export \"eryx_init\") (result i32)",
         "(func (export \"eryx_init\") (param i64) (result i32)", "'eryx_init' has not the type"},
        {"(export \"eryx_ctors\")", "", "no function 'eryx_ctors'"},
        {"(i32.const 262144) \"data\"", "(i32.const 327680) \"data\"", "outside of memory"},
        {"(func (export \"eryx_compile_archive\") (result i32) (i32.const 1))",
         "(func (export \"eryx_compile_archive\") (result i32) (i32.const 2))",
         "compiled 2 files, but 1"},
        {"(func $now (result i64))", "(func $now (result i64) (; same ;))", NULL},
        {"(global (export \"eryx_constant_end\") i32 (i32.const 262144))",
         "(global (export \"eryx_constant_end\") i32 (i32.const 262000))", "makes no sense"},
        {"(global (export \"eryx_constant_end\") i32 (i32.const 262144))",
         "(global (export \"eryx_constant_end\") i32 (i32.const 131072))",
         "larger --constant-size"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_module(cases[i].from, cases[i].to);
        steps_assert_ok(precompile("8M"));
        if (cases[i].says)
            steps_assert_says(preinit(), cases[i].says);
        else
            steps_assert_ok(preinit());
    }
}

static void files_that_do_not_belong_together(void **state) {
    (void)state;
    write_module(NULL, NULL);
    steps_assert_ok(precompile("8M"));
    steps_assert_ok(preinit());
    assert_true(file_write(in_folder("memory.img"), "other", 5));
    steps_assert_says(pack(), "memory.img is not the file");
    steps_assert_ok(preinit());
    steps_assert_ok(precompile("9M"));
    steps_assert_says(pack(), "code.elf is not the file");
    assert_true(file_write(in_folder("image.meta"), "other", 5));
    steps_assert_says(pack(), "image.meta is no --meta file");
    assert_true(file_write(in_folder("code.elf"), "other", 5));
    steps_assert_says(preinit(), "run precompile again");
    assert_int_equal(STEP(precompile_run, in_folder("module.wasm"), "--memory-minimum", "1000",
                          "-o", in_folder("code.elf")),
                     COMMAND_USAGE);
}

static const char *wit_folder, *wasm_tools, *script; /* arguments of the program */

static int component(const char *wit) {
    return STEP(component_run, in_folder("module.wasm"), "--memory", in_folder("memory.img"),
                "--meta", in_folder("image.meta"), "--wit", wit, "--wasm-tools", wasm_tools,
                "--script", script, "-o", in_folder("runtime.wasm"));
}

/* The module has none of the world's exports: there must be no component, and a reason. */
static void component_of_another_world(void **state) {
    (void)state;
    write_module(NULL, NULL);
    steps_assert_ok(precompile("8M"));
    steps_assert_ok(preinit());
    steps_assert_says(component(wit_folder), "does not implement world sandbox");
    assert_non_null(strstr(steps_message(), "execute"));
    steps_assert_says(component(folder), "cannot read the WIT");
    assert_true(file_write(in_folder("image.meta"), "other", 5));
    steps_assert_says(component(wit_folder), "not of one run");
    assert_int_equal(access(in_folder("runtime.wasm"), F_OK), -1);
}

/* An import that the world does not have. */
static void component_with_another_import(void **state) {
    (void)state;
    write_module("\"wasi:cli/exit@0.2.0\" \"exit\"", "\"wasi:cli/exit@0.2.0\" \"leave\"");
    steps_assert_ok(precompile("8M"));
    steps_assert_ok(preinit());
    steps_assert_says(component(wit_folder), "leave");
}

static int make_folder(void **state) {
    (void)state;
    struct archive_builder builder = {0};
    struct file_bytes archive;
    const char details[] = "{\"hexversion\": 51249904}"; /* 0x030e02f0 */
    if (!mkdtemp(folder) ||
        !archive_add(&builder, "lib/python3.14/os.py", (const uint8_t *)"x = 1\n", 6) ||
        !archive_add(&builder, "lib/python3.14/build-details.json", (const uint8_t *)details,
                     sizeof details - 1) ||
        !archive_encode(&builder, &archive))
        return -1;
    archive_free(&builder);
    bool done = file_write(in_folder("stdlib.arc"), archive.data, archive.size);
    file_bytes_free(&archive);
    return done ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    static const char *const names[] = {"module.wasm", "code.elf",   "stdlib.arc",   "full.arc",
                                        "memory.img",  "image.meta", "runtime.cwasm"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlink(in_folder(names[i]));
    return rmdir(folder); /* fails if a step left a temporary file */
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fputs("usage: test_preinit WIT_FOLDER WASM_TOOLS SCRIPT\n", stderr);
        return 2;
    }
    wit_folder = argv[1];
    wasm_tools = argv[2];
    script = argv[3];
    steps_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(to_a_runtime_file),
        cmocka_unit_test(archive_gets_pyc),
        cmocka_unit_test(same_input_same_image),
        cmocka_unit_test(state_an_image_cannot_hold),
        cmocka_unit_test(initialisation_that_fails),
        cmocka_unit_test(files_that_do_not_belong_together),
        cmocka_unit_test(component_of_another_world),
        cmocka_unit_test(component_with_another_import),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
