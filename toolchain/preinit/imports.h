/* What a guest may import while it is initialised at build time. */
#ifndef PREINIT_IMPORTS_H
#define PREINIT_IMPORTS_H

#include <wasm.h>
#include <wasmtime.h>

#include "preinit/guest.h"

/* Fills externs, one an import. Imports that initialisation has no use for get a function that
 * traps and names itself. False (printed) if an import is no function or of another type. */
bool imports_define(struct guest *guest, wasmtime_context_t *context,
                    const wasm_importtype_vec_t *imports, wasmtime_extern_t *externs);

#endif
