/* Memory of live sandboxes after x=1: growth of the process per sandbox, in KiB.
 *
 * One sandbox is made beforehand and kept, so that what the process needs once (code, tables) is
 * not counted. */
#include "measure.h"

#include <stdlib.h>

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
