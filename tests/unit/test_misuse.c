/* Public functions as a caller in a hurry uses them: NULL, structs of another version, wrong order. */
#include "fixture.h"
#include "signals.h"

static eryx_error_t error;

/* The call must give the status and say why; text is the call itself. */
static void refused(const char *text, int status, int wanted) {
    if (status != wanted)
        fail_msg("%s: expected %s, got %s", text, eryx_status_name(wanted),
                 eryx_status_name(status));
    if (error.code != wanted || error.message[0] == '\0')
        fail_msg("%s: error says %d, \"%s\"", text, error.code, error.message);
}

#define REFUSED(call) (memset(&error, 0, sizeof error), refused(#call, call, ERYX_ERR_ARGUMENT))

static eryx_sandbox_t *sandbox;

static int open_sandbox(void **state) {
    (void)state;
    sandbox = fixture_sandbox(runtime, 0);
    return 0;
}

static int close_sandbox(void **state) {
    (void)state;
    eryx_sandbox_free(sandbox);
    return 0;
}

static void test_null_sandbox(void **state) {
    (void)state;
    eryx_sandbox_t *other = NULL;
    eryx_outcome_t *outcome = NULL;
    eryx_execution_t *execution = NULL;
    REFUSED(eryx_sandbox_new(NULL, NULL, &other, &error));
    REFUSED(eryx_sandbox_new(runtime, NULL, NULL, &error));
    REFUSED(eryx_sandbox_execute(NULL, "1", 1, NULL, &outcome, &error));
    REFUSED(eryx_sandbox_execute(sandbox, NULL, 1, NULL, &outcome, &error));
    REFUSED(eryx_sandbox_execute(sandbox, "1", 1, NULL, NULL, &error));
    REFUSED(eryx_execution_start(NULL, "1", 1, NULL, &execution, &error));
    REFUSED(eryx_execution_start(sandbox, NULL, 1, NULL, &execution, &error));
    REFUSED(eryx_execution_start(sandbox, "1", 1, NULL, NULL, &error));
    REFUSED(eryx_sandbox_clear(NULL, &error));
    REFUSED(eryx_sandbox_add_callback(NULL, NULL, &error));
    REFUSED(eryx_sandbox_add_callback(sandbox, NULL, &error));
    assert_null(other);
    assert_null(outcome);
    assert_null(execution);
    eryx_usage_t usage;
    eryx_usage_init(&usage);
    REFUSED(eryx_sandbox_usage(NULL, &usage, &error));
    REFUSED(eryx_sandbox_usage(sandbox, NULL, &error));
    fixture_expect(sandbox, "print hello", "print hello");
}

static void test_null_copies(void **state) {
    (void)state;
    void *data = NULL;
    size_t length = 0;
    eryx_sandbox_t *copy = NULL;
    eryx_checkpoint_info_t info = {.size = sizeof info};
    const eryx_checkpoint_part_t part = {NULL, 10};
    REFUSED(eryx_sandbox_snapshot(NULL, NULL, &data, &length, &error));
    REFUSED(eryx_sandbox_snapshot(sandbox, NULL, NULL, &length, &error));
    REFUSED(eryx_sandbox_snapshot(sandbox, NULL, &data, NULL, &error));
    REFUSED(eryx_sandbox_restore(NULL, "x", 1, &error));
    REFUSED(eryx_sandbox_restore(sandbox, NULL, 1, &error));
    REFUSED(eryx_sandbox_fork(NULL, NULL, 1, &copy, &error));
    REFUSED(eryx_sandbox_fork(sandbox, NULL, 1, NULL, &error));
    REFUSED(eryx_sandbox_checkpoint(NULL, NULL, &data, &length, &error));
    REFUSED(eryx_sandbox_checkpoint(sandbox, NULL, NULL, &length, &error));
    REFUSED(eryx_sandbox_checkpoint(sandbox, NULL, &data, NULL, &error));
    REFUSED(eryx_sandbox_checkpoint_file(sandbox, NULL, NULL, &error));
    REFUSED(eryx_sandbox_checkpoint_file(NULL, NULL, "never", &error));
    REFUSED(eryx_sandbox_resume(NULL, &part, 1, NULL, &copy, &error));
    REFUSED(eryx_sandbox_resume(runtime, NULL, 1, NULL, &copy, &error));
    REFUSED(eryx_sandbox_resume(runtime, &part, 1, NULL, &copy, &error));
    REFUSED(eryx_sandbox_resume(runtime, &part, 0, NULL, &copy, &error));
    REFUSED(eryx_sandbox_resume_file(runtime, NULL, NULL, &copy, &error));
    REFUSED(eryx_checkpoint_get_info(NULL, 0, &info, &error));
    REFUSED(eryx_image_build(NULL, "never", &error));
    REFUSED(eryx_image_build(sandbox, NULL, &error));
    assert_null(data);
    assert_null(copy);
}

static bool on_entry(void *env, const eryx_file_entry_t *entry) {
    (void)env;
    (void)entry;
    return true;
}

static bool on_bytes(void *env, const void *data, size_t length) {
    (void)env;
    (void)data;
    (void)length;
    return true;
}

static void test_null_files(void **state) {
    (void)state;
    eryx_file_stat_t stat;
    void *data = NULL;
    size_t length = 0;
    REFUSED(eryx_fs_stat(NULL, "/", &stat, &error));
    REFUSED(eryx_fs_stat(sandbox, NULL, &stat, &error));
    REFUSED(eryx_fs_stat(sandbox, "/", NULL, &error));
    REFUSED(eryx_fs_read(NULL, "/x", 10, &data, &length, &error));
    REFUSED(eryx_fs_read(sandbox, NULL, 10, &data, &length, &error));
    REFUSED(eryx_fs_read(sandbox, "/x", 10, NULL, &length, &error));
    REFUSED(eryx_fs_read(sandbox, "/x", 10, &data, NULL, &error));
    REFUSED(eryx_fs_write(NULL, "/x", "", 0, &error));
    REFUSED(eryx_fs_write(sandbox, NULL, "", 0, &error));
    REFUSED(eryx_fs_write(sandbox, "/x", NULL, 1, &error));
    REFUSED(eryx_fs_list(NULL, "/", on_entry, NULL, &error));
    REFUSED(eryx_fs_list(sandbox, NULL, on_entry, NULL, &error));
    REFUSED(eryx_fs_list(sandbox, "/", NULL, NULL, &error));
    REFUSED(eryx_fs_make_directory(NULL, "/x", true, &error));
    REFUSED(eryx_fs_make_directory(sandbox, NULL, true, &error));
    REFUSED(eryx_fs_make_directory(sandbox, NULL, false, &error));
    REFUSED(eryx_fs_remove(NULL, "/x", true, &error));
    REFUSED(eryx_fs_remove(sandbox, NULL, true, &error));
    REFUSED(eryx_fs_export_tar(sandbox, "/", 10, NULL, NULL, &error));
    REFUSED(eryx_fs_export_tar(NULL, "/", 10, on_bytes, NULL, &error));
    REFUSED(eryx_fs_export_tar(sandbox, NULL, 10, on_bytes, NULL, &error));
}

static void test_null_others(void **state) {
    (void)state;
    eryx_runtime_t *other = NULL;
    eryx_source_t *source = NULL;
    eryx_packages_t *packages = NULL;
    eryx_mount_t mount;
    eryx_mount_init(&mount);
    eryx_provider_t provider;
    eryx_provider_init(&provider);
    REFUSED(eryx_runtime_open(fixture_path, NULL, NULL, &error));
    REFUSED(eryx_runtime_open_buffer(NULL, 10, NULL, &other, &error));
    REFUSED(eryx_queue_new(NULL, &error));
    REFUSED(eryx_queue_add(NULL, NULL, &error));
    REFUSED(eryx_net_check_rule(NULL, false, &error));
    REFUSED(eryx_source_new_path(NULL, &source, &error));
    REFUSED(eryx_source_new_path("/", NULL, &error));
    REFUSED(eryx_source_new_archive(NULL, 10, NULL, &source, &error));
    REFUSED(eryx_source_new_archive("", 0, NULL, NULL, &error));
    REFUSED(eryx_source_new_archive_file(NULL, NULL, &source, &error));
    REFUSED(eryx_source_new_tree(NULL, 1, &source, &error));
    REFUSED(eryx_source_new_tree(NULL, 0, NULL, &error));
    REFUSED(eryx_source_new_provider(NULL, NULL, &source, &error));
    REFUSED(eryx_source_new_provider(&provider, NULL, &source, &error));
    REFUSED(eryx_sandbox_add_mount(sandbox, NULL, &error));
    REFUSED(eryx_sandbox_add_mount(sandbox, &mount, &error)); /* neither target nor source */
    REFUSED(eryx_sandbox_add_mount(NULL, &mount, &error));
    REFUSED(eryx_sandbox_remove_mount(sandbox, NULL, &error));
    REFUSED(eryx_sandbox_remove_mount(NULL, "/data", &error));
    REFUSED(eryx_packages_new(NULL, &error));
    REFUSED(eryx_packages_add(NULL, "x", &error));
    REFUSED(eryx_packages_add_requirements(NULL, "x", NULL, &error));
    assert_int_equal(eryx_packages_new(&packages, &error), ERYX_OK);
    REFUSED(eryx_packages_add(packages, NULL, &error));
    REFUSED(eryx_packages_add_requirements(packages, NULL, NULL, &error));
    eryx_packages_free(packages);
    REFUSED(eryx_call_complete(NULL, "1", 1, &error));
    REFUSED(eryx_call_fail(NULL, "no", &error));
    assert_false(eryx_call_cancelled(NULL));
    assert_null(other);
    assert_null(source);
    assert_int_equal(eryx_runtime_get_info(runtime, NULL), ERYX_ERR_ARGUMENT);
    assert_int_equal(eryx_runtime_get_info(NULL, NULL), ERYX_ERR_ARGUMENT);
    assert_int_equal(eryx_sandbox_clear(NULL, NULL), ERYX_ERR_ARGUMENT); /* no error wanted */
}

static void test_free_null(void **state) {
    (void)state;
    eryx_runtime_free(NULL);
    eryx_sandbox_free(NULL);
    eryx_outcome_free(NULL);
    eryx_execution_free(NULL);
    eryx_queue_free(NULL);
    eryx_call_free(NULL);
    eryx_source_free(NULL);
    eryx_packages_free(NULL);
    eryx_bytes_free(NULL);
}

/* A header of another version: sizes that are smaller, larger, or were never set. */
static const ptrdiff_t off[] = {-8, -1, 1, 8};

static void on_call(void *env, eryx_call_t *call) {
    (void)env;
    eryx_call_free(call);
}

static void test_sizes_sandbox(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof off / sizeof *off; i++) {
        eryx_sandbox_options_t options;
        eryx_sandbox_t *other = NULL;
        eryx_sandbox_options_init(&options);
        options.size += (size_t)off[i];
        REFUSED(eryx_sandbox_new(runtime, &options, &other, &error));
        eryx_sandbox_options_init(&options);
        options.limits.size += (size_t)off[i];
        REFUSED(eryx_sandbox_new(runtime, &options, &other, &error));
        eryx_callback_t callback;
        eryx_callback_init(&callback);
        callback.name = "f";
        callback.on_call = on_call;
        callback.size += (size_t)off[i];
        REFUSED(eryx_sandbox_add_callback(sandbox, &callback, &error));
        eryx_net_options_t net;
        eryx_net_options_init(&net);
        net.size += (size_t)off[i];
        eryx_sandbox_options_init(&options);
        options.net = &net;
        REFUSED(eryx_sandbox_new(runtime, &options, &other, &error));
        eryx_secret_t secret;
        eryx_secret_init(&secret);
        secret.size += (size_t)off[i];
        eryx_sandbox_options_init(&options);
        options.secrets = &secret;
        options.secret_count = 1;
        REFUSED(eryx_sandbox_new(runtime, &options, &other, &error));
        assert_null(other);
    }
}

static void test_sizes_others(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof off / sizeof *off; i++) {
        size_t change = (size_t)off[i], length = 0;
        void *data = NULL;
        eryx_runtime_t *opened = NULL;
        eryx_runtime_options_t runtime_options;
        eryx_runtime_options_init(&runtime_options);
        runtime_options.size += change;
        REFUSED(eryx_runtime_open(fixture_path, &runtime_options, &opened, &error));
        eryx_runtime_info_t info = {.size = sizeof info + change};
        assert_int_equal(eryx_runtime_get_info(runtime, &info), ERYX_ERR_ARGUMENT);
        eryx_execute_options_t execute;
        eryx_outcome_t *outcome = NULL;
        eryx_execute_options_init(&execute);
        execute.size += change;
        REFUSED(eryx_sandbox_execute(sandbox, "1", 1, &execute, &outcome, &error));
        eryx_snapshot_options_t snapshot;
        eryx_snapshot_options_init(&snapshot);
        snapshot.size += change;
        REFUSED(eryx_sandbox_snapshot(sandbox, &snapshot, &data, &length, &error));
        eryx_checkpoint_options_t checkpoint;
        eryx_checkpoint_options_init(&checkpoint);
        checkpoint.size += change;
        REFUSED(eryx_sandbox_checkpoint(sandbox, &checkpoint, &data, &length, &error));
        eryx_checkpoint_info_t told = {.size = sizeof told + change};
        REFUSED(eryx_checkpoint_get_info("x", 1, &told, &error));
        eryx_usage_t usage;
        eryx_usage_init(&usage);
        usage.size += change;
        REFUSED(eryx_sandbox_usage(sandbox, &usage, &error));
        eryx_archive_options_t archive;
        eryx_source_t *source = NULL;
        eryx_archive_options_init(&archive);
        archive.size += change;
        REFUSED(eryx_source_new_archive("x", 1, &archive, &source, &error));
        eryx_mount_t mount;
        eryx_mount_init(&mount);
        mount.size += change;
        REFUSED(eryx_sandbox_add_mount(sandbox, &mount, &error));
        assert_null(opened);
        assert_null(outcome);
        assert_null(source);
        assert_null(data);
    }
}

/* What outlives what: all is given back in the other order than it was made. */
static void test_order(void **state) {
    (void)state;
    eryx_runtime_t *own = fixture_runtime();
    eryx_sandbox_t *last = fixture_sandbox(own, 0);
    eryx_queue_t *queue = NULL;
    eryx_execution_t *execution = NULL;
    eryx_execute_options_t options;
    assert_int_equal(eryx_queue_new(&queue, NULL), ERYX_OK);
    eryx_execute_options_init(&options);
    options.queue = queue;
    const char code[] = "print late";
    assert_int_equal(eryx_execution_start(last, code, sizeof code - 1, &options, &execution, NULL),
                     ERYX_OK);
    eryx_runtime_free(own);
    eryx_queue_free(queue);
    assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_DONE);
    eryx_outcome_t *outcome = eryx_execution_take_outcome(execution);
    assert_non_null(outcome);
    assert_null(eryx_execution_take_outcome(execution)); /* once */
    eryx_sandbox_free(last);                             /* its execution with it */
    assert_string_equal(eryx_outcome_stdout(outcome, NULL), "print late");
    eryx_outcome_free(outcome);
}

/* Between the start of an execution and its end nothing else may use the session. */
static void test_busy(void **state) {
    (void)state;
    eryx_execution_t *execution = NULL, *second = NULL;
    eryx_outcome_t *outcome = NULL;
    const char code[] = "print once";
    void *data = NULL;
    size_t length = 0;
    eryx_file_stat_t stat;
    assert_int_equal(eryx_execution_start(sandbox, code, sizeof code - 1, NULL, &execution, NULL),
                     ERYX_OK);
#define BUSY(call) (memset(&error, 0, sizeof error), refused(#call, call, ERYX_ERR_STATE))
    BUSY(eryx_execution_start(sandbox, code, sizeof code - 1, NULL, &second, &error));
    BUSY(eryx_sandbox_execute(sandbox, code, sizeof code - 1, NULL, &outcome, &error));
    BUSY(eryx_sandbox_snapshot(sandbox, NULL, &data, &length, &error));
    BUSY(eryx_sandbox_restore(sandbox, "x", 1, &error));
    BUSY(eryx_sandbox_clear(sandbox, &error));
    BUSY(eryx_image_build(sandbox, "/nowhere/never", &error));
    BUSY(eryx_fs_stat(sandbox, "/", &stat, &error));
    BUSY(eryx_fs_write(sandbox, "/x", "", 0, &error));
    assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_DONE);
    eryx_execution_free(execution);
    fixture_expect(sandbox, "print again", "print again");
}

int main(int argc, char **argv) {
    int status = fixture_main(argc, argv);
    if (status)
        return status;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_null_sandbox, open_sandbox, close_sandbox),
        cmocka_unit_test_setup_teardown(test_null_copies, open_sandbox, close_sandbox),
        cmocka_unit_test_setup_teardown(test_null_files, open_sandbox, close_sandbox),
        cmocka_unit_test_setup_teardown(test_null_others, open_sandbox, close_sandbox),
        cmocka_unit_test(test_free_null),
        cmocka_unit_test_setup_teardown(test_sizes_sandbox, open_sandbox, close_sandbox),
        cmocka_unit_test_setup_teardown(test_sizes_others, open_sandbox, close_sandbox),
        cmocka_unit_test(test_order),
        cmocka_unit_test_setup_teardown(test_busy, open_sandbox, close_sandbox),
    };
    return cmocka_run_group_tests(tests, open_runtime, close_runtime);
}
