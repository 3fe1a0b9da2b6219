/* Types of a WIT file: type expressions and definitions. */
#include <string.h>

#include "parser.h"

/* A file decides how deep types nest, and the code that handles them recurses. */
enum { MAX_DEPTH = 64 };

static struct wit_type *new_type(struct parser *parser, enum wit_kind kind)
{
    struct wit_type *type = wit_alloc(parser->wit, sizeof *type);
    type->kind = kind;
    type->scope = parser->scope;
    type->position = parser->lexer.token.position;
    return type;
}

static void add_argument(struct parser *parser, struct wit_type *type, struct wit_type *argument)
{
    parser_add_field(parser, &type->fields, &type->field_count, NULL)->type = argument;
}

static bool primitive(const char *word, enum wit_kind *kind)
{
    static const char *const names[] = {
        [WIT_BOOL] = "bool",    [WIT_U8] = "u8",   [WIT_S8] = "s8",   [WIT_U16] = "u16",
        [WIT_S16] = "s16",      [WIT_U32] = "u32", [WIT_S32] = "s32", [WIT_U64] = "u64",
        [WIT_S64] = "s64",      [WIT_F32] = "f32", [WIT_F64] = "f64", [WIT_CHAR] = "char",
        [WIT_STRING] = "string"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(word, names[i]) == 0) {
            *kind = (enum wit_kind)i;
            return true;
        }
    return false;
}

/* `<T>` of list, option, own and borrow. */
static struct wit_type *one_argument(struct parser *parser, struct wit_type *type)
{
    if (parser_expect(parser, '<')) {
        add_argument(parser, type, parser_type(parser));
        if (type->kind == WIT_LIST && parser_at(parser, ','))
            parser_fail(parser, "'>' (lists of fixed length are not supported)");
        parser_expect(parser, '>');
    }
    return type;
}

/* `result`, `result<T>`, `result<_, E>`, `result<T, E>`. */
static struct wit_type *result_arguments(struct parser *parser, struct wit_type *type)
{
    struct wit_type *ok = NULL, *error = NULL;
    if (parser_accept(parser, '<')) {
        if (!parser_accept(parser, '_'))
            ok = parser_type(parser);
        if (parser_accept(parser, ',') && !parser_accept(parser, '_'))
            error = parser_type(parser);
        parser_expect(parser, '>');
    }
    add_argument(parser, type, ok);
    add_argument(parser, type, error);
    return type;
}

static struct wit_type *tuple_arguments(struct parser *parser, struct wit_type *type)
{
    if (parser_expect(parser, '<'))
        do
            add_argument(parser, type, parser_type(parser));
        while (parser_more(parser, '>'));
    return type;
}

static struct wit_type *type_of_word(struct parser *parser, struct wit_type *type, const char *word)
{
    static const struct {
        const char *word;
        enum wit_kind kind;
        struct wit_type *(*arguments)(struct parser *, struct wit_type *);
    } constructors[] = {
        {"list", WIT_LIST, one_argument},      {"option", WIT_OPTION, one_argument},
        {"own", WIT_OWN, one_argument},        {"borrow", WIT_BORROW, one_argument},
        {"tuple", WIT_TUPLE, tuple_arguments}, {"result", WIT_RESULT, result_arguments}};
    static const char *const unsupported[] = {"stream", "future", "error-context", "map"};
    type->name = NULL;
    for (size_t i = 0; i < sizeof constructors / sizeof constructors[0]; i++)
        if (strcmp(word, constructors[i].word) == 0) {
            type->kind = constructors[i].kind;
            return constructors[i].arguments(parser, type);
        }
    for (size_t i = 0; i < sizeof unsupported / sizeof unsupported[0]; i++)
        if (strcmp(word, unsupported[i]) == 0)
            wit_fail(parser->wit, &type->position, "type '%s' is not supported", word);
    if (!primitive(word, &type->kind)) {
        type->kind = WIT_NAME;
        type->name = word;
    }
    return type;
}

struct wit_type *parser_type(struct parser *parser)
{
    struct wit_type *type = new_type(parser, WIT_NAME);
    const struct token token = parser->lexer.token;
    type->name = "";
    if (token.kind != TOKEN_NAME) {
        parser_fail(parser, "a type");
    } else if (++parser->depth > MAX_DEPTH) {
        wit_fail(parser->wit, &token.position, "types are nested deeper than %d", MAX_DEPTH);
    } else {
        lexer_advance(&parser->lexer);
        if (token.escaped)
            type->name = token.text;
        else
            type = type_of_word(parser, type, token.text);
    }
    parser->depth -= token.kind == TOKEN_NAME;
    return type;
}

struct wit_type *parser_define(struct parser *parser, enum wit_kind kind, const char *name,
                               struct wit_position position)
{
    struct wit_scope *scope = parser->scope;
    for (size_t i = 0; i < scope->type_count; i++)
        if (strcmp(scope->types[i]->name, name) == 0)
            wit_fail(parser->wit, &position, "'%s' is defined twice, first on line %u", name,
                     scope->types[i]->position.line);
    struct wit_type *type = new_type(parser, kind);
    type->name = name;
    type->position = position;
    scope->types = wit_grow(parser->wit, scope->types, scope->type_count, sizeof *scope->types);
    scope->types[scope->type_count++] = type;
    return type;
}

/* The fields, cases or bits between braces. */
static void definition_body(struct parser *parser, struct wit_type *type)
{
    if (!parser_expect(parser, '{'))
        return;
    if (parser_at(parser, '}')) {
        parser_fail(parser, "at least one member");
        return;
    }
    do {
        parser_gates(parser);
        const char *name = parser_name(parser, "the name of a member");
        struct wit_field *field = parser_add_field(parser, &type->fields, &type->field_count, name);
        if (type->kind == WIT_RECORD) {
            parser_expect(parser, ':');
            field->type = parser_type(parser);
        } else if (type->kind == WIT_VARIANT && parser_accept(parser, '(')) {
            field->type = parser_type(parser);
            parser_expect(parser, ')');
        }
    } while (parser_more(parser, '}'));
}

bool parser_definition(struct parser *parser)
{
    static const struct {
        const char *word;
        enum wit_kind kind;
    } definitions[] = {{"record", WIT_RECORD},
                       {"variant", WIT_VARIANT},
                       {"enum", WIT_ENUM},
                       {"flags", WIT_FLAGS},
                       {"type", WIT_ALIAS}};
    for (size_t i = 0; i < sizeof definitions / sizeof definitions[0]; i++) {
        if (!parser_accept_word(parser, definitions[i].word))
            continue;
        struct wit_position position = parser->lexer.token.position;
        const char *name = parser_name(parser, "the name of the type");
        struct wit_type *type = parser_define(parser, definitions[i].kind, name, position);
        if (type->kind == WIT_ALIAS) {
            parser_expect(parser, '=');
            add_argument(parser, type, parser_type(parser));
            parser_expect(parser, ';');
        } else {
            definition_body(parser, type);
        }
        if (type->kind == WIT_FLAGS && type->field_count > 32)
            wit_fail(parser->wit, &position, "flags '%s' has more than 32 members", name);
        return true;
    }
    return false;
}
