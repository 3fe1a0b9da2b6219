/* Options of every program in sanitizer builds. The engine is not built with them: it must get the
 * faults of guest code itself, and ThreadSanitizer does not see its atomic operations. Guest code
 * traps by signal and goes on outside of the handler; ThreadSanitizer believes it still in there. */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);
const char *__tsan_default_suppressions(void);

const char *__asan_default_options(void)
{
    return "handle_segv=0:handle_sigbus=0:handle_sigill=0:handle_sigfpe=0:"
           "detect_stack_use_after_return=0:allow_user_segv_handler=1";
}

const char *__tsan_default_options(void)
{
    return "report_signal_unsafe=0:handle_segv=0:handle_sigill=0:handle_sigfpe=0";
}

const char *__tsan_default_suppressions(void)
{
    return "called_from_lib:libwasmtime.so\nrace:libwasmtime.so\nsignal:libwasmtime.so\n";
}
