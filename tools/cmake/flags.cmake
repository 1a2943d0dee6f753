# Compiler choice and flags of every target. Only our own code is built with -Werror: generated code
# switches warnings off (proto/CMakeLists.txt) and libraries come in as system headers.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  message(FATAL_ERROR
    "GCC ${CMAKE_CXX_COMPILER_VERSION} miscompiles coroutines (`co_await` in conditions returns \
early, and braced aggregates beside `co_await` are destroyed twice), so use clang-19: \
cmake -DCMAKE_CXX_COMPILER=clang++-19.")
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)

set(SKALD_SANITIZE "" CACHE STRING "-fsanitize=... list: address,undefined or thread")

add_compile_options(-g1 -Wall -Wextra -Wshadow -Werror -Wnon-virtual-dtor -Woverloaded-virtual
  -Wimplicit-fallthrough
  # Designated initialisers name what differs from the default; the rest is meant to be left out.
  -Wno-missing-field-initializers)
# Debug information and __FILE__ name files from the repository root.
add_compile_options(-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)

if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_compile_options(-Wswitch -Wcovered-switch-default -Wthread-safety -Wunused
    -Wno-missing-designated-field-initializers)
  add_link_options(-fuse-ld=lld)
endif()

if(SKALD_SANITIZE)
  add_compile_options(-O1 -fno-omit-frame-pointer -fsanitize=${SKALD_SANITIZE}
    -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SKALD_SANITIZE})
elseif(CMAKE_BUILD_TYPE STREQUAL "Debug")
  add_compile_options(-O0)
else()
  add_compile_options(-O2)
endif()

# libFuzzer comes with clang; its programs (tests/fuzz) are part of the build that watches memory.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND SKALD_SANITIZE MATCHES "address")
  set(SKALD_FUZZING ON)
else()
  set(SKALD_FUZZING OFF)
endif()

# asio and Beast are compiled once, in engine/async and engine/net; the macros are global so that
# every file sees the same headers.
add_compile_definitions(BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION)

find_program(SKALD_CCACHE ccache)
if(SKALD_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # The sloppiness is what ccache asks for with precompiled headers, which then carry no timestamp.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}
    CCACHE_NOHASHDIR=1 ${SKALD_CCACHE})
endif()

# Precompiled headers of what nearly every file includes: they halve the time of a typical file, and
# tools/x turns them on. A build without them shows whether each file includes what it uses.
if(DEFINED ENV{SKALD_PCH})
  set(pch_default $ENV{SKALD_PCH})
else()
  set(pch_default OFF)
endif()
option(SKALD_PCH "precompiled headers" ${pch_default})
if(SKALD_PCH AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # The timestamp would keep ccache from ever finding a file that uses the header.
  add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
endif()
