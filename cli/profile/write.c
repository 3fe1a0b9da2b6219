/* The page: profile.html with the numbers as JSON in it.
 *
 * Names, paths and lines of source are the program's: in the JSON there is no `<`, so nothing in it ends the
 * element that it stands in, and the script of the page writes texts as texts only. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "collect.h"
#include "../message.h"
#include "../outcome_kind.h"
#include "../output_file.h"
#include "profile_page.h"
#include "sources.h"
#include "../streams.h"

enum { HOT_LINES = 100 };

static const char data_mark[] = "@PROFILE_DATA@";

static struct output_file file = OUTPUT_FILE_NONE;

bool profile_open(const char *path)
{
    bool at_once;
    if (!output_file_open(&file, path, "--profile", &at_once))
        return false;
    if (profile_allocate())
        return true;
    message_error("out of memory (--profile)");
    return false;
}

bool profile_wanted(void)
{
    return profile.nodes;
}

void profile_abandon(void)
{
    output_file_abandon(&file);
}

/* --- The numbers -------------------------------------------------------------------------- */

static json_int_t microseconds(uint64_t nanoseconds)
{
    return (json_int_t)((nanoseconds + 500) / 1000);
}

/* Since the beginning. */
static json_int_t when(uint64_t time)
{
    return time > profile.begin_ns ? microseconds(time - profile.begin_ns) : 0;
}

static json_t *functions_json(void)
{
    json_t *list = json_array();
    for (size_t i = 0; i < profile.function_count; i++) {
        const struct profile_function *function = &profile.functions[i];
        json_array_append_new(list, json_pack("[s, s, I]", function->name, function->file,
                                              (json_int_t)function->first_line));
    }
    return list;
}

/* Without the root, which is node 0: a parent has a lower number than its children. */
static json_t *nodes_json(void)
{
    json_t *list = json_array();
    for (size_t i = 1; i < profile.node_count; i++) {
        const struct profile_node *node = &profile.nodes[i];
        json_array_append_new(
            list, json_pack("[I, I, I, I]", (json_int_t)node->parent, (json_int_t)node->function,
                            microseconds(node->self_ns), (json_int_t)node->samples));
    }
    return list;
}

static int hotter(const void *first, const void *second)
{
    const struct profile_line *a = first, *b = second;
    if (a->self_ns != b->self_ns)
        return a->self_ns < b->self_ns ? 1 : -1;
    return (a->samples < b->samples) - (a->samples > b->samples);
}

static json_t *lines_json(const struct source *source, eryx_sandbox_t *sandbox)
{
    json_t *list = json_array();
    struct sources *sources = sources_new(source, sandbox);
    qsort(profile.lines, profile.line_count, sizeof *profile.lines, hotter);
    for (size_t i = 0; i < profile.line_count && i < HOT_LINES; i++) {
        const struct profile_line *line = &profile.lines[i];
        size_t length;
        const char *file_name = profile.functions[line->function].file;
        const char *text = sources_line(sources, file_name, line->line, &length);
        json_array_append_new(list, json_pack("[I, I, I, I, s%]", (json_int_t)line->function,
                                              (json_int_t)line->line, microseconds(line->self_ns),
                                              (json_int_t)line->samples, text, length));
    }
    sources_free(sources);
    return list;
}

static json_t *busy_json(void)
{
    json_t *list = json_array();
    for (size_t i = 0; i < profile.busy_count; i++)
        json_array_append_new(list, json_pack("[I, I]", when(profile.busy[i].begin_ns),
                                              when(profile.busy[i].end_ns)));
    return list;
}

static json_t *calls_json(void)
{
    static const char *const ends[] = {"returned", "failed", "cancelled"};
    json_t *list = json_array();
    for (size_t i = 0; i < profile.call_count; i++) {
        const struct profile_made_call *call = &profile.calls[i];
        uint64_t began = call->began_ns ? call->began_ns : call->ended_ns;
        json_array_append_new(list, json_pack("[s, I, I, I, s]", profile.call_names[call->name],
                                              when(call->made_ns), when(began),
                                              when(call->ended_ns), ends[call->end]));
    }
    return list;
}

static json_t *profile_json(const struct source *source, eryx_sandbox_t *sandbox,
                            const eryx_outcome_t *outcome)
{
    uint64_t cpu = profile.cpu_end_ns - profile.cpu_begin_ns;
    const char *kind = outcome ? outcome_kind_name(eryx_outcome_kind(outcome)) : "checkpoint";
    json_t *name = json_string(source->name); /* NULL: not UTF-8 */
    return json_pack("{s:i, s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o}",
                     "version", 1, "program", name ? name : json_string("?"), "outcome", kind,
                     "wall_us", microseconds(profile.end_ns - profile.begin_ns), "cpu_us",
                     microseconds(cpu), "sampled_us", microseconds(profile.sampled_ns), "samples",
                     (json_int_t)profile.samples, "samples_cut", (json_int_t)profile.short_samples,
                     "calls_dropped", (json_int_t)profile.calls_dropped, "functions",
                     functions_json(), "nodes", nodes_json(), "lines", lines_json(source, sandbox),
                     "busy", busy_json(), "calls", calls_json());
}

/* --- The file ----------------------------------------------------------------------------- */

/* JSON has these characters in strings only, where they may be written otherwise. */
static const char *escape_of(char c)
{
    switch (c) {
    case '<':
        return "\\u003c";
    case '>':
        return "\\u003e";
    case '&':
        return "\\u0026";
    default:
        return NULL;
    }
}

static int write_escaped(const char *text, size_t length, void *env)
{
    int *cause = env;
    while (length > 0 && *cause == 0) {
        size_t plain = 0;
        while (plain < length && !escape_of(text[plain]))
            plain++;
        *cause = streams_try_write(file.fd, text, plain);
        text += plain;
        length -= plain;
        if (length > 0 && *cause == 0) {
            const char *escape = escape_of(*text);
            *cause = streams_try_write(file.fd, escape, strlen(escape));
            text++;
            length--;
        }
    }
    return *cause == 0 ? 0 : -1;
}

/* Returns 0 or errno; -1: out of memory. */
static int write_page(json_t *data)
{
    int cause;
    const char *mark = strstr(profile_page, data_mark);
    char *text = data ? json_dumps(data, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    if (!text || !mark)
        return -1;
    cause = streams_try_write(file.fd, profile_page, (size_t)(mark - profile_page));
    write_escaped(text, strlen(text), &cause);
    mark += sizeof data_mark - 1;
    if (cause == 0)
        cause = streams_try_write(file.fd, mark, strlen(mark));
    free(text);
    return cause;
}

bool profile_write(const struct source *source, eryx_sandbox_t *sandbox,
                   const eryx_outcome_t *outcome)
{
    if (!profile_wanted())
        return true;
    json_t *data = profile_json(source, sandbox, outcome);
    int cause = write_page(data);
    json_decref(data);
    if (cause == 0)
        return output_file_finish(&file);
    output_file_abandon(&file);
    if (cause > 0)
        return output_file_refuse(&file, cause);
    message_error("out of memory (--profile)");
    return false;
}
