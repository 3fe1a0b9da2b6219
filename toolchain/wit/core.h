/* A WIT world as a core module sees it: the functions it may import and those it exports,
 * with flattened signatures, in the naming that wit-component understands. Both generated headers
 * are written from this one list.
 *
 * CanonicalABI.md: "Flattening", "canon lift", "canon lower"; Async: callback ABI. A sync
 * function takes up to 16 flat parameters and returns one flat value; more go through
 * memory. An async-lowered import takes 4, writes its result where the last parameter points
 * and returns subtask << 4 | state. */
#ifndef TOOLCHAIN_WIT_CORE_H
#define TOOLCHAIN_WIT_CORE_H

#include "wit.h"

enum { CORE_MAX_PARAMS = 16, CORE_MAX_ASYNC_PARAMS = 4 };

struct core_slot {
    char core;          /* i I f F: i32 i64 f32 f64 */
    const char *c_type; /* how C calls it */
    const char *name;
};

/* One more than fits marks "too many". */
struct core_slots {
    struct core_slot slot[CORE_MAX_PARAMS + 1];
    size_t count;
};

enum core_kind {
    CORE_IMPORT,
    CORE_IMPORT_ASYNC,
    CORE_RESOURCE, /* resource-drop, -new, -rep */
    CORE_BUILTIN,  /* waitables, task-return */
    CORE_EXPORT,
    CORE_EXPORT_ASYNC,
    CORE_CALLBACK,
    CORE_POST_RETURN, /* optional */
    CORE_REALLOC
};

struct core_function {
    enum core_kind kind;
    const char *module; /* NULL for exports */
    const char *name, *c_name;
    struct core_slots params;
    struct core_slot result; /* core 0: none */
};

/* A type to declare. */
struct core_type {
    const char *identifier; /* unique */
    const struct wit_type *type;
};

struct core_world {
    struct wit *wit;
    const struct wit_scope *world;
    struct core_function *functions; /* imports, then exports */
    size_t function_count, import_count;
    struct core_type *types; /* of all interfaces and signatures, parts before the whole */
    size_t type_count;
};

/* The world of a resolved document. False (with the document's error set) on failure. */
bool core_world_build(struct wit *wit, struct wit_scope *world, struct core_world *out);

/* names.c: what things are called in C. */
/* kebab-case to snake_case; with '_' appended if it is a word of C. */
const char *core_identifier(struct wit *wit, const char *name);
const char *core_upper(struct wit *wit, const char *identifier);
/* Prefix of all that belongs to the scope: "control", "wasi_io_0_2_0_streams". */
const char *core_scope_prefix(const struct core_world *world, const struct wit_scope *scope);
/* Unique name of a type: "control_settings", "list_string". */
const char *core_type_identifier(const struct core_world *world, const struct wit_type *type);
/* "uint32_t", "wit_string_t", "control_settings_t". */
const char *core_c_type(const struct core_world *world, const struct wit_type *type);

/* types.c: adds a type and its parts to world->types unless they are there. */
void core_need_type(struct core_world *world, const struct wit_type *type);

/* flatten.c: appends the flat form of a value called name. */
void core_flatten(const struct core_world *world, const struct wit_type *type, const char *name,
                  struct core_slots *out);
void core_push(struct core_slots *slots, char core, const char *c_type, const char *name);

/* emit_guest.c, emit_host.c, emit_list.c: whole files as text from malloc; NULL without memory. */
char *core_emit_guest(const struct core_world *world, size_t *size);
char *core_emit_host(const struct core_world *world, size_t *size);
char *core_emit_list(const struct core_world *world, size_t *size);

#endif
