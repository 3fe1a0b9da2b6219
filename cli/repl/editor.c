/* Lines from a terminal by libedit. Ctrl-C and the terminal's new size arrive through a signalfd
 * that is polled beside stdin, so no signal handler runs and none is lost between two reads.
 * Without a terminal lines are read as they are, so that a file can be piped in. */
#define _GNU_SOURCE
#include "editor.h"

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#include <histedit.h>
#include <jansson.h>

#include "../message.h"

enum { HISTORY_ENTRIES = 2000, READ_BYTES = 4096 };

struct editor {
    struct editor_options options;
    bool terminal;
    EditLine *line;
    History *history;
    const char *prompt;
    enum editor_event ended; /* why a read was given up */
    char bytes[READ_BYTES];  /* read, not yet used */
    size_t begin, end;
    mbstate_t shift;
    char *plain; /* the last line without a terminal */
    size_t plain_capacity;
};

/* --- Input -------------------------------------------------------------------------------- */

/* Takes what the signalfd has; false if reading is to end. */
static bool take_signal(struct editor *editor)
{
    struct signalfd_siginfo info;
    if (read(editor->options.signal_fd, &info, sizeof info) != sizeof info)
        return true;
    if (info.ssi_signo == SIGWINCH) {
        if (editor->line)
            el_resize(editor->line);
        return true;
    }
    editor->ended = info.ssi_signo == SIGINT ? EDITOR_INTERRUPTED : EDITOR_END;
    if (editor->ended == EDITOR_END)
        *editor->options.ended_by = (int)info.ssi_signo;
    return false;
}

/* Waits for bytes; false at the end of input, on an error and after Ctrl-C. */
static bool fill(struct editor *editor)
{
    struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                           {.fd = editor->options.signal_fd, .events = POLLIN}};
    for (;;) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return false;
        if ((fds[1].revents & POLLIN) && !take_signal(editor))
            return false;
        if (!(fds[0].revents & (POLLIN | POLLHUP | POLLERR)))
            continue;
        ssize_t got = read(STDIN_FILENO, editor->bytes, sizeof editor->bytes);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        editor->begin = 0;
        editor->end = got > 0 ? (size_t)got : 0;
        return got > 0;
    }
}

/* For libedit: 1, or 0 at the end, or -1. Bytes that are no character become U+FFFD. */
static int read_character(EditLine *line, wchar_t *out)
{
    struct editor *editor;
    el_get(line, EL_CLIENTDATA, &editor);
    for (;;) {
        if (editor->begin == editor->end && !fill(editor))
            return editor->ended == EDITOR_INTERRUPTED ? -1 : 0;
        char byte = editor->bytes[editor->begin++];
        size_t used = mbrtowc(out, &byte, 1, &editor->shift);
        if (used == (size_t)-2)
            continue;
        if (used == (size_t)-1) {
            editor->shift = (mbstate_t){0};
            *out = 0xFFFD;
        }
        return 1;
    }
}

/* --- Completion --------------------------------------------------------------------------- */

static size_t common_prefix(const struct completion *found)
{
    const char *first = found->matches[0], *last = found->matches[found->count - 1];
    size_t length = 0;
    while (first[length] && first[length] == last[length])
        length++;
    while (length > 0 && ((unsigned char)first[length] & 0xC0) == 0x80)
        length--; /* not in the middle of a character */
    return length;
}

static unsigned terminal_width(void)
{
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* Matches in columns, below the line that is edited; shown without what they have in common up to
 * the last dot. */
static void list(const struct completion *found)
{
    size_t skip = 0, widest = 0, common = common_prefix(found);
    for (size_t i = 0; i < common; i++) {
        if (found->matches[0][i] == '.' || found->matches[0][i] == '/')
            skip = i + 1;
    }
    for (size_t i = 0; i < found->count; i++) {
        size_t width = strlen(found->matches[i]) - skip;
        widest = width > widest ? width : widest;
    }
    size_t columns = terminal_width() / (widest + 2);
    columns = columns > 0 ? columns : 1;
    size_t rows = (found->count + columns - 1) / columns;
    fputc('\n', stdout);
    for (size_t row = 0; row < rows; row++) {
        for (size_t i = row; i < found->count; i += rows) {
            bool last = i + rows >= found->count;
            printf("%-*s", last ? 0 : (int)widest + 2, found->matches[i] + skip);
        }
        fputc('\n', stdout);
    }
    fflush(stdout);
}

static unsigned char apply(EditLine *line, const struct completion *found, size_t present)
{
    if (found->count == 0)
        return CC_REFRESH_BEEP;
    size_t common = common_prefix(found);
    if (found->count > 1 && common <= present) {
        list(found);
        return CC_REDISPLAY;
    }
    char *text = strndup(found->matches[0], common);
    if (!text)
        return CC_ERROR;
    el_deletestr(line, (int)found->replace);
    int inserted = el_insertstr(line, text);
    free(text);
    return inserted == 0 ? CC_REFRESH : CC_REFRESH_BEEP;
}

static unsigned char complete(EditLine *line, int character)
{
    (void)character;
    struct editor *editor;
    el_get(line, EL_CLIENTDATA, &editor);
    const LineInfo *info = el_line(line);
    size_t length = (size_t)(info->cursor - info->buffer);
    size_t blank = 0;
    while (blank < length && (info->buffer[blank] == ' ' || info->buffer[blank] == '\t'))
        blank++;
    if (blank == length) /* indentation */
        return el_insertstr(line, "    ") == 0 ? CC_REFRESH : CC_REFRESH_BEEP;
    struct completion found = {0};
    if (!editor->options.complete(editor->options.env, info->buffer, length, &found))
        return CC_REFRESH_BEEP;
    size_t present = 0; /* bytes of the characters to be replaced */
    for (size_t characters = found.replace; characters > 0 && present < length; characters--) {
        do
            present++;
        while (present < length && ((unsigned char)info->buffer[length - present] & 0xC0) == 0x80);
    }
    unsigned char result = apply(line, &found, present);
    json_decref(found.json);
    free(found.matches);
    return result;
}

/* --- History ------------------------------------------------------------------------------ */

/* Written beside and renamed, and for no one else to read. */
static void save_history(struct editor *editor)
{
    const char *path = editor->options.history_path;
    char *temporary = NULL;
    HistEvent event;
    if (!editor->history || !path || asprintf(&temporary, "%s.%ld", path, (long)getpid()) < 0)
        return;
    mode_t mask = umask(077);
    bool good =
        history(editor->history, &event, H_SAVE, temporary) >= 0 && rename(temporary, path) == 0;
    umask(mask);
    if (!good) {
        message_error("cannot write the history to %s: %s", path, strerror(errno));
        unlink(temporary);
    }
    free(temporary);
}

void editor_remember(struct editor *editor, const char *text)
{
    HistEvent event;
    if (editor->history && *text)
        history(editor->history, &event, H_ENTER, text);
}

/* --- The editor --------------------------------------------------------------------------- */

static char *prompt_of(EditLine *line)
{
    struct editor *editor;
    el_get(line, EL_CLIENTDATA, &editor);
    return (char *)editor->prompt;
}

static bool start_terminal(struct editor *editor)
{
    HistEvent event;
    setlocale(LC_CTYPE, "");
    if (MB_CUR_MAX == 1) /* source is UTF-8 even in the C locale */
        setlocale(LC_CTYPE, "C.UTF-8");
    editor->line = el_init("eryx", stdin, stdout, stderr);
    editor->history = history_init();
    if (!editor->line || !editor->history)
        return false;
    el_set(editor->line, EL_CLIENTDATA, editor);
    el_set(editor->line, EL_PROMPT, prompt_of);
    el_set(editor->line, EL_EDITOR, "emacs");
    el_set(editor->line, EL_SIGNAL, 0);
    el_set(editor->line, EL_GETCFN, read_character);
    el_set(editor->line, EL_HIST, history, editor->history);
    el_set(editor->line, EL_ADDFN, "eryx-complete", "Complete a name", complete);
    el_set(editor->line, EL_BIND, "\t", "eryx-complete", NULL);
    el_set(editor->line, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_source(editor->line, NULL); /* ~/.editrc */
    history(editor->history, &event, H_SETSIZE, HISTORY_ENTRIES);
    history(editor->history, &event, H_SETUNIQUE, 1);
    if (editor->options.history_path)
        history(editor->history, &event, H_LOAD, editor->options.history_path);
    return true;
}

struct editor *editor_new(const struct editor_options *options)
{
    struct editor *editor = calloc(1, sizeof *editor);
    if (!editor)
        return NULL;
    editor->options = *options;
    editor->terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    if (editor->terminal && !start_terminal(editor)) {
        editor_free(editor);
        errno = ENOMEM;
        return NULL;
    }
    return editor;
}

bool editor_is_terminal(const struct editor *editor)
{
    return editor->terminal;
}

static bool plain_append(struct editor *editor, size_t at, char byte)
{
    if (at == editor->plain_capacity) {
        size_t capacity = at ? at * 2 : 256;
        char *bigger = realloc(editor->plain, capacity);
        if (!bigger)
            return false;
        editor->plain = bigger;
        editor->plain_capacity = capacity;
    }
    editor->plain[at] = byte;
    return true;
}

static enum editor_event read_plain(struct editor *editor, const char **line, size_t *length)
{
    size_t used = 0;
    for (;;) {
        if (editor->begin == editor->end && !fill(editor)) {
            if (editor->ended != EDITOR_LINE || used == 0)
                return editor->ended == EDITOR_INTERRUPTED ? EDITOR_INTERRUPTED : EDITOR_END;
            break;
        }
        char byte = editor->bytes[editor->begin++];
        if (byte == '\n')
            break;
        if (!plain_append(editor, used++, byte))
            return EDITOR_END;
    }
    if (!plain_append(editor, used, '\0'))
        return EDITOR_END;
    *line = editor->plain;
    *length = used;
    return EDITOR_LINE;
}

enum editor_event editor_read(struct editor *editor, const char *prompt, const char **line,
                              size_t *length)
{
    editor->ended = EDITOR_LINE;
    if (!editor->terminal)
        return read_plain(editor, line, length);
    editor->prompt = prompt;
    int count = 0;
    /* Before the prompt is shown: a Ctrl-D typed between the two would be lost. */
    el_set(editor->line, EL_PREP_TERM, 1);
    const char *text = el_gets(editor->line, &count);
    if (editor->ended != EDITOR_LINE || !text || count <= 0) {
        editor->begin = editor->end; /* typed ahead of a Ctrl-C: gone with it */
        el_reset(editor->line);
        return editor->ended == EDITOR_INTERRUPTED ? EDITOR_INTERRUPTED : EDITOR_END;
    }
    *line = text;
    *length = (size_t)count - (text[count - 1] == '\n');
    return EDITOR_LINE;
}

ptrdiff_t editor_input(struct editor *editor, int stop_fd, char *buffer, size_t capacity)
{
    struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                           {.fd = stop_fd, .events = POLLIN}};
    while (editor->begin == editor->end) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return -1;
        if (fds[1].revents)
            return -1;
        ssize_t got = fds[0].revents ? read(STDIN_FILENO, editor->bytes, READ_BYTES) : -1;
        if (got == 0)
            return 0;
        editor->begin = 0;
        editor->end = got > 0 ? (size_t)got : 0;
        if (got < 0 && fds[0].revents && errno != EINTR && errno != EAGAIN)
            return -1;
    }
    const char *bytes = editor->bytes + editor->begin;
    size_t length = editor->end - editor->begin;
    const char *newline = memchr(bytes, '\n', length);
    length = newline ? (size_t)(newline - bytes) + 1 : length;
    length = length < capacity ? length : capacity;
    memcpy(buffer, bytes, length);
    editor->begin += length;
    return (ptrdiff_t)length;
}

void editor_free(struct editor *editor)
{
    if (!editor)
        return;
    save_history(editor);
    if (editor->line)
        el_end(editor->line);
    if (editor->history)
        history_end(editor->history);
    free(editor->plain);
    free(editor);
}
