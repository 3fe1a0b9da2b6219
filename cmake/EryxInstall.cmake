# Install rules: program, libraries, runtime, headers, pkg-config and CMake package files.
# The installed tree finds its parts by relative paths and can be moved.
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/eryx")
set(private_dir "${CMAKE_INSTALL_LIBDIR}/eryx")

set_target_properties(eryx_cli PROPERTIES
  INSTALL_RPATH "$ORIGIN/../${private_dir}")

install(TARGETS eryx eryx_static EXPORT eryxTargets
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(FILES "${PROJECT_SOURCE_DIR}/include/eryx.h" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/eryx" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  FILES_MATCHING PATTERN "*.h")
install(FILES "${ERYX_RUNTIME_DIR}/runtime.cwasm" "${ERYX_RUNTIME_DIR}/runtime-fuel.cwasm"
  "${ERYX_RUNTIME_DIR}/runtime.wasm"
  DESTINATION "${private_dir}")
# The Python package shows its profiles in the page of `eryx run --profile`.
install(FILES "${PROJECT_SOURCE_DIR}/cli/profile/page.html" DESTINATION "${private_dir}"
  RENAME profile.html)
install(TARGETS eryx_tls eryx_stores LIBRARY DESTINATION "${private_dir}")
install(PROGRAMS "${WASMTIME_LIBRARY}" DESTINATION "${private_dir}" RENAME libwasmtime.so)

install(FILES "${PROJECT_SOURCE_DIR}/docs/eryx.1" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")

configure_file("${PROJECT_SOURCE_DIR}/cmake/eryx.pc.in" "${PROJECT_BINARY_DIR}/eryx.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/eryx.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

install(EXPORT eryxTargets NAMESPACE eryx:: DESTINATION "${package_dir}")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/eryxConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/eryxConfig.cmake" INSTALL_DESTINATION "${package_dir}"
  PATH_VARS private_dir)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/eryxConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/eryxConfig.cmake" "${PROJECT_BINARY_DIR}/eryxConfigVersion.cmake"
  DESTINATION "${package_dir}")
