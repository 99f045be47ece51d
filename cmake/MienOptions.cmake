# One option per part. A part that is asked for without what it stands on is a configure error, never
# a silent skip.
option(MIEN_ENGINE "CPU inference (needs oneDNN)" ON)
option(MIEN_MEDIA "video, images, faces (needs FFmpeg and OpenCV)" ON)
option(MIEN_REPORT "metrics, cost, tables and drawings" ON)
option(MIEN_PIPELINE "video in, expressions out (needs ENGINE, MEDIA, REPORT)" ON)
option(MIEN_EXPORT "ONNX files, mien export (needs ONNX's protocol buffers)" ON)
option(MIEN_LEARN "training (needs LibTorch and REPORT)" ON)
option(MIEN_CLI "the programs mien (needs PIPELINE) and mien-train (needs LEARN)" ON)
option(MIEN_TESTS "unit, parity and house tests (needs GoogleTest)" OFF)
option(MIEN_BENCH "benchmarks (needs Google Benchmark and ENGINE)" OFF)
option(MIEN_FUZZ "libFuzzer targets (needs Clang)" OFF)
option(MIEN_DEVELOPER "warnings are errors" OFF)
set(MIEN_SANITIZE "" CACHE STRING "sanitizers, as for -fsanitize=, e.g. address,undefined")

function(mien_require part)
  foreach(other IN LISTS ARGN)
    if(MIEN_${part} AND NOT MIEN_${other})
      message(FATAL_ERROR "MIEN_${part}=ON needs MIEN_${other}=ON (or give -DMIEN_${part}=OFF)")
    endif()
  endforeach()
endfunction()

mien_require(PIPELINE ENGINE MEDIA REPORT)
mien_require(LEARN REPORT)
mien_require(BENCH ENGINE)
if(MIEN_CLI AND NOT MIEN_PIPELINE AND NOT MIEN_LEARN)
  message(FATAL_ERROR "MIEN_CLI=ON needs MIEN_PIPELINE=ON or MIEN_LEARN=ON")
endif()
if(MIEN_FUZZ AND NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "MIEN_FUZZ=ON needs Clang (-DCMAKE_CXX_COMPILER=clang++)")
endif()

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "build type" FORCE)
endif()

find_program(MIEN_CCACHE ccache)
if(MIEN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Without the two of them ccache leaves alone whatever uses a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros ${MIEN_CCACHE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-fpch-preprocess)
  endif()
endif()

# Every flag of ours travels on this one target.
add_library(mien_flags INTERFACE)
target_compile_features(mien_flags INTERFACE cxx_std_20)
if(MIEN_DEVELOPER)
  target_compile_options(mien_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
                         -Wcast-align -Wunused -Woverloaded-virtual -Wdouble-promotion -Werror)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # GCC 12 sees an overlap in every `"text" + std::string` (its bug 105651), and where it inlines deeply (-O3)
    # takes moved strings and optionals for uninitialised, or their lengths for huge (its bugs 105329, 105562).
    target_compile_options(mien_flags INTERFACE -Wno-restrict -Wno-maybe-uninitialized -Wno-stringop-overflow
                           -Wno-stringop-overread -Wno-array-bounds)
  endif()
endif()
if(MIEN_SANITIZE)
  target_compile_options(mien_flags INTERFACE -fsanitize=${MIEN_SANITIZE} -fno-omit-frame-pointer
                         -fno-sanitize-recover=undefined)
  target_link_options(mien_flags INTERFACE -fsanitize=${MIEN_SANITIZE})
endif()
