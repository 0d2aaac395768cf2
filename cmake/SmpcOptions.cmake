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
# GCC 12 warns falsely of std::string where a sanitizer, a precompiled header or a unity build changes what its optimiser sees
# (std::regex is one such place). The preset release, of the same sources, keeps these warnings.
set(false_warnings
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized;-Wno-array-bounds;-Wno-stringop-overflow;-Wno-stringop-overread>)
if(CMAKE_UNITY_BUILD)
  # What is one source's own stands beside other sources here, as if it came from a header.
  target_compile_options(smpc_options INTERFACE -Wno-shadow $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage> ${false_warnings})
endif()
if(SMPC_SANITIZE)
  # Every target must agree, so these are global.
  add_compile_options(-fsanitize=${SMPC_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SMPC_SANITIZE})
  if(SMPC_SANITIZE_NOT)
    add_compile_options(-fno-sanitize=${SMPC_SANITIZE_NOT})
  endif()
  target_compile_options(smpc_options INTERFACE ${false_warnings})
  if(SMPC_SANITIZE STREQUAL thread)
    # TSan does not see Asio's fences; its queues are behind mutexes as well.
    target_compile_options(smpc_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  endif()
endif()
