/* The processes of callbacks. One thread polls the pipes of all of them: the arguments
 * go to stdin, the result comes from stdout, and the last line of stderr says what
 * went wrong. Each process leads a group of its own, which is killed when the time is
 * over, the program no longer wants the result, or the leader has ended: nothing that
 * a command starts outlives its call. */
#include "processes.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "message.h"
#include "profile/profile.h"
#include "values.h"

extern char **environ;

enum {
    RUNNING_MAX = 64, /* processes at the same time; further calls wait for their turn */
    FDS_EACH = 8,     /* of the descriptors this process may have: 4 are kept, 3 more to start */
    READ_SIZE = 1 << 16,
    READS_MAX = 16,   /* at a time: what a pipe can hold; nobody else is kept waiting */
    TAIL_SIZE = 1024, /* of stderr */
    RESULT_MAX = 64 << 20,
};

struct process {
    struct process *next;
    const struct process_command *command;
    eryx_call_t *call;
    pid_t pid; /* 0: not started */
    int pidfd, in, out, err;
    uint64_t made_ns, began_ns, deadline_ns;
    enum profile_call_end end;
    size_t sent; /* of the arguments */
    char *result;
    size_t length, capacity;
    char tail[TAIL_SIZE];
    size_t tail_length;
};

static struct {
    pthread_t thread;
    int event_fd;
    atomic_bool stopping;
    pthread_mutex_t mutex; /* guards the rest, and reaping */
    struct process *waiting, **waiting_end;
    struct process *running[RUNNING_MAX];
    size_t count, most;
    bool killed;
} pool = {.event_fd = -1, .mutex = PTHREAD_MUTEX_INITIALIZER};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static void wake(void)
{
    uint64_t one = 1;
    while (write(pool.event_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void process_free(struct process *process)
{
    close_fd(&process->pidfd);
    close_fd(&process->in);
    close_fd(&process->out);
    close_fd(&process->err);
    profile_call(eryx_call_name(process->call), process->made_ns, process->began_ns, process->end);
    eryx_call_free(process->call);
    free(process->result);
    free(process);
}

static void fail(struct process *process, const char *what, const char *reason)
{
    char text[TAIL_SIZE + 256];
    process->end = CALL_FAILED;
    snprintf(text, sizeof text, "%s '%.200s': %s", what, process->command->argv[0], reason);
    eryx_call_fail(process->call, text, NULL); /* in vain if the program cancelled the call */
}

/* A pipe whose end for this process (0: reading, 1: writing) does not block. */
static bool open_pipe(int ends[2], int own)
{
    if (pipe2(ends, O_CLOEXEC) != 0) {
        ends[0] = ends[1] = -1;
        return false;
    }
    return fcntl(ends[own], F_SETFL, O_NONBLOCK) == 0;
}

static int spawn(pid_t *pid, char **argv, const int fds[3])
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int error = posix_spawn_file_actions_init(&actions);
    if (error)
        return error;
    error = posix_spawnattr_init(&attributes);
    if (error) {
        posix_spawn_file_actions_destroy(&actions);
        return error;
    }
    for (int fd = 0; fd < 3 && !error; fd++)
        error = posix_spawn_file_actions_adddup2(&actions, fds[fd], fd);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    if (!error)
        error = posix_spawnp(pid, argv[0], &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* Returns 0 or an errno. */
static int start(struct process *process)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1}, err[2] = {-1, -1};
    int error = 0;
    if (!open_pipe(in, 1) || !open_pipe(out, 0) || !open_pipe(err, 0))
        error = errno;
    else
        error = spawn(&process->pid, process->command->argv, (int[]){in[0], out[1], err[1]});
    close_fd(&in[0]);
    close_fd(&out[1]);
    close_fd(&err[1]);
    process->in = in[1];
    process->out = out[0];
    process->err = err[0];
    if (error) {
        process->pid = 0;
        return error;
    }
    process->pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);
    if (process->pidfd < 0) {
        error = errno;
        kill(-process->pid, SIGKILL);
        waitpid(process->pid, NULL, 0);
    }
    process->began_ns = now_ns();
    process->deadline_ns = process->began_ns + process->command->timeout_ns;
    return error;
}

static void send_arguments(struct process *process)
{
    size_t length;
    const char *arguments = eryx_call_arguments(process->call, &length);
    while (process->sent < length) {
        ssize_t n = write(process->in, arguments + process->sent, length - process->sent);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0)
            break; /* it does not read its arguments, which is its own business */
        process->sent += (size_t)n;
    }
    close_fd(&process->in);
}

static bool keep_result(struct process *process, const char *data, size_t length)
{
    if (length > RESULT_MAX - process->length)
        return false;
    if (process->length + length > process->capacity) {
        size_t capacity = 2 * process->capacity + length;
        char *grown = realloc(process->result, capacity);
        if (!grown)
            return false;
        process->result = grown;
        process->capacity = capacity;
    }
    memcpy(process->result + process->length, data, length);
    process->length += length;
    return true;
}

static void keep_tail(struct process *process, const char *data, size_t length)
{
    if (length > TAIL_SIZE) {
        data += length - TAIL_SIZE;
        length = TAIL_SIZE;
    }
    size_t keep = TAIL_SIZE - length;
    if (keep > process->tail_length)
        keep = process->tail_length;
    memmove(process->tail, process->tail + process->tail_length - keep, keep);
    memcpy(process->tail + keep, data, length);
    process->tail_length = keep + length;
}

/* Reads what there is. False if it is too much. */
static bool receive(struct process *process, int *fd)
{
    char buffer[READ_SIZE];
    for (int i = 0; i < READS_MAX && *fd >= 0; i++) {
        ssize_t n = read(*fd, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return true;
        if (n <= 0) {
            close_fd(fd);
            return true;
        }
        if (fd == &process->err)
            keep_tail(process, buffer, (size_t)n);
        else if (!keep_result(process, buffer, (size_t)n))
            return false;
    }
    return true;
}

/* The last line of stderr that is not blank, or "". */
static const char *last_line(struct process *process, char line[TAIL_SIZE + 1])
{
    size_t end = process->tail_length;
    while (end > 0 && (unsigned char)process->tail[end - 1] <= ' ')
        end--;
    size_t begin = end;
    while (begin > 0 && process->tail[begin - 1] != '\n')
        begin--;
    /* A line longer than the tail begins within it, perhaps inside of a character. */
    while (begin < end && ((unsigned char)process->tail[begin] & 0xC0) == 0x80)
        begin++;
    memcpy(line, process->tail + begin, end - begin);
    line[end - begin] = 0;
    return line;
}

/* The leader has ended: the call gets its result. */
static void complete(struct process *process, int status)
{
    char line[TAIL_SIZE + 1], text[64];
    last_line(process, line);
    if (WIFSIGNALED(status)) {
        snprintf(text, sizeof text, "ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
        fail(process, "command", text);
    } else if (WEXITSTATUS(status) != 0) {
        snprintf(text, sizeof text, "exit code %d", WEXITSTATUS(status));
        if (!line[0])
            fail(process, "command", text);
        else if (eryx_call_fail(process->call, line, NULL) == ERYX_ERR_ARGUMENT)
            fail(process, "command", text);
        process->end = CALL_FAILED;
    } else if (process->length == 0) {
        fail(process, "command", "wrote no result to stdout; JSON is needed, such as null");
    } else if (eryx_call_complete(process->call, process->result, process->length, NULL) ==
               ERYX_ERR_ARGUMENT) {
        fail(process, "command", "its result on stdout is not UTF-8");
    }
}

/* Kills the group while its leader is not reaped, so that the number is still its own. */
static int end(struct process *process)
{
    int status = 0;
    kill(-process->pid, SIGKILL);
    pthread_mutex_lock(&pool.mutex);
    while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
        ;
    process->pid = 0;
    pthread_mutex_unlock(&pool.mutex);
    return status;
}

/* Gets on with a process; true when it is over. */
static bool step(struct process *process, const struct pollfd ready[4], uint64_t now)
{
    char text[64], duration[32];
    if (ready[0].revents) {
        bool fits = receive(process, &process->out) && receive(process, &process->err);
        int status = end(process);
        if (fits)
            complete(process, status);
        else
            fail(process, "command", "its result is larger than 64 MiB");
        return true;
    }
    if (eryx_call_cancelled(process->call) || atomic_load(&pool.stopping)) {
        process->end = CALL_CANCELLED;
        end(process);
        return true;
    }
    if (now >= process->deadline_ns) {
        end(process);
        snprintf(text, sizeof text, "stopped: time limit of %s reached (timeout)",
                 value_duration_text(process->command->timeout_ns, duration, sizeof duration));
        fail(process, "command", text);
        return true;
    }
    if (ready[1].revents)
        send_arguments(process);
    if (ready[3].revents)
        receive(process, &process->err);
    if (ready[2].revents && !receive(process, &process->out)) {
        end(process);
        fail(process, "command", "its result is larger than 64 MiB");
        return true;
    }
    return false;
}

/* Starts waiting calls while there is room. */
static void start_waiting(void)
{
    pthread_mutex_lock(&pool.mutex);
    while (pool.waiting && pool.count < pool.most && !pool.killed) {
        struct process *process = pool.waiting;
        pool.waiting = process->next;
        if (!pool.waiting)
            pool.waiting_end = &pool.waiting;
        bool wanted = !atomic_load(&pool.stopping) && !eryx_call_cancelled(process->call);
        int error = wanted ? start(process) : 0;
        if (wanted && !error) {
            pool.running[pool.count++] = process;
            continue;
        }
        if (!wanted)
            process->end = CALL_CANCELLED;
        if (error)
            fail(process, "cannot start", strerror(error));
        process_free(process);
    }
    pthread_mutex_unlock(&pool.mutex);
}

/* Until the first deadline, in milliseconds rounded up. */
static int next_timeout(uint64_t now)
{
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < pool.count; i++) {
        uint64_t deadline = pool.running[i]->deadline_ns;
        uint64_t left = deadline > now ? (deadline - now) / 1000000 + 1 : 0;
        least = left < least ? left : least;
    }
    return least == UINT64_MAX ? -1 : least < INT32_MAX ? (int)least : INT32_MAX;
}

static void *look_after(void *unused)
{
    (void)unused;
    struct pollfd ready[1 + 4 * RUNNING_MAX];
    while (start_waiting(), pool.count > 0 || !atomic_load(&pool.stopping)) {
        ready[0] = (struct pollfd){.fd = pool.event_fd, .events = POLLIN};
        for (size_t i = 0; i < pool.count; i++) {
            struct process *process = pool.running[i];
            struct pollfd *own = &ready[1 + 4 * i];
            own[0] = (struct pollfd){.fd = process->pidfd, .events = POLLIN};
            own[1] = (struct pollfd){.fd = process->in, .events = POLLOUT};
            own[2] = (struct pollfd){.fd = process->out, .events = POLLIN};
            own[3] = (struct pollfd){.fd = process->err, .events = POLLIN};
        }
        if (poll(ready, 1 + 4 * pool.count, next_timeout(now_ns())) < 0)
            continue; /* EINTR, or no memory for a moment */
        uint64_t count;
        if (ready[0].revents && read(pool.event_fd, &count, sizeof count) < 0 && errno != EINTR)
            break;
        uint64_t now = now_ns();
        /* Backwards: the last one, already looked at, takes the place of one that is over. */
        for (size_t i = pool.count; i-- > 0;) {
            struct process *process = pool.running[i];
            if (!step(process, &ready[1 + 4 * i], now))
                continue;
            pthread_mutex_lock(&pool.mutex);
            pool.running[i] = pool.running[--pool.count];
            pthread_mutex_unlock(&pool.mutex);
            process_free(process);
        }
    }
    return NULL;
}

/* How many processes may run; poll refuses more entries than there can be descriptors. */
static size_t running_most(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur / FDS_EACH >= RUNNING_MAX)
        return RUNNING_MAX;
    return limit.rlim_cur < FDS_EACH ? 1 : (size_t)limit.rlim_cur / FDS_EACH;
}

bool processes_start(void)
{
    pool.most = running_most();
    pool.waiting_end = &pool.waiting;
    pool.event_fd = eventfd(0, EFD_CLOEXEC);
    int error = pool.event_fd < 0 ? errno : pthread_create(&pool.thread, NULL, look_after, NULL);
    if (!error)
        return true;
    close_fd(&pool.event_fd);
    message_error("cannot start a thread for callbacks: %s", strerror(error));
    return false;
}

void processes_on_call(void *env, eryx_call_t *call)
{
    struct process *process = calloc(1, sizeof *process);
    if (!process) {
        eryx_call_fail(call, "out of memory", NULL);
        eryx_call_free(call);
        return;
    }
    process->command = env;
    process->call = call;
    process->made_ns = now_ns();
    process->pidfd = process->in = process->out = process->err = -1;
    pthread_mutex_lock(&pool.mutex);
    *pool.waiting_end = process;
    pool.waiting_end = &process->next;
    pthread_mutex_unlock(&pool.mutex);
    wake();
}

void processes_on_cancel(void *env, eryx_call_t *call)
{
    (void)env;
    (void)call; /* the thread finds out which by eryx_call_cancelled */
    wake();
}

void processes_stop(void)
{
    if (pool.event_fd < 0)
        return;
    atomic_store(&pool.stopping, true);
    wake();
    pthread_join(pool.thread, NULL);
    close_fd(&pool.event_fd);
}

void processes_kill(void)
{
    pthread_mutex_lock(&pool.mutex);
    pool.killed = true;
    for (size_t i = 0; i < pool.count; i++) {
        if (pool.running[i]->pid)
            kill(-pool.running[i]->pid, SIGKILL);
    }
    pthread_mutex_unlock(&pool.mutex);
}
