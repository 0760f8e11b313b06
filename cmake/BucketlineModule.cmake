# bucketline_module(NAME [PUBLIC lib...] [PRIVATE lib...])
#
# Makes the module of the current folder: every .cc that is not a test goes into the static library
# bucketline_NAME (alias bucketline::NAME; header-only modules become INTERFACE libraries), every *_test.cc into
# the executable NAME_test, whose cases ctest knows one by one.
function(bucketline_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "PUBLIC;PRIVATE")
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")

  set(target bucketline_${name})
  if(sources)
    add_library(${target} STATIC ${sources})
    set(scope PUBLIC)
    target_link_libraries(${target} PRIVATE ${arg_PRIVATE})
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(bucketline::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  target_compile_features(${target} ${scope} cxx_std_20)
  target_include_directories(${target} ${scope}
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${target} ${scope} ${arg_PUBLIC})
  set_property(GLOBAL APPEND PROPERTY BUCKETLINE_MODULES ${target})

  if(BUCKETLINE_TESTS AND tests)
    bucketline_test(${name}_test SOURCES ${tests} LIBRARIES ${target} ${arg_PRIVATE})
  endif()
endfunction()

# bucketline_use_torch_headers(TARGET): LibTorch's precompiled header, which wants the flags that it was compiled with:
# -fPIC where CMake would give an executable -fPIE, and the library's optimisation.
function(bucketline_use_torch_headers target)
  target_compile_options(${target} PRIVATE -fPIC $<$<CONFIG:Release>:-O3>)
  target_precompile_headers(${target} REUSE_FROM bucketline_torch)
endfunction()

# bucketline_test(NAME SOURCES file... [LIBRARIES lib...] [TIMEOUT seconds] [ENVIRONMENT NAME=value] [GROUPS param...])
#
# ctest knows each case by its name; with GROUPS the cases of each parameter of that name are one test instead.
function(bucketline_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT;ENVIRONMENT" "SOURCES;LIBRARIES;GROUPS")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)  # more than any deadline of a wait in a test, which says what it waited for
  endif()
  add_executable(${name} ${arg_SOURCES})
  # What is tested is compiled as it ships, and fully sanitized; optimising and checking the tests' own code only costs
  # build time (UBSan alone triples it).
  target_compile_options(${name} PRIVATE $<IF:$<CONFIG:Release>,-O1,-O0>)
  if(BUCKETLINE_SANITIZE MATCHES undefined)
    target_compile_options(${name} PRIVATE -fno-sanitize=undefined)
  endif()
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} GTest::gmock GTest::gtest_main)
  if(NOT arg_ENVIRONMENT)
    set(arg_ENVIRONMENT LC_ALL=C.UTF-8)  # the property may not be empty
  endif()
  if(BUCKETLINE_SANITIZE MATCHES thread)
    # The longest history: a suppression matches only while the older of two accesses is remembered with its stack.
    set(arg_ENVIRONMENT "TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/cmake/tsan.supp:history_size=7")
  endif()
  foreach(group IN LISTS arg_GROUPS)  # cases that share what is slow to start
    add_test(NAME ${name}.${group} COMMAND ${name} --gtest_filter=*/${group})
    set_tests_properties(${name}.${group} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS ${name} ENVIRONMENT "${arg_ENVIRONMENT}")
  endforeach()
  if(arg_GROUPS)
    return()
  endif()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 30
    PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS ${name} ENVIRONMENT "${arg_ENVIRONMENT}")
endfunction()
