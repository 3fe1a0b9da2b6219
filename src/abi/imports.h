/* What the guest can import: a table for each concern, joined in imports.c. */
#ifndef ABI_IMPORTS_H
#define ABI_IMPORTS_H

#include "engine/engine.h"

/* Functions of module "eryx" are offered by liberyx only. In the component a stub answers them with
 * -1 (toolchain/component/stub.c), so -1 must mean "this host does not have it" and nothing else.
 * Their parameters are i32 and i64, and there is at most one result, an i32. */
#define IMPORTS_PRIVATE "eryx"

extern const engine_import_table_t imports_root; /* callbacks, waiting, results */
extern const engine_import_table_t imports_wasi; /* clocks, entropy, streams, exit */
extern const engine_import_table_t imports_net;  /* sockets */
extern const engine_import_table_t imports_mount;
extern const engine_import_table_t imports_tls;     /* TLS */
extern const engine_import_table_t imports_library; /* dlopen */
extern const engine_import_table_t imports_sample;  /* where the program is */
extern const engine_import_table_t imports_code;    /* compiled code */

#endif
