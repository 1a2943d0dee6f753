# jemalloc::jemalloc. Debian's package has no CMake files of its own.
find_path(jemalloc_INCLUDE_DIR jemalloc/jemalloc.h)
find_library(jemalloc_LIBRARY jemalloc)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(jemalloc REQUIRED_VARS jemalloc_LIBRARY jemalloc_INCLUDE_DIR)
if(jemalloc_FOUND AND NOT TARGET jemalloc::jemalloc)
  add_library(jemalloc::jemalloc UNKNOWN IMPORTED)
  set_target_properties(jemalloc::jemalloc PROPERTIES
    IMPORTED_LOCATION ${jemalloc_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${jemalloc_INCLUDE_DIR}
    # No symbol of ours asks for it: without this a linker that drops what is not needed drops it.
    INTERFACE_LINK_OPTIONS LINKER:--no-as-needed)
endif()
