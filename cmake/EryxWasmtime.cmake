# The engine's C API as target wasmtime::wasmtime. Only src/engine and two steps of eryx-build use it.

if(WASMTIME_ROOT)
  set(wasmtime_root "${WASMTIME_ROOT}")
else()
  set(wasmtime_root "${ERYX_DEPS}/wasmtime")
endif()
find_path(WASMTIME_INCLUDE_DIR wasmtime.h PATHS "${wasmtime_root}/include" NO_DEFAULT_PATH NO_CACHE)
find_library(WASMTIME_LIBRARY wasmtime PATHS "${wasmtime_root}/lib" NO_DEFAULT_PATH NO_CACHE)
if(NOT WASMTIME_INCLUDE_DIR OR NOT WASMTIME_LIBRARY)
  message(FATAL_ERROR "No wasmtime C API in ${wasmtime_root}. Run deps/fetch (`make` does it), "
                      "or set WASMTIME_ROOT to an install of wasmtime's C API (include/, lib/).")
endif()

add_library(wasmtime::wasmtime SHARED IMPORTED GLOBAL)
set_target_properties(wasmtime::wasmtime PROPERTIES
  IMPORTED_LOCATION "${WASMTIME_LIBRARY}"
  IMPORTED_NO_SONAME TRUE # linked by name, so that it is looked for along the rpath
  INTERFACE_INCLUDE_DIRECTORIES "${WASMTIME_INCLUDE_DIR}")
