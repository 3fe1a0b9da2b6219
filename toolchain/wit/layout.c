/* Sizes and alignments of WIT types: see layout.h. */
#include "layout.h"

/* Far above what an interface needs; keeps all sums within 32 bits. */
enum { MAX_SIZE = 1 << 20 };

static uint64_t align_to(uint64_t offset, uint32_t align)
{
    return (offset + align - 1) / align * align;
}

uint32_t wit_tag_size(const struct wit_type *type)
{
    size_t count = type->kind == WIT_OPTION || type->kind == WIT_RESULT ? 2 : type->field_count;
    if (type->kind == WIT_FLAGS)
        return count <= 8 ? 1 : count <= 16 ? 2 : 4;
    return count <= 256 ? 1 : count <= 65536 ? 2 : 4;
}

static uint32_t payload_align(const struct wit_type *type)
{
    uint32_t align = 1;
    for (size_t i = 0; i < type->field_count; i++)
        if (type->fields[i].type && type->fields[i].type->align > align)
            align = type->fields[i].type->align;
    return align;
}

uint32_t wit_payload_offset(const struct wit_type *type)
{
    return (uint32_t)align_to(wit_tag_size(type), payload_align(type));
}

uint32_t wit_field_offset(const struct wit_type *type, size_t index)
{
    uint64_t offset = 0;
    for (size_t i = 0;; i++) {
        const struct wit_type *field = type->fields[i].type;
        offset = align_to(offset, field->align);
        if (i == index)
            return (uint32_t)offset;
        offset += field->size;
    }
}

static void set(struct wit *wit, struct wit_type *type, uint64_t size, uint32_t align)
{
    size = align_to(size, align);
    if (size > MAX_SIZE)
        wit_fail(wit, &type->position, "a type of more than %d bytes", MAX_SIZE);
    type->size = (uint32_t)size;
    type->align = align;
}

static void lay_out_record(struct wit *wit, struct wit_type *type)
{
    uint64_t size = 0;
    uint32_t align = 1;
    for (size_t i = 0; i < type->field_count; i++) {
        const struct wit_type *field = type->fields[i].type;
        size = align_to(size, field->align) + field->size;
        align = field->align > align ? field->align : align;
    }
    set(wit, type, size, align);
}

static void lay_out_variant(struct wit *wit, struct wit_type *type)
{
    uint32_t tag = wit_tag_size(type), align = payload_align(type), largest = 0;
    for (size_t i = 0; i < type->field_count; i++)
        if (type->fields[i].type && type->fields[i].type->size > largest)
            largest = type->fields[i].type->size;
    set(wit, type, (uint64_t)wit_payload_offset(type) + largest, tag > align ? tag : align);
}

void wit_lay_out(struct wit *wit, struct wit_type *type)
{
    static const uint8_t scalar[] = {[WIT_BOOL] = 1, [WIT_U8] = 1,  [WIT_S8] = 1,  [WIT_U16] = 2,
                                     [WIT_S16] = 2,  [WIT_U32] = 4, [WIT_S32] = 4, [WIT_U64] = 8,
                                     [WIT_S64] = 8,  [WIT_F32] = 4, [WIT_F64] = 8, [WIT_CHAR] = 4};
    switch (type->kind) {
    case WIT_STRING:
    case WIT_LIST:
        set(wit, type, 8, 4);
        break;
    case WIT_OWN:
    case WIT_BORROW:
    case WIT_RESOURCE:
        set(wit, type, 4, 4);
        break;
    case WIT_TUPLE:
    case WIT_RECORD:
        lay_out_record(wit, type);
        break;
    case WIT_OPTION:
    case WIT_RESULT:
    case WIT_VARIANT:
    case WIT_ENUM:
        lay_out_variant(wit, type);
        break;
    case WIT_FLAGS:
        set(wit, type, wit_tag_size(type), wit_tag_size(type));
        break;
    case WIT_ALIAS:
        set(wit, type, type->fields[0].type->size, type->fields[0].type->align);
        break;
    case WIT_NAME:
    case WIT_USE:
        set(wit, type, type->target->size, type->target->align);
        break;
    default:
        set(wit, type, scalar[type->kind], scalar[type->kind]);
    }
}
