#include "screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "../streams.h"

static struct {
    struct termios before;
    sigset_t signals, mask;
    int signal_fd;
    bool begun;
} screen = {.signal_fd = -1};

/* The other screen, without a cursor. */
static const char enter[] = "\x1b[?1049h\x1b[?25l", leave[] = "\x1b[?25h\x1b[?1049l";

bool screen_begin(void)
{
    struct termios raw;
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH};
    sigemptyset(&screen.signals);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaddset(&screen.signals, numbers[i]);
    sigprocmask(SIG_BLOCK, &screen.signals, &screen.mask);
    screen.signal_fd = signalfd(-1, &screen.signals, SFD_CLOEXEC);
    if (screen.signal_fd < 0 || tcgetattr(STDIN_FILENO, &screen.before) != 0)
        return false;
    raw = screen.before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    screen.begun = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
    return screen.begun && streams_try_write(STDOUT_FILENO, enter, sizeof enter - 1) == 0;
}

void screen_end(void)
{
    if (screen.begun) {
        streams_try_write(STDOUT_FILENO, leave, sizeof leave - 1);
        tcsetattr(STDIN_FILENO, TCSANOW, &screen.before);
    }
    if (screen.signal_fd >= 0)
        close(screen.signal_fd);
    sigprocmask(SIG_SETMASK, &screen.mask, NULL);
    screen.begun = false;
    screen.signal_fd = -1;
}

void screen_size(size_t *rows, size_t *columns)
{
    struct winsize size;
    *rows = 24;
    *columns = 80;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
        return;
    *rows = size.ws_row;
    *columns = size.ws_col;
}

void screen_show(const char *text, size_t length)
{
    static const char home[] = "\x1b[H", rest[] = "\x1b[J";
    streams_try_write(STDOUT_FILENO, home, sizeof home - 1);
    streams_try_write(STDOUT_FILENO, text, length);
    streams_try_write(STDOUT_FILENO, rest, sizeof rest - 1);
}

static int read_signal(void)
{
    struct signalfd_siginfo info;
    if (read(screen.signal_fd, &info, sizeof info) != sizeof info)
        return 0;
    return info.ssi_signo == SIGWINCH ? 0 : -1;
}

int screen_key(int timeout_ms)
{
    char key;
    struct pollfd fds[] = {{screen.signal_fd, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    if (poll(fds, 2, timeout_ms) <= 0)
        return 0;
    if (fds[0].revents)
        return read_signal();
    return read(STDIN_FILENO, &key, 1) == 1 ? (unsigned char)key : -1;
}
