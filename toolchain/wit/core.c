/* The core functions of a world: see core.h. */
#include "core.h"

#include <string.h>

/* Where a function belongs: on the side of imports or exports, in which scope. */
struct place {
    const struct wit_scope *scope;
    bool is_export;
};

static struct core_function *add(struct core_world *world, enum core_kind kind, const char *module,
                                 const char *name, const char *c_name)
{
    world->functions =
        wit_grow(world->wit, world->functions, world->function_count, sizeof *world->functions);
    struct core_function *function = &world->functions[world->function_count++];
    *function =
        (struct core_function){.kind = kind, .module = module, .name = name, .c_name = c_name};
    return function;
}

/* "now", "[method]output-stream.write": the function's name on the component level. */
static const char *plain_name(struct wit *wit, const struct wit_function *function)
{
    switch (function->kind) {
    case WIT_METHOD:
        return wit_format(wit, "[method]%s.%s", function->resource->name, function->name);
    case WIT_STATIC:
        return wit_format(wit, "[static]%s.%s", function->resource->name, function->name);
    case WIT_CONSTRUCTOR:
        return wit_format(wit, "[constructor]%s", function->name);
    default:
        return function->name;
    }
}

static const char *c_name_of(const struct core_world *world, struct place place, const char *what)
{
    const char *side = place.is_export ? "export" : "import";
    if (place.scope->is_world)
        return wit_format(world->wit, "%s_%s", side, what);
    return wit_format(world->wit, "%s_%s_%s", side, core_scope_prefix(world, place.scope), what);
}

static const char *c_function_name(const struct core_world *world, struct place place,
                                   const struct wit_function *function)
{
    const char *name = core_identifier(world->wit, function->name);
    if (function->kind == WIT_CONSTRUCTOR)
        name = wit_format(world->wit, "%s_constructor", name);
    else if (function->resource)
        name = wit_format(world->wit, "%s_%s",
                          core_identifier(world->wit, function->resource->name), name);
    return c_name_of(world, place, name);
}

static const char *pointer_to(const struct core_world *world, const struct wit_type *type,
                              const char *qualifier)
{
    return wit_format(world->wit, "%s%s *", qualifier, core_c_type(world, type));
}

/* More than `most` flat parameters go through memory. */
static void push_params(struct core_world *world, const struct wit_function *function, size_t most,
                        struct core_slots *out)
{
    struct core_slots flat = {.count = 0};
    for (size_t i = 0; i < function->param_count; i++)
        core_flatten(world, function->params[i].type,
                     core_identifier(world->wit, function->params[i].name), &flat);
    if (flat.count <= most) {
        *out = flat;
    } else {
        core_need_type(world, function->args);
        core_push(out, 'i', pointer_to(world, function->args, "const "), "args");
    }
}

static void add_import(struct core_world *world, struct place place,
                       const struct wit_function *function)
{
    const char *name = plain_name(world->wit, function);
    if (function->async)
        name = wit_format(world->wit, "[async-lower]%s", name);
    struct core_function *core =
        add(world, function->async ? CORE_IMPORT_ASYNC : CORE_IMPORT, place.scope->id, name,
            c_function_name(world, place, function));
    struct core_slots params = {.count = 0}, result = {.count = 0};
    size_t most = function->async ? CORE_MAX_ASYNC_PARAMS : CORE_MAX_PARAMS;
    push_params(world, function, most, &params);
    if (function->result)
        core_flatten(world, function->result, "result", &result);
    if (function->result && (function->async || result.count > 1))
        core_push(&params, 'i', pointer_to(world, function->result, ""), "result");
    else if (function->result)
        core->result = result.slot[0];
    if (function->async)
        core->result = (struct core_slot){'i', "uint32_t", "status"};
    core->params = params;
}

static void add_task_return(struct core_world *world, struct place place,
                            const struct wit_function *function)
{
    const char *module = wit_format(world->wit, "[export]%s", place.scope->id);
    const char *name = wit_format(world->wit, "[task-return]%s", plain_name(world->wit, function));
    const char *c_name =
        wit_format(world->wit, "%s_return", c_function_name(world, place, function));
    struct core_function *core = add(world, CORE_BUILTIN, module, name, c_name);
    struct core_slots flat = {.count = 0};
    if (function->result)
        core_flatten(world, function->result, "result", &flat);
    if (flat.count <= CORE_MAX_PARAMS)
        core->params = flat;
    else
        core_push(&core->params, 'i', pointer_to(world, function->result, "const "), "result");
}

static void add_export(struct core_world *world, struct place place,
                       const struct wit_function *function)
{
    struct wit *wit = world->wit;
    const char *name = plain_name(wit, function);
    if (!place.scope->is_world)
        name = wit_format(wit, "%s#%s", place.scope->id, name);
    const char *c_name = c_function_name(world, place, function);
    struct core_slots params = {.count = 0}, result = {.count = 0};
    push_params(world, function, CORE_MAX_PARAMS, &params);
    if (function->async) {
        struct core_function *core =
            add(world, CORE_EXPORT_ASYNC, NULL, wit_format(wit, "[async-lift]%s", name), c_name);
        core->params = params;
        core->result = (struct core_slot){'i', "uint32_t", "code"};
        core = add(world, CORE_CALLBACK, NULL, wit_format(wit, "[callback][async-lift]%s", name),
                   wit_format(wit, "%s_callback", c_name));
        core_push(&core->params, 'i', "uint32_t", "event");
        core_push(&core->params, 'i', "uint32_t", "index");
        core_push(&core->params, 'i', "uint32_t", "payload");
        core->result = (struct core_slot){'i', "uint32_t", "code"};
        return;
    }
    struct core_function *core = add(world, CORE_EXPORT, NULL, name, c_name);
    core->params = params;
    if (!function->result)
        return;
    core_flatten(world, function->result, "result", &result);
    core->result = result.slot[0];
    if (result.count <= 1)
        return;
    const char *pointer = pointer_to(world, function->result, "const ");
    core->result = (struct core_slot){'i', pointer, "result"};
    core = add(world, CORE_POST_RETURN, NULL, wit_format(wit, "cabi_post_%s", name),
               wit_format(wit, "%s_post_return", c_name));
    core_push(&core->params, 'i', pointer, "result");
}

static void add_resource(struct core_world *world, struct place place,
                         const struct wit_type *resource)
{
    static const char *const built_ins[] = {"drop", "new", "rep"};
    struct wit *wit = world->wit;
    const char *module =
        place.is_export ? wit_format(wit, "[export]%s", place.scope->id) : place.scope->id;
    const char *handle = wit_format(wit, "%s_t", core_type_identifier(world, resource));
    for (size_t i = 0; i < (place.is_export ? 3 : 1); i++) {
        const char *what =
            wit_format(wit, "%s_%s", core_identifier(wit, resource->name), built_ins[i]);
        struct core_function *core =
            add(world, CORE_RESOURCE, module,
                wit_format(wit, "[resource-%s]%s", built_ins[i], resource->name),
                c_name_of(world, place, what));
        core_push(&core->params, 'i', i == 1 ? "void *" : handle, i == 1 ? "rep" : "handle");
        if (i > 0)
            core->result = (struct core_slot){'i', i == 1 ? handle : "void *", "result"};
    }
}

static void add_built_ins(struct core_world *world)
{
    static const struct {
        const char *name, *c_name, *params[2], *names[2], *result;
    } built_ins[] = {
        {"[waitable-set-new]", "waitable_set_new", {0}, {0}, "uint32_t"},
        {"[waitable-set-wait]",
         "waitable_set_wait",
         {"uint32_t", "wit_event_t *"},
         {"set", "event"},
         "uint32_t"},
        {"[waitable-set-poll]",
         "waitable_set_poll",
         {"uint32_t", "wit_event_t *"},
         {"set", "event"},
         "uint32_t"},
        {"[waitable-set-drop]", "waitable_set_drop", {"uint32_t"}, {"set"}, NULL},
        {"[waitable-join]", "waitable_join", {"uint32_t", "uint32_t"}, {"waitable", "set"}, NULL},
        {"[subtask-drop]", "subtask_drop", {"uint32_t"}, {"subtask"}, NULL},
        {"[subtask-cancel]", "subtask_cancel", {"uint32_t"}, {"subtask"}, "uint32_t"},
    };
    for (size_t i = 0; i < sizeof built_ins / sizeof built_ins[0]; i++) {
        struct core_function *core =
            add(world, CORE_BUILTIN, "$root", built_ins[i].name, built_ins[i].c_name);
        for (size_t j = 0; j < 2 && built_ins[i].params[j]; j++)
            core_push(&core->params, 'i', built_ins[i].params[j], built_ins[i].names[j]);
        if (built_ins[i].result)
            core->result = (struct core_slot){'i', built_ins[i].result, "result"};
    }
}

static void add_function_types(struct core_world *world, const struct wit_function *function)
{
    for (size_t i = 0; i < function->param_count; i++)
        core_need_type(world, function->params[i].type);
    if (function->result)
        core_need_type(world, function->result);
}

static void add_scope_types(struct core_world *world, const struct wit_scope *scope)
{
    for (size_t i = 0; i < scope->type_count; i++)
        core_need_type(world, scope->types[i]);
    for (size_t i = 0; i < scope->function_count; i++)
        add_function_types(world, &scope->functions[i]);
}

static bool any_async(const struct wit_scope *scope, const struct wit_function *function)
{
    bool async = function && function->async;
    for (size_t i = 0; scope && i < scope->function_count; i++)
        async = async || scope->functions[i].async;
    return async;
}

static void import_interface(struct core_world *world, struct wit_scope *scope);

/* An interface whose types are used must be there too. */
static void import_used(struct core_world *world, const struct wit_scope *scope)
{
    for (size_t i = 0; i < scope->type_count; i++)
        if (scope->types[i]->kind == WIT_USE)
            import_interface(world, scope->types[i]->target->scope);
}

static void import_interface(struct core_world *world, struct wit_scope *scope)
{
    if (scope->is_imported)
        return;
    scope->is_imported = true;
    import_used(world, scope);
    add_scope_types(world, scope);
    struct place place = {scope, false};
    for (size_t i = 0; i < scope->function_count; i++)
        add_import(world, place, &scope->functions[i]);
    for (size_t i = 0; i < scope->type_count; i++)
        if (scope->types[i]->kind == WIT_RESOURCE)
            add_resource(world, place, scope->types[i]);
}

static void add_imports(struct core_world *world)
{
    const struct wit_scope *scope = world->world;
    bool async = false;
    import_used(world, scope);
    for (size_t i = 0; i < scope->item_count; i++) {
        const struct wit_item *item = &scope->items[i];
        async = async || any_async(item->interface, item->function);
        if (item->is_export && item->interface)
            import_used(world, item->interface);
        else if (!item->is_export && item->interface)
            import_interface(world, item->interface);
        else if (!item->is_export)
            add_import(world, (struct place){scope, false}, item->function);
    }
    for (size_t i = 0; i < scope->type_count; i++)
        if (scope->types[i]->kind == WIT_RESOURCE)
            add_resource(world, (struct place){scope, false}, scope->types[i]);
    if (async)
        add_built_ins(world);
}

/* Imports that exist because of exports. */
static void add_export_imports(struct core_world *world, const struct wit_item *item)
{
    struct place place = {item->interface ? item->interface : world->world, true};
    if (item->function && item->function->async)
        add_task_return(world, place, item->function);
    for (size_t i = 0; item->interface && i < item->interface->function_count; i++)
        if (item->interface->functions[i].async)
            add_task_return(world, place, &item->interface->functions[i]);
    for (size_t i = 0; item->interface && i < item->interface->type_count; i++)
        if (item->interface->types[i]->kind == WIT_RESOURCE)
            add_resource(world, place, item->interface->types[i]);
}

static void add_exports(struct core_world *world, const struct wit_item *item)
{
    struct place place = {item->interface ? item->interface : world->world, true};
    if (item->function)
        add_export(world, place, item->function);
    for (size_t i = 0; item->interface && i < item->interface->function_count; i++)
        add_export(world, place, &item->interface->functions[i]);
}

static void add_realloc(struct core_world *world)
{
    struct core_function *core = add(world, CORE_REALLOC, NULL, "cabi_realloc", "cabi_realloc");
    core_push(&core->params, 'i', "void *", "old");
    core_push(&core->params, 'i', "size_t", "old_size");
    core_push(&core->params, 'i', "size_t", "align");
    core_push(&core->params, 'i', "size_t", "new_size");
    core->result = (struct core_slot){'i', "void *", "result"};
}

/* Two functions of one C name would only show as a puzzling error of the C compiler. */
static bool check_names(const struct core_world *world)
{
    for (size_t i = 0; i < world->function_count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(world->functions[i].c_name, world->functions[j].c_name) == 0)
                wit_fail(world->wit, &world->world->position,
                         "two functions of the world would both be called '%s' in C; rename one",
                         world->functions[i].c_name);
    return !world->wit->failed;
}

bool core_world_build(struct wit *wit, struct wit_scope *scope, struct core_world *out)
{
    *out = (struct core_world){.wit = wit, .world = scope};
    add_scope_types(out, scope);
    add_imports(out);
    for (size_t i = 0; i < scope->item_count; i++) {
        const struct wit_item *item = &scope->items[i];
        if (item->function)
            add_function_types(out, item->function);
        if (!item->is_export)
            continue;
        if (item->interface)
            add_scope_types(out, item->interface);
        add_export_imports(out, item);
    }
    out->import_count = out->function_count;
    for (size_t i = 0; i < scope->item_count; i++)
        if (scope->items[i].is_export)
            add_exports(out, &scope->items[i]);
    add_realloc(out);
    return check_names(out);
}
