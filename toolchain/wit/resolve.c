/* Binds the names of a WIT document to definitions and lays out the types. */
#include <string.h>

#include "layout.h"

/* Definitions may refer to each other in any order; the recursion follows them. */
enum { MAX_DEPTH = 256 };

struct resolver {
    struct wit *wit;
    unsigned depth;
};

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

const struct wit_type *wit_definition(const struct wit_type *type)
{
    while (type->kind == WIT_NAME || type->kind == WIT_USE)
        type = type->target;
    return type;
}

const struct wit_type *wit_value(const struct wit_type *type)
{
    type = wit_definition(type);
    while (type->kind == WIT_ALIAS)
        type = wit_definition(type->fields[0].type);
    return type;
}

static struct wit_scope *find_scope(const struct wit_package *package, const char *name,
                                    bool is_world)
{
    for (size_t i = 0; i < package->scope_count; i++)
        if (package->scopes[i]->is_world == is_world && same_text(package->scopes[i]->name, name))
            return package->scopes[i];
    return NULL;
}

static struct wit_scope *find_interface(struct wit *wit, const struct wit_package *from,
                                        const struct wit_path *path)
{
    const struct wit_package *package = path->ns ? NULL : from;
    for (size_t i = 0; i < wit->package_count && !package; i++) {
        const struct wit_package *known = wit->packages[i];
        if (same_text(known->ns, path->ns) && same_text(known->name, path->package) &&
            same_text(known->version, path->version))
            package = known;
    }
    const char *version = path->version ? path->version : "";
    if (!package) {
        wit_fail(wit, &path->position,
                 "unknown package '%s:%s%s%s'; is its file in the folder of --deps?", path->ns,
                 path->package, *version ? "@" : "", version);
        return NULL;
    }
    struct wit_scope *scope = find_scope(package, path->interface, false);
    if (!scope)
        wit_fail(wit, &path->position, "package '%s:%s' has no interface '%s'", package->ns,
                 package->name, path->interface);
    return scope;
}

struct wit_scope *wit_find_world(struct wit *wit, struct wit_package *package, const char *name)
{
    struct wit_scope *world = find_scope(package, name, true);
    struct wit_position start = {package->ns, 1, 1};
    if (!world)
        wit_fail(wit, package->scope_count ? &package->scopes[0]->position : &start,
                 "package '%s:%s' has no world '%s'", package->ns, package->name, name);
    return world;
}

static struct wit_type *find_type(const struct wit_scope *scope, const char *name)
{
    for (size_t i = 0; i < scope->type_count; i++)
        if (strcmp(scope->types[i]->name, name) == 0)
            return scope->types[i];
    return NULL;
}

static void resolve_type(struct resolver *resolver, struct wit_type *type);

static void bind(struct resolver *resolver, struct wit_type *type)
{
    struct wit *wit = resolver->wit;
    if (type->kind == WIT_NAME) {
        type->target = find_type(type->scope, type->name);
        if (!type->target)
            wit_fail(wit, &type->position, "unknown type '%s' in '%s'", type->name,
                     type->scope->name);
    } else {
        struct wit_scope *scope = find_interface(wit, type->scope->package, &type->path);
        if (!scope)
            return;
        type->target = find_type(scope, type->used_name);
        if (!type->target)
            wit_fail(wit, &type->position, "interface '%s' has no type '%s'", scope->id,
                     type->used_name);
    }
    if (!wit->failed)
        resolve_type(resolver, type->target);
}

/* A resource named where a value is meant is an owned handle to it. */
static void own_resource(struct wit *wit, struct wit_type *type)
{
    struct wit_type *reference = wit_alloc(wit, sizeof *reference);
    *reference = *type;
    type->kind = WIT_OWN;
    type->name = NULL;
    type->fields = wit_alloc(wit, sizeof *type->fields);
    type->field_count = 1;
    type->fields[0] = (struct wit_field){.type = reference, .position = type->position};
}

static void resolve_handle(struct resolver *resolver, struct wit_type *type)
{
    struct wit_type *resource = type->fields[0].type;
    if (resource->kind == WIT_NAME)
        bind(resolver, resource);
    if (resolver->wit->failed)
        return;
    if (resource->kind != WIT_NAME || wit_definition(resource)->kind != WIT_RESOURCE)
        wit_fail(resolver->wit, &resource->position, "a handle must be of a resource");
}

static void resolve_type(struct resolver *resolver, struct wit_type *type)
{
    struct wit *wit = resolver->wit;
    if (wit->failed || type->state == WIT_RESOLVED)
        return;
    if (type->state == WIT_RESOLVING) {
        wit_fail(wit, &type->position, "type '%s' contains itself", type->name ? type->name : "");
        return;
    }
    if (++resolver->depth > MAX_DEPTH) {
        wit_fail(wit, &type->position, "types refer to each other deeper than %d", MAX_DEPTH);
        return;
    }
    type->state = WIT_RESOLVING;
    if (type->kind == WIT_NAME || type->kind == WIT_USE)
        bind(resolver, type);
    else if (type->kind == WIT_OWN || type->kind == WIT_BORROW)
        resolve_handle(resolver, type);
    else
        for (size_t i = 0; i < type->field_count; i++)
            if (type->fields[i].type)
                resolve_type(resolver, type->fields[i].type);
    if (!wit->failed) {
        if (type->kind == WIT_NAME && wit_definition(type)->kind == WIT_RESOURCE)
            own_resource(wit, type);
        wit_lay_out(wit, type);
    }
    type->state = WIT_RESOLVED;
    resolver->depth--;
}

/* The record's members are the function's own array. */
static struct wit_type *args_record(struct wit *wit, const struct wit_function *function)
{
    struct wit_type *args = wit_alloc(wit, sizeof *args);
    *args = (struct wit_type){.kind = WIT_RECORD,
                              .state = WIT_RESOLVED,
                              .position = function->position,
                              .scope = function->scope,
                              .fields = function->params,
                              .field_count = function->param_count};
    args->name = function->resource
                     ? wit_format(wit, "%s-%s-args", function->resource->name, function->name)
                     : wit_format(wit, "%s-args", function->name);
    wit_lay_out(wit, args);
    return args;
}

static void resolve_function(struct resolver *resolver, struct wit_function *function)
{
    for (size_t i = 0; i < function->param_count; i++)
        resolve_type(resolver, function->params[i].type);
    if (function->result)
        resolve_type(resolver, function->result);
    if (!resolver->wit->failed)
        function->args = args_record(resolver->wit, function);
}

static void resolve_scope(struct resolver *resolver, struct wit_scope *scope)
{
    for (size_t i = 0; i < scope->type_count; i++)
        resolve_type(resolver, scope->types[i]);
    for (size_t i = 0; i < scope->function_count; i++)
        resolve_function(resolver, &scope->functions[i]);
    for (size_t i = 0; i < scope->item_count && !resolver->wit->failed; i++) {
        struct wit_item *item = &scope->items[i];
        if (item->function)
            resolve_function(resolver, item->function);
        else if (item->interface)
            resolve_scope(resolver, item->interface);
        else
            item->interface = find_interface(resolver->wit, scope->package, &item->path);
    }
}

bool wit_resolve(struct wit *wit)
{
    struct resolver resolver = {.wit = wit};
    for (size_t i = 0; i < wit->package_count; i++)
        for (size_t j = 0; j < wit->packages[i]->scope_count && !wit->failed; j++)
            resolve_scope(&resolver, wit->packages[i]->scopes[j]);
    return !wit->failed;
}
