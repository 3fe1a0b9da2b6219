/* What WIT things are called in C. */
#include <ctype.h>
#include <string.h>

#include "core.h"

static bool is_c_word(const char *text)
{
    static const char *const words[] = {
        "alignas",  "alignof",  "asm",     "auto",   "bool",   "break",    "case",   "char",
        "const",    "continue", "default", "do",     "double", "else",     "enum",   "extern",
        "false",    "float",    "for",     "goto",   "if",     "inline",   "int",    "long",
        "register", "restrict", "return",  "short",  "signed", "sizeof",   "static", "struct",
        "switch",   "true",     "typedef", "typeof", "union",  "unsigned", "void",   "volatile",
        "while",    "linux",    "unix"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(text, words[i]) == 0)
            return true;
    return false;
}

static char *snake(struct wit *wit, const char *name)
{
    char *text = wit_format(wit, "%s", name);
    for (char *c = text; *c; c++)
        *c = isalnum((unsigned char)*c) ? (char)tolower((unsigned char)*c) : '_';
    return text;
}

const char *core_identifier(struct wit *wit, const char *name)
{
    const char *text = snake(wit, name);
    return is_c_word(text) ? wit_format(wit, "%s_", text) : text;
}

const char *core_upper(struct wit *wit, const char *identifier)
{
    char *text = wit_format(wit, "%s", identifier);
    for (char *c = text; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return text;
}

const char *core_scope_prefix(const struct core_world *world, const struct wit_scope *scope)
{
    const struct wit_package *package = scope->package;
    if (scope->is_inline || package == world->world->package)
        return snake(world->wit, scope->name);
    const char *version = package->version ? package->version : "";
    return snake(world->wit, wit_format(world->wit, "%s_%s%s%s_%s", package->ns, package->name,
                                        *version ? "_" : "", version, scope->name));
}

static const char *constructor_name(enum wit_kind kind)
{
    static const char *const names[] = {[WIT_LIST] = "list",
                                        [WIT_OPTION] = "option",
                                        [WIT_RESULT] = "result",
                                        [WIT_OWN] = "own",
                                        [WIT_BORROW] = "borrow"};
    return names[kind];
}

const char *core_type_identifier(const struct core_world *world, const struct wit_type *type)
{
    static const char *const scalars[] = {
        [WIT_BOOL] = "bool",    [WIT_U8] = "u8",   [WIT_S8] = "s8",   [WIT_U16] = "u16",
        [WIT_S16] = "s16",      [WIT_U32] = "u32", [WIT_S32] = "s32", [WIT_U64] = "u64",
        [WIT_S64] = "s64",      [WIT_F32] = "f32", [WIT_F64] = "f64", [WIT_CHAR] = "char",
        [WIT_STRING] = "string"};
    struct wit *wit = world->wit;
    type = wit_definition(type);
    if (type->name)
        return wit_format(wit, "%s_%s", core_scope_prefix(world, type->scope),
                          snake(wit, type->name));
    if (type->kind <= WIT_STRING)
        return scalars[type->kind];
    const char *text = type->kind == WIT_TUPLE ? wit_format(wit, "tuple%zu", type->field_count)
                                               : constructor_name(type->kind);
    for (size_t i = 0; i < type->field_count; i++) {
        const struct wit_type *part = type->fields[i].type;
        text = wit_format(wit, "%s_%s", text, part ? core_type_identifier(world, part) : "void");
    }
    return text;
}

const char *core_c_type(const struct core_world *world, const struct wit_type *type)
{
    static const char *const scalars[] = {
        [WIT_BOOL] = "bool",          [WIT_U8] = "uint8_t",   [WIT_S8] = "int8_t",
        [WIT_U16] = "uint16_t",       [WIT_S16] = "int16_t",  [WIT_U32] = "uint32_t",
        [WIT_S32] = "int32_t",        [WIT_U64] = "uint64_t", [WIT_S64] = "int64_t",
        [WIT_F32] = "float",          [WIT_F64] = "double",   [WIT_CHAR] = "uint32_t",
        [WIT_STRING] = "wit_string_t"};
    type = wit_definition(type);
    if (type->kind <= WIT_STRING)
        return scalars[type->kind];
    if (type->kind == WIT_OWN || type->kind == WIT_BORROW)
        type = wit_definition(type->fields[0].type);
    return wit_format(world->wit, "%s_t", core_type_identifier(world, type));
}
