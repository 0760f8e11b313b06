# Finds libfuse3 for mounts in the `channel` module. Sets BUCKETLINE_FUSE_TARGET, empty when there is none or it is not
# wanted.
set(BUCKETLINE_FUSE_TARGET "")
if(BUCKETLINE_WITH_FUSE STREQUAL "OFF")
  return()
endif()
pkg_check_modules(FUSE3 IMPORTED_TARGET fuse3)
if(FUSE3_FOUND)
  set(BUCKETLINE_FUSE_TARGET PkgConfig::FUSE3)
elseif(BUCKETLINE_WITH_FUSE STREQUAL "ON")
  message(FATAL_ERROR "BUCKETLINE_WITH_FUSE=ON, but no libfuse3 was found: install Debian's libfuse3-dev")
else()
  message(STATUS "libfuse3: none found; `bucketline mount` will say so")
endif()
