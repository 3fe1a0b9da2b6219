/* Memory of live sandboxes after x=1: growth of the process per sandbox, in KiB.
 *
 * One sandbox is made beforehand and kept, so that what the process needs once (code, tables) is
 * not counted. Rss counts every page that a sandbox has mapped; Pss shares pages
 * that several map among them, and Private_Dirty is what only this process has. */
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct usage {
    double rss, pss, private_dirty;
};

static struct usage measure_usage(void)
{
    struct usage usage = {-1, -1, -1};
    char line[256];
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    if (!file)
        fail("cannot open /proc/self/smaps_rollup");
    while (fgets(line, sizeof line, file)) {
        sscanf(line, "Rss: %lf", &usage.rss);
        sscanf(line, "Pss: %lf", &usage.pss);
        sscanf(line, "Private_Dirty: %lf", &usage.private_dirty);
    }
    fclose(file);
    if (usage.rss < 0 || usage.pss < 0 || usage.private_dirty < 0)
        fail("/proc/self/smaps_rollup does not have Rss, Pss and Private_Dirty");
    return usage;
}

static eryx_sandbox_t *used_sandbox(eryx_runtime_t *runtime)
{
    eryx_sandbox_t *sandbox = new_sandbox(runtime, NULL);
    eryx_outcome_free(execute(sandbox, "x=1", ERYX_OUTCOME_OK));
    return sandbox;
}

void bench_memory(unsigned count)
{
    eryx_runtime_t *runtime = open_runtime();
    eryx_sandbox_t *kept = used_sandbox(runtime);
    eryx_sandbox_t **sandboxes = calloc(count, sizeof *sandboxes);
    if (!sandboxes)
        fail("out of memory");
    struct usage before = measure_usage();
    for (unsigned i = 0; i < count; i++)
        sandboxes[i] = used_sandbox(runtime);
    struct usage after = measure_usage();
    json_open(NULL);
    json_number("rss", (after.rss - before.rss) / count);
    json_number("pss", (after.pss - before.pss) / count);
    json_number("private_dirty", (after.private_dirty - before.private_dirty) / count);
    json_close();
    for (unsigned i = 0; i < count; i++)
        eryx_sandbox_free(sandboxes[i]);
    free(sandboxes);
    eryx_sandbox_free(kept);
    eryx_runtime_free(runtime);
}
