/* Shared by the two halves of the WIT parser: parse.c (packages, interfaces, worlds,
 * functions) and parse_type.c (types). After an error the current token is TOKEN_END,
 * so every loop also ends on that. */
#ifndef TOOLCHAIN_WIT_PARSER_H
#define TOOLCHAIN_WIT_PARSER_H

#include "lexer.h"

struct parser {
    struct wit *wit;
    struct lexer lexer;
    struct wit_package *package;
    struct wit_scope *scope; /* being filled */
    unsigned depth;          /* of nested type expressions */
};

bool parser_fail(struct parser *parser, const char *expected);
bool parser_at(const struct parser *parser, char mark);
/* Consumes the mark if it is next. */
bool parser_accept(struct parser *parser, char mark);
bool parser_expect(struct parser *parser, char mark);
bool parser_at_word(const struct parser *parser, const char *word);
bool parser_accept_word(struct parser *parser, const char *word);
/* An identifier; keywords must be written with %. "" after an error. */
const char *parser_name(struct parser *parser, const char *expected);
/* At the end of a list's element: consumes a comma. False at the closing mark, which is
 * consumed too, or after an error. */
bool parser_more(struct parser *parser, char close);
/* Skips feature gates such as @since(version = 0.2.0). */
void parser_gates(struct parser *parser);
struct wit_field *parser_add_field(struct parser *parser, struct wit_field **fields, size_t *count,
                                   const char *name);

struct wit_type *parser_type(struct parser *parser);
/* Adds a definition to the scope; says so if the name is taken. */
struct wit_type *parser_define(struct parser *parser, enum wit_kind kind, const char *name,
                               struct wit_position position);
/* If the next word begins a definition (type, record, variant, enum, flags), parses it. */
bool parser_definition(struct parser *parser);

#endif
