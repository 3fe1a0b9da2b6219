/* Arena and errors of a WIT document. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wit.h"

struct wit_block {
    struct wit_block *next;
    _Alignas(16) unsigned char data[];
};

void *wit_alloc(struct wit *wit, size_t size)
{
    struct wit_block *block = calloc(1, sizeof *block + size);
    if (!block) {
        fputs("eryx-build bindings: out of memory; close other programs and run again\n", stderr);
        exit(1);
    }
    block->next = wit->blocks;
    wit->blocks = block;
    return block->data;
}

/* Capacity is the power of two at or above count, so it need not be stored. */
void *wit_grow(struct wit *wit, void *array, size_t count, size_t element)
{
    if (count & (count - 1))
        return array;
    void *bigger = wit_alloc(wit, (count ? count * 2 : 1) * element);
    if (count)
        memcpy(bigger, array, count * element);
    return bigger;
}

char *wit_format(struct wit *wit, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    char *text = wit_alloc(wit, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    va_end(arguments);
    return text;
}

void wit_fail(struct wit *wit, const struct wit_position *position, const char *format, ...)
{
    if (wit->failed)
        return;
    wit->failed = true;
    int used = snprintf(wit->error, sizeof wit->error, "%s:%u:%u: ", position->file, position->line,
                        position->column);
    if (used < 0 || (size_t)used >= sizeof wit->error)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(wit->error + used, sizeof wit->error - (size_t)used, format, arguments);
    va_end(arguments);
}

void wit_free(struct wit *wit)
{
    while (wit->blocks) {
        struct wit_block *next = wit->blocks->next;
        free(wit->blocks);
        wit->blocks = next;
    }
    *wit = (struct wit){0};
}
