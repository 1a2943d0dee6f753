# Rooms as libraries. The edges between rooms are data, in tools/tidy/layers.txt; nobody writes them
# in a CMakeLists.txt.

set(SKALD_LAYERS_FILE ${PROJECT_SOURCE_DIR}/tools/tidy/layers.txt)
set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
  ${SKALD_LAYERS_FILE})

# Reads layers.txt into SKALD_ROOMS (names), SKALD_ROOM_DIR_<name> and SKALD_ROOM_USES_<name>.
function(skald_read_layers)
  file(STRINGS ${SKALD_LAYERS_FILE} lines REGEX "^[^#]+:")
  foreach(line ${lines})
    string(REGEX MATCH "^([^:]+):(.*)$" matched "${line}")
    string(STRIP "${CMAKE_MATCH_1}" folder)
    string(STRIP "${CMAKE_MATCH_2}" uses)
    if(folder MATCHES "/")
      string(REGEX REPLACE "/$" "" folder "${folder}")
      get_filename_component(name ${folder} NAME)
    else()
      set(name ${folder})
      set(folder engine/${name})
    endif()
    string(REGEX REPLACE "[ \t]+" ";" uses "${uses}")
    list(APPEND rooms ${name})
    set(SKALD_ROOM_DIR_${name} ${PROJECT_SOURCE_DIR}/${folder} PARENT_SCOPE)
    set(SKALD_ROOM_USES_${name} "${uses}" PARENT_SCOPE)
  endforeach()
  set(SKALD_ROOMS ${rooms} PARENT_SCOPE)
endfunction()
skald_read_layers()

# Adds FOLDER once it has a CMakeLists.txt; until then CMake looks again at every build.
function(skald_add_folder_if_present folder)
  file(GLOB found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/CMakeLists.txt)
  if(found)
    add_subdirectory(${PROJECT_SOURCE_DIR}/${folder})
  endif()
endfunction()

# Owners of the precompiled headers; flags.cmake says what for. Rooms with protobuf have their own,
# so that no other file sees protobuf by accident.
if(SKALD_PCH)
  set(headers <fmt/format.h> <chrono> <expected> <functional> <map> <memory> <optional> <string>
    <unordered_map> <variant> <vector>)
  file(WRITE ${PROJECT_BINARY_DIR}/pch.cc "// Owns a precompiled header.\n")
  add_library(skald_pch OBJECT ${PROJECT_BINARY_DIR}/pch.cc)
  target_link_libraries(skald_pch PRIVATE fmt::fmt)
  target_precompile_headers(skald_pch PRIVATE ${headers})
  add_library(skald_pch_proto OBJECT ${PROJECT_BINARY_DIR}/pch.cc)
  target_link_libraries(skald_pch_proto PRIVATE fmt::fmt protobuf::libprotobuf)
  target_precompile_headers(skald_pch_proto PRIVATE ${headers} <google/protobuf/message.h>
    <google/protobuf/map_field.h> <google/protobuf/generated_message_reflection.h>)
endif()

# Rooms that read bytes from outside or from the disk. A build with AddressSanitizer counts the
# branches they take, so that tests/fuzz is guided by them.
set(SKALD_FUZZED_ROOMS net wire transport api batch server store filter core)

# skald_library(NAME [SOURCES file...] [LINK target...] [PRIVATE_LINK target...]
#               [NO_UBSAN file...])
# Makes skald_NAME from every .cc of the room's folder (main.cc aside) and links the rooms that
# layers.txt allows. A room that has only headers is an INTERFACE library.
# LINK:     libraries its headers need too.   PRIVATE_LINK: libraries only its .cc files need.
# NO_UBSAN: these files carry so many templates that UBSan doubles a minute of compiling. Their
# room has no precompiled header, which would have to be built both ways.
function(skald_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK;PRIVATE_LINK;NO_UBSAN" ${ARGN})
  if(NOT name IN_LIST SKALD_ROOMS)
    message(FATAL_ERROR 
      "room ${name} is not in ${SKALD_LAYERS_FILE}: add a line that says what it may use")
  endif()
  set(sources ${arg_SOURCES})
  if(NOT sources)
    file(GLOB sources CONFIGURE_DEPENDS ${SKALD_ROOM_DIR_${name}}/*.cc)
    list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  endif()
  if(sources)
    add_library(skald_${name} STATIC ${sources})
    set(public PUBLIC)
    target_link_libraries(skald_${name} PRIVATE ${arg_PRIVATE_LINK})
    if(SKALD_PCH AND NOT arg_NO_UBSAN)
      if("skald_proto" IN_LIST arg_LINK)
        target_precompile_headers(skald_${name} REUSE_FROM skald_pch_proto)
      else()
        target_precompile_headers(skald_${name} REUSE_FROM skald_pch)
      endif()
    endif()
    if(SKALD_FUZZING AND name IN_LIST SKALD_FUZZED_ROOMS)
      # What -fsanitize=fuzzer-no-link adds, spelled so that precompiled headers still fit.
      target_compile_options(skald_${name} PRIVATE
        -fsanitize-coverage=inline-8bit-counters,pc-table,indirect-calls,trace-cmp)
    endif()
    if(arg_NO_UBSAN AND SKALD_SANITIZE MATCHES "undefined")
      list(TRANSFORM arg_NO_UBSAN PREPEND ${SKALD_ROOM_DIR_${name}}/)
      set_source_files_properties(${arg_NO_UBSAN} PROPERTIES
        COMPILE_OPTIONS -fno-sanitize=undefined)
    endif()
  else()
    add_library(skald_${name} INTERFACE)
    set(public INTERFACE)
  endif()
  target_include_directories(skald_${name} ${public} ${PROJECT_SOURCE_DIR})
  target_link_libraries(skald_${name} ${public} ${arg_LINK})
  foreach(room ${SKALD_ROOM_USES_${name}})
    target_link_libraries(skald_${name} ${public} $<TARGET_NAME_IF_EXISTS:skald_${room}>)
  endforeach()
endfunction()
