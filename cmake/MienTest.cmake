# mien_test(<name> SOURCES ... [LINK targets ...] [LABELS ...] [TIMEOUT s])
#
# One GoogleTest program per topic; each of its cases is a CTest test of its own.
# Labels in use: unit, parity, media, learn, house, peers, slow.
include(GoogleTest)

# Tests look here for real faces, videos and golden numbers; those that need it skip where it is absent.
set(MIEN_SHARED_DIR "${CMAKE_SOURCE_DIR}/../shared" CACHE PATH "reference data for tests")

function(mien_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINK;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  find_package(GTest REQUIRED)
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE mien_flags ${ARG_LINK} GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE MIEN_SHARED_DIR="${MIEN_SHARED_DIR}"
                             MIEN_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                             MIEN_BINARY_DIR="${PROJECT_BINARY_DIR}")
  # Compiling GoogleTest's macros takes longer than the tests run: half of it is saved by this.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  # gtest_discover_tests takes one label only (it flattens lists), and `slow` is the one that decides what runs.
  if("slow" IN_LIST ARG_LABELS)
    set(ARG_LABELS slow)
  endif()
  # The clang-tidy and warning noise of GoogleTest macros is not ours to fix.
  gtest_discover_tests(${name} TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60
                       PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT})
endfunction()
