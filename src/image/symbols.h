/* The runtime's symbols, for extensions loaded later: a table in the constant range of linear memory,
 * written by `eryx-build link --symbols`, found by the exported global eryx_symbols.
 *
 * A header, the entries sorted by the bytes of their names, the names. All numbers little-endian.
 * A function's value is its slot in the table, a datum's its address. The guest cannot write there;
 * it is checked all the same. */
#ifndef ERYX_SYMBOLS_H
#define ERYX_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SYMBOLS_MAGIC "ERYXSYM1"
#define SYMBOLS_MAX 65536u
#define SYMBOLS_NAME_MAX 4096u

typedef enum symbol_kind { SYMBOL_FUNCTION = 0, SYMBOL_DATA = 1 } symbol_kind_t;

typedef struct symbols_header {
    char magic[8];
    uint32_t count;
    uint32_t names_bytes;
    uint32_t room_start, room_end; /* slots of the table that are free */
} symbols_header_t;

typedef struct symbols_entry {
    uint32_t name; /* offset in the names */
    uint32_t name_length;
    uint32_t kind; /* symbol_kind_t */
    uint32_t value;
} symbols_entry_t;

/* A table that was checked; points into the bytes. */
typedef struct symbols {
    const symbols_entry_t *entries;
    const char *names;
    uint32_t count, names_bytes;
    uint32_t room_start, room_end;
} symbols_t;

/* False: there is no table at the beginning of the bytes. */
bool symbols_open(const void *data, size_t length, symbols_t *out);
/* False: there is none of that name and kind. */
bool symbols_find(const symbols_t *symbols, symbol_kind_t kind, const char *name, size_t length,
                  uint32_t *value);

#endif
