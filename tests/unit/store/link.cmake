# A process of its own, to be killed while it writes.
add_executable(store_writer ${CMAKE_CURRENT_SOURCE_DIR}/store/store_writer_main.cc)
target_link_libraries(store_writer PRIVATE skald_store GTest::gtest)
add_dependencies(store_test store_writer)
target_compile_definitions(store_test PRIVATE STORE_WRITER="$<TARGET_FILE:store_writer>")
