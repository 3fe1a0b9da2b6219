/* Secrets come from the environment or a file by default: a command line can be seen by others. */
#include "secrets.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "message.h"

#define FILE_MAX_BYTES ((size_t)4 << 20)

static void wipe(char *text, size_t length)
{
    volatile char *at = text;
    while (length-- > 0)
        *at++ = 0;
}

static void free_text(const char *text)
{
    if (text)
        wipe((char *)text, strlen(text));
    free((char *)text);
}

/* A file's text, without the newline at its end if `trim`; NULL after a message. */
static char *read_text(const char *option, const char *path, bool trim)
{
    FILE *file = fopen(path, "rbe");
    char *text = file ? malloc(FILE_MAX_BYTES + 1) : NULL;
    size_t length = text ? fread(text, 1, FILE_MAX_BYTES + 1, file) : 0;
    const char *why = NULL;
    if (!file || (text && ferror(file)))
        why = strerror(errno);
    else if (!text)
        why = "out of memory";
    else if (length > FILE_MAX_BYTES)
        why = "it has more than 4 MiB";
    else if (memchr(text, '\0', length))
        why = "it has a NUL byte in it";
    if (file)
        fclose(file);
    if (why || !text) {
        message_error("%s: cannot read %s: %s", option, path, why);
        if (text)
            wipe(text, length <= FILE_MAX_BYTES ? length : FILE_MAX_BYTES);
        free(text);
        return NULL;
    }
    if (trim && length > 0 && text[length - 1] == '\n')
        length--;
    if (trim && length > 0 && text[length - 1] == '\r')
        length--;
    text[length] = '\0';
    return text;
}

/* The colon before the hosts: the last one outside of brackets. */
static char *find_hosts(char *text)
{
    bool inside = false;
    for (size_t i = strlen(text); i-- > 0;) {
        if (text[i] == ']')
            inside = true;
        else if (text[i] == '[')
            inside = false;
        else if (text[i] == ':' && !inside)
            return &text[i];
    }
    return NULL;
}

/* Splits "a,b" into the secret's hosts; [::1] without its brackets. */
static bool set_hosts(eryx_secret_t *secret, char *text)
{
    size_t count = 1;
    for (const char *c = text; *c; c++)
        count += *c == ',';
    const char **hosts = calloc(count, sizeof *hosts);
    if (!hosts)
        return false;
    secret->hosts = hosts;
    for (char *rest = text, *host; (host = strsep(&rest, ",")) != NULL;) {
        size_t length = strlen(host);
        if (length > 1 && host[0] == '[' && host[length - 1] == ']') {
            host[length - 1] = '\0';
            host++;
        }
        hosts[secret->host_count] = strdup(host);
        if (!hosts[secret->host_count++])
            return false;
    }
    return true;
}

/* What follows the name: "=VALUE", "@FILE", or nothing, then it is in the environment. */
static char *value_of(const char *name, char *rest)
{
    if (*rest == '=')
        return strdup(rest + 1);
    if (*rest == '@')
        return read_text("--secret", rest + 1, true);
    const char *value = getenv(name);
    if (!value)
        message_error("--secret %s: this variable is not in eryx's environment: set it, or write "
                      "%s@FILE",
                      name, name);
    return value ? strdup(value) : NULL;
}

static void free_secret(eryx_secret_t *secret)
{
    free((char *)secret->name);
    free_text(secret->value);
    for (size_t i = 0; i < secret->host_count; i++)
        free((char *)secret->hosts[i]);
    free((void *)secret->hosts);
}

int secret_options_add(struct secret_options *secrets, char *option)
{
    size_t name = strcspn(option, "=@:");
    char *hosts = find_hosts(option);
    if (name == 0 || !hosts || hosts < option + name)
        return message_usage("run",
                             "--secret %.*s: NAME:HOST, NAME@FILE:HOST or NAME=VALUE:HOST "
                             "is needed",
                             (int)name, option);
    eryx_secret_t *list = realloc(secrets->list, (secrets->count + 1) * sizeof *list);
    if (!list) {
        message_error("out of memory");
        return EXIT_FAILED;
    }
    secrets->list = list;
    *hosts++ = '\0';
    eryx_secret_t secret;
    eryx_secret_init(&secret);
    secret.name = strndup(option, name);
    secret.value = secret.name ? value_of(secret.name, option + name) : NULL;
    bool done = secret.value && set_hosts(&secret, hosts);
    wipe(option + name, strlen(option + name));
    if (!done) {
        free_secret(&secret);
        return EXIT_USAGE;
    }
    list[secrets->count++] = secret;
    return EXIT_OK;
}

int secret_options_cleartext(struct secret_options *secrets, const char *name)
{
    for (size_t i = 0; i < secrets->count; i++) {
        if (strcmp(secrets->list[i].name, name) == 0) {
            secrets->list[i].cleartext = true;
            return EXIT_OK;
        }
    }
    return message_usage("run", "--secret-cleartext %s: no --secret of this name before it", name);
}

int secret_options_authorities(struct secret_options *secrets, const char *path)
{
    char *text = read_text("--tls-ca", path, false);
    if (!text)
        return EXIT_USAGE;
    size_t before = secrets->authorities ? strlen(secrets->authorities) : 0;
    char *both = realloc(secrets->authorities, before + strlen(text) + 2);
    if (both) {
        if (before > 0)
            both[before++] = '\n';
        strcpy(both + before, text);
        secrets->authorities = both;
    }
    free(text);
    if (!both)
        message_error("out of memory");
    return both ? EXIT_OK : EXIT_FAILED;
}

void secret_options_free(struct secret_options *secrets)
{
    for (size_t i = 0; i < secrets->count; i++)
        free_secret(&secrets->list[i]);
    free(secrets->list);
    free(secrets->authorities);
}
