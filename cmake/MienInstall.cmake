# Installs what an embedding program needs (libraries, public headers, CMake package) and the programs.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
