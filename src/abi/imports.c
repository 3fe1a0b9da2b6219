/* All that leaves a sandbox: the tables of functions that the guest imports, and the one of the
 * world itself, whose functions are in invoke.c and builtins.c. */
#include "abi/imports.h"

#include "abi/builtins.h"
#include "abi/guest.h"
#include "abi/invoke.h"

#define ROOT "$root"

static const engine_import_t items[] = {
    {ROOT, "[async-lower]invoke", "iiiii", "i", false, import_invoke},
    {ROOT, "list-callbacks", "i", "", false, import_list_callbacks},
    {ROOT, "report-trace", "iiiii", "", false, import_report_trace},
    {ROOT, "[waitable-set-new]", "", "i", false, builtin_set_new},
    {ROOT, "[waitable-set-wait]", "ii", "i", true, builtin_set_wait},
    {ROOT, "[waitable-set-poll]", "ii", "i", false, builtin_set_poll},
    {ROOT, "[waitable-set-drop]", "i", "", false, builtin_set_drop},
    {ROOT, "[waitable-join]", "ii", "", false, builtin_join},
    {ROOT, "[subtask-drop]", "i", "", false, builtin_subtask_drop},
    {ROOT, "[subtask-cancel]", "i", "i", false, builtin_subtask_cancel},
    {"[export]$root", "[task-return]execute", "iii", "", false, builtin_task_return},
};
const engine_import_table_t imports_root = {items, sizeof items / sizeof items[0]};

const engine_import_table_t *const guest_imports[] = {
    &imports_root, &imports_wasi,    &imports_net,    &imports_mount,
    &imports_tls,  &imports_library, &imports_sample, &imports_code,
};
const size_t guest_import_tables = sizeof guest_imports / sizeof guest_imports[0];
