/* A guest that speaks the contract of the real runtime, for tests of liberyx: the code it
 * executes is a command and a number ("sleep 20"). Compiled by zig, linked with the shadow
 * stack first, so that the poll page, stack and data lie as in the real one. */
#include <stddef.h>
#include <stdint.h>

/* clang-format off */
#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define EXPORT(name) __attribute__((export_name(name)))
#define CLOCK3 "wasi:clocks/monotonic-clock@0.3.0"
#define STREAMS "wasi:io/streams@0.2.0"

IMPORT("$root", "[async-lower]invoke")
uint32_t invoke(const char *name, size_t name_length, const char *arguments, size_t length,
                void *result);
IMPORT("$root", "list-callbacks") void list_callbacks(void *result);
IMPORT("$root", "report-trace")
void report_trace(uint32_t lineno, const char *event, size_t event_length, const char *context,
                  size_t context_length);
IMPORT("$root", "[waitable-set-new]") uint32_t set_new(void);
IMPORT("$root", "[waitable-set-wait]") uint32_t set_wait(uint32_t set, void *event);
IMPORT("$root", "[waitable-set-poll]") uint32_t set_poll(uint32_t set, void *event);
IMPORT("$root", "[waitable-set-drop]") void set_drop(uint32_t set);
IMPORT("$root", "[waitable-join]") void join(uint32_t waitable, uint32_t set);
IMPORT("$root", "[subtask-drop]") void subtask_drop(uint32_t subtask);
IMPORT("$root", "[subtask-cancel]") uint32_t subtask_cancel(uint32_t subtask);
IMPORT("[export]$root", "[task-return]execute")
void task_return(uint32_t failed, const char *text, size_t length);
IMPORT(CLOCK3, "[async-lower]wait-for") uint32_t wait_for(uint64_t duration);
IMPORT("wasi:clocks/monotonic-clock@0.2.0", "now") uint64_t monotonic_now(void);
IMPORT("wasi:clocks/wall-clock@0.2.0", "now") void wall_now(void *out);
IMPORT("wasi:random/random@0.2.0", "get-random-u64") uint64_t get_random(void);
IMPORT("wasi:cli/exit@0.2.0", "exit") void cli_exit(uint32_t failed);
IMPORT("wasi:cli/stdin@0.2.0", "get-stdin") uint32_t get_stdin(void);
IMPORT("wasi:cli/stdout@0.2.0", "get-stdout") uint32_t get_stdout(void);
IMPORT("wasi:cli/stderr@0.2.0", "get-stderr") uint32_t get_stderr(void);
IMPORT(STREAMS, "[method]output-stream.blocking-write-and-flush")
void stream_write(uint32_t stream, const char *data, size_t length, void *result);
IMPORT(STREAMS, "[method]input-stream.blocking-read")
void stream_read(uint32_t stream, uint64_t length, void *result);

struct arena {
    void *pointer;
    uint32_t capacity;
};
struct text {
    const char *data;
    size_t length;
};
struct pair {
    struct text name, value;
};
struct exception_info {
    uint32_t some;
    struct text kind, message, traceback;
    uint32_t exits;
    int32_t exit_code;
};

static char arena_bytes[4096];
struct arena eryx_arena = {arena_bytes, sizeof arena_bytes};
int32_t eryx_exit_code;
#define CONSTANT __attribute__((section("constant"))) _Alignas(65536) const volatile char
CONSTANT eryx_constant_start[65536] = "constant";
CONSTANT eryx_constant_end[65536] = "after"; /* the linker keeps their order */

static char heap[1 << 20];
static size_t heap_used;
static struct exception_info last;
static uint32_t result_area[4];
static uint32_t session; /* what "set" stores */
static uint32_t waiting_set, waiting_subtask;
static uint32_t tracing, keeps_last;
static char filename[64], first_argument[64], first_variable[64];

static void safepoint(void) {
    volatile int *page = 0;
    __asm__ volatile("" : "+r"(page));
    (void)*page;
}

EXPORT("cabi_realloc") void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size) {
    (void)old, (void)old_size;
    heap_used = (heap_used + align - 1) / align * align;
    if (size > sizeof heap - heap_used)
        return 0;
    void *result = heap + heap_used;
    heap_used += size;
    return result;
}

static void copy_text(char out[64], struct text from) {
    size_t length = from.length < 63 ? from.length : 63;
    for (size_t i = 0; i < length; i++)
        out[i] = from.data[i];
    out[length] = 0;
}

EXPORT("eryx:sandbox/control@0.1.0#configure")
void configure(struct text *argv, size_t argc, struct pair *variables, size_t count,
               const char *name, size_t name_length, uint32_t capture, uint32_t script,
               uint32_t keep_last, uint32_t trace, uint32_t locals, uint32_t display) {
    (void)capture, (void)script, (void)locals, (void)display;
    tracing = trace;
    keeps_last = keep_last;
    copy_text(filename, (struct text){name, name_length});
    copy_text(first_argument, argc > 0 ? argv[0] : (struct text){0, 0});
    copy_text(first_variable, count > 0 ? variables[0].value : (struct text){0, 0});
    heap_used = 0;
}

static uint64_t limits_sum;
EXPORT("eryx:sandbox/control@0.1.0#limit")
void limit(uint64_t file_system_bytes, uint32_t files, uint32_t open_files, uint32_t recursion) {
    limits_sum = file_system_bytes + files + open_files + recursion;
}

EXPORT("eryx:sandbox/control@0.1.0#last-exception") struct exception_info *last_exception(void) {
    return &last;
}

static size_t length_of(const char *text) {
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}

static struct text text_of(const char *text) {
    return (struct text){text, length_of(text)};
}

static void print(const char *text) {
    stream_write(get_stdout(), text, length_of(text), result_area);
}

static void print_number(uint64_t number) {
    char digits[24], *next = digits + sizeof digits;
    *--next = 0;
    do {
        *--next = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    print(next);
}

static uint32_t finish(void) {
    last.some = 0;
    task_return(0, "", 0);
    heap_used = 0;
    return 0;
}

static uint32_t raise(const char *kind, const char *message) {
    last = (struct exception_info){.some = 1,
                                   .kind = text_of(kind),
                                   .message = text_of(message),
                                   .traceback = text_of("Traceback:\nhere\n")};
    task_return(1, "", 0);
    heap_used = 0;
    return 0;
}

static uint32_t start_timer(uint32_t milliseconds) {
    uint32_t status = wait_for((uint64_t)milliseconds * 1000000);
    waiting_set = set_new();
    waiting_subtask = status >> 4;
    join(waiting_subtask, waiting_set);
    return status;
}

static void end_timer(void) {
    subtask_drop(waiting_subtask);
    set_drop(waiting_set);
    waiting_set = waiting_subtask = 0;
}

static uint32_t yields, later;

__attribute__((noinline)) static uint32_t recurse(uint32_t depth) {
    safepoint();
    if (depth == 0)
        return 0;
    volatile uint32_t result = recurse(depth - 1);
    return result + 1;
}

static uint32_t recurse_forever(uint32_t (*self)(uint32_t), uint32_t depth) {
    return depth == 0xffffffff ? 0 : self(depth + 1) + 1;
}

/* No shadow stack: exhausts the wasm stack. */
__attribute__((noinline)) static uint32_t deep(uint32_t depth) {
    static uint32_t (*volatile next)(uint32_t);
    next = deep;
    return recurse_forever(next, depth);
}

static void touch(uint32_t pages) {
    static char area[4 << 20];
    for (uint32_t i = 0; i < pages && i < sizeof area / 4096; i++) {
        safepoint();
        ((volatile char *)area)[i * 4096] += 1;
    }
}

/* Uses the processor: so many million turns. */
static void spin(uint32_t millions) {
    volatile uint32_t sink = 0;
    for (uint32_t i = 0; i < millions * 1000000; i++) {
        safepoint();
        sink = i;
    }
    (void)sink;
}

static uint32_t grow(uint32_t pages) {
    size_t before = __builtin_wasm_memory_grow(0, pages);
    if (before == (size_t)-1)
        return raise("MemoryError", "grow");
    for (uint32_t i = 0; i < pages; i++) {
        safepoint();
        ((volatile char *)((before + i) * 65536))[0] = 1;
    }
    print_number(__builtin_wasm_memory_size(0));
    return finish();
}

static void read_all(void) {
    for (;;) {
        safepoint();
        stream_read(get_stdin(), 65536, result_area);
        if (*(char *)result_area)
            return;
        stream_write(get_stdout(), (const char *)result_area[1], result_area[2], arena_bytes);
    }
}

static void hostile(uint32_t which) {
    char *far = (char *)(__builtin_wasm_memory_size(0) * 65536 - 4);
    switch (which) {
    case 0: stream_write(get_stdout(), far, 5, result_area); break;
    case 1: stream_write(get_stdout(), (char *)0xfffffff0, 0x20, result_area); break;
    case 2: stream_write(get_stdout(), (char *)16, 4, result_area); break;
    case 3: stream_write(99, "x", 1, result_area); break;
    case 4: wall_now(far); break;
    case 5: wall_now((void *)eryx_constant_start); break;
    case 6: wall_now((void *)8); break;
    case 7: set_poll(1234, result_area); break;
    case 8: set_wait(set_new(), result_area); break;
    case 9: join(77, 0); break;
    case 10: subtask_drop(wait_for(1000000000) >> 4); break;
    case 11: subtask_cancel(5); break;
    case 12: set_drop(0xffffffff); break;
    case 13:
        eryx_arena.pointer = (void *)0xfffff000;
        stream_read(get_stdin(), 10, result_area);
        break;
    case 14: task_return(0, far, 100); break;
    case 15: task_return(0, "", 0); task_return(0, "", 0); break;
    case 16: for (;;) wait_for(1000000000000); break;
    case 17: stream_read(get_stdout(), 10, result_area); break;
    case 18:
        last = (struct exception_info){.some = 1, .kind = {far, 100}};
        task_return(1, "", 0);
        break;
    case 19: invoke("a", 1, "b", 1, far); break;
    case 20: {
        uint32_t set = set_new();
        join(wait_for(1000000000) >> 4, set);
        set_drop(set);
    } break;
    default: print("unknown"); break;
    }
}

static void fill(uint32_t to, uint32_t length) {
    __asm__ volatile("local.get %0\ni32.const 0\nlocal.get %1\nmemory.fill 0" ::"r"(to),
                     "r"(length));
}

static void copy(uint32_t to, uint32_t from, uint32_t length) {
    __asm__ volatile("local.get %0\nlocal.get %1\nlocal.get %2\nmemory.copy 0, 0" ::"r"(to),
                     "r"(from), "r"(length));
}

/* What the engine does in host code: up to 9 each must trap. */
static void bulk(uint32_t which) {
    uint32_t start = (uint32_t)eryx_constant_start, end = (uint32_t)eryx_constant_end;
    uint32_t own = (uint32_t)heap;
    switch (which) {
    case 0: fill(0, 1); break;
    case 1: fill(65535, 2); break;
    case 2: copy(own, 0, 1); break;
    case 3: copy(own, 65535, 1); break;
    case 4: copy(0, own, 1); break;
    case 5: fill(start, 1); break;
    case 6: fill(start - 1, 2); break;
    case 7: copy(end - 1, own, 1); break;
    case 8: fill(start, 0xffffffff); break;
    case 9: fill(own, 0xfffffff0); break;
    case 10: fill(0, 0); copy(0, 0, 0); fill(start, 0); copy(start, own, 0); break;
    case 11:
        fill(end, 1);
        copy(end, own, 1);
        copy(own, start, end - start);
        fill(own + 1, 7);
        print(heap);
        break;
    default: print("unknown"); break;
    }
}

static int matches(const char *code, size_t length, const char *word, uint32_t *number) {
    size_t i = 0;
    for (; word[i]; i++)
        if (i >= length || code[i] != word[i])
            return 0;
    *number = 0;
    for (; i < length; i++)
        if (code[i] >= '0' && code[i] <= '9')
            *number = *number * 10 + (uint32_t)(code[i] - '0');
    return 1;
}

#include "guest_calls.h"

EXPORT("[async-lift]execute") uint32_t execute(const char *code, size_t length) {
    uint32_t number;
    if (matches(code, length, "loop", &number)) {
        for (;;)
            safepoint();
    } else if (matches(code, length, "fail", &number)) {
        return raise("ValueError", "it failed");
    } else if (matches(code, length, "sysexit", &number)) {
        last = (struct exception_info){.some = 1, .kind = text_of("SystemExit"), .exits = 1,
                                       .exit_code = (int32_t)number};
        task_return(1, "", 0);
        return 0;
    } else if (matches(code, length, "exit", &number)) {
        eryx_exit_code = (int32_t)number;
        cli_exit(0);
    } else if (matches(code, length, "abort", &number)) {
        __builtin_trap();
    } else if (matches(code, length, "null", &number)) {
        volatile int *nowhere = 0;
        __asm__ volatile("" : "+r"(nowhere));
        *nowhere = 1;
    } else if (matches(code, length, "constant", &number)) {
        ((volatile char *)eryx_constant_start)[3] = 'x';
    } else if (matches(code, length, "far", &number)) {
        *(volatile int *)0xfffffff0 = 1;
    } else if (matches(code, length, "deep", &number)) {
        print_number(deep(0));
    } else if (matches(code, length, "recurse", &number)) {
        recurse(number);
    } else if (matches(code, length, "touch", &number)) {
        touch(number);
    } else if (matches(code, length, "spin", &number)) {
        spin(number);
    } else if (matches(code, length, "later", &number)) { /* waits 1 ms, then spins */
        start_timer(1);
        later = number;
        return waiting_set << 4 | 2;
    } else if (matches(code, length, "grow", &number)) {
        return grow(number);
    } else if (matches(code, length, "size", &number)) {
        print_number(__builtin_wasm_memory_size(0));
    } else if (matches(code, length, "set", &number)) {
        session = number;
    } else if (matches(code, length, "get", &number)) {
        print_number(session);
    } else if (matches(code, length, "sleep", &number)) {
        start_timer(number);
        return waiting_set << 4 | 2;
    } else if (matches(code, length, "block", &number)) {
        start_timer(number);
        uint32_t event = set_wait(waiting_set, result_area);
        end_timer();
        print_number(event * 100 + result_area[1]);
    } else if (matches(code, length, "cancel", &number)) {
        start_timer(100000);
        print_number(subtask_cancel(waiting_subtask));
        end_timer();
    } else if (matches(code, length, "poll", &number)) {
        start_timer(number);
        while (set_poll(waiting_set, result_area) == 0)
            safepoint();
        end_timer();
    } else if (matches(code, length, "yield", &number)) {
        yields = number;
        return 1;
    } else if (matches(code, length, "print", &number)) {
        stream_write(get_stdout(), code, length, result_area);
    } else if (matches(code, length, "error", &number)) {
        stream_write(get_stderr(), code, length, result_area);
    } else if (matches(code, length, "flood", &number)) {
        for (uint32_t i = 0; i < number; i++) {
            safepoint();
            stream_write(get_stdout(), arena_bytes, 1024, result_area);
        }
    } else if (matches(code, length, "read", &number)) {
        read_all();
    } else if (matches(code, length, "names", &number)) {
        print(filename);
        print("|");
        print(first_argument);
        print("|");
        print(first_variable);
    } else if (matches(code, length, "limits", &number)) {
        print_number(limits_sum);
    } else if (matches(code, length, "clock", &number)) {
        uint64_t before = monotonic_now();
        wall_now(result_area);
        print(monotonic_now() >= before && result_area[0] > 1600000000 ? "ok" : "bad");
    } else if (matches(code, length, "random", &number)) {
        print_number(get_random());
    } else if (matches(code, length, "invoke", &number)) {
        invoke("a", 1, "{}", 2, result_area);
        stream_write(get_stdout(), (const char *)result_area[1], result_area[2], arena_bytes);
    } else if (calls_command(code, length, &number)) {
        if (number != 0)
            return number;
    } else if (matches(code, length, "unfinished", &number)) {
        return 0;
    } else if (matches(code, length, "forever", &number)) {
        return set_new() << 4 | 2;
    } else if (matches(code, length, "answer", &number)) {
        return number;
    } else if (matches(code, length, "bulk", &number)) {
        bulk(number);
    } else if (matches(code, length, "hostile", &number)) {
        hostile(number);
        return 0;
    }
    return finish();
}

EXPORT("[callback][async-lift]execute")
uint32_t callback(uint32_t event, uint32_t first, uint32_t second) {
    if (event == 6) {
        print("cancelled");
        calls_left = calls_set = 0;
        return finish();
    }
    if (calls_left > 0)
        return calls_event(event, first);
    if (event == 0) {
        if (yields-- > 1)
            return 1;
        print("yielded");
        return finish();
    }
    if (later == 0)
        print_number(event * 100 + second);
    if (first == waiting_subtask)
        end_timer();
    spin(later);
    later = 0;
    return finish();
}
