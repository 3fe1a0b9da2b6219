/* --mount: splits the value and opens the source. */
#include "mount_options.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "message.h"
#include "values.h"

static const struct {
    const char *name;
    eryx_mount_mode_t mode;
} modes[] = {
    {":ro", ERYX_MOUNT_READ_ONLY},
    {":rw", ERYX_MOUNT_READ_WRITE},
    {":overlay", ERYX_MOUNT_OVERLAY},
};

/* Takes a mode off the end, if there is one. */
static bool take_mode(char *text, eryx_mount_mode_t *mode)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        size_t size = strlen(modes[i].name);
        if (length > size && strcmp(text + length - size, modes[i].name) == 0) {
            text[length - size] = '\0';
            *mode = modes[i].mode;
            return true;
        }
    }
    *mode = ERYX_MOUNT_READ_ONLY;
    return false;
}

/* The last ":/" of the text: sources may have colons in them. NULL: none. */
static char *find_target(char *text)
{
    char *found = NULL;
    for (char *at = strstr(text, ":/"); at; at = strstr(at + 1, ":/"))
        found = at;
    return found && found != text ? found : NULL;
}

/* "/data/" is meant as "/data". */
static void trim_slashes(char *target)
{
    size_t length = strlen(target);
    while (length > 1 && target[length - 1] == '/')
        target[--length] = '\0';
}

static int add(struct mount_options *mounts, bool archive, const char *value, char *text)
{
    const char *option = archive ? "--mount-archive" : "--mount";
    eryx_error_t error = {0};
    eryx_mount_t mount;
    eryx_mount_init(&mount);
    bool has_mode = take_mode(text, &mount.mode);
    char *colon = find_target(text);
    /* A mode that is none would become a part of the target. */
    const char *other = colon && !has_mode ? strrchr(colon + 1, ':') : NULL;
    if (other)
        return message_usage(
            "run",
            "%s %s: '%s' is no mode: ro, rw or overlay; a TARGET with a colon in it "
            "needs one after it",
            option, value, other + 1);
    if (!colon)
        return message_usage("run",
                             "%s %s: SOURCE:TARGET or SOURCE:TARGET:MODE is needed, with an "
                             "absolute TARGET and MODE ro, rw or overlay",
                             option, value);
    *colon = '\0';
    trim_slashes(colon + 1);
    eryx_mount_t *list = realloc(mounts->list, (mounts->count + 1) * sizeof *list);
    char *target = strdup(colon + 1);
    if (list)
        mounts->list = list;
    if (!list || !target) {
        free(target);
        message_error("out of memory");
        return EXIT_FAILED;
    }
    mount.target = target;
    int status = archive ? eryx_source_new_archive_file(text, NULL, &mount.source, &error)
                         : eryx_source_new_path(text, &mount.source, &error);
    if (status != ERYX_OK) {
        free(target);
        message_error("%s %s: %s", option, value, error.message);
        return EXIT_USAGE;
    }
    list[mounts->count++] = mount;
    return EXIT_OK;
}

int mount_options_add(struct mount_options *mounts, bool archive, const char *value)
{
    if (value_utf8_prefix(value, strlen(value)) != strlen(value))
        return message_usage("run", "--mount: the value is not UTF-8");
    char *text = strdup(value);
    if (!text) {
        message_error("out of memory");
        return EXIT_FAILED;
    }
    int result = add(mounts, archive, value, text);
    free(text);
    return result;
}

void mount_options_free(struct mount_options *mounts)
{
    for (size_t i = 0; i < mounts->count; i++) {
        free((char *)mounts->list[i].target);
        eryx_source_free(mounts->list[i].source);
    }
    free(mounts->list);
    *mounts = (struct mount_options){0};
}
