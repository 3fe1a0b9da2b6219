/* The world as a plain list for the link and component steps: one function a line,
 * `import MODULE NAME PARAMS RESULT`, `export NAME PARAMS RESULT` or `optional NAME …`, fields
 * separated by tabs, types as i I f F for i32 i64 f32 f64. */
#include <stdio.h>
#include <stdlib.h>

#include "core.h"

char *core_emit_list(const struct core_world *world, size_t *size)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    if (!out)
        return NULL;
    for (size_t i = 0; i < world->function_count; i++) {
        const struct core_function *function = &world->functions[i];
        if (function->module)
            fprintf(out, "import\t%s\t%s\t", function->module, function->name);
        else
            fprintf(out, "%s\t%s\t", function->kind == CORE_POST_RETURN ? "optional" : "export",
                    function->name);
        for (size_t j = 0; j < function->params.count; j++)
            fputc(function->params.slot[j].core, out);
        fputc('\t', out);
        if (function->result.core)
            fputc(function->result.core, out);
        fputc('\n', out);
    }
    bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}
