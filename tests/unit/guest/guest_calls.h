/* The part of the test guest that calls callbacks and keeps a state. Included by guest.c. */

enum { CALLS_MAX = 20000, BIG_BYTES = 2 << 20 };

struct call_result {
    uint32_t failed;
    struct text text;
};

static struct call_result results[CALLS_MAX];
static uint32_t subtasks[CALLS_MAX];
static uint32_t calls_left, calls_sum, calls_set;
static char big[BIG_BYTES];

/* Makes the arena as large as it can be made. */
static int enlarge(uint32_t bytes) {
    if (bytes > sizeof big)
        return 0;
    eryx_arena.pointer = big;
    eryx_arena.capacity = sizeof big;
    return 1;
}

static void print_result(const struct call_result *result) {
    static uint32_t status[3];
    print(result->failed & 255 ? "error:" : "ok:");
    if (result->text.length > 400)
        print_number(result->text.length);
    else
        stream_write(get_stdout(), result->text.data, result->text.length, status);
}

/* Starts a call number `index`; 1 if it returned at once. */
static int start(const char *name, const char *arguments, size_t length, uint32_t index) {
    uint32_t status = invoke(name, length_of(name), arguments, length, &results[index]);
    subtasks[index] = status >> 4;
    if ((status & 15) == 2)
        return 1;
    if (calls_set == 0)
        calls_set = set_new();
    join(subtasks[index], calls_set);
    return 0;
}

static uint32_t end_calls(void) {
    set_drop(calls_set);
    calls_set = 0;
    if (calls_sum > 1) {
        print_number(calls_sum);
        print(" calls");
    }
    return finish();
}

/* A call is over; what is left to do. */
static void call_over(uint32_t subtask) {
    for (uint32_t i = 0; i < CALLS_MAX; i++) {
        if (subtasks[i] != subtask)
            continue;
        subtasks[i] = 0;
        calls_left--;
        if (calls_sum == 1)
            print_result(&results[i]);
        break;
    }
    subtask_drop(subtask);
}

static uint32_t calls_event(uint32_t event, uint32_t first) {
    static uint32_t got[2];
    if (event == 1)
        call_over(first);
    while (calls_left > 0) {
        event = set_poll(calls_set, got);
        if (event == 1)
            call_over(got[0]);
        else if (got[1] == 0 || !enlarge(got[1]))
            break;
    }
    return calls_left > 0 ? calls_set << 4 | 2 : end_calls();
}

static uint32_t gather(const char *name, const char *arguments, size_t length, uint32_t count) {
    calls_sum = count;
    calls_left = 0;
    for (uint32_t i = 0; i < count; i++) {
        safepoint();
        if (!start(name, arguments, length, i))
            calls_left++;
        else if (count == 1)
            print_result(&results[i]);
    }
    if (calls_left > 0)
        return calls_set << 4 | 2;
    if (count > 1)
        print("at once");
    return 0;
}

static void block(const char *arguments, size_t length) {
    static uint32_t got[2];
    if (!start("echo", arguments, length, 0)) {
        while (set_wait(calls_set, got) != 1)
            if (!enlarge(got[1]))
                print("NONE");
        subtask_drop(got[0]);
        set_drop(calls_set);
        calls_set = 0;
    }
    print_result(&results[0]);
}

static void cancel_call(uint32_t twice) {
    if (start("echo", "1", 1, 0))
        print("at once");
    join(subtasks[0], 0);
    print_number(subtask_cancel(subtasks[0]));
    if (twice == 1)
        subtask_cancel(subtasks[0]);
    if (twice == 2) /* the result of a cancelled call is not written */
        print_number(results[0].text.length);
    subtask_drop(subtasks[0]);
    if (twice == 3)
        subtask_drop(subtasks[0]);
}

static void print_list(void) {
    static uint32_t list[2];
    list_callbacks(list);
    if (list[0] == 0 && list[1] > 0 && enlarge(list[1]))
        list_callbacks(list);
    const struct text *texts = (const struct text *)list[0];
    for (uint32_t i = 0; i < 3 * list[1]; i++) {
        stream_write(get_stdout(), texts[i].data, texts[i].length, result_area);
        print("|");
    }
}

static void misuse(uint32_t which) {
    switch (which) {
    case 0:
        invoke("echo", 4, "1", 1, (void *)16);
        break;
    case 1:
        invoke("echo", 4, (void *)0xfffffff0, 100, result_area);
        break;
    case 2:
        invoke("\xff", 1, "1", 1, result_area);
        break;
    case 3:
        start("echo", "1", 1, 0);
        subtask_drop(subtasks[0]);
        break;
    case 4:
        start("echo", "1", 1, 0);
        set_drop(calls_set);
        break;
    case 5:
        cancel_call(1);
        break;
    case 6:
        cancel_call(3);
        break;
    case 7:
        list_callbacks((void *)8);
        break;
    case 8:
        report_trace(1, (void *)0xfffffff0, 100, "", 0);
        break;
    case 9:
        report_trace(1, "\xc0\x80", 2, "", 0);
        break;
    case 12:
        report_trace(1, "{\"type\": \"line\"}, {}", 20, "{}", 2);
        break;
    case 13:
        report_trace(1, "{}", 2, "", 0);
        break;
    case 10:
        eryx_arena.pointer = (void *)eryx_constant_start;
        start("echo", "1", 1, 0);
        break;
    case 11:
        start("echo", "1", 1, 0);
        join(subtasks[0], 12345);
        break;
    default:
        print("unknown");
        break;
    }
}

/* 0: no such command. *answer: what execute returns, 0 for a normal end. */
static int calls_command(const char *code, size_t length, uint32_t *answer) {
    uint32_t number;
    *answer = 0;
    eryx_arena.pointer = arena_bytes;
    eryx_arena.capacity = sizeof arena_bytes;
    if (matches(code, length, "call", &number))
        *answer = gather("echo", code, length, 1);
    else if (matches(code, length, "unknown", &number))
        *answer = gather("nobody", code, length, 1);
    else if (matches(code, length, "gather", &number))
        *answer = gather("echo", "1", 1, number);
    else if (matches(code, length, "argument", &number))
        *answer = gather("echo", big, number, 1);
    else if (matches(code, length, "pause", &number)) /* blocks in a call */
        block(code, length);
    else if (matches(code, length, "withdraw", &number))
        cancel_call(number);
    else if (matches(code, length, "leave", &number))
        start("echo", "1", 1, 0);
    else if (matches(code, length, "list", &number))
        print_list();
    else if (matches(code, length, "misuse", &number))
        misuse(number);
    else if (matches(code, length, "trace", &number) && tracing)
        report_trace(number, "{\"type\": \"line\"}", 16, "{}", 2);
    else
        return 0;
    return 1;
}

/* --- State -------------------------------------------------------------------------------- */

struct answer {
    uint32_t failed;
    struct text text;
};
static struct answer answer;

EXPORT("eryx:sandbox/control@0.1.0#result-json")
struct answer *result_json(uint32_t named, const char *name, size_t length) {
    uint32_t number;
    answer = (struct answer){0, text_of(keeps_last ? "42" : "43")};
    if (named && matches(name, length, "none", &number))
        answer = (struct answer){1, text_of("there is no such variable")};
    else if (named && matches(name, length, "big", &number))
        answer.text = (struct text){big, number};
    else if (named && matches(name, length, "far", &number))
        answer.text = (struct text){(char *)0xfffffff0, 100};
    else if (named && matches(name, length, "loop", &number))
        for (;;)
            safepoint();
    else if (named)
        answer.text = (struct text){name, length};
    return &answer;
}

EXPORT("eryx:sandbox/control@0.1.0#snapshot") struct answer *snapshot(uint32_t skip) {
    answer = (struct answer){0, {(char *)&session, 4}};
    if (session == 13 && !skip)
        answer = (struct answer){1, text_of("cannot save 13")};
    if (session == 14)
        for (;;)
            safepoint();
    if (session == 15)
        answer.text = (struct text){(char *)0xfffffff0, 100};
    if (session == 16)
        __builtin_trap();
    return &answer;
}

EXPORT("restore-state") struct answer *restore(const char *data, size_t length) {
    answer = (struct answer){length != 4, text_of("not a snapshot")};
    if (length == 4)
        session = *(const uint32_t *)data;
    return &answer;
}

EXPORT("eryx:sandbox/control@0.1.0#wake") void wake(void) {
}

EXPORT("eryx:sandbox/control@0.1.0#settle") void settle(void) {
}

EXPORT("clear-state") void clear_state(void) {
    session = 0;
}
