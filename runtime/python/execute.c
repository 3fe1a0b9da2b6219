/* The export `execute`: compiles and runs code in the session's namespace.
 *
 * Code without await is done when PyEval_EvalCode returns, and nothing but C runs around
 * it. Code with await gives a coroutine: the driver of _eryx_driver runs it as far as it
 * goes, then execute returns to the host and goes on in its callback. */
#include <stdlib.h>
#include <string.h>

#include "abi/wait.h"
#include "abi/utf8.h"
#include "python.h"
#include "wasi/wasi.h"

enum { REMEMBERED_BYTES = 16 * 1024 };

static const char BYTE_ORDER_MARK[] = "\xef\xbb\xbf";

static struct {
    bool running;
    bool captures;
    char *output; /* what was captured, until the next execution */
    size_t output_length;
} execution;

static void flush(PyObject *name, PyObject *original, PyObject *method)
{
    PyObject *stream, *result;
    result = PyObject_CallNoArgs(method);
    if (result == NULL) {
        PyErr_Clear();
        python_reopen_streams();
    }
    Py_XDECREF(result);
    stream = PyDict_GetItemWithError(python.sys_dict, name);
    if (stream == NULL || stream == original || stream == Py_None) {
        return;
    }
    Py_INCREF(stream);
    result = PyObject_CallMethod(stream, "flush", NULL);
    if (result == NULL) {
        PyErr_Clear();
    }
    Py_XDECREF(result);
    Py_DECREF(stream);
}

/* The ok value of execute. */
static wit_string_t captured(void)
{
    free(execution.output);
    execution.output = wasi_stdout_capture_take(&execution.output_length);
    if (execution.output == NULL || !utf8_repair(&execution.output, &execution.output_length)) {
        return (wit_string_t){"", 0};
    }
    return (wit_string_t){execution.output, execution.output_length};
}

static uint32_t finish(void)
{
    wit_string_t text = {"", 0};
    trace_end();
    sample_end();
    flush(python.stdout_name, python.stdout_stream, python.stdout_flush);
    flush(python.stderr_name, python.stderr_stream, python.stderr_flush);
    python_ignore_error();
    abi_wait_end();
    report_release_memory();
    execution.running = false;
    if (control.last_value) {
        session_take_last();
    }
    if (execution.captures) {
        text = captured();
    }
    if (report_present()) {
        text = report_traceback();
    }
    export_execute_return(report_present(), text.ptr, text.len);
    return WIT_EXIT;
}

static uint32_t fail(void)
{
    report_raised();
    return finish();
}

/* The same, with loops that may be running. */
static uint32_t abandon(void)
{
    report_raised();
    Py_XDECREF(PyObject_CallNoArgs(python.driver_abandon));
    python_ignore_error();
    return finish();
}

/* The driver goes on; then either the execution is over or the host is to wait. */
static uint32_t go_on(void)
{
    for (;;) {
        PyObject *delay = PyObject_CallNoArgs(python.driver_step);
        long long nanoseconds;
        if (delay == NULL) {
            return abandon();
        }
        if (delay == Py_None) {
            Py_DECREF(delay);
            return finish();
        }
        nanoseconds = PyLong_AsLongLong(delay);
        Py_DECREF(delay);
        if (abi_wait_arm(nanoseconds)) {
            return WIT_WAIT | abi_wait_set() << 4;
        }
    }
}

/* Takes the coroutine over. `alone`: its only awaits are ours, so no loop runs around it. */
static uint32_t run_coroutine(PyObject *coroutine, bool alone)
{
    PyObject *start = alone ? python.driver_start : python.driver_start_session;
    PyObject *started = PyObject_CallFunctionObjArgs(start, coroutine, NULL);
    Py_DECREF(coroutine);
    if (started == NULL) {
        return abandon();
    }
    Py_DECREF(started);
    return go_on();
}

static bool is_ascii(const char *text, size_t length)
{
    uint64_t all = 0, word;
    size_t i = 0;
    for (; i + sizeof word <= length; i += sizeof word) {
        memcpy(&word, text + i, sizeof word);
        all |= word;
    }
    for (; i < length; i++) {
        all |= (unsigned char)text[i];
    }
    return (all & 0x8080808080808080u) == 0;
}

/* The compiler takes both as they come and would stop at the one, misread the other. */
static bool check_text(const char *text, size_t length)
{
    PyObject *decoded;
    if (memchr(text, 0, length) != NULL) {
        PyErr_SetString(PyExc_SyntaxError, "source code cannot contain null bytes");
        return false;
    }
    if (is_ascii(text, length)) {
        return true;
    }
    decoded = PyUnicode_DecodeUTF8(text, (Py_ssize_t)length, NULL);
    Py_XDECREF(decoded);
    return decoded != NULL;
}

static bool contains(const char *text, size_t length, const char *word)
{
    size_t word_length = strlen(word);
    const char *end = text + length;
    while ((size_t)(end - text) >= word_length) {
        text = memchr(text, word[0], (size_t)(end - text) - word_length + 1);
        if (text == NULL) {
            return false;
        }
        if (memcmp(text, word, word_length) == 0) {
            return true;
        }
        text++;
    }
    return false;
}

static PyObject *call_compile_again(PyObject *code, PyObject *source, PyObject *filename, int flags,
                                    int suspendable)
{
    return PyObject_CallFunction(python.compile_again, "OOOiiii", code, source, filename, flags,
                                 suspendable, (int)control.last_value, (int)control.display);
}

/* Code that calls asyncio.run at top level, or whose values are to be kept or displayed, is compiled
 * again. */
static PyObject *compile_again(PyObject *code, const char *text, size_t length, PyObject *filename,
                               int flags, bool *alone)
{
    PyObject *source, *pair, *better = NULL;
    int suspendable = contains(text, length, "asyncio") && contains(text, length, "run(");
    if (!suspendable && !control.last_value && control.display == 0) {
        return code;
    }
    source = PyUnicode_DecodeUTF8(text, (Py_ssize_t)length, NULL);
    pair = source == NULL ? NULL : call_compile_again(code, source, filename, flags, suspendable);
    if (pair == NULL && source != NULL) {
        /* The program may have broken the builtins that this works with. */
        PyObject *changed;
        PyErr_Clear();
        changed = python_builtins_restore();
        pair = call_compile_again(code, source, filename, flags, suspendable);
        python_builtins_change(changed);
    }
    if (pair != NULL) {
        better = PyTuple_GetItem(pair, 0);
        Py_IncRef(better);
        *alone = PyTuple_GetItem(pair, 1) == Py_True;
    }
    Py_XDECREF(source);
    Py_XDECREF(pair);
    Py_DECREF(code);
    return better;
}

/* The code of the last execution: a host that runs the same source again, as many do for every
 * event, has it compiled once. */
static struct {
    PyObject *code;
    PyObject *name; /* control.filename then; for comparison only */
    bool alone, keeps_value;
    uint32_t display;
} last;

static PyObject *same_again(const char *text, size_t length, bool *alone)
{
    if (last.code == NULL || last.name != control.filename ||
        last.keeps_value != control.last_value || last.display != control.display ||
        !source_is_last(text, length)) {
        Py_XDECREF(last.code);
        last.code = NULL;
        return NULL;
    }
    *alone = last.alone;
    Py_INCREF(last.code);
    return last.code;
}

static void remember(PyObject *code, size_t length, bool alone)
{
    if (length <= REMEMBERED_BYTES) {
        Py_INCREF(code);
        last.code = code;
        last.name = control.filename;
        last.alone = alone;
        last.keeps_value = control.last_value;
        last.display = control.display;
    }
}

/* NULL with an exception. */
static PyObject *compile_text(const char *text, size_t length, PyObject *filename, bool *alone)
{
    struct python_compiler_flags flags = {
        PYTHON_SOURCE_IS_UTF8 | PYTHON_IGNORE_COOKIE | PYTHON_TOP_LEVEL_AWAIT,
        PYTHON_MINOR_VERSION,
    };
    PyObject *code = NULL, *plain;
    if (check_text(text, length)) {
        size_t skip = length >= 3 && memcmp(text, BYTE_ORDER_MARK, 3) == 0 ? 3 : 0;
        code = Py_CompileStringObject(text + skip, filename, PYTHON_FILE_INPUT, &flags, -1);
    }
    plain = code; /* for comparison only */
    if (code != NULL) {
        code = compile_again(code, text, length, filename, PYTHON_TOP_LEVEL_AWAIT, alone);
    }
    code_offer(code, code == plain, *alone);
    return code;
}

/* NULL with an exception. Takes over `text`. */
static PyObject *compile(char *text, size_t length, bool *alone)
{
    PyObject *filename, *code = same_again(text, length, alone);
    if (code != NULL) {
        free(text);
        return code;
    }
    filename = source_begin(control.filename, text, length);
    if (filename == NULL) {
        return NULL;
    }
    code = code_find(alone);
    if (code == NULL) {
        code = compile_text(text, length, filename, alone);
    }
    if (code != NULL) {
        remember(code, length, *alone);
    }
    Py_DECREF(filename);
    return code;
}

static uint32_t run(char *text, size_t length)
{
    bool alone = false;
    PyObject *code, *result;
    if (control.script && !session_new_main()) {
        free(text);
        return fail();
    }
    code = compile(text, length, &alone);
    if (code == NULL) {
        return fail();
    }
    trace_begin();
    result = PyEval_EvalCode(code, python.globals, python.globals);
    Py_DECREF(code);
    if (result == NULL) {
        return fail();
    }
    if (result == Py_None) {
        Py_DECREF(result);
        return finish();
    }
    return run_coroutine(result, alone);
}

bool execute_running(void)
{
    return execution.running;
}

uint32_t export_execute(const char *code, size_t length)
{
    char *text = (char *)code;
    static const char busy[] = "the sandbox is executing already";
    if (execution.running) {
        if (length != 0) {
            free(text);
        }
        export_execute_return(1, busy, sizeof busy - 1);
        return WIT_EXIT;
    }
    if (length == 0) {
        text = calloc(1, 1);
        if (text == NULL) {
            abort();
        }
    }
    execution.running = true;
    sample_begin();
    report_clear();
    callbacks_ask_once();
    execution.captures = control.capture_output;
    if (execution.captures) {
        wasi_stdout_capture_begin();
    }
    abi_wait_begin();
    return run(text, length);
}

uint32_t export_execute_callback(uint32_t event, uint32_t waitable, uint32_t state)
{
    abi_wait_event(event, waitable, state);
    python_ignore_error();
    return go_on();
}
