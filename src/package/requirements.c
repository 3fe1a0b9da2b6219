/* Requirements files of pip. With a lock file whose wheels are all in the cache nothing is run; otherwise
 * pip.py does the work, in a Python of this machine. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cache_folder.h"
#include "base/error.h"
#include "base/object_folder.h"
#include "mount/archive.h"
#include "package/lock.h"
#include "package/packages.h"
#include "package/wheel.h"
#include "pip_script.h" /* made of pip.py */
#include "pip_source.h" /* made of pip_source.py */

#define LOCK_SUFFIX ".lock"

extern char **environ;

void eryx_requirements_options_init(eryx_requirements_options_t *options) {
    *options = (eryx_requirements_options_t){.size = sizeof *options, .build = true};
}

typedef struct request {
    eryx_packages_t *packages;
    char path[PATH_MAX], lock[PATH_MAX];
    cache_folder_t cache;
    const eryx_requirements_options_t *options;
    eryx_error_t *error;
} request_t;

/* --- What is locked and there ------------------------------------------------------------- */

/* Whether a file, beside the lock file, is still what the lock file was made for. */
static bool input_holds(const request_t *request, const lock_line_t *line) {
    char path[PATH_MAX], hex[2 * SHA256_BYTES + 1];
    uint8_t sum[SHA256_BYTES];
    char *data;
    size_t length;
    int folder = (int)(strrchr(request->lock, '/') - request->lock);
    if (line->name_length >= sizeof path ||
        (size_t)snprintf(path, sizeof path, "%.*s/%.*s", folder, request->lock,
                         (int)line->name_length, line->name) >= sizeof path ||
        archive_read_file(path, &data, &length, NULL) != ERYX_OK)
        return false;
    sha256_digest(data, length, sum);
    free(data);
    sha256_hex(sum, hex);
    return strcmp(hex, line->hash) == 0;
}

/* The wheel in the cache's folder of that hash. False: there is none. */
static bool find_wheel(const request_t *request, int cache, const char *name, char out[PATH_MAX]) {
    bool found = false;
    int folder = openat(cache, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *entries = folder >= 0 ? fdopendir(folder) : NULL;
    for (struct dirent *entry; entries && !found && (entry = readdir(entries));)
        found = wheel_is_named(entry->d_name) &&
                (size_t)snprintf(out, PATH_MAX, "%s/%s/%s", request->cache.path, name,
                                 entry->d_name) < PATH_MAX;
    if (entries)
        closedir(entries);
    else if (folder >= 0)
        close(folder);
    return found;
}

/* Adds the wheels of a lock file, or with add false looks whether they are all there. */
static int use_lock(request_t *request, int cache, const char *text, size_t length, bool add,
                    bool *whole) {
    char wheel[PATH_MAX];
    const char *at = text;
    int status = ERYX_OK;
    size_t inputs = 0;
    *whole = true;
    while (*whole && status == ERYX_OK) {
        lock_line_t line;
        lock_kind_t kind = lock_next(&at, text + length, &line);
        if (kind == LOCK_END)
            break;
        if (kind == LOCK_INPUT) {
            *whole = add || input_holds(request, &line);
            inputs++;
        } else {
            *whole = kind == LOCK_PACKAGE && find_wheel(request, cache, line.hash, wheel);
            if (*whole && add)
                status = eryx_packages_add(request->packages, wheel, request->error);
        }
    }
    *whole = *whole && inputs > 0;
    return status;
}

/* *done: all that is locked was added. */
static int add_locked(request_t *request, bool *done) {
    char *data;
    size_t length;
    *done = false;
    int cache = cache_folder_open(&request->cache);
    if (cache < 0)
        return ERYX_OK;
    int status = ERYX_OK;
    if (archive_read_file(request->lock, &data, &length, NULL) == ERYX_OK) {
        status = use_lock(request, cache, data, length, false, done);
        if (status == ERYX_OK && *done)
            status = use_lock(request, cache, data, length, true, done);
        free(data);
    }
    close(cache);
    return status;
}

/* --- pip ---------------------------------------------------------------------------------- */

/* The folder of the SDK, as the command finds it; "" without. */
static void find_sdk(char out[PATH_MAX]) {
    static const char *const places[] = {"sdk", "eryx/sdk", "../lib/eryx/sdk", "../sdk"};
    const char *given = getenv("ERYX_SDK");
    char folder[PATH_MAX], path[PATH_MAX];
    *out = '\0';
    if (given && *given) {
        snprintf(out, PATH_MAX, "%s", given);
        return;
    }
    for (size_t i = 0;
         object_folder((void *)(uintptr_t)find_sdk, folder) && i < sizeof places / sizeof *places;
         i++) {
        if ((size_t)snprintf(path, sizeof path, "%s/%s/tools/eryx_sdk.py", folder, places[i]) <
                sizeof path &&
            access(path, R_OK) == 0) {
            snprintf(out, PATH_MAX, "%s/%s", folder, places[i]);
            return;
        }
    }
}

/* Text as JSON wants it; what is not UTF-8 pip could not use either. */
static void put_json(FILE *out, const char *text) {
    fputc('"', out);
    for (const unsigned char *at = (const unsigned char *)text; *at; at++)
        if (*at == '"' || *at == '\\' || *at < 0x20)
            fprintf(out, "\\u%04x", *at);
        else
            fputc(*at, out);
    fputc('"', out);
}

static char *settings_of(const request_t *request) {
    char *text = NULL, sdk[PATH_MAX];
    size_t length;
    FILE *out = open_memstream(&text, &length);
    if (!out)
        return NULL;
    find_sdk(sdk);
    fputs("{\"requirements\": ", out);
    put_json(out, request->path);
    fputs(", \"lock\": ", out);
    put_json(out, request->lock);
    fputs(", \"cache\": ", out);
    put_json(out, request->cache.path);
    fputs(", \"sdk\": ", out);
    put_json(out, sdk);
    fprintf(out, ", \"build\": %s, \"locked\": %s}", request->options->build ? "true" : "false",
            request->options->locked ? "true" : "false");
    return fclose(out) == 0 ? text : NULL;
}

/* Starts it with its stdout as a pipe. */
static int start(const request_t *request, const char *settings, pid_t *process, int *output) {
    const char *python = request->options->python, *variable = getenv("ERYX_PYTHON");
    if (!python)
        python = variable && *variable ? variable : "python3";
    const char *const argv[] = {python, "-B", "-c", pip_script, settings, pip_source, NULL};
    int ends[2];
    posix_spawn_file_actions_t actions;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_set(request->error, ERYX_ERR_MEMORY, "no pipe for pip: %m");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    int failed =
        posix_spawnp(process, python, &actions, NULL, (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    *output = ends[0];
    if (!failed)
        return ERYX_OK;
    close(ends[0]);
    return error_set(
        request->error, ERYX_ERR_IO,
        "cannot run %.100s, which is needed to run pip: %s; set ERYX_PYTHON to a Python "
        "with pip",
        python, strerror(failed));
}

static int read_answer(int fd, buffer_t *out) {
    char part[4096];
    for (;;) {
        ssize_t got = read(fd, part, sizeof part);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got == 0 ? ERYX_OK : ERYX_ERR_IO;
        if (!buffer_append(out, part, (size_t)got))
            return ERYX_ERR_MEMORY;
    }
}

/* "error KIND TEXT" */
static int told_error(const request_t *request, const char *text) {
    static const struct {
        const char *name;
        int code;
    } kinds[] = {{"io ", ERYX_ERR_IO}, {"format ", ERYX_ERR_FORMAT}, {"state ", ERYX_ERR_STATE}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strncmp(text, kinds[i].name, strlen(kinds[i].name)) == 0)
            return error_set(request->error, kinds[i].code, "%.250s", text + strlen(kinds[i].name));
    return error_set(request->error, ERYX_ERR_IO, "%.250s", text);
}

static int take_answer(request_t *request, char *answer) {
    int status = ERYX_OK;
    bool any = false;
    char *rest = NULL;
    for (char *line = strtok_r(answer, "\n", &rest); line && status == ERYX_OK;
         line = strtok_r(NULL, "\n", &rest)) {
        any = true;
        if (strncmp(line, "wheel ", 6) == 0)
            status = eryx_packages_add(request->packages, line + 6, request->error);
        else if (strncmp(line, "error ", 6) == 0)
            status = told_error(request, line + 6);
    }
    return any || status != ERYX_OK ? status
                                    : error_set(request->error, ERYX_ERR_IO,
                                                "the Python that runs pip ended without an answer");
}

static int add_with_pip(request_t *request) {
    pid_t process = -1;
    int output = -1, ended;
    buffer_t answer = {0};
    char *settings = settings_of(request);
    int status = settings
                     ? start(request, settings, &process, &output)
                     : error_set(request->error, ERYX_ERR_MEMORY, "out of memory for packages");
    free(settings);
    if (status != ERYX_OK)
        return status;
    int got = read_answer(output, &answer);
    close(output);
    while (waitpid(process, &ended, 0) < 0 && errno == EINTR)
        ;
    if (got != ERYX_OK)
        status = error_set(request->error, got, "cannot read what pip answers");
    else if (answer.length == 0)
        status = error_set(request->error, ERYX_ERR_IO,
                           "the Python that runs pip ended without an answer; is it Python 3.9 or "
                           "later?");
    else
        status = take_answer(request, answer.data);
    buffer_free(&answer);
    return status;
}

static int make_request(request_t *request, const char *path, eryx_error_t *error) {
    if (!realpath(path, request->path))
        return error_set(error, ERYX_ERR_IO, "cannot open the requirements %.150s: %s", path,
                         strerror(errno));
    struct stat info;
    /* pip would read a FIFO or a device for ever. */
    if (stat(request->path, &info) != 0 || !S_ISREG(info.st_mode))
        return error_set(error, ERYX_ERR_ARGUMENT, "the requirements %.150s are not a regular file",
                         path);
    if ((size_t)snprintf(request->lock, sizeof request->lock, "%s" LOCK_SUFFIX, request->path) >=
        sizeof request->lock)
        return error_set(error, ERYX_ERR_IO, "%.150s: the path is too long", path);
    if (!cache_folder_init(&request->cache, request->options->cache, "wheels", UINT64_MAX))
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for packages");
    if (!request->cache.path)
        return error_set(error, ERYX_ERR_IO,
                         "there is no folder for wheels: set XDG_CACHE_HOME or HOME");
    return ERYX_OK;
}

int eryx_packages_add_requirements(eryx_packages_t *packages, const char *path,
                                   const eryx_requirements_options_t *options,
                                   eryx_error_t *error) {
    eryx_requirements_options_t defaults;
    bool done = false;
    if (!packages || !path)
        return error_set(error, ERYX_ERR_ARGUMENT, "%s is NULL", packages ? "path" : "packages");
    eryx_requirements_options_init(&defaults);
    if (!options)
        options = &defaults;
    if (options->size != sizeof *options)
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "options of another version: call eryx_requirements_options_init");
    request_t *request = calloc(1, sizeof *request);
    if (!request)
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for packages");
    *request = (request_t){.packages = packages, .options = options, .error = error};
    int status = make_request(request, path, error);
    if (status == ERYX_OK)
        status = add_locked(request, &done);
    if (status == ERYX_OK && !done)
        status = add_with_pip(request);
    cache_folder_free(&request->cache);
    free(request);
    return status;
}
