#include "checkpoint.h"

#include <poll.h>
#include <stdio.h>
#include <time.h>

#include "commands.h"
#include "interrupt.h"
#include "message.h"
#include "values.h"

struct drive {
    const struct program *program;
    eryx_sandbox_t *sandbox;
    eryx_execution_t *execution;
    eryx_queue_t *queue;
    uint64_t deadline_ns; /* monotonic; 0: none */
    bool tried;           /* to write it as soon as it waited: once */
    bool stuck;           /* its time is over, and where it waits it cannot be written */
    bool told;            /* that, once */
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static bool is_over(const struct drive *drive)
{
    return drive->deadline_ns && !drive->stuck && now_ns() >= drive->deadline_ns;
}

static bool is_asked(void)
{
    struct pollfd asked = {interrupt_checkpoint_fd(), POLLIN, 0};
    return poll(&asked, 1, 0) == 1;
}

/* Until the program can go on, somebody asks for a checkpoint, or time is over. */
static void wait_for_something(const struct drive *drive)
{
    struct pollfd fds[] = {{eryx_queue_fd(drive->queue), POLLIN, 0},
                           {interrupt_checkpoint_fd(), POLLIN, 0}};
    int timeout = -1;
    if (drive->deadline_ns && !drive->stuck) { /* the library's limit ends it */
        uint64_t now = now_ns();
        uint64_t left = now < drive->deadline_ns ? drive->deadline_ns - now : 0;
        timeout = left > UINT64_C(1000000000000) ? 1000000 : (int)((left + 999999) / 1000000);
    }
    poll(fds, 2, timeout);
}

static bool write_file(const struct drive *drive, bool quiet)
{
    eryx_error_t error;
    const char *path = drive->program->checkpoint_path;
    if (eryx_sandbox_checkpoint_file(drive->sandbox, NULL, path, &error) == ERYX_OK)
        return true;
    if (!quiet)
        message_error("no checkpoint was written: %s", error.message);
    return false;
}

/* When its time is over: at each place where it waits, until the library's limit ends it. */
static bool write_late(struct drive *drive)
{
    if (!is_over(drive))
        return false;
    if (write_file(drive, drive->told))
        return true;
    drive->stuck = drive->told = true;
    return false;
}

/* What to do with a program that waits: EXIT_OK to wait with it, else it is left with that code. */
static int consider(struct drive *drive)
{
    char text[32];
    const struct program *program = drive->program;
    if (!program->checkpoint_path)
        return EXIT_OK;
    if (program->checkpoint_waiting && !drive->tried && write_file(drive, false)) {
        message_error("the program waits; 'eryx resume %s' goes on with it",
                      program->checkpoint_path);
        return EXIT_WAITING;
    }
    if (write_late(drive)) {
        message_error("time limit of %s; 'eryx resume %s' goes on with the program",
                      value_duration_text(program->limits.wall_time_ns, text, sizeof text),
                      program->checkpoint_path);
        return EXIT_LIMIT;
    }
    if (is_asked()) {
        interrupt_checkpoint_taken();
        if (write_file(drive, false))
            message_error("checkpoint written to %s", program->checkpoint_path);
    }
    return EXIT_OK;
}

static int drive_all(struct drive *drive, eryx_outcome_t **outcome, int *written)
{
    while (eryx_execution_run(drive->execution) != ERYX_EXECUTION_DONE) {
        /* A program that has something to do, such as a result that is there, is not waiting. */
        while (eryx_execution_state(drive->execution) == ERYX_EXECUTION_WAITING) {
            *written = consider(drive);
            drive->tried = true;
            if (*written != EXIT_OK)
                return ERYX_OK;
            wait_for_something(drive);
        }
        eryx_queue_next(drive->queue);
        drive->stuck = false;
    }
    *outcome = eryx_execution_take_outcome(drive->execution);
    eryx_execution_free(drive->execution);
    return ERYX_OK;
}

int checkpoint_drive(const struct program *program, eryx_sandbox_t *sandbox,
                     eryx_execution_t *execution, eryx_outcome_t **outcome, int *written,
                     eryx_error_t *error)
{
    struct drive drive = {.program = program, .sandbox = sandbox, .execution = execution};
    uint64_t limit = program->limits.wall_time_ns;
    if (limit && program->checkpoint_path)
        drive.deadline_ns = now_ns() + limit;
    int status = eryx_queue_new(&drive.queue, error);
    if (status == ERYX_OK)
        status = eryx_queue_add(drive.queue, execution, error);
    if (status == ERYX_OK)
        status = drive_all(&drive, outcome, written);
    if (status == ERYX_OK && *written != EXIT_OK)
        eryx_execution_free(execution);
    eryx_queue_free(drive.queue);
    return status;
}
