/* See secret_sample.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "secret_sample.h"

void secret_sample(eryx_secret_t *secret) {
    static const char *const hosts[] = {"api.example.org"};
    eryx_secret_init(secret);
    secret->name = "API_KEY";
    secret->value = value;
    secret->hosts = hosts;
    secret->host_count = 1;
}

ptrdiff_t secret_on_input(void *env, char *buffer, size_t capacity) {
    (void)env;
    assert_true(capacity > sizeof value);
    return snprintf(buffer, capacity, "%s\n", value);
}
