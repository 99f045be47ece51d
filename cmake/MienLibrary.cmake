# mien_library(<folder> SOURCES ... [PUBLIC_HEADERS ...] [DEPENDS core ...] [PRIVATE libs ...])
#
# Makes the static library mien_<folder>, alias mien::<folder>, from src/<folder>. Headers are included
# as "<folder>/x.h"; public ones as "mien/x.hpp". Third-party libraries are private: a consumer sees
# their link line, never their headers.
function(mien_library folder)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC_HEADERS;DEPENDS;PRIVATE" ${ARGN})
  set(target mien_${folder})
  add_library(${target} STATIC ${ARG_SOURCES})
  add_library(mien::${folder} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${folder})
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>)
  if(ARG_PUBLIC_HEADERS)
    list(TRANSFORM ARG_PUBLIC_HEADERS PREPEND ${PROJECT_SOURCE_DIR}/include/mien/)
    target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include
                   FILES ${ARG_PUBLIC_HEADERS})
  endif()
  foreach(dep IN LISTS ARG_DEPENDS)
    target_link_libraries(${target} PUBLIC mien_${dep})
  endforeach()
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:mien_flags> ${ARG_PRIVATE})
endfunction()
