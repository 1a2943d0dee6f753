target_link_libraries(transport_test PRIVATE OpenSSL::SSL)  # tls_receiver.cc makes certificates
target_sources(transport_test PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/transport/tls_receiver.cc)
