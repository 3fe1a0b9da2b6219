/* eryx-bench: the measurements that need the C library. bench/run starts it. */
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SANDBOXES = 4000 };

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "lifecycle") == 0) {
        bench_lifecycle();
    } else if (argc == 2 && strcmp(argv[1], "interrupt") == 0) {
        bench_interrupt();
    } else if (argc == 3 && strcmp(argv[1], "memory") == 0) {
        unsigned long count = strtoul(argv[2], NULL, 10);
        if (count < 1 || count > MOST_SANDBOXES)
            fail("memory: between 1 and %d sandboxes, not '%s'", MOST_SANDBOXES, argv[2]);
        bench_memory((unsigned)count);
    } else {
        fputs("usage: eryx-bench lifecycle | interrupt | memory SANDBOXES\n"
              "Prints one JSON object. $ERYX_RUNTIME names another runtime file.\n",
              stderr);
        return 2;
    }
    putchar('\n');
    return 0;
}
