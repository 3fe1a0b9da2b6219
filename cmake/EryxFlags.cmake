# Compiler settings of everything native: C11, strict warnings, hidden visibility, sanitizers.

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")

# -UNDEBUG: assertions stay on in every build type.
add_compile_options(-Wall -Wextra -Werror -UNDEBUG -fstack-protector-strong)
# Empty, so that a source that defines it too does not redefine it.
add_compile_definitions(_GNU_SOURCE=)
add_link_options(-Wl,-z,relro,-z,now)

if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  # snprintf cuts on purpose; what gcc says about it changes with optimisation and sanitizers.
  add_compile_options(-Wno-format-truncation)
endif()

if(ERYX_SANITIZE)
  add_compile_options(-fsanitize=${ERYX_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${ERYX_SANITIZE})
  add_library(eryx_sanitizers OBJECT "${CMAKE_CURRENT_LIST_DIR}/sanitizers.c")
  set_target_properties(eryx_sanitizers PROPERTIES C_VISIBILITY_PRESET default)
  link_libraries(
    $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:$<TARGET_OBJECTS:eryx_sanitizers>>)
else()
  add_link_options(-Wl,--no-undefined)
endif()
