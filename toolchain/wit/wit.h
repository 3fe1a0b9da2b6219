/* WIT: the interface language of WebAssembly components, as far as eryx needs it.
 *
 * A document (struct wit) holds the packages of all files read so far and owns every
 * node in an arena. wit_read parses a file, wit_resolve binds names to definitions and
 * computes the layout of every type on wasm32; after that the nodes are read only.
 * The first error stops everything and is kept with its file, line and column.
 *
 * Understood: packages with versions, interfaces, worlds, use, aliases, records, variants,
 * enums, flags, resources, func and async func, all value types but streams, futures and
 * error-context. Feature gates (@since ...) are read and ignored. Grammar: WIT.md of the
 * Component Model; layout: CanonicalABI.md, "Alignment", "Element Size". */
#ifndef TOOLCHAIN_WIT_H
#define TOOLCHAIN_WIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wit_kind {
    WIT_BOOL,
    WIT_U8,
    WIT_S8,
    WIT_U16,
    WIT_S16,
    WIT_U32,
    WIT_S32,
    WIT_U64,
    WIT_S64,
    WIT_F32,
    WIT_F64,
    WIT_CHAR,
    WIT_STRING,
    WIT_LIST,     /* fields[0]: element */
    WIT_OPTION,   /* fields[0]: value */
    WIT_RESULT,   /* fields[0]: ok, fields[1]: error; a NULL type means no payload */
    WIT_TUPLE,    /* fields: elements, unnamed */
    WIT_RECORD,   /* fields */
    WIT_VARIANT,  /* fields: cases; a NULL type means no payload */
    WIT_ENUM,     /* fields: cases, all without type */
    WIT_FLAGS,    /* fields: bits, all without type */
    WIT_RESOURCE, /* only as definition; no value */
    WIT_OWN,      /* fields[0]: the resource */
    WIT_BORROW,   /* fields[0]: the resource */
    WIT_ALIAS,    /* `type name = fields[0]` */
    WIT_NAME,     /* reference by name; target is set by wit_resolve */
    WIT_USE       /* definition that `use` brought in; target is set by wit_resolve */
};

struct wit_position {
    const char *file;
    unsigned line, column;
};

struct wit_field {
    const char *name;
    struct wit_type *type;
    struct wit_position position;
};

/* Another interface by name; ns and package are NULL for one of the same package. */
struct wit_path {
    const char *ns, *package, *interface, *version;
    struct wit_position position;
};

enum wit_state { WIT_UNRESOLVED, WIT_RESOLVING, WIT_RESOLVED };

struct wit_type {
    enum wit_kind kind;
    enum wit_state state;
    struct wit_position position;
    const char *name;        /* of a definition or reference; NULL for other nodes */
    struct wit_scope *scope; /* where it is defined or referred to */
    struct wit_field *fields;
    size_t field_count;
    struct wit_path path;  /* WIT_USE */
    const char *used_name; /* WIT_USE */
    struct wit_type *target;
    uint32_t size, align; /* in bytes; set by wit_resolve */
};

enum wit_function_kind { WIT_FREE, WIT_METHOD, WIT_STATIC, WIT_CONSTRUCTOR };

struct wit_function {
    enum wit_function_kind kind;
    bool async;
    const char *name;
    struct wit_type *resource; /* NULL for WIT_FREE */
    struct wit_field *params;  /* a method's first is `self: borrow<resource>` */
    size_t param_count;
    struct wit_type *result; /* may be NULL */
    struct wit_type *args;   /* the parameters as record, for passing in memory; by wit_resolve */
    struct wit_scope *scope;
    struct wit_position position;
};

/* What a world imports or exports: a function, or an interface. */
struct wit_item {
    bool is_export;
    struct wit_function *function;
    struct wit_path path;        /* of an interface defined elsewhere */
    struct wit_scope *interface; /* set by the parser if inline, else by wit_resolve */
    struct wit_position position;
};

/* An interface or a world. */
struct wit_scope {
    bool is_world, is_inline;
    bool is_imported; /* for core_world_build */
    const char *name;
    const char *id; /* "wasi:cli/exit@0.2.0", "$root" for a world, the name if inline */
    struct wit_package *package;
    struct wit_position position;
    struct wit_type **types;
    size_t type_count;
    struct wit_function *functions;
    size_t function_count;
    struct wit_item *items; /* worlds only */
    size_t item_count;
};

struct wit_package {
    const char *ns, *name, *version; /* version may be NULL */
    struct wit_scope **scopes;
    size_t scope_count;
};

struct wit_block;

struct wit {
    struct wit_package **packages;
    size_t package_count;
    struct wit_block *blocks;
    bool failed;
    char error[512];
};

/* Zero-initialise a struct wit before the first call; free it with wit_free. */
void wit_free(struct wit *wit);

/* Parses one file (text of size bytes) and returns its package, NULL on error. */
struct wit_package *wit_read(struct wit *wit, const char *file, const char *text, size_t size);

bool wit_resolve(struct wit *wit);

/* The world of that name, NULL (with the error set) if there is none. */
struct wit_scope *wit_find_world(struct wit *wit, struct wit_package *package, const char *name);

/* Follows references and `use` to the definition; aliases stay. */
const struct wit_type *wit_definition(const struct wit_type *type);
/* Follows aliases too: the type whose kind says how values look. */
const struct wit_type *wit_value(const struct wit_type *type);

/* Offset of a record's or tuple's field. */
uint32_t wit_field_offset(const struct wit_type *type, size_t index);
/* Bytes of the discriminant of an option, result, variant or enum; of the bits of flags. */
uint32_t wit_tag_size(const struct wit_type *type);
/* Offset of the payload of an option, result or variant. */
uint32_t wit_payload_offset(const struct wit_type *type);

/* For the parser and the emitters. Memory lives as long as the document; exhausting the
 * machine's memory ends the process with a message. */
void *wit_alloc(struct wit *wit, size_t size);
/* Room for one more element at the end of an arena array that has count. */
void *wit_grow(struct wit *wit, void *array, size_t count, size_t element);
char *wit_format(struct wit *wit, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Keeps the first error only. */
void wit_fail(struct wit *wit, const struct wit_position *position, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
