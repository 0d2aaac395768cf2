# Language level, warnings and sanitizers, the same for every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_library(smpc_options INTERFACE)
target_compile_options(smpc_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual
  # GCC 12 warns of string concatenations that are right (GCC bug 105329).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  $<$<BOOL:${SMPC_WERROR}>:-Werror>)
if(SMPC_SANITIZE)
  # Every target must agree, so these are global.
  add_compile_options(-fsanitize=${SMPC_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SMPC_SANITIZE})
  # GCC's manual: a sanitizer changes what the optimiser sees and gives false positives; std::regex is one, and what of
  # std::string comes from a precompiled header. The release build, of the same sources, keeps the warnings.
  target_compile_options(smpc_options INTERFACE
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized;-Wno-array-bounds;-Wno-stringop-overflow;-Wno-stringop-overread>)
  if(SMPC_SANITIZE STREQUAL thread)
    # TSan does not see Asio's fences; its queues are behind mutexes as well.
    target_compile_options(smpc_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  endif()
endif()
