/* eryx-bench: the measurements that need the C library. bench/run starts it. */
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4000 };

static unsigned number_of(const char *text)
{
    unsigned long count = strtoul(text, NULL, 10);
    if (count < 1 || count > MOST)
        fail("a number between 1 and %d, not '%s'", MOST, text);
    return (unsigned)count;
}

int main(int argc, char **argv)
{
    const char *part = argc > 1 ? argv[1] : "";
    if (argc == 2 && strcmp(part, "lifecycle") == 0) {
        bench_lifecycle();
    } else if (argc == 2 && strcmp(part, "interrupt") == 0) {
        bench_interrupt();
    } else if (argc == 2 && strcmp(part, "callbacks") == 0) {
        bench_callbacks();
    } else if (argc == 2 && strcmp(part, "session") == 0) {
        bench_session();
    } else if (argc == 2 && strcmp(part, "copies") == 0) {
        bench_copies();
    } else if (argc == 3 && strcmp(part, "memory") == 0) {
        bench_memory(number_of(argv[2]));
    } else if (argc == 3 && strcmp(part, "waiting") == 0) {
        bench_waiting(number_of(argv[2]), WAITING_WARM);
    } else if (argc == 3 && strcmp(part, "waiting-cold") == 0) {
        bench_waiting(number_of(argv[2]), WAITING_COLD);
    } else if (argc == 3 && strcmp(part, "waiting-new") == 0) {
        bench_waiting(number_of(argv[2]), WAITING_NEW);
    } else if (argc == 3 && strcmp(part, "sockets") == 0) {
        bench_sockets(number_of(argv[2]));
    } else if (argc == 3 && strcmp(part, "soak") == 0) {
        bench_soak(number_of(argv[2]));
    } else if (argc > 4 && strcmp(part, "packages") == 0) {
        bench_packages(argv[2], argv[3], argv + 4);
    } else if (argc == 2 && strcmp(part, "parallel") == 0) {
        bench_parallel();
    } else {
        fputs(
            "usage: eryx-bench lifecycle | interrupt | callbacks | session | copies | parallel |\n"
            "                  memory SANDBOXES | waiting SANDBOXES | waiting-cold SANDBOXES |\n"
            "                  waiting-new SANDBOXES |\n"
            "                  sockets SANDBOXES | soak SECONDS | packages CACHE CODE PACKAGE ...\n"
            "Prints one JSON object. $ERYX_RUNTIME names another runtime file.\n",
            stderr);
        return 2;
    }
    putchar('\n');
    return 0;
}
