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
  if(BUCKETLINE_FUZZ AND sources)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
  if(BUCKETLINE_SANITIZE AND sources)  # where it ships each file must say itself what it includes
    bucketline_precompile(${target} modules <algorithm> <atomic> <chrono> <functional> <map> <memory> <mutex> <optional>
      <span> <string> <thread> <unordered_map> <vector> <fmt/format.h> <nlohmann/json.hpp>)
  endif()
  set_property(GLOBAL APPEND PROPERTY BUCKETLINE_MODULES ${target})

  if(BUCKETLINE_SANITIZE MATCHES thread)
    bucketline_uses_threads(threads)
    if(NOT threads)
      set(tests "")
    endif()
  endif()
  if(BUCKETLINE_TESTS AND tests)
    bucketline_test(${name}_test SOURCES ${tests} LIBRARIES ${target} ${arg_PRIVATE})
  endif()
endfunction()

# bucketline_uses_threads(VARIABLE): whether a file of the current folder includes what threads share; of others
# ThreadSanitizer has nothing to say.
function(bucketline_uses_threads variable)
  set(${variable} FALSE PARENT_SCOPE)
  file(GLOB files ${CMAKE_CURRENT_SOURCE_DIR}/*.h ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  foreach(file IN LISTS files)
    file(STRINGS ${file} found REGEX "#include <(atomic|condition_variable|future|mutex|shared_mutex|stop_token|thread)>")
    if(found)
      set(${variable} TRUE PARENT_SCOPE)
    endif()
  endforeach()
endfunction()

# bucketline_precompile(TARGET GROUP header...): the headers of the first target of a group are compiled once for all of
# it. The targets of a group have the same flags.
function(bucketline_precompile target group)
  target_compile_options(${target} PRIVATE -pthread)  # some need it, and all must be alike
  get_property(owner GLOBAL PROPERTY BUCKETLINE_HEADERS_OF_${group})
  if(owner)
    target_precompile_headers(${target} REUSE_FROM ${owner})
    return()
  endif()
  set_property(GLOBAL PROPERTY BUCKETLINE_HEADERS_OF_${group} ${target})
  target_precompile_headers(${target} PRIVATE ${ARGN})
  # For ccache, which would else take them for others in another folder: they hold paths.
  set(compiled ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${target}.dir/cmake_pch.hxx)
  foreach(suffix gch pch)
    file(WRITE ${compiled}.${suffix}.sum "${group} ${ARGN} ${CMAKE_CXX_COMPILER_VERSION} ${fmt_VERSION} ${GTest_VERSION}")
  endforeach()
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
    target_compile_options(${target} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
  endif()
endfunction()

# bucketline_use_torch_headers(TARGET): LibTorch's precompiled header, which wants the flags that it was compiled with:
# -fPIC where CMake would give an executable -fPIE, and the library's optimisation.
function(bucketline_use_torch_headers target)
  target_compile_options(${target} PRIVATE -fPIC $<$<CONFIG:Release>:-O3>)
  target_precompile_headers(${target} REUSE_FROM bucketline_torch)
endfunction()

# bucketline_test_code(TARGET): what is tested is compiled as it ships, and fully sanitized, with its lines in reports;
# optimising and checking the tests' own code only costs build time (UBSan alone triples it).
function(bucketline_test_code target)
  target_compile_options(${target} PRIVATE -O0)
  if(BUCKETLINE_SANITIZE MATCHES undefined)
    target_compile_options(${target} PRIVATE -fno-sanitize=undefined)
  endif()
  if(BUCKETLINE_SANITIZE)
    target_compile_options(${target} PRIVATE -g0)
    string(REGEX MATCH "address|thread" sanitizer ${BUCKETLINE_SANITIZE})
    string(TOUPPER BUCKETLINE_${sanitizer}_SANITIZER definition)  # compilers do not agree on how to ask
    target_compile_definitions(${target} PRIVATE ${definition})
  endif()
endfunction()

function(bucketline_precompile_for_tests target)
  bucketline_precompile(${target} tests <atomic> <filesystem> <fstream> <functional> <map> <memory> <mutex> <optional> <set>
    <string> <thread> <vector> <fmt/format.h> <gmock/gmock.h> <gtest/gtest.h>)
endfunction()

# bucketline_test_library(TARGET): it holds what several tests share, compiled as they are.
function(bucketline_test_library target)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${target} PRIVATE -fPIE)
  bucketline_test_code(${target})
  target_link_libraries(${target} PRIVATE GTest::gmock GTest::gtest)
  bucketline_precompile_for_tests(${target})
endfunction()

# bucketline_test(NAME SOURCES file... [LIBRARIES lib...] [TIMEOUT seconds] [ENVIRONMENT NAME=value] [GROUPS param...]
#   [OWN_HEADERS])
#
# OWN_HEADERS: it precompiles others than the tests do.
# ctest knows each case by its name; with GROUPS the cases of each parameter of that name are one test instead. Of a
# sanitized build some dozens of cases are one test, which costs a third: starting a sanitizer takes longer than most cases.
function(bucketline_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "OWN_HEADERS" "TIMEOUT;ENVIRONMENT" "SOURCES;LIBRARIES;GROUPS")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)  # more than any deadline of a wait in a test, which says what it waited for
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} GTest::gmock GTest::gtest_main)
  bucketline_test_code(${name})
  if(NOT arg_OWN_HEADERS)
    bucketline_precompile_for_tests(${name})
  endif()
  if(NOT arg_ENVIRONMENT)
    set(arg_ENVIRONMENT LC_ALL=C.UTF-8)  # the property may not be empty
  endif()
  if(BUCKETLINE_SANITIZE MATCHES thread)
    # The longest history: a suppression matches only while the older of two accesses is remembered with its stack.
    set(arg_ENVIRONMENT "TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/cmake/tsan.supp:history_size=7")
  endif()
  set(properties TIMEOUT ${arg_TIMEOUT} LABELS ${name} ENVIRONMENT "${arg_ENVIRONMENT}")
  if(arg_GROUPS)  # cases that share what is slow to start
    foreach(group IN LISTS arg_GROUPS)
      add_test(NAME ${name}.${group} COMMAND ${name} --gtest_filter=*/${group})
      set_tests_properties(${name}.${group} PROPERTIES ${properties})
    endforeach()
  elseif(BUCKETLINE_SANITIZE)
    list(LENGTH arg_SOURCES files)
    math(EXPR last "(${files} - 1) / 4")
    math(EXPR count "${last} + 1")
    foreach(shard RANGE ${last})
      add_test(NAME ${name}.${shard} COMMAND ${CMAKE_COMMAND} -E env GTEST_TOTAL_SHARDS=${count}
        GTEST_SHARD_INDEX=${shard} $<TARGET_FILE:${name}> --gtest_brief=1)
      set_tests_properties(${name}.${shard} PROPERTIES ${properties})
    endforeach()
  else()
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 30 PROPERTIES ${properties})
  endif()
endfunction()
