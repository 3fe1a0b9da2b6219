/* Flattening of WIT values into core parameters: CanonicalABI.md, "Flattening". Besides the core
 * type every slot carries the C type that fits best, so that prototypes read well. */
#include <string.h>

#include "core.h"

void core_push(struct core_slots *slots, char core, const char *c_type, const char *name)
{
    if (slots->count <= CORE_MAX_PARAMS)
        slots->slot[slots->count++] = (struct core_slot){core, c_type, name};
}

static bool is_pointer(const char *c_type)
{
    return c_type[strlen(c_type) - 1] == '*';
}

static const char *plain_c_type(char core)
{
    switch (core) {
    case 'I':
        return "int64_t";
    case 'f':
        return "float";
    case 'F':
        return "double";
    default:
        return "int32_t";
    }
}

/* One slot that can hold either. */
static struct core_slot join(struct core_slot a, struct core_slot b)
{
    if (strcmp(a.c_type, b.c_type) == 0)
        return a;
    if (a.core != b.core)
        a.core = (a.core == 'i' || a.core == 'f') && (b.core == 'i' || b.core == 'f') ? 'i' : 'I';
    a.c_type = is_pointer(a.c_type) && is_pointer(b.c_type) ? "const void *" : plain_c_type(a.core);
    return a;
}

static void flatten_payload(const struct core_world *world, const struct wit_type *type,
                            const char *name, struct core_slots *out)
{
    struct core_slots joined = {.count = 0};
    for (size_t i = 0; i < type->field_count; i++) {
        struct core_slots one = {.count = 0};
        if (type->fields[i].type)
            core_flatten(world, type->fields[i].type, name, &one);
        for (size_t j = 0; j < one.count; j++) {
            bool both = j < joined.count;
            joined.slot[j] = both ? join(joined.slot[j], one.slot[j]) : one.slot[j];
            if (type->kind != WIT_OPTION)
                joined.slot[j].name = wit_format(world->wit, "%s_%zu", name, j);
        }
        joined.count = one.count > joined.count ? one.count : joined.count;
    }
    for (size_t j = 0; j < joined.count; j++)
        core_push(out, joined.slot[j].core, joined.slot[j].c_type, joined.slot[j].name);
}

static void flatten_fields(const struct core_world *world, const struct wit_type *type,
                           const char *name, struct core_slots *out)
{
    for (size_t i = 0; i < type->field_count && out->count <= CORE_MAX_PARAMS; i++) {
        const struct wit_field *field = &type->fields[i];
        const char *part = field->name ? wit_format(world->wit, "%s_%s", name,
                                                    core_identifier(world->wit, field->name))
                                       : wit_format(world->wit, "%s_%zu", name, i);
        core_flatten(world, field->type, part, out);
    }
}

static char scalar_core(enum wit_kind kind)
{
    switch (kind) {
    case WIT_U64:
    case WIT_S64:
        return 'I';
    case WIT_F32:
        return 'f';
    case WIT_F64:
        return 'F';
    default:
        return 'i';
    }
}

void core_flatten(const struct core_world *world, const struct wit_type *type, const char *name,
                  struct core_slots *out)
{
    struct wit *wit = world->wit;
    const struct wit_type *value = wit_value(type);
    if (out->count > CORE_MAX_PARAMS)
        return;
    switch (value->kind) {
    case WIT_STRING:
        core_push(out, 'i', "const char *", name);
        core_push(out, 'i', "size_t", wit_format(wit, "%s_len", name));
        break;
    case WIT_LIST:
        core_push(out, 'i',
                  wit_format(wit, "const %s *", core_c_type(world, value->fields[0].type)), name);
        core_push(out, 'i', "size_t", wit_format(wit, "%s_len", name));
        break;
    case WIT_RECORD:
    case WIT_TUPLE:
        flatten_fields(world, value, name, out);
        break;
    case WIT_OPTION:
        core_push(out, 'i', "bool", wit_format(wit, "%s_is_some", name));
        flatten_payload(world, value, name, out);
        break;
    case WIT_RESULT:
        core_push(out, 'i', "bool", wit_format(wit, "%s_is_error", name));
        flatten_payload(world, value, name, out);
        break;
    case WIT_VARIANT:
        core_push(out, 'i', "uint32_t", wit_format(wit, "%s_tag", name));
        flatten_payload(world, value, name, out);
        break;
    default:
        core_push(out, scalar_core(value->kind), core_c_type(world, type), name);
    }
}
