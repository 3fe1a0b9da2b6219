# For a wheel: an installed eryx. ERYX_PREFIX names one; else the build tree around this folder is made
# (unless it has been) and installed into this build's own folder.
# Sets installed_library, installed_soname, installed_private; target eryx::eryx.

set(ERYX_PREFIX "$ENV{ERYX_PREFIX}" CACHE PATH "An installed eryx to put into the wheel")

if(NOT ERYX_PREFIX)
  get_filename_component(root "${CMAKE_CURRENT_SOURCE_DIR}/../.." ABSOLUTE)
  if(NOT EXISTS "${root}/Makefile" OR NOT EXISTS "${root}/include/eryx.h")
    message(FATAL_ERROR "No eryx around ${CMAKE_CURRENT_SOURCE_DIR}. Install the package from a checkout "
                        "(pip install ./bindings/python), or set ERYX_PREFIX to an installed eryx "
                        "(make install PREFIX=...).")
  endif()
  set(built "${root}/build")
  if(NOT EXISTS "${built}/runtime/runtime.cwasm" OR NOT EXISTS "${built}/liberyx.so")
    message(STATUS "Building eryx in ${built} (minutes the first time)")
    # pip's isolated environment has a Python without pip, and settings for its own build.
    execute_process(COMMAND "${CMAKE_COMMAND}" -E env --unset=PYTHONPATH --unset=CMAKE_GENERATOR
                            --unset=MAKEFLAGS make -C "${root}"
                    COMMAND_ERROR_IS_FATAL ANY)
  endif()
  set(ERYX_PREFIX "${CMAKE_CURRENT_BINARY_DIR}/prefix")
  execute_process(COMMAND "${CMAKE_COMMAND}" --install "${built}" --prefix "${ERYX_PREFIX}"
                  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
endif()

find_package(eryx CONFIG REQUIRED PATHS "${ERYX_PREFIX}" NO_DEFAULT_PATH)
file(GLOB installed_library "${ERYX_PREFIX}/lib/liberyx.so.?")
file(REAL_PATH "${installed_library}" installed_real)
get_filename_component(installed_soname "${installed_library}" NAME)
set(installed_library "${installed_real}")
set(installed_private "${ERYX_PREFIX}/lib/eryx")
