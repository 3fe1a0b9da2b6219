/* Open files by number: see files.h. */
#define _GNU_SOURCE
#include "mount/files.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"
#include "mount/source.h"

enum { TABLE_MINIMUM = 16 };

/* Bytes that an open file is taken to need: its place here, and what the source keeps. */
enum { FILE_COST = 512 };

/* Not 0, so that no number is. Without entropy, the time will do: nobody is kept out by this. */
static uint32_t draw_epoch(void) {
    uint32_t epoch;
    if (getrandom(&epoch, sizeof epoch, GRND_NONBLOCK) != sizeof epoch)
        epoch = (uint32_t)clock_monotonic();
    return epoch | 1;
}

void files_init(files_t *files, uint32_t max, budget_t *budget) {
    *files = (files_t){.max = max, .budget = budget};
}

static void close_file(files_t *files, open_file_t *file) {
    budget_give(files->budget, FILE_COST);
    file->source->provider.close(file->source->env, file->file);
    eryx_source_free(file->source);
    free(file->left);
    *file = (open_file_t){0};
}

void files_close_all(files_t *files) {
    for (uint32_t i = 0; files->used > 0 && i <= files->mask; i++) {
        if (files->table[i].number == 0)
            continue;
        close_file(files, &files->table[i]);
        files->used--;
    }
    files->epoch = 0;
}

void files_free(files_t *files) {
    files_close_all(files);
    free(files->table);
    *files = (files_t){0};
}

static open_file_t *free_place(open_file_t *table, uint32_t mask, uint32_t number) {
    uint32_t at = number & mask;
    while (table[at].number)
        at = (at + 1) & mask;
    return &table[at];
}

static int make_room(files_t *files) {
    if (files->table && files->used < files->mask / 2)
        return 0;
    uint32_t size = files->table ? (files->mask + 1) * 2 : TABLE_MINIMUM;
    open_file_t *table = calloc(size, sizeof *table);
    if (!table)
        return -ENOMEM;
    for (uint32_t i = 0; files->table && i <= files->mask; i++)
        if (files->table[i].number)
            *free_place(table, size - 1, (uint32_t)files->table[i].number) = files->table[i];
    free(files->table);
    files->table = table;
    files->mask = size - 1;
    return 0;
}

int files_reserve(files_t *files) {
    if (files->used >= files->max || files->next == UINT32_MAX)
        return -EMFILE;
    int error = make_room(files);
    if (!error && !budget_take(files->budget, FILE_COST))
        error = -ENOMEM;
    return error;
}

void files_unreserve(files_t *files) {
    budget_give(files->budget, FILE_COST);
}

uint64_t files_add(files_t *files, const open_file_t *file) {
    if (files->epoch == 0)
        files->epoch = draw_epoch();
    uint32_t number = ++files->next;
    open_file_t *place = free_place(files->table, files->mask, number);
    *place = *file;
    place->number = (uint64_t)files->epoch << 32 | number;
    source_retain(place->source);
    files->used++;
    return place->number;
}

open_file_t *files_find(const files_t *files, uint64_t number) {
    if (!files->table || number == 0)
        return NULL;
    uint32_t at = (uint32_t)number & files->mask;
    while (files->table[at].number && files->table[at].number != number)
        at = (at + 1) & files->mask;
    return files->table[at].number ? &files->table[at] : NULL;
}

/* What comes after in the same run is put in anew, so that no search ends too early. */
void files_close(files_t *files, open_file_t *file) {
    uint32_t at = (uint32_t)(file - files->table);
    close_file(files, file);
    files->used--;
    for (at = (at + 1) & files->mask; files->table[at].number; at = (at + 1) & files->mask) {
        open_file_t moved = files->table[at];
        files->table[at] = (open_file_t){0};
        *free_place(files->table, files->mask, (uint32_t)moved.number) = moved;
    }
}
