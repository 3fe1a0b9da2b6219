/* Runs the Python scripts of a folder, each in a fresh sandbox, and compares what came out.
 *
 *   run_guest [--runtime FILE] [--jobs N] [--actual FOLDER] FOLDER [NAME ...]
 *
 * NAME.py   the script; sys.argv is ['NAME.py']. A line `# timeout: SECONDS` or
 *           `# memory: MIB` among its first five sets a limit (default 60 s, 512 MiB)
 * NAME.out  expected stdout, exactly; missing: none
 * NAME.err  expected stderr and traceback as an fnmatch(3) pattern; missing: none
 * NAME.exit expected exit code, or `trap` or `limit`; missing: 0
 * NAME.in   stdin; missing: empty
 *
 * What differs is written to FOLDER of --actual and shown as a unified diff. */
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <pthread.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <eryx.h>

extern char **environ;

enum { MAX_SCRIPTS = 1000, MAX_JOBS = 16, PATH_SIZE = 4096 };

struct text {
    char *data; /* NUL-terminated beyond length; NULL if the file is missing */
    size_t length;
};

struct input {
    struct text text;
    size_t at;
};

static struct {
    eryx_runtime_t *runtime;
    const char *folder;
    const char *actual;
    char *names[MAX_SCRIPTS];
    size_t count;
    size_t next;
    size_t passed, failed;
    pthread_mutex_t lock;
} tests = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Noreturn void die(const char *what, const char *detail)
{
    fprintf(stderr, "run_guest: %s: %s\n", what, detail);
    exit(2);
}

static void path_of(char path[PATH_SIZE], const char *folder, const char *name, const char *end)
{
    if (snprintf(path, PATH_SIZE, "%s/%s%s", folder, name, end) >= PATH_SIZE)
        die("path too long", name);
}

static struct text read_text(const char *name, const char *end)
{
    char path[PATH_SIZE];
    path_of(path, tests.folder, name, end);
    struct text text = {0};
    FILE *file = fopen(path, "rb");
    if (!file)
        return text;
    struct stat status;
    if (fstat(fileno(file), &status) != 0)
        die(path, strerror(errno));
    text.data = calloc(1, (size_t)status.st_size + 1);
    if (!text.data)
        die(path, "out of memory");
    text.length = fread(text.data, 1, (size_t)status.st_size, file);
    fclose(file);
    return text;
}

/* The number after `# name: ` in the first five lines, or fallback. */
static uint64_t directive(const char *script, const char *name, uint64_t fallback)
{
    for (int line = 0; line < 5 && script; line++) {
        size_t length = strlen(name);
        if (strncmp(script, "# ", 2) == 0 && strncmp(script + 2, name, length) == 0 &&
            script[2 + length] == ':')
            return strtoull(script + 3 + length, NULL, 10);
        script = strchr(script, '\n');
        script = script ? script + 1 : NULL;
    }
    return fallback;
}

static ptrdiff_t read_input(void *env, char *buffer, size_t capacity)
{
    struct input *input = env;
    size_t left = input->text.length - input->at;
    size_t count = left < capacity ? left : capacity;
    if (count)
        memcpy(buffer, input->text.data + input->at, count);
    input->at += count;
    return (ptrdiff_t)count;
}

static eryx_outcome_t *run_script(const char *name, const struct text *script, struct input *input,
                                  char message[256])
{
    char file[PATH_SIZE];
    snprintf(file, sizeof file, "%s.py", name);
    const char *const argv[] = {file};

    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    /* A busy machine is no fault of the script's. */
    options.limits.wall_time_ns = directive(script->data, "timeout", 600) * 1000000000u;
    options.limits.cpu_time_ns = 60 * UINT64_C(1000000000);
    options.limits.memory_bytes = directive(script->data, "memory", 512) << 20;
    options.argv = argv;
    options.argc = 1;
    options.on_input = read_input;
    options.env = input;
    eryx_execute_options_t execute;
    eryx_execute_options_init(&execute);
    execute.filename = file;

    eryx_error_t error = {0};
    eryx_sandbox_t *sandbox;
    eryx_outcome_t *outcome = NULL;
    int status = eryx_sandbox_new(tests.runtime, &options, &sandbox, &error);
    if (status == ERYX_OK) {
        status =
            eryx_sandbox_execute(sandbox, script->data, script->length, &execute, &outcome, &error);
        eryx_sandbox_free(sandbox);
    }
    if (status != ERYX_OK)
        snprintf(message, 256, "%s", error.message);
    return status == ERYX_OK ? outcome : NULL;
}

static const char *exit_text(const eryx_outcome_t *outcome, char buffer[16])
{
    switch (eryx_outcome_kind(outcome)) {
    case ERYX_OUTCOME_LIMIT:
        return "limit";
    case ERYX_OUTCOME_INTERRUPTED:
        return "interrupted";
    case ERYX_OUTCOME_TRAP:
        return "trap";
    default:
        snprintf(buffer, 16, "%d", eryx_outcome_exit_code(outcome));
        return buffer;
    }
}

/* Writes what came out beside nothing of the source tree and shows the difference. */
static void show_difference(const char *name, const char *end, const char *data, size_t length)
{
    char expected[PATH_SIZE], actual[PATH_SIZE];
    path_of(expected, tests.folder, name, end);
    path_of(actual, tests.actual, name, end);
    FILE *file = fopen(actual, "wb");
    if (!file || fwrite(data, 1, length, file) != length || fclose(file) != 0)
        die(actual, strerror(errno));
    if (access(expected, R_OK) != 0)
        snprintf(expected, sizeof expected, "/dev/null");

    char *argv[] = {"diff",   "-u",     "--label", "expected", "--label",
                    "actual", expected, actual,    NULL};
    pid_t child;
    fflush(stdout);
    if (posix_spawnp(&child, "diff", NULL, NULL, argv, environ) != 0)
        die("cannot run", "diff");
    waitpid(child, NULL, 0);
}

static bool check_stdout(const char *name, const eryx_outcome_t *outcome)
{
    size_t length;
    const char *data = eryx_outcome_stdout(outcome, &length);
    struct text expected = read_text(name, ".out");
    bool same =
        expected.length == length && (length == 0 || memcmp(expected.data, data, length) == 0);
    free(expected.data);
    if (!same) {
        printf("--- stdout of %s\n", name);
        show_difference(name, ".out", data, length);
    }
    return same;
}

static bool check_stderr(const char *name, const eryx_outcome_t *outcome)
{
    size_t length;
    const char *data = eryx_outcome_stderr(outcome, &length);
    bool raised = eryx_outcome_kind(outcome) == ERYX_OUTCOME_EXCEPTION;
    const char *traceback = raised ? eryx_outcome_traceback(outcome) : "";
    size_t total = length + strlen(traceback);
    char *all = malloc(total + 1);
    if (!all)
        die(name, "out of memory");
    memcpy(all, data, length);
    memcpy(all + length, traceback, total - length + 1);

    struct text expected = read_text(name, ".err");
    bool same = fnmatch(expected.data ? expected.data : "", all, 0) == 0;
    free(expected.data);
    if (!same) {
        printf("--- stderr of %s (the expected side is a pattern)\n", name);
        show_difference(name, ".err", all, total);
    }
    free(all);
    return same;
}

static bool check_exit(const char *name, const eryx_outcome_t *outcome)
{
    char buffer[16];
    const char *actual = exit_text(outcome, buffer);
    struct text expected = read_text(name, ".exit");
    const char *text = expected.data ? expected.data : "0";
    size_t length = strcspn(text, "\n");
    bool same = strlen(actual) == length && memcmp(actual, text, length) == 0;
    if (!same)
        printf("--- exit of %s: expected %.*s, got %s (%s)\n", name, (int)length, text, actual,
               eryx_outcome_exception_message(outcome));
    free(expected.data);
    return same;
}

static void run_test(const char *name)
{
    struct text script = read_text(name, ".py");
    struct input input = {.text = read_text(name, ".in")};
    char message[256] = "";
    if (!script.data)
        die(name, "no such script");
    eryx_outcome_t *outcome = run_script(name, &script, &input, message);

    pthread_mutex_lock(&tests.lock);
    bool passed = false;
    if (outcome) {
        bool out = check_stdout(name, outcome);
        bool err = check_stderr(name, outcome);
        passed = check_exit(name, outcome) && out && err;
    } else {
        printf("--- %s could not be run: %s\n", name, message);
    }
    if (passed)
        tests.passed++;
    else
        tests.failed++;
    if (!passed)
        printf("FAILED %s\n\n", name);
    pthread_mutex_unlock(&tests.lock);

    eryx_outcome_free(outcome);
    free(input.text.data);
    free(script.data);
}

static void *work(void *unused)
{
    (void)unused;
    for (;;) {
        pthread_mutex_lock(&tests.lock);
        const char *name = tests.next < tests.count ? tests.names[tests.next++] : NULL;
        pthread_mutex_unlock(&tests.lock);
        if (!name)
            return NULL;
        run_test(name);
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_name(const char *name, size_t length)
{
    if (tests.count == MAX_SCRIPTS)
        die("too many scripts", name);
    tests.names[tests.count] = strndup(name, length);
    if (!tests.names[tests.count++])
        die(name, "out of memory");
}

static void find_scripts(void)
{
    DIR *folder = opendir(tests.folder);
    if (!folder)
        die(tests.folder, strerror(errno));
    for (struct dirent *entry; (entry = readdir(folder));) {
        size_t length = strlen(entry->d_name);
        if (length > 3 && strcmp(entry->d_name + length - 3, ".py") == 0)
            add_name(entry->d_name, length - 3);
    }
    closedir(folder);
    qsort(tests.names, tests.count, sizeof *tests.names, compare_names);
}

static void run_all(size_t jobs)
{
    pthread_t threads[MAX_JOBS];
    for (size_t i = 0; i < jobs; i++) {
        if (pthread_create(&threads[i], NULL, work, NULL) != 0)
            die("cannot start", "a thread");
    }
    for (size_t i = 0; i < jobs; i++)
        pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
    const char *runtime = NULL;
    size_t jobs = 2;
    int i = 1;
    tests.actual = "/tmp";
    for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
        if (strcmp(argv[i], "--runtime") == 0)
            runtime = argv[i + 1];
        else if (strcmp(argv[i], "--jobs") == 0)
            jobs = strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--actual") == 0)
            tests.actual = argv[i + 1];
        else
            die("unknown option", argv[i]);
    }
    if (i == argc || jobs < 1 || jobs > MAX_JOBS)
        die("usage", "run_guest [--runtime FILE] [--jobs N] [--actual FOLDER] FOLDER [NAME ...]");
    tests.folder = argv[i++];
    for (; i < argc; i++)
        add_name(argv[i], strlen(argv[i]));
    if (tests.count == 0)
        find_scripts();

    eryx_error_t error = {0};
    if (eryx_runtime_open(runtime, NULL, &tests.runtime, &error) != ERYX_OK)
        die("cannot open the runtime", error.message);
    run_all(jobs);
    eryx_runtime_free(tests.runtime);
    for (size_t n = 0; n < tests.count; n++)
        free(tests.names[n]);
    printf("guest: %zu passed, %zu failed\n", tests.passed, tests.failed);
    return tests.failed || !tests.passed;
}
