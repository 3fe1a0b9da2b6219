/* The header by which the host checks its hand-written lifting and lowering: tables of all
 * imports and exports with their core signatures, and constants for every layout. */
#include <stdio.h>
#include <stdlib.h>

#include "core.h"

static const char preamble[] =
    "#include <stdbool.h>\n"
    "#include <stddef.h>\n"
    "\n"
    "enum wit_core_kind {\n"
    "    WIT_CORE_IMPORT,\n"
    "    WIT_CORE_IMPORT_ASYNC, /* returns subtask << 4 | state */\n"
    "    WIT_CORE_RESOURCE,     /* resource-drop, -new, -rep */\n"
    "    WIT_CORE_BUILTIN,      /* waitables, task-return */\n"
    "    WIT_CORE_EXPORT,\n"
    "    WIT_CORE_EXPORT_ASYNC, /* returns EXIT, YIELD or WAIT | set << 4 */\n"
    "    WIT_CORE_CALLBACK,\n"
    "    WIT_CORE_POST_RETURN, /* optional */\n"
    "    WIT_CORE_REALLOC\n"
    "};\n"
    "\n"
    "/* params and results: i I f F for i32 i64 f32 f64. */\n"
    "struct wit_core_function {\n"
    "    const char *module; /* NULL for exports */\n"
    "    const char *name, *params, *results;\n"
    "    enum wit_core_kind kind;\n"
    "};\n";

static const char *kind_name(enum core_kind kind)
{
    static const char *const names[] = {
        [CORE_IMPORT] = "IMPORT",     [CORE_IMPORT_ASYNC] = "IMPORT_ASYNC",
        [CORE_RESOURCE] = "RESOURCE", [CORE_BUILTIN] = "BUILTIN",
        [CORE_EXPORT] = "EXPORT",     [CORE_EXPORT_ASYNC] = "EXPORT_ASYNC",
        [CORE_CALLBACK] = "CALLBACK", [CORE_POST_RETURN] = "POST_RETURN",
        [CORE_REALLOC] = "REALLOC"};
    return names[kind];
}

static void emit_signature(FILE *out, const struct core_function *function)
{
    for (size_t i = 0; i < function->params.count; i++)
        fputc(function->params.slot[i].core, out);
}

/* Rows [first, end) as `static const struct wit_core_function wit_NAME[]`, with an enum of
 * their indexes. */
static void emit_table(FILE *out, const struct core_world *world, const char *name, size_t first,
                       size_t end)
{
    fprintf(out, "\nenum wit_%s_index {\n", name);
    for (size_t i = first; i < end; i++)
        fprintf(out, "    WIT_INDEX_%s,\n", core_upper(world->wit, world->functions[i].c_name));
    fprintf(out, "    WIT_%s_COUNT\n};\n\n", core_upper(world->wit, name));
    fprintf(out, "__attribute__((unused)) static const struct wit_core_function wit_%s[] = {\n",
            name);
    for (size_t i = first; i < end; i++) {
        const struct core_function *function = &world->functions[i];
        if (function->module)
            fprintf(out, "    {\"%s\", \"%s\", \"", function->module, function->name);
        else
            fprintf(out, "    {NULL, \"%s\", \"", function->name);
        emit_signature(out, function);
        fputs("\", \"", out);
        if (function->result.core)
            fputc(function->result.core, out);
        fprintf(out, "\", WIT_CORE_%s},\n", kind_name(function->kind));
    }
    fputs("};\n", out);
}

static void emit_constants(FILE *out, const struct core_world *world, const struct core_type *type)
{
    const struct wit_type *t = type->type;
    const char *prefix = core_upper(world->wit, type->identifier);
    bool fields = t->kind == WIT_RECORD || t->kind == WIT_TUPLE;
    bool cases = t->kind == WIT_VARIANT || t->kind == WIT_ENUM || t->kind == WIT_FLAGS;
    bool payload = t->kind == WIT_VARIANT || t->kind == WIT_OPTION || t->kind == WIT_RESULT;
    fprintf(out, "    WIT_%s_SIZE = %u,\n    WIT_%s_ALIGN = %u,\n", prefix, t->size, prefix,
            t->align);
    if (payload)
        fprintf(out, "    WIT_%s_PAYLOAD = %u,\n", prefix, wit_payload_offset(t));
    for (size_t i = 0; (fields || cases) && i < t->field_count; i++) {
        const char *name = t->fields[i].name;
        name = name ? core_upper(world->wit, core_identifier(world->wit, name))
                    : wit_format(world->wit, "F%zu", i);
        fprintf(out, "    WIT_%s_%s%s = %u,\n", prefix, cases ? "CASE_" : "AT_", name,
                cases ? (unsigned)i : wit_field_offset(t, i));
    }
}

char *core_emit_host(const struct core_world *world, size_t *size)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    if (!out)
        return NULL;
    fprintf(out,
            "/* Host side of world %s:%s/%s. Made by `eryx-build bindings`; do not edit.\n"
            " * A module imports some of wit_imports and exports all of wit_exports but the\n"
            " * optional ones. */\n"
            "#ifndef WIT_HOST_BINDINGS_H\n#define WIT_HOST_BINDINGS_H\n\n%s",
            world->world->package->ns, world->world->package->name, world->world->name, preamble);
    emit_table(out, world, "imports", 0, world->import_count);
    emit_table(out, world, "exports", world->import_count, world->function_count);
    fputs("\n/* Bytes in the guest's memory: sizes, alignments, offsets (AT), payload offsets;\n"
          " * numbers of cases and bits. */\nenum wit_layout {\n"
          "    WIT_STRING_SIZE = 8,\n    WIT_STRING_ALIGN = 4,\n",
          out);
    for (size_t i = 0; i < world->type_count; i++)
        emit_constants(out, world, &world->types[i]);
    fputs("};\n\n#endif\n", out);
    bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}
