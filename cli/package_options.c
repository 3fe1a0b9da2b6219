#include "package_options.h"

#include <stdlib.h>

#include "commands.h"
#include "message.h"

bool package_options_has(int option)
{
    return option == 'r' || (option >= PACKAGES_FIRST && option <= PACKAGES_FIRST + 2);
}

int package_options_set(struct package_options *options, int option, const char *value)
{
    if (option == PACKAGES_FIRST + 1) {
        options->no_build = true;
        return EXIT_OK;
    }
    if (option == PACKAGES_FIRST + 2) {
        options->locked = true;
        return EXIT_OK;
    }
    size_t count = options->count + 1;
    const char **values = realloc(options->values, count * sizeof *values);
    if (values)
        options->values = values;
    bool *requirements = realloc(options->requirements, count * sizeof *requirements);
    if (requirements)
        options->requirements = requirements;
    if (!values || !requirements) {
        message_error("out of memory");
        return EXIT_FAILED;
    }
    values[options->count] = value;
    requirements[options->count++] = option == 'r';
    return EXIT_OK;
}

static int load(const struct package_options *options, eryx_packages_t *packages)
{
    eryx_error_t error = {0};
    eryx_requirements_options_t requirements;
    eryx_requirements_options_init(&requirements);
    requirements.build = !options->no_build;
    requirements.locked = options->locked;
    for (size_t i = 0; i < options->count; i++) {
        const char *value = options->values[i];
        int status = options->requirements[i]
                         ? eryx_packages_add_requirements(packages, value, &requirements, &error)
                         : eryx_packages_add(packages, value, &error);
        if (status != ERYX_OK) {
            message_error("%s", error.message);
            return status == ERYX_ERR_MEMORY ? EXIT_FAILED : EXIT_USAGE;
        }
    }
    return EXIT_OK;
}

int package_options_load(const struct package_options *options, eryx_packages_t **out)
{
    *out = NULL;
    if (options->count == 0)
        return EXIT_OK;
    if (eryx_packages_new(out, NULL) != ERYX_OK) {
        message_error("out of memory");
        return EXIT_FAILED;
    }
    int result = load(options, *out);
    if (result != EXIT_OK) {
        eryx_packages_free(*out);
        *out = NULL;
    }
    return result;
}

void package_options_free(struct package_options *options)
{
    free(options->values);
    free(options->requirements);
    *options = (struct package_options){0};
}
