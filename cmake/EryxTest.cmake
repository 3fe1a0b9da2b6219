# Functions by which folders register their tests; tests/run runs what is registered.

# eryx_add_test(<noun> SOURCES ... [LIBS ...] [INCLUDES ...] [ARGUMENTS ...] [TIMEOUT seconds])
# A cmocka program test_<noun>. Relative sources are of the calling folder.
function(eryx_add_test noun)
  cmake_parse_arguments(test "" "TIMEOUT" "SOURCES;LIBS;INCLUDES;ARGUMENTS" ${ARGN})
  if(NOT ERYX_TESTS)
    return()
  endif()
  find_package(PkgConfig REQUIRED)
  if(NOT TARGET PkgConfig::CMOCKA)
    pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET GLOBAL cmocka)
  endif()
  add_executable(test_${noun} ${test_SOURCES})
  set_target_properties(test_${noun} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  target_include_directories(test_${noun} PRIVATE "${PROJECT_SOURCE_DIR}/include" ${test_INCLUDES})
  target_link_libraries(test_${noun} PRIVATE ${test_LIBS} PkgConfig::CMOCKA)
  eryx_add_suite(unit/${noun} TIMEOUT "${test_TIMEOUT}"
    COMMAND $<TARGET_FILE:test_${noun}> ${test_ARGUMENTS})
endfunction()

# eryx_add_suite(<name> COMMAND ... [TIMEOUT seconds] [ALONE])
# Any command. It reports like cmocka, or with a last line `N passed, N failed`, or counts as one
# test by its exit status. ALONE: not beside other suites (it measures time).
function(eryx_add_suite name)
  cmake_parse_arguments(suite "ALONE" "TIMEOUT" "COMMAND" ${ARGN})
  if(NOT suite_TIMEOUT)
    set(suite_TIMEOUT 300)
  endif()
  add_test(NAME ${name} COMMAND ${suite_COMMAND} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
  set_tests_properties(${name} PROPERTIES TIMEOUT ${suite_TIMEOUT})
  if(suite_ALONE)
    set_tests_properties(${name} PROPERTIES RUN_SERIAL TRUE)
  endif()
endfunction()

# eryx_add_fuzz(<noun> SOURCES ... [LIBS ...] [CORPUS folder])
# A fuzz target: the source defines LLVMFuzzerTestOneInput. The program fuzz_<noun> runs the corpus
# (fuzz/corpus/<noun>) and a fixed number of mutations of it as a test; `make fuzz` runs it longer.
function(eryx_add_fuzz noun)
  cmake_parse_arguments(fuzz "" "CORPUS" "SOURCES;LIBS" ${ARGN})
  if(NOT ERYX_TESTS)
    return()
  endif()
  if(NOT fuzz_CORPUS)
    set(fuzz_CORPUS "${PROJECT_SOURCE_DIR}/fuzz/corpus/${noun}")
  endif()
  add_executable(fuzz_${noun} ${fuzz_SOURCES} "${PROJECT_SOURCE_DIR}/fuzz/driver.c")
  set_target_properties(fuzz_${noun} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/fuzz")
  target_include_directories(fuzz_${noun} PRIVATE "${PROJECT_SOURCE_DIR}/include")
  target_link_libraries(fuzz_${noun} PRIVATE ${fuzz_LIBS})
  eryx_add_suite(fuzz/${noun} COMMAND $<TARGET_FILE:fuzz_${noun}> --mutations 2000 "${fuzz_CORPUS}")
endfunction()
