# One gtest program, registered with ctest as one test.
#
# skald_test(NAME SOURCES file... [LINK target...] [NEEDS target...] [TIMEOUT seconds]
#            [LABELS label...])
# NEEDS: programs that the test starts, so that they are built when it is.
# The program finds files of the repository by SKALD_SOURCE_DIR, and writes only below temporary
# folders. It is one ctest test, because starting it costs more than most of its cases.

# The headers of gtest and gmock, compiled once for all test programs.
add_library(skald_test_pch OBJECT ${CMAKE_CURRENT_LIST_DIR}/pch.cc)
target_link_libraries(skald_test_pch PRIVATE skald_base GTest::gmock)
if(SKALD_PCH)
  set(also <fmt/format.h>)
endif()
target_precompile_headers(skald_test_pch PRIVATE <gmock/gmock.h> <gtest/gtest.h> ${also})
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(skald_test_pch PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
endif()

function(skald_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;LINK;NEEDS;LABELS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${arg_LINK} skald_test_support GTest::gmock_main)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    target_compile_options(${name} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
  endif()
  if(arg_NEEDS)
    add_dependencies(${name} ${arg_NEEDS})
  endif()
  target_precompile_headers(${name} REUSE_FROM skald_test_pch)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}"
    ENVIRONMENT "SKALD_SOURCE_DIR=${PROJECT_SOURCE_DIR};SKALD_BINARY_DIR=${PROJECT_BINARY_DIR}")
endfunction()

# What is watched by a sanitizer runs that much slower; process tests multiply their bounds by it.
set(SKALD_SLOWDOWN 1)
if(SKALD_SANITIZE)
  set(SKALD_SLOWDOWN 5)
endif()

# skald_process_test(NAME script [ARGUMENTS word...] [ENVIRONMENT NAME=value...] [TIMEOUT seconds])
# A script that starts real processes on loopback and stops them.
function(skald_process_test name script)
  cmake_parse_arguments(arg "" "TIMEOUT" "ENVIRONMENT;ARGUMENTS" ${ARGN})
  add_test(NAME ${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/${script} ${arg_ARGUMENTS})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 900)
  endif()
  # 77: what the test needs is not installed; ctest shows it as skipped.
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS integration
    SKIP_RETURN_CODE 77
    ENVIRONMENT "SKALD_SOURCE_DIR=${PROJECT_SOURCE_DIR};SKALD_BINARY_DIR=${PROJECT_BINARY_DIR}")
  set_property(TEST ${name} APPEND PROPERTY ENVIRONMENT SKALD_SLOWDOWN=${SKALD_SLOWDOWN}
    ${arg_ENVIRONMENT})
endfunction()
