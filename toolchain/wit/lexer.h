/* Tokens of a WIT file, one at a time, with line and column. Comments are skipped. */
#ifndef TOOLCHAIN_WIT_LEXER_H
#define TOOLCHAIN_WIT_LEXER_H

#include "wit.h"

enum token_kind {
    TOKEN_END,
    TOKEN_NAME,  /* identifier or keyword */
    TOKEN_ARROW, /* -> */
    TOKEN_MARK   /* any other single character; see mark */
};

struct token {
    enum token_kind kind;
    char mark;
    bool escaped;     /* written with %: never a keyword */
    const char *text; /* names; from the arena */
    struct wit_position position;
};

struct lexer {
    struct wit *wit;
    const char *next, *end;
    unsigned line, column;
    const char *file;
    struct token token; /* the current one; TOKEN_END after an error */
};

void lexer_start(struct lexer *lexer, struct wit *wit, const char *file, const char *text,
                 size_t size);
void lexer_advance(struct lexer *lexer);
/* With '@' as current token: the version that follows it; then advances past it. */
const char *lexer_version(struct lexer *lexer);

#endif
