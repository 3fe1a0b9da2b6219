/* The header that the guest's C code is compiled with: types in the exact layout of the
 * canonical ABI, declarations of imports, prototypes of the exports that must be defined. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

static const char preamble[] =
    "#include <stdbool.h>\n"
    "#include <stddef.h>\n"
    "#include <stdint.h>\n"
    "\n"
    "#if defined(__wasm__)\n"
    "#define WIT_IMPORT(module, name) __attribute__((import_module(module), import_name(name)))\n"
    "#define WIT_EXPORT(name) __attribute__((export_name(name)))\n"
    "#else\n"
    "#define WIT_IMPORT(module, name)\n"
    "#define WIT_EXPORT(name)\n"
    "#endif\n"
    "\n"
    "/* The layouts are those of wasm32. */\n"
    "#if UINTPTR_MAX == 0xffffffff\n"
    "#define WIT_LAYOUT(type, size, align)                                                  \\\n"
    "    _Static_assert(sizeof(type) == (size) && _Alignof(type) == (align), \"layout of \" "
    "#type)\n"
    "#define WIT_OFFSET(type, member, offset)                                               \\\n"
    "    _Static_assert(offsetof(type, member) == (offset), \"offset of \" #type \".\" #member)\n"
    "#else\n"
    "#define WIT_LAYOUT(type, size, align) _Static_assert((size) > 0, #type)\n"
    "#define WIT_OFFSET(type, member, offset) _Static_assert((offset) >= 0, #type)\n"
    "#endif\n"
    "\n"
    "/* UTF-8, not NUL-terminated. Strings and lists that an import returned or an export was\n"
    " * given come from cabi_realloc and belong to the guest. */\n"
    "typedef struct {\n"
    "    const char *ptr;\n"
    "    size_t len;\n"
    "} wit_string_t;\n"
    "WIT_LAYOUT(wit_string_t, 8, 4);\n"
    "\n"
    "/* What [waitable-set-wait] and -poll write; they return the enum wit_event. */\n"
    "typedef struct {\n"
    "    uint32_t index, payload;\n"
    "} wit_event_t;\n"
    "WIT_LAYOUT(wit_event_t, 8, 4);\n"
    "\n"
    "/* What an async export and its callback return; WIT_WAIT with set << 4. */\n"
    "enum wit_code { WIT_EXIT = 0, WIT_YIELD = 1, WIT_WAIT = 2 };\n"
    "enum wit_event { WIT_EVENT_NONE = 0, WIT_EVENT_SUBTASK = 1, WIT_EVENT_TASK_CANCELLED = 6 };\n"
    "/* Low 4 bits of what an async import returns; payload of WIT_EVENT_SUBTASK. */\n"
    "enum wit_subtask {\n"
    "    WIT_SUBTASK_STARTING = 0,\n"
    "    WIT_SUBTASK_STARTED = 1,\n"
    "    WIT_SUBTASK_RETURNED = 2,\n"
    "    WIT_SUBTASK_CANCELLED_BEFORE_STARTED = 3,\n"
    "    WIT_SUBTASK_CANCELLED_BEFORE_RETURNED = 4\n"
    "};\n";

static const char *tag_c_type(const struct wit_type *type)
{
    uint32_t size = wit_tag_size(type);
    return size == 1 ? "uint8_t" : size == 2 ? "uint16_t" : "uint32_t";
}

/* "argv"; "f0" for a tuple's. */
static const char *member(const struct core_world *world, const struct wit_type *type, size_t index)
{
    const char *name = type->fields[index].name;
    return name ? core_identifier(world->wit, name) : wit_format(world->wit, "f%zu", index);
}

static void emit_offset(FILE *out, const struct core_type *type, const char *name, uint32_t offset)
{
    fprintf(out, "WIT_OFFSET(%s_t, %s, %u);\n", type->identifier, name, offset);
}

static void emit_layout(FILE *out, const struct core_type *type)
{
    fprintf(out, "} %s_t;\nWIT_LAYOUT(%s_t, %u, %u);\n", type->identifier, type->identifier,
            type->type->size, type->type->align);
}

static void emit_record(FILE *out, const struct core_world *world, const struct core_type *type)
{
    const struct wit_type *record = type->type;
    fputs("typedef struct {\n", out);
    for (size_t i = 0; i < record->field_count; i++)
        fprintf(out, "    %s %s;\n", core_c_type(world, record->fields[i].type),
                member(world, record, i));
    emit_layout(out, type);
    for (size_t i = 0; i < record->field_count; i++)
        emit_offset(out, type, member(world, record, i), wit_field_offset(record, i));
}

static void emit_option(FILE *out, const struct core_world *world, const struct core_type *type)
{
    fprintf(out, "typedef struct {\n    bool is_some;\n    %s value;\n",
            core_c_type(world, type->type->fields[0].type));
    emit_layout(out, type);
    emit_offset(out, type, "value", wit_payload_offset(type->type));
}

static void emit_result(FILE *out, const struct core_world *world, const struct core_type *type)
{
    static const char *const names[] = {"ok", "error"};
    const struct wit_field *fields = type->type->fields;
    fputs("typedef struct {\n    bool is_error;\n", out);
    if (fields[0].type || fields[1].type)
        fputs("    union {\n", out);
    for (size_t i = 0; i < 2; i++)
        if (fields[i].type)
            fprintf(out, "        %s %s;\n", core_c_type(world, fields[i].type), names[i]);
    if (fields[0].type || fields[1].type)
        fputs("    };\n", out);
    emit_layout(out, type);
    for (size_t i = 0; i < 2; i++)
        if (fields[i].type)
            emit_offset(out, type, names[i], wit_payload_offset(type->type));
}

static void emit_cases(FILE *out, const struct core_world *world, const struct core_type *type)
{
    const char *prefix = core_upper(world->wit, type->identifier);
    fputs("enum {\n", out);
    for (size_t i = 0; i < type->type->field_count; i++)
        fprintf(out, "    %s_%s = %zu,\n", prefix,
                core_upper(world->wit, core_identifier(world->wit, type->type->fields[i].name)), i);
    fputs("};\n", out);
}

static void emit_variant(FILE *out, const struct core_world *world, const struct core_type *type)
{
    const struct wit_type *variant = type->type;
    bool any = false;
    for (size_t i = 0; i < variant->field_count; i++)
        any = any || variant->fields[i].type;
    emit_cases(out, world, type);
    fprintf(out, "typedef struct {\n    %s tag;\n", tag_c_type(variant));
    if (any)
        fputs("    union {\n", out);
    for (size_t i = 0; i < variant->field_count; i++)
        if (variant->fields[i].type)
            fprintf(out, "        %s %s;\n", core_c_type(world, variant->fields[i].type),
                    member(world, variant, i));
    if (any)
        fputs("    } as;\n", out);
    emit_layout(out, type);
    if (any)
        emit_offset(out, type, "as", wit_payload_offset(variant));
}

static void emit_flags(FILE *out, const struct core_world *world, const struct core_type *type)
{
    const char *prefix = core_upper(world->wit, type->identifier);
    fprintf(out, "typedef %s %s_t;\n", tag_c_type(type->type), type->identifier);
    for (size_t i = 0; i < type->type->field_count; i++)
        fprintf(out, "#define %s_%s ((%s_t)(UINT32_C(1) << %zu))\n", prefix,
                core_upper(world->wit, core_identifier(world->wit, type->type->fields[i].name)),
                type->identifier, i);
}

static void emit_type(FILE *out, const struct core_world *world, const struct core_type *type)
{
    const struct wit_type *t = type->type;
    fputc('\n', out);
    switch (t->kind) {
    case WIT_RECORD:
    case WIT_TUPLE:
        emit_record(out, world, type);
        break;
    case WIT_LIST:
        fprintf(out, "typedef struct {\n    const %s *ptr;\n    size_t len;\n",
                core_c_type(world, t->fields[0].type));
        emit_layout(out, type);
        break;
    case WIT_OPTION:
        emit_option(out, world, type);
        break;
    case WIT_RESULT:
        emit_result(out, world, type);
        break;
    case WIT_VARIANT:
        emit_variant(out, world, type);
        break;
    case WIT_ENUM:
        fprintf(out, "typedef %s %s_t;\n", tag_c_type(t), type->identifier);
        emit_cases(out, world, type);
        break;
    case WIT_FLAGS:
        emit_flags(out, world, type);
        break;
    case WIT_RESOURCE:
        fprintf(out, "typedef int32_t %s_t;\n", type->identifier);
        break;
    default: /* WIT_ALIAS: nothing else is declared */
        fprintf(out, "typedef %s %s_t;\n", core_c_type(world, t->fields[0].type), type->identifier);
    }
}

static void emit_declaration(FILE *out, const char *c_type, const char *name)
{
    fprintf(out, "%s%s%s", c_type, c_type[strlen(c_type) - 1] == '*' ? "" : " ", name);
}

static void emit_function(FILE *out, const struct core_function *function)
{
    if (function->module)
        fprintf(out, "\nWIT_IMPORT(\"%s\", \"%s\")\n", function->module, function->name);
    else
        fprintf(out, "\n%sWIT_EXPORT(\"%s\")\n",
                function->kind == CORE_POST_RETURN ? "/* Optional. */\n" : "", function->name);
    emit_declaration(out, function->result.core ? function->result.c_type : "void",
                     function->c_name);
    fputc('(', out);
    for (size_t i = 0; i < function->params.count; i++) {
        fputs(i ? ", " : "", out);
        emit_declaration(out, function->params.slot[i].c_type, function->params.slot[i].name);
    }
    fputs(function->params.count ? ");\n" : "void);\n", out);
}

char *core_emit_guest(const struct core_world *world, size_t *size)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    if (!out)
        return NULL;
    fprintf(out,
            "/* Guest side of world %s:%s/%s. Made by `eryx-build bindings`; do not edit.\n"
            " * Imports are declared, exports (export_*, cabi_realloc) must be defined. */\n"
            "#ifndef WIT_GUEST_BINDINGS_H\n#define WIT_GUEST_BINDINGS_H\n\n%s",
            world->world->package->ns, world->world->package->name, world->world->name, preamble);
    for (size_t i = 0; i < world->type_count; i++)
        emit_type(out, world, &world->types[i]);
    for (size_t i = 0; i < world->function_count; i++)
        emit_function(out, &world->functions[i]);
    fputs("\n#endif\n", out);
    bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}
