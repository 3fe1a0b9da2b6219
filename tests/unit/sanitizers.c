/* Options for sanitizer builds: the engine must get the faults of guest code itself. Those of
 * ThreadSanitizer are in tests/run, for all programs. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);

const char *__asan_default_options(void) {
    return "handle_segv=0:handle_sigbus=0:handle_sigill=0:handle_sigfpe=0:"
           "detect_stack_use_after_return=0:allow_user_segv_handler=1";
}
