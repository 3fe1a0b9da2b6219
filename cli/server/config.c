/* Reads the configuration. Unknown keys and values of the wrong kind are errors that say what is
 * right: a limit that is silently ignored would be worse than none. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "../message.h"
#include "../suggest.h"
#include "../values.h"

enum kind { KIND_DURATION, KIND_SIZE, KIND_COUNT, KIND_TEXT, KIND_TEXTS };

struct key {
    const char *group; /* "": top level */
    const char *name;
    enum kind kind;
    size_t offset; /* in struct server_config */
    double least, most;
};

#define KEY(group, name, kind, member, least, most)                                                \
    {group, name, kind, offsetof(struct server_config, member), least, most}

static const double giga = 1 << 30, day = 86400e9;

static const struct key *all_keys(size_t *count)
{
    static struct key keys[] = {
        KEY("limits", "timeout", KIND_DURATION, limits.wall_time_ns, 1e6, 0),
        KEY("limits", "cpu_time", KIND_DURATION, limits.cpu_time_ns, 1e6, 0),
        KEY("limits", "memory", KIND_SIZE, limits.memory_bytes, 1 << 20, 4),
        KEY("limits", "output", KIND_SIZE, limits.output_bytes, 1, 1),
        KEY("limits", "host_memory", KIND_SIZE, limits.host_memory_bytes, 1 << 16, 4),
        KEY("limits", "snapshot", KIND_SIZE, limits.snapshot_bytes, 1, 4),
        KEY("limits", "file", KIND_SIZE, file_bytes, 1, 1),
        KEY("limits", "request", KIND_SIZE, request_bytes, 1024, 1),
        KEY("", "sessions", KIND_COUNT, sessions, 1, 65536),
        KEY("", "session_idle", KIND_DURATION, session_idle_ns, 1e6, 0),
        KEY("", "workers", KIND_COUNT, workers, 1, 1024),
        KEY("", "jobs", KIND_COUNT, jobs, 1, 65536),
        KEY("", "session_jobs", KIND_COUNT, session_jobs, 1, 65536),
        KEY("", "listen", KIND_TEXT, listen, 0, 0),
        KEY("", "token_file", KIND_TEXT, token_file, 0, 0),
        KEY("", "origins", KIND_TEXTS, origins, 0, 0),
        KEY("store", "directory", KIND_TEXT, store_directory, 0, 0),
        KEY("store", "url", KIND_TEXT, store_url, 0, 0),
    };
    *count = sizeof keys / sizeof *keys;
    return keys;
}

void config_init(struct server_config *config)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    *config = (struct server_config){
        .sessions = 256,
        .session_idle_ns = UINT64_C(3600000000000),
        .workers = cores > 2 ? (uint32_t)cores * 4 : 8,
        .jobs = 1024,
        .session_jobs = 64,
        .request_bytes = 32 << 20,
        .file_bytes = 16 << 20,
    };
    eryx_limits_init(&config->limits);
    config->limits.memory_bytes = 256 << 20;
    config->limits.output_bytes = 1 << 20;
}

static bool wrong(const char *path, const struct key *key, const char *what)
{
    message_error("%s: \"%s%s%s\" must be %s", path, key->group, *key->group ? "." : "", key->name,
                  what);
    return false;
}

static bool set_text(char **out, json_t *value)
{
    free(*out);
    *out = strdup(json_string_value(value));
    return *out != NULL;
}

static bool set_texts(struct server_config *config, json_t *array)
{
    size_t count = json_array_size(array);
    config->origins = calloc(count + 1, sizeof *config->origins);
    for (size_t i = 0; config->origins && i < count; i++) {
        const char *text = json_string_value(json_array_get(array, i));
        config->origins[i] = text ? strdup(text) : NULL;
        if (!config->origins[i])
            return false;
        config->origin_count++;
    }
    return config->origins != NULL;
}

static bool set_value(const char *path, const struct key *key, json_t *value,
                      struct server_config *config)
{
    void *member = (char *)config + key->offset;
    const char *text = json_string_value(value);
    uint64_t number = 0;
    switch (key->kind) {
    case KIND_DURATION:
        if (!text || !value_duration(text, &number) || (double)number > 365 * day ||
            (number > 0 && (double)number < key->least))
            return wrong(path, key, "a duration, such as \"1.5s\", \"2m\", or \"none\"");
        memcpy(member, &number, sizeof number);
        return true;
    case KIND_SIZE:
        if (!text || !value_size(text, &number) || (double)number < key->least ||
            (double)number > key->most * giga)
            return wrong(path, key, "a size, such as \"256M\"");
        memcpy(member, &number, sizeof number);
        return true;
    case KIND_COUNT: {
        json_int_t count = json_integer_value(value);
        if ((double)count < key->least || (double)count > key->most)
            return wrong(path, key, "a whole number from 1 to 65536 (workers: 1024)");
        uint32_t small = (uint32_t)count;
        memcpy(member, &small, sizeof small);
        return true;
    }
    case KIND_TEXT:
        return (text && *text && set_text(member, value)) || wrong(path, key, "a string");
    default:
        return (json_is_array(value) && set_texts(config, value)) ||
               wrong(path, key, "an array of strings");
    }
}

static bool unknown(const char *path, const char *group, const char *name)
{
    size_t count;
    const struct key *keys = all_keys(&count);
    const char *names[32] = {0};
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(keys[i].group, group) == 0)
            names[used++] = keys[i].name;
    }
    if (!*group) {
        names[used++] = "limits";
        names[used++] = "store";
    }
    const char *nearest = suggest_name(name, names);
    message_error(nearest ? "%s: unknown key \"%s\"; did you mean \"%s\"?"
                          : "%s: unknown key \"%s\"; 'eryx help serve' lists the keys%.0s",
                  path, name, nearest ? nearest : "");
    return false;
}

static bool read_group(const char *path, const char *group, json_t *object,
                       struct server_config *config)
{
    size_t count;
    const struct key *keys = all_keys(&count);
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        bool is_group = strcmp(name, "limits") == 0 || strcmp(name, "store") == 0;
        if (!*group && is_group) {
            if (!json_is_object(value)) {
                message_error("%s: \"%s\" must be an object", path, name);
                return false;
            }
            if (!read_group(path, name, value, config))
                return false;
            continue;
        }
        size_t i = 0;
        while (i < count && (strcmp(keys[i].group, group) != 0 || strcmp(keys[i].name, name) != 0))
            i++;
        if (i == count)
            return unknown(path, group, name);
        if (!set_value(path, &keys[i], value, config))
            return false;
    }
    return true;
}

bool config_read(const char *path, struct server_config *config)
{
    config_init(config);
    if (!path)
        return true;
    json_error_t error;
    json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    bool good = json_is_object(json) && read_group(path, "", json, config);
    if (!json && error.line < 0)
        message_error("cannot read %s: %s (--config)", path, strerror(errno));
    else if (!json)
        message_error("%s, line %d, column %d: not JSON: %s", path, error.line, error.column,
                      error.text);
    else if (!json_is_object(json))
        message_error("%s: must be a JSON object", path);
    json_decref(json);
    if (good && config->store_directory && config->store_url) {
        message_error("%s: \"store\" must have \"directory\" or \"url\", not both", path);
        good = false;
    }
    if (!good)
        config_free(config);
    return good;
}

void config_free(struct server_config *config)
{
    for (size_t i = 0; i < config->origin_count; i++)
        free(config->origins[i]);
    free(config->origins);
    free(config->listen);
    free(config->token_file);
    free(config->store_directory);
    free(config->store_url);
    *config = (struct server_config){0};
}
