/* --package, --requirements and what belongs to them. */
#ifndef ERYX_CLI_PACKAGE_OPTIONS_H
#define ERYX_CLI_PACKAGE_OPTIONS_H

#include <stdbool.h>

#include <eryx.h>

/* Their numbers for getopt_long begin here; -r is the short form of --requirements. */
enum { PACKAGES_FIRST = 640 };

/* The lines for the table of getopt_long. */
#define PACKAGES_OPTIONS                                                                           \
    {"package", required_argument, NULL, PACKAGES_FIRST},                                          \
        {"requirements", required_argument, NULL, 'r'},                                            \
        {"no-build", no_argument, NULL, PACKAGES_FIRST + 1},                                       \
        {"locked", no_argument, NULL, PACKAGES_FIRST + 2}

/* Their part of the help. */
#define PACKAGES_HELP                                                                              \
    "  --package PATH     a wheel, or a folder of modules, that the program can import; may be\n"  \
    "                     repeated. The first time its modules are imported once and kept as\n"    \
    "                     an image in ~/.cache/eryx, so that later starts cost nothing\n"          \
    "  -r, --requirements FILE   all that a requirements file of pip asks for; pip downloads\n"    \
    "                     the wheels and their hashes are kept in FILE.lock. What has no wheel\n"  \
    "                     for the sandbox is built from its source, which runs that package's\n"   \
    "                     code on this machine ...\n"                                              \
    "  --no-build         ... unless this is given\n"                                              \
    "  --locked           nothing but FILE.lock counts; it must belong to FILE as it is\n"

struct package_options {
    const char **values; /* paths, in the order they were given */
    bool *requirements;  /* of each: it is a requirements file */
    size_t count;
    bool no_build, locked;
};

/* Whether it is one of them. */
bool package_options_has(int option);
/* Takes one. EXIT_OK, or an exit code after a message. */
int package_options_set(struct package_options *options, int option, const char *value);
/* All of them, NULL without; eryx_packages_free is to follow. EXIT_OK, or an exit code after a
 * message. */
int package_options_load(const struct package_options *options, eryx_packages_t **out);
void package_options_free(struct package_options *options);

#endif
