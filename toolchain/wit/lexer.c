/* Tokens of a WIT file: see lexer.h. */
#include "lexer.h"

#include <string.h>

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_word(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9');
}

static char peek(const struct lexer *lexer, size_t ahead)
{
    return (size_t)(lexer->end - lexer->next) > ahead ? lexer->next[ahead] : '\0';
}

static void step(struct lexer *lexer)
{
    if (*lexer->next++ == '\n') {
        lexer->line++;
        lexer->column = 1;
    } else {
        lexer->column++;
    }
}

static struct wit_position here(const struct lexer *lexer)
{
    return (struct wit_position){lexer->file, lexer->line, lexer->column};
}

/* Block comments nest. */
static void skip_block_comment(struct lexer *lexer)
{
    struct wit_position start = here(lexer);
    unsigned depth = 0;
    do {
        if (lexer->next == lexer->end) {
            wit_fail(lexer->wit, &start, "comment without end");
            return;
        }
        bool opens = peek(lexer, 0) == '/' && peek(lexer, 1) == '*';
        bool closes = peek(lexer, 0) == '*' && peek(lexer, 1) == '/';
        depth += opens;
        depth -= closes;
        if (opens || closes)
            step(lexer);
        step(lexer);
    } while (depth);
}

static void skip_blank(struct lexer *lexer)
{
    while (lexer->next < lexer->end && !lexer->wit->failed) {
        char c = *lexer->next;
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
            step(lexer);
        else if (c == '/' && peek(lexer, 1) == '/')
            while (lexer->next < lexer->end && *lexer->next != '\n')
                step(lexer);
        else if (c == '/' && peek(lexer, 1) == '*')
            skip_block_comment(lexer);
        else
            return;
    }
}

void lexer_start(struct lexer *lexer, struct wit *wit, const char *file, const char *text,
                 size_t size)
{
    *lexer = (struct lexer){.wit = wit, .next = text, .end = text + size, .line = 1, .column = 1};
    lexer->file = wit_format(wit, "%s", file);
    lexer_advance(lexer);
}

/* A dash belongs to the name only between words, so that `a->b` is three tokens. */
static const char *read_name(struct lexer *lexer)
{
    const char *start = lexer->next;
    while (is_word(peek(lexer, 0)) || (peek(lexer, 0) == '-' && is_word(peek(lexer, 1))))
        step(lexer);
    return wit_format(lexer->wit, "%.*s", (int)(lexer->next - start), start);
}

void lexer_advance(struct lexer *lexer)
{
    struct token *token = &lexer->token;
    skip_blank(lexer);
    *token = (struct token){.kind = TOKEN_END, .position = here(lexer)};
    if (lexer->next == lexer->end || lexer->wit->failed)
        return;
    char c = *lexer->next;
    token->escaped = c == '%';
    if (token->escaped)
        step(lexer);
    if (is_letter(peek(lexer, 0))) {
        token->kind = TOKEN_NAME;
        token->text = read_name(lexer);
    } else if (token->escaped) {
        wit_fail(lexer->wit, &token->position, "a name must follow '%%'");
    } else if (c == '-' && peek(lexer, 1) == '>') {
        token->kind = TOKEN_ARROW;
        step(lexer);
        step(lexer);
    } else if (c > ' ' && c < 127) {
        token->kind = TOKEN_MARK;
        token->mark = c;
        step(lexer);
    } else {
        wit_fail(lexer->wit, &token->position, "unexpected byte 0x%02x", (unsigned char)c);
    }
}

const char *lexer_version(struct lexer *lexer)
{
    struct wit_position start = here(lexer);
    const char *text = lexer->next;
    unsigned dots = 0;
    while (is_word(peek(lexer, 0)) ||
           (peek(lexer, 0) && strchr(".-+", peek(lexer, 0)) && is_word(peek(lexer, 1)))) {
        dots += peek(lexer, 0) == '.';
        step(lexer);
    }
    if (dots < 2)
        wit_fail(lexer->wit, &start, "expected a version such as 1.2.3 after '@'");
    const char *version = wit_format(lexer->wit, "%.*s", (int)(lexer->next - text), text);
    lexer_advance(lexer);
    return version;
}
