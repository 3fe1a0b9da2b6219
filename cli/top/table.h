/* The table of `eryx top`: from a server's answer to lines of text. */
#ifndef ERYX_CLI_TOP_TABLE_H
#define ERYX_CLI_TOP_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

enum table_order { ORDER_CPU, ORDER_MEMORY, ORDER_NAME, ORDER_AGE, ORDER_STATE, ORDERS };

/* By name ("cpu") or key ('c'); ORDERS: there is none. */
enum table_order table_order_named(const char *name);
enum table_order table_order_key(char key);

struct table;

/* NULL when out of memory. */
struct table *table_new(void);

/* A new answer, which it takes over; the one before gives what is used in a second. seconds: between the
 * two. */
void table_take(struct table *table, json_t *answer, double seconds);

/* Writes it, each line cut to `columns` characters (0: not cut) and ended by `line_end`; at most `rows` lines (0:
 * all). Texts of the server come without control characters. */
void table_write(struct table *table, FILE *out, enum table_order order, size_t rows,
                 size_t columns, const char *line_end);

void table_free(struct table *table);

#endif
