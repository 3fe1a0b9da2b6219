/* Reads the file of `eryx run --callbacks`: a JSON array of objects, one for each callback, or the
 * same as TOML tables [[callback]].
 * Whatever is wrong is said with the place and what would be right. */
#include "callbacks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "message.h"
#include "suggest.h"
#include "toml.h"

#define FILE_MAX ((size_t)16 << 20)

static const double timeout_default = 30, timeout_max = 86400;

/* Where in the file: its path, the number of the callback from 1, and its name or "". */
struct place {
    const char *path;
    size_t number;
    const char *name;
};

static bool wrong(const struct place *place, const char *what)
{
    message_error("%s: callback %zu%s%s%s: %s", place->path, place->number,
                  place->name[0] ? " (" : "", place->name, place->name[0] ? ")" : "", what);
    return false;
}

static bool check_keys(const struct place *place, json_t *object)
{
    static const char *const keys[] = {"name",    "description", "parameters", "command",
                                       "timeout", "blocking",    NULL};
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        size_t i = 0;
        while (keys[i] && strcmp(keys[i], key) != 0)
            i++;
        if (keys[i])
            continue;
        const char *nearest = suggest_name(key, keys);
        char text[256];
        if (nearest)
            snprintf(text, sizeof text, "unknown key \"%.100s\"; did you mean \"%s\"?", key,
                     nearest);
        else
            snprintf(text, sizeof text,
                     "unknown key \"%.100s\"; there are name, description, parameters, command, "
                     "timeout and blocking",
                     key);
        return wrong(place, text);
    }
    return true;
}

static bool read_command(const struct place *place, json_t *array, struct process_command *command)
{
    size_t count = json_array_size(array); /* 0 if it is no array */
    if (count == 0)
        return wrong(place, "\"command\" is needed: an array of strings, the program first");
    command->argv = calloc(count + 1, sizeof *command->argv);
    if (!command->argv)
        return wrong(place, "out of memory");
    for (size_t i = 0; i < count; i++) {
        json_t *word = json_array_get(array, i);
        if (!json_is_string(word))
            return wrong(place, "\"command\" may only contain strings");
        command->argv[i] = (char *)json_string_value(word);
    }
    return command->argv[0][0] ? true : wrong(place, "\"command\" begins with an empty string");
}

static bool read_timeout(const struct place *place, json_t *value, struct process_command *command)
{
    double seconds = value ? json_number_value(value) : timeout_default;
    if (!(seconds >= 0.001 && seconds <= timeout_max))
        return wrong(place, "\"timeout\" must be a number of seconds from 0.001 to 86400");
    command->timeout_ns = (uint64_t)(seconds * 1e9);
    return true;
}

static bool read_callback(const struct place *place, json_t *object, eryx_callback_t *callback,
                          struct process_command *command)
{
    if (!json_is_object(object))
        return wrong(place, "must be an object: {\"name\": ..., \"command\": [...]}");
    if (!check_keys(place, object))
        return false;
    json_t *description = json_object_get(object, "description");
    json_t *parameters = json_object_get(object, "parameters");
    json_t *blocking = json_object_get(object, "blocking");
    if (!place->name[0])
        return wrong(place, "\"name\" is needed: a string that is not empty");
    if (strlen(place->name) > 255)
        return wrong(place, "\"name\" has more than 255 bytes");
    if (description && !json_is_string(description))
        return wrong(place, "\"description\" must be a string");
    if (parameters && !json_is_object(parameters))
        return wrong(place, "\"parameters\" must be an object: a JSON schema");
    if (blocking && !json_is_boolean(blocking))
        return wrong(place, "\"blocking\" must be true or false");
    if (!read_command(place, json_object_get(object, "command"), command) ||
        !read_timeout(place, json_object_get(object, "timeout"), command))
        return false;

    eryx_callback_init(callback);
    callback->name = place->name;
    callback->description = json_string_value(description);
    callback->blocking = json_is_true(blocking);
    callback->on_call = processes_on_call;
    callback->on_cancel = processes_on_cancel;
    callback->env = command;
    if (parameters) {
        callback->parameters_schema_json = json_dumps(parameters, JSON_COMPACT);
        if (!callback->parameters_schema_json)
            return wrong(place, "out of memory");
    }
    return true;
}

static bool name_is_new(const struct place *place, const struct callbacks *callbacks)
{
    for (size_t i = 0; i + 1 < place->number; i++) {
        char text[64];
        if (strcmp(callbacks->list[i].name, place->name) != 0)
            continue;
        snprintf(text, sizeof text, "callback %zu has this name too; names must differ", i + 1);
        return wrong(place, text);
    }
    return true;
}

static bool read_all(const char *path, struct callbacks *callbacks)
{
    if (!json_is_array(callbacks->json)) {
        message_error("%s: must be an array of callbacks: "
                      "[{\"name\": ..., \"command\": [...]}, ...]",
                      path);
        return false;
    }
    size_t count = json_array_size(callbacks->json);
    callbacks->list = calloc(count + 1, sizeof *callbacks->list);
    callbacks->commands = calloc(count + 1, sizeof *callbacks->commands);
    if (!callbacks->list || !callbacks->commands) {
        message_error("out of memory");
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        json_t *object = json_array_get(callbacks->json, i);
        const char *name = json_string_value(json_object_get(object, "name"));
        struct place place = {path, i + 1, name ? name : ""};
        callbacks->count = i + 1;
        if (!read_callback(&place, object, &callbacks->list[i], &callbacks->commands[i]) ||
            !name_is_new(&place, callbacks))
            return false;
    }
    return true;
}

/* A file in the memory of the process; NULL after a message. */
static char *load(const char *path, size_t *length)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        message_error("cannot open %s: %s (--callbacks)", path, strerror(errno));
        return NULL;
    }
    char *text = malloc(FILE_MAX + 1);
    errno = 0;
    *length = text ? fread(text, 1, FILE_MAX + 1, file) : 0;
    int cause = ferror(file) ? errno : 0;
    fclose(file);
    if (!text)
        message_error("out of memory");
    else if (cause)
        message_error("cannot read %s: %s (--callbacks)", path, strerror(cause));
    else if (*length > FILE_MAX)
        message_error("%s is larger than 16 MiB (--callbacks)", path);
    else
        return text;
    free(text);
    return NULL;
}

static json_t *read_json(const char *path, const char *text, size_t length)
{
    json_error_t error;
    json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!json)
        message_error("%s, line %d, column %d: not JSON: %s", path, error.line, error.column,
                      error.text);
    return json;
}

/* Of TOML the tables named "callback", and nothing else. */
static json_t *read_toml(const char *path, const char *text, size_t length,
                         const char *runtime_path)
{
    json_t *content = toml_read(path, text, length, runtime_path), *value, *list = NULL;
    const char *key, *unknown = NULL;
    json_object_foreach(content, key, value)
    {
        if (strcmp(key, "callback") == 0)
            list = value;
        else
            unknown = key;
    }
    if (content && unknown)
        message_error("%s: unknown key \"%.100s\"; there are only tables [[callback]]", path,
                      unknown);
    else if (content && list && !json_is_array(list))
        message_error("%s: callback must be an array of tables: [[callback]], each with name and "
                      "command",
                      path);
    else if (content)
        list = list ? json_incref(list) : json_array();
    list = unknown || !json_is_array(list) ? NULL : list;
    json_decref(content);
    return list;
}

bool callbacks_read(const char *path, const char *runtime_path, struct callbacks *out)
{
    size_t length;
    char *text = load(path, &length);
    *out = (struct callbacks){0};
    if (!text)
        return false;
    out->json = toml_is_name(path) ? read_toml(path, text, length, runtime_path)
                                   : read_json(path, text, length);
    free(text);
    if (out->json && read_all(path, out))
        return true;
    callbacks_free(out);
    return false;
}

void callbacks_free(struct callbacks *callbacks)
{
    for (size_t i = 0; i < callbacks->count; i++) {
        free((char *)callbacks->list[i].parameters_schema_json);
        free(callbacks->commands[i].argv);
    }
    free(callbacks->list);
    free(callbacks->commands);
    json_decref(callbacks->json);
    *callbacks = (struct callbacks){0};
}
