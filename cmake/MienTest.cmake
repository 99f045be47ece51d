# mien_test(<name> SOURCES ... [LINK targets ...] [LABELS ...] [TIMEOUT s] [BY_SUITE])
#
# One GoogleTest program per topic; each of its cases is a CTest test of its own, or BY_SUITE each of its
# suites: for programs that take long to start.
# Labels in use: unit, parity, media, learn, house, peers, slow.
include(GoogleTest)

# Tests look here for real faces, videos and golden numbers; those that need it skip where it is absent.
set(MIEN_SHARED_DIR "${CMAKE_SOURCE_DIR}/../shared" CACHE PATH "reference data for tests")

# GoogleTest's headers, parsed once for all tests: each file would take a second for them.
function(mien_test_headers)
  if(TARGET mien_test_headers)
    return()
  endif()
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/mien_test_headers.cpp
       CONTENT "int main() {}  // A precompiled header needs a program whose flags it has.\n")
  add_executable(mien_test_headers ${PROJECT_BINARY_DIR}/mien_test_headers.cpp)
  target_link_libraries(mien_test_headers PRIVATE mien_flags GTest::gtest GTest::gmock)
  target_compile_options(mien_test_headers PRIVATE $<$<CONFIG:Release>:-O1>)
  target_precompile_headers(mien_test_headers PRIVATE <gtest/gtest.h> <algorithm> <cmath> <filesystem>
                            <fstream> <map> <memory> <sstream> <string> <vector>)
endfunction()

function(mien_test name)
  cmake_parse_arguments(ARG "BY_SUITE" "TIMEOUT" "SOURCES;LINK;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  find_package(GTest REQUIRED)
  mien_test_headers()
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE mien_flags ${ARG_LINK} GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE MIEN_SHARED_DIR="${MIEN_SHARED_DIR}"
                             MIEN_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                             MIEN_BINARY_DIR="${PROJECT_BINARY_DIR}")
  # Compiling GoogleTest's macros takes longer than the tests run: half of it is saved by this.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  if(NOT "mien::learn" IN_LIST ARG_LINK)  # LibTorch defines macros of the standard library
    target_precompile_headers(${name} REUSE_FROM mien_test_headers)
  endif()
  # gtest_discover_tests takes one label only (it flattens lists), and `slow` is the one that decides what runs.
  if("slow" IN_LIST ARG_LABELS)
    set(ARG_LABELS slow)
  endif()
  # The clang-tidy and warning noise of GoogleTest macros is not ours to fix.
  # OpenMP's threads must not spin while they wait: the test beside this one needs their processors.
  set(properties LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT} ENVIRONMENT OMP_WAIT_POLICY=passive)
  if(ARG_BY_SUITE)
    mien_add_suites(${name} "${ARG_SOURCES}" ${properties})
  else()
    gtest_discover_tests(${name} TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60 PROPERTIES ${properties})
  endif()
endfunction()

# A CTest test of every suite that the sources name.
function(mien_add_suites name sources)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${sources})
  set(suites "")
  foreach(source IN LISTS sources)
    file(STRINGS ${source} lines REGEX "^TEST(_F|_P)?\\(")
    foreach(line IN LISTS lines)
      string(REGEX REPLACE "^TEST[_FP]*\\( *([A-Za-z0-9]+).*" "\\1" suite "${line}")
      list(APPEND suites ${suite})
    endforeach()
  endforeach()
  list(REMOVE_DUPLICATES suites)
  set(named "")
  foreach(suite IN LISTS suites)
    add_test(NAME ${name}.${suite} COMMAND ${name} --gtest_filter=${suite}.*:*/${suite}.*)
    set_tests_properties(${name}.${suite} PROPERTIES ${ARGN})
    string(APPEND named "${suite}.*:*/${suite}.*:")
  endforeach()
  # Whatever was not found in the sources as above runs, too.
  add_test(NAME ${name}.others COMMAND ${name} --gtest_filter=-${named})
  set_tests_properties(${name}.others PROPERTIES ${ARGN})
endfunction()
