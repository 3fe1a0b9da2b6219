/* Names and states are the server's, and its users'. Whatever is not printable ASCII becomes '?', so that nothing
 * reaches the terminal as a command, and a byte is a column. */
#include "table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 512, TEXT_BYTES = 128, NAME_COLUMNS = 20 };

struct row {
    char name[TEXT_BYTES], state[TEXT_BYTES], waits[TEXT_BYTES];
    double percent; /* of a processor; negative: not known */
    double cpu, memory, age, run;
    json_int_t jobs;
};

struct table {
    json_t *answer, *before;
    double seconds;
};

static const struct {
    const char *name;
    char key;
} orders[ORDERS] = {[ORDER_CPU] = {"cpu", 'c'},
                    [ORDER_MEMORY] = {"memory", 'm'},
                    [ORDER_NAME] = {"name", 'n'},
                    [ORDER_AGE] = {"age", 'a'},
                    [ORDER_STATE] = {"state", 's'}};

enum table_order table_order_named(const char *name)
{
    enum table_order order = 0;
    while (order < ORDERS && strcmp(orders[order].name, name) != 0)
        order++;
    return order;
}

enum table_order table_order_key(char key)
{
    enum table_order order = 0;
    while (order < ORDERS && orders[order].key != key)
        order++;
    return order;
}

struct table *table_new(void)
{
    return calloc(1, sizeof(struct table));
}

void table_take(struct table *table, json_t *answer, double seconds)
{
    json_decref(table->before);
    table->before = table->answer;
    table->answer = answer;
    table->seconds = seconds;
}

void table_free(struct table *table)
{
    if (!table)
        return;
    json_decref(table->answer);
    json_decref(table->before);
    free(table);
}

/* --- Texts -------------------------------------------------------------------------------- */

static const char *clean(char out[TEXT_BYTES], const char *text)
{
    size_t length = 0;
    for (; text && text[length] && length < TEXT_BYTES - 1; length++)
        out[length] = text[length] >= ' ' && text[length] <= '~' ? text[length] : '?';
    out[length] = 0;
    return out;
}

static const char *size_text(double bytes, char out[16])
{
    if (bytes <= 0)
        return "-";
    if (bytes < 1024.0 * 1024)
        snprintf(out, 16, "%.0fK", bytes / 1024);
    else if (bytes < 1024.0 * 1024 * 1024)
        snprintf(out, 16, "%.1fM", bytes / (1024 * 1024));
    else
        snprintf(out, 16, "%.2fG", bytes / (1024 * 1024 * 1024));
    return out;
}

static const char *time_text(double seconds, char out[16])
{
    if (!(seconds >= 0 && seconds < 1e12))
        return "-";
    if (seconds < 10)
        snprintf(out, 16, "%.2fs", seconds);
    else if (seconds < 120)
        snprintf(out, 16, "%.0fs", seconds);
    else if (seconds < 7200)
        snprintf(out, 16, "%.0fmin", seconds / 60);
    else
        snprintf(out, 16, "%.1fh", seconds / 3600);
    return out;
}

/* --- Rows --------------------------------------------------------------------------------- */

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

/* NULL: it was not there. */
static const json_t *find_before(const struct table *table, const char *name)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(table->before, "sandboxes"), i, item)
    {
        const char *other = json_string_value(json_object_get(item, "session"));
        if (name && other && strcmp(name, other) == 0)
            return item;
    }
    return NULL;
}

static void describe_wait(const json_t *waits, char out[TEXT_BYTES])
{
    char what[TEXT_BYTES], callback[TEXT_BYTES];
    json_int_t count = json_integer_value(json_object_get(waits, "count"));
    clean(what, json_string_value(json_object_get(waits, "for")));
    clean(callback, json_string_value(json_object_get(waits, "callback")));
    snprintf(out, TEXT_BYTES, "%.20s%s%.60s", what, *callback ? " " : "", callback);
    if (count > 1)
        snprintf(out + strlen(out), TEXT_BYTES - strlen(out), " (%" JSON_INTEGER_FORMAT ")", count);
}

static void read_row(const struct table *table, const json_t *item, struct row *row)
{
    const char *name = json_string_value(json_object_get(item, "session"));
    const json_t *before = find_before(table, name);
    clean(row->name, name ? name : "(run)");
    clean(row->state, json_string_value(json_object_get(item, "state")));
    describe_wait(json_object_get(item, "waits"), row->waits);
    row->cpu = number(item, "cpu_seconds");
    row->memory = number(item, "memory_bytes");
    row->age = number(item, "age_seconds");
    row->run = number(item, "run_seconds");
    row->jobs = json_integer_value(json_object_get(item, "jobs"));
    row->percent = -1;
    if (before && table->seconds > 0)
        row->percent = 100 * (row->cpu - number(before, "cpu_seconds")) / table->seconds;
    else if (row->age > 0 && !table->before)
        row->percent = 100 * row->cpu / row->age;
}

static int more(double first, double second)
{
    return (first < second) - (first > second);
}

static int by_cpu(const void *first, const void *second)
{
    const struct row *a = first, *b = second;
    int order = more(a->percent, b->percent);
    return order ? order : more(a->cpu, b->cpu);
}

static int by_memory(const void *first, const void *second)
{
    return more(((const struct row *)first)->memory, ((const struct row *)second)->memory);
}

static int by_name(const void *first, const void *second)
{
    return strcmp(((const struct row *)first)->name, ((const struct row *)second)->name);
}

static int by_age(const void *first, const void *second)
{
    return more(((const struct row *)first)->age, ((const struct row *)second)->age);
}

/* "waiting", "starting", "running", ..., "idle" last. */
static int by_state(const void *first, const void *second)
{
    int order = strcmp(((const struct row *)second)->state, ((const struct row *)first)->state);
    return order ? order : by_cpu(first, second);
}

static int (*const comparisons[ORDERS])(const void *, const void *) = {[ORDER_CPU] = by_cpu,
                                                                       [ORDER_MEMORY] = by_memory,
                                                                       [ORDER_NAME] = by_name,
                                                                       [ORDER_AGE] = by_age,
                                                                       [ORDER_STATE] = by_state};

/* --- Lines -------------------------------------------------------------------------------- */

struct printer {
    FILE *out;
    size_t left, columns; /* left: lines; SIZE_MAX: any number */
    const char *line_end;
};

static void print(struct printer *printer, const char *text)
{
    size_t length = strlen(text);
    if (printer->left == 0)
        return;
    if (printer->left != SIZE_MAX)
        printer->left--;
    if (printer->columns && length > printer->columns)
        length = printer->columns;
    fwrite(text, 1, length, printer->out);
    fputs(printer->line_end, printer->out);
}

static void print_head(struct printer *printer, const json_t *server, enum table_order order)
{
    char line[LINE_BYTES], version[TEXT_BYTES], up[16], cpu[16];
    snprintf(line, sizeof line,
             "eryx serve %.20s  up %s  cpu %s  workers %.0f of %.0f busy  jobs %.0f  sessions %.0f"
             "  by %s",
             clean(version, json_string_value(json_object_get(server, "version"))),
             time_text(number(server, "uptime_seconds"), up),
             time_text(number(server, "cpu_seconds"), cpu), number(server, "workers_busy"),
             number(server, "workers"), number(server, "jobs"), number(server, "sessions"),
             orders[order].name);
    print(printer, line);
    snprintf(line, sizeof line, "%-*s %-8s %6s %8s %8s %8s %8s %4s  %s", NAME_COLUMNS, "SESSION",
             "STATE", "CPU%", "CPU", "MEMORY", "AGE", "RUNS", "JOBS", "WAITS FOR");
    print(printer, line);
}

static void print_row(struct printer *printer, const struct row *row)
{
    char line[LINE_BYTES], percent[16] = "-", cpu[16], memory[16], age[16], run[16];
    if (row->percent >= 0 && row->percent < 1e6)
        snprintf(percent, sizeof percent, "%.1f", row->percent);
    snprintf(line, sizeof line, "%-*.*s %-8.8s %6s %8s %8s %8s %8s %4" JSON_INTEGER_FORMAT "  %s",
             NAME_COLUMNS, NAME_COLUMNS, row->name, row->state, percent, time_text(row->cpu, cpu),
             size_text(row->memory, memory), time_text(row->age, age),
             row->run > 0 ? time_text(row->run, run) : "-", row->jobs, row->waits);
    print(printer, line);
}

void table_write(struct table *table, FILE *out, enum table_order order, size_t rows,
                 size_t columns, const char *line_end)
{
    struct printer printer = {out, rows ? rows : SIZE_MAX, columns, line_end};
    const json_t *list = json_object_get(table->answer, "sandboxes"), *item;
    const json_t *server = json_object_get(table->answer, "server");
    size_t count = json_array_size(list), i;
    char line[64];
    struct row *all = calloc(count + 1, sizeof *all);
    print_head(&printer, server, order);
    if (!all)
        return;
    json_array_foreach((json_t *)list, i, item) read_row(table, item, &all[i]);
    qsort(all, count, sizeof *all, comparisons[order]);
    for (i = 0; i < count; i++)
        print_row(&printer, &all[i]);
    double left_out = number(server, "left_out");
    if (left_out > 0) {
        snprintf(line, sizeof line, "and %.0f more", left_out);
        print(&printer, line);
    }
    free(all);
}
