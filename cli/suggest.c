/* "Did you mean": edit distance with swaps of neighbours, over a handful of names. */
#include "suggest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "message.h"

enum { WORD_MAX = 32, NAMES_MAX = 32 };

static int min_int(int a, int b)
{
    return a < b ? a : b;
}

/* Optimal string alignment distance; both words have at most WORD_MAX bytes. */
static int distance(const char *a, const char *b)
{
    int rows[WORD_MAX + 1][WORD_MAX + 1];
    int la = (int)strlen(a), lb = (int)strlen(b);
    for (int i = 0; i <= la; i++)
        rows[i][0] = i;
    for (int j = 0; j <= lb; j++)
        rows[0][j] = j;
    for (int i = 1; i <= la; i++) {
        for (int j = 1; j <= lb; j++) {
            int change = rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            int best = min_int(change, 1 + min_int(rows[i - 1][j], rows[i][j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = min_int(best, rows[i - 2][j - 2] + 1);
            rows[i][j] = best;
        }
    }
    return rows[la][lb];
}

const char *suggest_name(const char *word, const char *const *names)
{
    if (strlen(word) > WORD_MAX)
        return NULL;
    const char *nearest = NULL;
    int least = (int)strlen(word) / 3 + 2; /* further away it is another word */
    for (; *names; names++) {
        int d = strlen(*names) <= WORD_MAX ? distance(word, *names) : least;
        if (d < least) {
            least = d;
            nearest = *names;
        }
    }
    return nearest;
}

static int unknown_long_option(const char *command, const char *given, const struct option *options)
{
    const char *names[NAMES_MAX + 1];
    size_t count = 0;
    for (; options->name && count < NAMES_MAX; options++)
        names[count++] = options->name;
    names[count] = NULL;

    int length = (int)strcspn(given, "=");
    char word[WORD_MAX + 1];
    snprintf(word, sizeof word, "%.*s", length - 2, given + 2);
    const char *nearest = suggest_name(word, names);
    if (nearest)
        return message_usage(command, "unknown option '%.*s'; did you mean '--%s'?", length, given,
                             nearest);
    return message_usage(command, "unknown option '%.*s'", length, given);
}

int suggest_option(const char *command, int result, char **argv, const struct option *options)
{
    const char *given = argv[optind - 1];
    if (result == ':') {
        int length = (int)strcspn(given, "=");
        return message_usage(command, "option '%.*s' needs a value", length, given);
    }
    if (strncmp(given, "--", 2) == 0) {
        if (optopt != 0)
            return message_usage(command, "option '%.*s' takes no value", (int)strcspn(given, "="),
                                 given);
        return unknown_long_option(command, given, options);
    }
    return message_usage(command, "unknown option '-%c'", optopt);
}
