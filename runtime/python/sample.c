/* Samples: where the program is, told to the host when it asks.
 *
 * The host cannot run Python at a safepoint, but CPython looks at one word of its thread state, the
 * eval breaker, wherever a function begins, a call has returned or a loop turns. So a pending
 * call (Py_AddPendingCall) lies ready, its bit in that word taken back; the host's watchdog sets `wanted` and
 * then the bit, and the interpreter itself makes the call at the next such place. Which word and bit
 * that is shows when the first pending call is added. A program that is not sampled pays nothing. */
#include <string.h>

#include "python.h"

#define HOST(name) __attribute__((import_module("eryx"), import_name(name)))

/* 1: samples are wanted. With addresses: they can be asked for there from now on. Else 0 or -1. */
HOST("sample-begin")
extern int32_t host_sample_begin(volatile uint32_t *word, uint32_t bit, volatile uint32_t *wanted);
/* Frames, the innermost first, each as struct frame_head and its two texts. */
HOST("sample") extern int32_t host_sample(const char *frames, size_t length, uint32_t cut);

/* Not in the limited API. */
extern PyFrameObject *PyFrame_GetBack(PyFrameObject *frame);

enum {
    STATE_WORDS = 32, /* of the thread state, among which the eval breaker is */
    FRAMES_MAX = 200,
    TEXT_BYTES = 240,
    SAMPLE_BYTES = 48 * 1024
};

struct frame_head {
    uint32_t line, first_line;
    uint16_t function_length, file_length;
};

static struct {
    bool active; /* in this execution */
    bool queued; /* the pending call */
    volatile uint32_t *word;
    uint32_t bit;
    volatile uint32_t wanted; /* written by the host */
    size_t length;
    char buffer[SAMPLE_BYTES];
} sampling;

/* --- Frames ------------------------------------------------------------------------------- */

/* At most TEXT_BYTES, whole characters. */
static uint16_t add_text(PyObject *code, const char *attribute)
{
    PyObject *value = PyObject_GetAttrString(code, attribute);
    Py_ssize_t length = 0;
    const char *text = value == NULL ? NULL : PyUnicode_AsUTF8AndSize(value, &length);
    python_ignore_error();
    if (text == NULL) {
        text = "?";
        length = 1;
    }
    if (length > TEXT_BYTES) {
        length = TEXT_BYTES;
        while (((unsigned char)text[length] & 0xC0) == 0x80) {
            length--;
        }
    }
    memcpy(sampling.buffer + sampling.length, text, (size_t)length);
    sampling.length += (size_t)length;
    Py_XDECREF(value);
    return (uint16_t)length;
}

static uint32_t number_of(PyObject *code, const char *attribute)
{
    PyObject *value = PyObject_GetAttrString(code, attribute);
    long number = value == NULL ? 0 : PyLong_AsLong(value);
    python_ignore_error();
    Py_XDECREF(value);
    return number > 0 ? (uint32_t)number : 0;
}

static bool add_frame(PyFrameObject *frame)
{
    struct frame_head head;
    size_t start = sampling.length;
    PyObject *code;
    int line;
    if (SAMPLE_BYTES - start < sizeof head + 2 * TEXT_BYTES) {
        return false;
    }
    code = (PyObject *)PyFrame_GetCode(frame);
    line = PyFrame_GetLineNumber(frame);
    sampling.length += sizeof head;
    head.line = line > 0 ? (uint32_t)line : 0;
    head.first_line = number_of(code, "co_firstlineno");
    head.function_length = add_text(code, "co_qualname");
    head.file_length = add_text(code, "co_filename");
    memcpy(sampling.buffer + start, &head, sizeof head);
    Py_DECREF(code);
    return true;
}

static void take_sample(void)
{
    PyFrameObject *frame = PyEval_GetFrame();
    size_t count = 0;
    sampling.length = 0;
    Py_IncRef((PyObject *)frame);
    while (frame != NULL && count < FRAMES_MAX && add_frame(frame)) {
        PyFrameObject *caller = PyFrame_GetBack(frame);
        Py_DECREF(frame);
        frame = caller;
        count++;
    }
    python_ignore_error();
    host_sample(sampling.buffer, sampling.length, frame != NULL);
    Py_XDECREF(frame);
}

/* --- The pending call --------------------------------------------------------------------- */

static int on_request(void *unused);

static bool is_one_bit(uint32_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

/* The word of the thread state that changed, by one bit that is set now. */
static bool find_word(uint32_t *state, const uint32_t *before)
{
    size_t changed = 0;
    for (size_t i = 0; i < STATE_WORDS; i++) {
        uint32_t bit = state[i] ^ before[i];
        if (bit != 0) {
            changed++;
            sampling.word = &state[i];
            sampling.bit = bit;
        }
    }
    if (changed == 1 && is_one_bit(sampling.bit) && (*sampling.word & sampling.bit) != 0) {
        return true;
    }
    sampling.word = NULL;
    return false;
}

static bool lay_ready(void)
{
    if (sampling.queued) {
        return true;
    }
    if (Py_AddPendingCall(on_request, NULL) != 0) {
        return false;
    }
    sampling.queued = true;
    if (sampling.word != NULL) {
        *sampling.word &= ~sampling.bit;
    }
    return true;
}

/* The interpreter empties its queue in up to 32 rounds: those after the first find nothing wanted. */
static int on_request(void *unused)
{
    (void)unused;
    sampling.queued = false;
    if (!sampling.active) {
        return 0;
    }
    if (sampling.wanted != 0) {
        sampling.wanted = 0;
        take_sample();
    }
    lay_ready();
    return 0;
}

void sample_begin(void)
{
    uint32_t before[STATE_WORDS];
    uint32_t *state = (uint32_t *)PyThreadState_Get();
    sampling.active = host_sample_begin(NULL, 0, NULL) == 1;
    if (!sampling.active) {
        return;
    }
    memcpy(before, state, sizeof before);
    sampling.active = lay_ready() && (sampling.word != NULL || find_word(state, before));
    if (!sampling.active) {
        return;
    }
    /* Only this thread's page faults are looked at, so what the watchdog will write is touched here. */
    sampling.wanted = 0;
    *sampling.word &= ~sampling.bit;
    sampling.active = host_sample_begin(sampling.word, sampling.bit, &sampling.wanted) == 1;
}

void sample_end(void)
{
    sampling.active = false;
}
