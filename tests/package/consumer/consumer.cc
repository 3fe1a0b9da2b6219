// Prints what Python computed.
#include <cstdio>
#include <cstring>

#include <eryx.h>

int main()
{
    eryx_runtime_t *runtime = nullptr;
    eryx_sandbox_t *sandbox = nullptr;
    eryx_outcome_t *outcome = nullptr;
    eryx_error_t error;
    const char *code = "print(sum([1, 2, 3]))";
    if (eryx_runtime_open(nullptr, nullptr, &runtime, &error) != ERYX_OK ||
        eryx_sandbox_new(runtime, nullptr, &sandbox, &error) != ERYX_OK ||
        eryx_sandbox_execute(sandbox, code, std::strlen(code), nullptr, &outcome, &error)) {
        std::fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    std::fputs(eryx_outcome_stdout(outcome, nullptr), stdout);
    eryx_outcome_free(outcome);
    eryx_sandbox_free(sandbox);
    eryx_runtime_free(runtime);
}
