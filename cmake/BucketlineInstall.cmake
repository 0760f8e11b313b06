# Installs the libraries, their headers and a package file: find_package(bucketline [COMPONENTS torch]) gives
# bucketline::bucketline (the engine) and, with LibTorch, bucketline::torch (batches as tensors).
include(CMakePackageConfigHelpers)

get_property(modules GLOBAL PROPERTY BUCKETLINE_MODULES)
list(REMOVE_ITEM modules bucketline_torch)
add_library(bucketline_engine INTERFACE)
add_library(bucketline::bucketline ALIAS bucketline_engine)
set_target_properties(bucketline_engine PROPERTIES EXPORT_NAME bucketline)
target_link_libraries(bucketline_engine INTERFACE bucketline::loader bucketline::pack)

set(destination ${CMAKE_INSTALL_LIBDIR}/cmake/bucketline)
install(TARGETS ${modules} bucketline_engine EXPORT bucketlineTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT bucketlineTargets NAMESPACE bucketline:: DESTINATION ${destination})
install(DIRECTORY bucketline/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/bucketline
  FILES_MATCHING PATTERN "*.h" PATTERN "*_test*" EXCLUDE PATTERN "*testing.h" EXCLUDE PATTERN "gloo_names" EXCLUDE)
if(BUCKETLINE_TORCH_TARGET)
  # LibTorch is the user's: the package file finds it as this build did.
  install(FILES $<TARGET_FILE:bucketline_torch> DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(FILES cmake/PipTorch.cmake DESTINATION ${destination})
endif()

set(bucketline_LIBRARIES ${CMAKE_INSTALL_LIBDIR})
configure_package_config_file(cmake/bucketlineConfig.cmake.in ${PROJECT_BINARY_DIR}/bucketlineConfig.cmake
  INSTALL_DESTINATION ${destination} PATH_VARS bucketline_LIBRARIES)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/bucketlineConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/bucketlineConfig.cmake ${PROJECT_BINARY_DIR}/bucketlineConfigVersion.cmake
  DESTINATION ${destination})
