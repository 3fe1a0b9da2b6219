/* The open files of one sandbox's mounts, by numbers that are never given twice.
 *
 * A number has two halves: the lower counts on, the upper was drawn at random when the table was
 * made or emptied. So a number from an earlier state of the guest, or from another process, is
 * unknown here. */
#ifndef MOUNT_FILES_H
#define MOUNT_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include <eryx/mount.h>

#include "base/budget.h"

typedef struct open_file {
    uint64_t number;       /* 0: free */
    uint32_t mount;        /* its number */
    uint32_t flags;        /* eryx_open_flags_t */
    eryx_source_t *source; /* a reference */
    void *file;
    /* Of a directory: the entry that did not fit. */
    uint8_t *left;
    bool ended; /* the source is not asked again */
} open_file_t;

typedef struct files {
    open_file_t *table; /* open addressing, by the lower half */
    uint32_t mask, used, max;
    uint32_t next;
    uint32_t epoch;
    budget_t *budget; /* what open files take of the host's memory */
} files_t;

void files_init(files_t *files, uint32_t max, budget_t *budget);
/* Closes all; numbers given before are then unknown. */
void files_close_all(files_t *files);
void files_free(files_t *files);
/* Whether one more may be opened: 0, -EMFILE or -ENOMEM. After 0 files_add does not fail, or
 * files_unreserve is called. */
int files_reserve(files_t *files);
void files_unreserve(files_t *files);
/* Takes file over and a reference to the source. */
uint64_t files_add(files_t *files, const open_file_t *file);
/* NULL: unknown. Valid until the next files_add or files_close. */
open_file_t *files_find(const files_t *files, uint64_t number);
void files_close(files_t *files, open_file_t *file);

#endif
