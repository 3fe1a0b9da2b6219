/* Who may ask. A server on loopback is reachable for every page in a browser of this machine: such
 * requests carry an Origin, or, after DNS rebinding, a Host that is not ours. */
#include "http_guard.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "../message.h"

enum { TOKEN_MAX = 4096, TOKEN_LEAST = 16 };

bool guard_token(const char *header, const char *token)
{
    if (!header || strncasecmp(header, "Bearer ", 7) != 0)
        return false;
    const char *given = header + 7;
    size_t length = strlen(token), given_length = strlen(given);
    volatile unsigned char differs = given_length != length;
    for (size_t i = 0; i < given_length; i++)
        differs |= (unsigned char)(given[i] ^ token[i % length]);
    return !differs;
}

static bool is_loopback(const char *name, size_t length)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    for (size_t i = 0; i < 3; i++) {
        if (strlen(names[i]) == length && strncasecmp(names[i], name, length) == 0)
            return true;
    }
    return false;
}

/* Of "name" or "name:port". */
static size_t name_length(const char *host)
{
    const char *end = *host == '[' ? strchr(host, ']') : NULL;
    return end ? (size_t)(end + 1 - host) : strcspn(host, ":");
}

bool guard_origin(const char *origin, char *const *allowed, size_t count)
{
    if (!origin)
        return true;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(allowed[i], origin) == 0)
            return true;
    }
    const char *host = strstr(origin, "://");
    return host && is_loopback(host + 3, name_length(host + 3));
}

bool guard_host(const char *host)
{
    return host && is_loopback(host, name_length(host));
}

static bool take_token(char *text, const char *where, char **token)
{
    size_t length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
    for (size_t i = 0; i < length; i++) {
        if (!isgraph((unsigned char)text[i]))
            length = 0;
    }
    if (length < TOKEN_LEAST) {
        message_error("%s: a token has at least %d characters, all of them visible ASCII", where,
                      TOKEN_LEAST);
        return false;
    }
    *token = strdup(text);
    return *token != NULL;
}

bool guard_read_token(const char *path, char **token)
{
    char text[TOKEN_MAX + 1];
    const char *variable = getenv("ERYX_TOKEN");
    *token = NULL;
    if (!path && !variable)
        return true;
    if (!path) {
        snprintf(text, sizeof text, "%s", variable);
        return take_token(text, "ERYX_TOKEN", token);
    }
    FILE *file = fopen(path, "re");
    size_t length = file ? fread(text, 1, TOKEN_MAX, file) : 0;
    if (!file || ferror(file)) {
        message_error("cannot read the token from %s: %s", path, strerror(errno));
        if (file)
            fclose(file);
        return false;
    }
    fclose(file);
    text[length] = '\0';
    return take_token(text, path, token);
}

char *guard_new_token(void)
{
    unsigned char bytes[32];
    char *text = malloc(sizeof bytes * 2 + 1);
    if (!text || getrandom(bytes, sizeof bytes, 0) != sizeof bytes) {
        free(text);
        return NULL;
    }
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return text;
}
