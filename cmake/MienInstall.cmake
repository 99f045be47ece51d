# What `cmake --install` lays down, in two components:
#   Development  libraries, public headers and the CMake package (find_package(mien))
#   Runtime      the programs, and the models in share/mien/models
# The learn library stays out: it is the inside of mien-train and has no public header.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(MIEN_INSTALL_PACKAGE ${CMAKE_INSTALL_LIBDIR}/cmake/mien)

foreach(folder IN ITEMS core report media engine pipeline)
  if(TARGET mien_${folder})
    # The public headers are C++20; the flags target that says so inside does not travel.
    target_compile_features(mien_${folder} PUBLIC cxx_std_20)
    install(TARGETS mien_${folder} EXPORT mienTargets
            ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT Development
            FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT Development)
  endif()
endforeach()
install(EXPORT mienTargets NAMESPACE mien:: DESTINATION ${MIEN_INSTALL_PACKAGE}
        COMPONENT Development)

configure_package_config_file(cmake/mienConfig.cmake.in ${PROJECT_BINARY_DIR}/mienConfig.cmake
  INSTALL_DESTINATION ${MIEN_INSTALL_PACKAGE} PATH_VARS CMAKE_INSTALL_DATADIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/mienConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/mienConfig.cmake ${PROJECT_BINARY_DIR}/mienConfigVersion.cmake
              cmake/FindOneDNN.cmake
        DESTINATION ${MIEN_INSTALL_PACKAGE} COMPONENT Development)

foreach(program IN ITEMS mien mien-train)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT Runtime)
  endif()
endforeach()
install(DIRECTORY models/ DESTINATION ${CMAKE_INSTALL_DATADIR}/mien/models COMPONENT Runtime
        FILES_MATCHING PATTERN "*.safetensors" PATTERN "*.md")
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT Runtime)
