# Flags that every target of the project shares.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_OPTIMIZE_DEPENDENCIES ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)

# Pixels and permutations must be the same on every CPU: no fused multiply-add behind our back.
add_compile_options(-Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -ffp-contract=off)
# g++ 12 sees overlapping copies and uninitialised members in std::string that are not there (GCC bugs 105651, 105562).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  add_compile_options(-Wno-restrict -Wno-maybe-uninitialized)
endif()
# Collecting garbage goes through the precompiled headers too: a tenth of the time. None of our files needs this many KiB.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options("SHELL:--param ggc-min-heapsize=524288")
endif()
if(BUCKETLINE_WERROR)
  add_compile_options(-Werror)
endif()

if(BUCKETLINE_SANITIZE)
  add_compile_options(-fsanitize=${BUCKETLINE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${BUCKETLINE_SANITIZE})
endif()

find_program(BUCKETLINE_CCACHE ccache)
if(BUCKETLINE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # base_dir lets two checkouts share objects; the sloppiness is what precompiled headers need; what a file depends on is read
  # from what the compiler writes of it, not found by preprocessing it first, which costs a twentieth.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}
    CCACHE_DEPEND=1 CCACHE_NOHASHDIR=1 CCACHE_PCH_EXTSUM=1 CCACHE_SLOPPINESS=pch_defines,time_macros ${BUCKETLINE_CCACHE})
endif()

# CMake's own way, without naming the header's text once more: ccache does not see that path is one.
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  set(CMAKE_CXX_COMPILE_OPTIONS_USE_PCH -Xclang -include-pch -Xclang <PCH_FILE>)
endif()

find_program(BUCKETLINE_MOLD mold)
if(BUCKETLINE_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
