add_executable(smpc-certs smpc_certs.cc)
target_link_libraries(smpc-certs PRIVATE smpc::net CLI11::CLI11 smpc_options)
