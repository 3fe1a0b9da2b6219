/* Which types the generated headers declare, in which order. */
#include <string.h>

#include "core.h"

static void check_same(struct core_world *world, const struct core_type *known,
                       const struct wit_type *type)
{
    if (known->type != type && (known->type->name || type->name))
        wit_fail(world->wit, &type->position,
                 "two types would both be called '%s_t' in C, the other is at %s:%u:%u; rename one",
                 known->identifier, known->type->position.file, known->type->position.line,
                 known->type->position.column);
}

void core_need_type(struct core_world *world, const struct wit_type *type)
{
    type = wit_definition(type);
    if (type->kind == WIT_OWN || type->kind == WIT_BORROW)
        type = wit_definition(type->fields[0].type);
    if (type->kind <= WIT_STRING)
        return;
    const char *identifier = core_type_identifier(world, type);
    for (size_t i = 0; i < world->type_count; i++)
        if (strcmp(world->types[i].identifier, identifier) == 0) {
            check_same(world, &world->types[i], type);
            return;
        }
    for (size_t i = 0; i < type->field_count; i++)
        if (type->fields[i].type)
            core_need_type(world, type->fields[i].type);
    world->types = wit_grow(world->wit, world->types, world->type_count, sizeof *world->types);
    world->types[world->type_count++] = (struct core_type){identifier, type};
}
