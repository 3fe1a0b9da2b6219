/* WIT parser: packages, interfaces, worlds, functions. Types are in parse_type.c. */
#include <string.h>

#include "parser.h"

bool parser_fail(struct parser *parser, const char *expected)
{
    const struct token *token = &parser->lexer.token;
    if (token->kind == TOKEN_END)
        wit_fail(parser->wit, &token->position, "expected %s, found the end of the file", expected);
    else if (token->kind == TOKEN_NAME)
        wit_fail(parser->wit, &token->position, "expected %s, found '%s'", expected, token->text);
    else if (token->kind == TOKEN_ARROW)
        wit_fail(parser->wit, &token->position, "expected %s, found '->'", expected);
    else
        wit_fail(parser->wit, &token->position, "expected %s, found '%c'", expected, token->mark);
    parser->lexer.token.kind = TOKEN_END;
    return false;
}

bool parser_at(const struct parser *parser, char mark)
{
    return parser->lexer.token.kind == TOKEN_MARK && parser->lexer.token.mark == mark;
}

bool parser_accept(struct parser *parser, char mark)
{
    if (!parser_at(parser, mark))
        return false;
    lexer_advance(&parser->lexer);
    return true;
}

bool parser_expect(struct parser *parser, char mark)
{
    char expected[] = {'\'', mark, '\'', '\0'};
    return parser_accept(parser, mark) || parser_fail(parser, expected);
}

bool parser_at_word(const struct parser *parser, const char *word)
{
    const struct token *token = &parser->lexer.token;
    return token->kind == TOKEN_NAME && !token->escaped && strcmp(token->text, word) == 0;
}

bool parser_accept_word(struct parser *parser, const char *word)
{
    if (!parser_at_word(parser, word))
        return false;
    lexer_advance(&parser->lexer);
    return true;
}

static bool is_keyword(const char *text)
{
    static const char *const keywords[] = {
        "as",     "async",    "bool",      "borrow",  "char",   "constructor", "enum",
        "export", "f32",      "f64",       "flags",   "from",   "func",        "future",
        "import", "include",  "interface", "list",    "option", "own",         "package",
        "record", "resource", "result",    "s16",     "s32",    "s64",         "s8",
        "static", "stream",   "string",    "tuple",   "type",   "u16",         "u32",
        "u64",    "u8",       "use",       "variant", "with",   "world"};
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++)
        if (strcmp(text, keywords[i]) == 0)
            return true;
    return false;
}

const char *parser_name(struct parser *parser, const char *expected)
{
    const struct token token = parser->lexer.token;
    if (token.kind != TOKEN_NAME) {
        parser_fail(parser, expected);
        return "";
    }
    if (!token.escaped && is_keyword(token.text))
        wit_fail(parser->wit, &token.position, "expected %s, found the keyword '%s'; write %%%s",
                 expected, token.text, token.text);
    lexer_advance(&parser->lexer);
    return token.text;
}

bool parser_more(struct parser *parser, char close)
{
    bool comma = parser_accept(parser, ',');
    if (parser_accept(parser, close))
        return false;
    char expected[] = "',' or '?'";
    expected[8] = close;
    return comma ? !parser->wit->failed && parser->lexer.token.kind != TOKEN_END
                 : parser_fail(parser, expected);
}

void parser_gates(struct parser *parser)
{
    while (parser_accept(parser, '@')) {
        parser_name(parser, "the name of a feature gate");
        if (!parser_accept(parser, '('))
            continue;
        while (!parser_at(parser, ')') && parser->lexer.token.kind != TOKEN_END)
            lexer_advance(&parser->lexer);
        parser_expect(parser, ')');
    }
}

struct wit_field *parser_add_field(struct parser *parser, struct wit_field **fields, size_t *count,
                                   const char *name)
{
    struct wit_position position = parser->lexer.token.position;
    for (size_t i = 0; name && i < *count; i++)
        if (strcmp((*fields)[i].name, name) == 0)
            wit_fail(parser->wit, &position, "'%s' appears twice", name);
    *fields = wit_grow(parser->wit, *fields, *count, sizeof **fields);
    struct wit_field *field = &(*fields)[(*count)++];
    *field = (struct wit_field){.name = name, .position = position};
    return field;
}

/* `(a: T, b: U)`, appended to what is there (a method's self). */
static void parse_params(struct parser *parser, struct wit_function *function)
{
    if (!parser_expect(parser, '(') || parser_accept(parser, ')'))
        return;
    do {
        const char *name = parser_name(parser, "the name of a parameter");
        struct wit_field *field =
            parser_add_field(parser, &function->params, &function->param_count, name);
        if (parser_expect(parser, ':'))
            field->type = parser_type(parser);
    } while (parser_more(parser, ')'));
}

/* `[async] func(...) [-> T]` */
static void parse_function_type(struct parser *parser, struct wit_function *function)
{
    function->scope = parser->scope;
    function->async = parser_accept_word(parser, "async");
    if (!parser_accept_word(parser, "func")) {
        parser_fail(parser, "'func' or 'async func'");
        return;
    }
    parse_params(parser, function);
    if (parser->lexer.token.kind == TOKEN_ARROW) {
        lexer_advance(&parser->lexer);
        function->result = parser_type(parser);
    }
}

static struct wit_type *reference(struct parser *parser, enum wit_kind kind, struct wit_type *to)
{
    struct wit_type *name = wit_alloc(parser->wit, sizeof *name);
    *name = (struct wit_type){
        .kind = WIT_NAME, .name = to->name, .scope = to->scope, .position = to->position};
    struct wit_type *type = wit_alloc(parser->wit, sizeof *type);
    *type = (struct wit_type){.kind = kind, .scope = to->scope, .position = to->position};
    parser_add_field(parser, &type->fields, &type->field_count, NULL)->type = name;
    return type;
}

static void add_function(struct parser *parser, const struct wit_function *function)
{
    struct wit_scope *scope = parser->scope;
    for (size_t i = 0; i < scope->function_count; i++) {
        const struct wit_function *other = &scope->functions[i];
        if (other->resource == function->resource && other->kind == function->kind &&
            strcmp(other->name, function->name) == 0)
            wit_fail(parser->wit, &function->position, "'%s' is defined twice, first on line %u",
                     function->name, other->position.line);
    }
    scope->functions =
        wit_grow(parser->wit, scope->functions, scope->function_count, sizeof *scope->functions);
    scope->functions[scope->function_count++] = *function;
}

static void parse_resource_member(struct parser *parser, struct wit_type *resource)
{
    struct wit_function function = {.position = parser->lexer.token.position, .resource = resource};
    if (parser_accept_word(parser, "constructor")) {
        function.kind = WIT_CONSTRUCTOR;
        function.name = resource->name;
        function.scope = parser->scope;
        parse_params(parser, &function);
        function.result = reference(parser, WIT_OWN, resource);
    } else {
        function.name = parser_name(parser, "the name of a method");
        parser_expect(parser, ':');
        function.kind = parser_accept_word(parser, "static") ? WIT_STATIC : WIT_METHOD;
        if (function.kind == WIT_METHOD)
            parser_add_field(parser, &function.params, &function.param_count, "self")->type =
                reference(parser, WIT_BORROW, resource);
        parse_function_type(parser, &function);
    }
    parser_expect(parser, ';');
    add_function(parser, &function);
}

static bool parse_resource(struct parser *parser)
{
    if (!parser_accept_word(parser, "resource"))
        return false;
    struct wit_position position = parser->lexer.token.position;
    const char *name = parser_name(parser, "the name of the resource");
    struct wit_type *resource = parser_define(parser, WIT_RESOURCE, name, position);
    if (parser_accept(parser, ';') || !parser_expect(parser, '{'))
        return true;
    while (!parser_accept(parser, '}') && !parser->wit->failed) {
        parser_gates(parser);
        parse_resource_member(parser, resource);
    }
    return true;
}

/* What follows `ns:` in `ns:package/interface@1.2.3`. */
static void parse_path_tail(struct parser *parser, struct wit_path *path, const char *ns)
{
    path->ns = ns;
    path->package = parser_name(parser, "the name of a package");
    parser_expect(parser, '/');
    path->interface = parser_name(parser, "the name of an interface");
    if (parser_at(parser, '@'))
        path->version = lexer_version(&parser->lexer);
}

/* `use path.{name, other as alias};` */
static bool parse_use(struct parser *parser)
{
    if (!parser_accept_word(parser, "use"))
        return false;
    struct wit_path path = {.position = parser->lexer.token.position};
    path.interface = parser_name(parser, "the name of an interface");
    if (parser_accept(parser, ':'))
        parse_path_tail(parser, &path, path.interface);
    parser_expect(parser, '.');
    parser_expect(parser, '{');
    do {
        struct wit_position position = parser->lexer.token.position;
        const char *name = parser_name(parser, "the name of a type");
        bool renamed = parser_accept_word(parser, "as");
        const char *local = renamed ? parser_name(parser, "a name") : name;
        struct wit_type *type = parser_define(parser, WIT_USE, local, position);
        type->path = path;
        type->used_name = name;
    } while (parser_more(parser, '}'));
    parser_expect(parser, ';');
    return true;
}

static void parse_interface_body(struct parser *parser)
{
    parser_expect(parser, '{');
    while (!parser_accept(parser, '}') && !parser->wit->failed) {
        parser_gates(parser);
        if (parse_use(parser) || parser_definition(parser) || parse_resource(parser))
            continue;
        struct wit_function function = {.position = parser->lexer.token.position};
        function.name = parser_name(parser, "a function, a type or '}'");
        parser_expect(parser, ':');
        parse_function_type(parser, &function);
        parser_expect(parser, ';');
        add_function(parser, &function);
    }
}

static struct wit_scope *new_scope(struct parser *parser, const char *name)
{
    struct wit_scope *scope = wit_alloc(parser->wit, sizeof *scope);
    scope->name = name;
    scope->package = parser->package;
    scope->position = parser->lexer.token.position;
    return scope;
}

/* `name: func(...);`, `name: interface {...}`, `path;` */
static void parse_world_item(struct parser *parser, bool is_export)
{
    struct wit_scope *world = parser->scope;
    struct wit_item item = {.is_export = is_export, .position = parser->lexer.token.position};
    const char *name = parser_name(parser, "a function or an interface");
    if (parser_accept(parser, ':')) {
        if (parser_accept_word(parser, "interface")) {
            item.interface = new_scope(parser, name);
            item.interface->is_inline = true;
            item.interface->id = name;
            parser->scope = item.interface;
            parse_interface_body(parser);
            parser->scope = world;
        } else if (parser_at_word(parser, "func") || parser_at_word(parser, "async")) {
            item.function = wit_alloc(parser->wit, sizeof *item.function);
            item.function->name = name;
            item.function->position = item.position;
            parse_function_type(parser, item.function);
        } else {
            item.path.position = item.position;
            parse_path_tail(parser, &item.path, name);
        }
    } else {
        item.path = (struct wit_path){.interface = name, .position = item.position};
    }
    if (!item.interface)
        parser_expect(parser, ';');
    world->items = wit_grow(parser->wit, world->items, world->item_count, sizeof *world->items);
    world->items[world->item_count++] = item;
}

static void parse_world_body(struct parser *parser)
{
    parser_expect(parser, '{');
    while (!parser_accept(parser, '}') && !parser->wit->failed) {
        parser_gates(parser);
        if (parse_use(parser) || parser_definition(parser) || parse_resource(parser))
            continue;
        if (parser_accept_word(parser, "import"))
            parse_world_item(parser, false);
        else if (parser_accept_word(parser, "export"))
            parse_world_item(parser, true);
        else if (parser_at_word(parser, "include"))
            parser_fail(parser, "an item of the world ('include' is not supported)");
        else
            parser_fail(parser, "'import', 'export', a type or '}'");
    }
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* `package ns:name@1.2.3;`. Several files may make up one package. */
static void parse_package(struct parser *parser)
{
    struct wit *wit = parser->wit;
    struct wit_package package = {0};
    parser_gates(parser);
    if (!parser_accept_word(parser, "package")) {
        parser_fail(parser, "'package'");
        return;
    }
    package.ns = parser_name(parser, "a namespace");
    parser_expect(parser, ':');
    package.name = parser_name(parser, "the name of the package");
    if (parser_at(parser, '@'))
        package.version = lexer_version(&parser->lexer);
    parser_expect(parser, ';');
    for (size_t i = 0; i < wit->package_count; i++) {
        struct wit_package *known = wit->packages[i];
        if (same_text(known->ns, package.ns) && same_text(known->name, package.name) &&
            same_text(known->version, package.version))
            parser->package = known;
    }
    if (parser->package)
        return;
    parser->package = wit_alloc(wit, sizeof package);
    *parser->package = package;
    wit->packages = wit_grow(wit, wit->packages, wit->package_count, sizeof *wit->packages);
    wit->packages[wit->package_count++] = parser->package;
}

static void parse_scope(struct parser *parser, bool is_world)
{
    struct wit *wit = parser->wit;
    struct wit_package *package = parser->package;
    struct wit_scope *scope = new_scope(parser, NULL);
    scope->name = parser_name(parser, is_world ? "the name of the world" : "the interface's name");
    scope->is_world = is_world;
    scope->id = is_world ? "$root"
                         : wit_format(wit, "%s:%s/%s%s%s", package->ns, package->name, scope->name,
                                      package->version ? "@" : "",
                                      package->version ? package->version : "");
    for (size_t i = 0; i < package->scope_count; i++)
        if (strcmp(package->scopes[i]->name, scope->name) == 0)
            wit_fail(wit, &scope->position, "'%s' is defined twice, first in %s:%u", scope->name,
                     package->scopes[i]->position.file, package->scopes[i]->position.line);
    package->scopes = wit_grow(wit, package->scopes, package->scope_count, sizeof *package->scopes);
    package->scopes[package->scope_count++] = scope;
    parser->scope = scope;
    if (is_world)
        parse_world_body(parser);
    else
        parse_interface_body(parser);
}

struct wit_package *wit_read(struct wit *wit, const char *file, const char *text, size_t size)
{
    struct parser parser = {.wit = wit};
    lexer_start(&parser.lexer, wit, file, text, size);
    parse_package(&parser);
    while (parser.lexer.token.kind != TOKEN_END && !wit->failed) {
        parser_gates(&parser);
        if (parser_accept_word(&parser, "interface"))
            parse_scope(&parser, false);
        else if (parser_accept_word(&parser, "world"))
            parse_scope(&parser, true);
        else
            parser_fail(&parser, "'interface' or 'world'");
    }
    return wit->failed ? NULL : parser.package;
}
