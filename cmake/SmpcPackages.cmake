# Everything that is not ours, found once. Rooms link what they use.
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PNG REQUIRED)
# Debian's package of TurboJPEG ships a CMake package that wants libraries of another one.
find_path(TURBOJPEG_INCLUDE turbojpeg.h REQUIRED)
find_library(TURBOJPEG_LIBRARY turbojpeg REQUIRED)
add_library(smpc_turbojpeg UNKNOWN IMPORTED GLOBAL)
set_target_properties(smpc_turbojpeg PROPERTIES
  IMPORTED_LOCATION ${TURBOJPEG_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${TURBOJPEG_INCLUDE})
find_package(SQLite3 REQUIRED)
find_package(Protobuf REQUIRED)
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(CLI11 REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(hwy CONFIG REQUIRED)
find_package(Boost 1.74 REQUIRED)

# libonnx ships a CMake package; its headers need two macros to name the right namespace.
find_package(ONNX REQUIRED)

if(SMPC_TESTS)
  find_package(GTest REQUIRED)
endif()
