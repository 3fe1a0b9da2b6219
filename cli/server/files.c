/* Files of a session, as programs see them. Relative paths are below the home folder, wherever the
 * program has gone. */
#define _GNU_SOURCE
#include "internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "answer.h"

enum { ENTRIES_MAX = 10000 };

static const char home[] = "/home/sandbox";

static void put(struct job *job, const char *path)
{
    eryx_sandbox_t *sandbox = job->owner->sandbox;
    eryx_error_t error = {0};
    char *folder = strndup(path, (size_t)(strrchr(path, '/') - path));
    int status = folder ? ERYX_OK : ERYX_ERR_MEMORY;
    if (folder && *folder)
        status = eryx_fs_make_directory(sandbox, folder, true, &error);
    if (status == ERYX_OK)
        status = eryx_fs_write(sandbox, path, job->data, job->data_length, &error);
    free(folder);
    if (status != ERYX_OK)
        job_fail(job, JOB_FAILED, "%s", error.message);
}

static void get(struct job *job, const char *path)
{
    eryx_error_t error = {0};
    void *data;
    size_t length;
    uint64_t most = job->service->config->file_bytes;
    int status = eryx_fs_read(job->owner->sandbox, path, (size_t)most, &data, &length, &error);
    if (status == ERYX_ERR_LIMIT) {
        job_fail(job, JOB_FAILED, "the file has more than the %" PRIu64 " bytes that can be read",
                 most);
    } else if (status != ERYX_OK) {
        job_fail(job, JOB_FAILED, "%s", error.message);
    } else {
        job->data = malloc(length + 1); /* for whoever answers, by free() */
        job->data_length = length;
        if (job->data)
            memcpy(job->data, data, length + 1);
        else
            job_fail(job, JOB_FAILED, "out of memory");
        eryx_bytes_free(data);
    }
}

static bool add_entry(void *env, const eryx_file_entry_t *entry)
{
    bool file = entry->kind == ERYX_FILE_REGULAR;
    const char *type = file                                 ? "file"
                       : entry->kind == ERYX_FILE_DIRECTORY ? "folder"
                       : entry->kind == ERYX_FILE_SYMLINK   ? "link"
                                                            : "other";
    json_array_append_new(env, json_pack("{s:o, s:s}", "name",
                                         answer_string(entry->name, entry->length), "type", type));
    return json_array_size(env) <= ENTRIES_MAX;
}

/* Sizes of the files. One that has gone meanwhile, or whose name is not UTF-8, has none. */
static void add_sizes(struct job *job, const char *path, json_t *entries)
{
    size_t i;
    json_t *entry;
    json_array_foreach(entries, i, entry)
    {
        eryx_file_stat_t info;
        char *full = NULL;
        const char *name = json_string_value(json_object_get(entry, "name"));
        if (strcmp(json_string_value(json_object_get(entry, "type")), "file") == 0 &&
            asprintf(&full, "%s/%s", path, name) >= 0 &&
            eryx_fs_stat(job->owner->sandbox, full, &info, NULL) == ERYX_OK)
            json_object_set_new(entry, "size", json_integer((json_int_t)info.size));
        free(full);
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(json_string_value(json_object_get(*(json_t *const *)a, "name")),
                  json_string_value(json_object_get(*(json_t *const *)b, "name")));
}

/* A JSON array of the same entries, sorted by name. */
static char *sorted(json_t *entries)
{
    size_t count = json_array_size(entries);
    json_t **order = calloc(count + 1, sizeof *order), *array = json_array();
    char *text = NULL;
    for (size_t i = 0; order && i < count; i++)
        order[i] = json_array_get(entries, i);
    if (order && array) {
        qsort(order, count, sizeof *order, compare_names);
        for (size_t i = 0; i < count; i++)
            json_array_append(array, order[i]);
        text = json_dumps(array, JSON_COMPACT);
    }
    json_decref(array);
    free(order);
    return text;
}

static void list(struct job *job, const char *path)
{
    eryx_error_t error = {0};
    json_t *entries = json_array();
    int status = eryx_fs_list(job->owner->sandbox, path, add_entry, entries, &error);
    if (status != ERYX_OK) {
        job_fail(job, JOB_FAILED, "%s", error.message);
    } else if (json_array_size(entries) > ENTRIES_MAX) {
        job_fail(job, JOB_FAILED, "the folder has more than %d entries; list it by a program",
                 ENTRIES_MAX);
    } else {
        add_sizes(job, path, entries);
        job->text = sorted(entries);
        if (!job->text)
            job_fail(job, JOB_FAILED, "out of memory");
    }
    json_decref(entries);
}

void files_run(struct job *job)
{
    eryx_error_t error = {0};
    char *path = NULL;
    const char *given = strcmp(job->path, ".") == 0 ? "" : job->path;
    if (asprintf(&path, *given == '/' ? "%.0s%s" : "%s/%s", home, given) < 0) {
        job_fail(job, JOB_FAILED, "out of memory");
        return;
    }
    switch (job->kind) {
    case JOB_PUT:
        put(job, path);
        break;
    case JOB_GET:
        get(job, path);
        break;
    case JOB_DELETE:
        if (eryx_fs_remove(job->owner->sandbox, path, false, &error) != ERYX_OK)
            job_fail(job, JOB_FAILED, "%s", error.message);
        break;
    default:
        list(job, path);
    }
    free(path);
}
