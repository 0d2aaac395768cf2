# smpc_room(NAME SOURCES a.cc ... USES room ... PUBLIC lib ... PRIVATE lib ...)
#
# One static library smpc_NAME (alias smpc::NAME) for the room src/NAME. It sees only the headers of the rooms
# it names under USES: every room's public headers live in an include root of their own in the build tree, so an
# include of a room that is not used does not compile, and a call into it does not link.
function(smpc_room name)
  cmake_parse_arguments(R "" "" "SOURCES;USES;PUBLIC;PRIVATE" ${ARGN})
  set(root ${CMAKE_BINARY_DIR}/rooms/${name}/smpc)
  file(MAKE_DIRECTORY ${root})
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/include/smpc/${name} ${root}/${name} SYMBOLIC)
  add_library(smpc_${name} STATIC ${R_SOURCES})
  add_library(smpc::${name} ALIAS smpc_${name})
  target_include_directories(smpc_${name}
    PUBLIC ${CMAKE_BINARY_DIR}/rooms/${name}
    PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  list(TRANSFORM R_USES PREPEND smpc::)
  target_link_libraries(smpc_${name} PUBLIC ${R_USES} ${R_PUBLIC} PRIVATE smpc_options ${R_PRIVATE})
  target_precompile_headers(smpc_${name} REUSE_FROM smpc_standard)
endfunction()

# smpc_test(NAME SOURCES a.cc ... USES room ... LIBS lib ... LABELS l ... TIMEOUT s PRECOMPILE header SHARDS n)
# One GoogleTest binary; each case is registered with ctest under its own name, or, with SMPC_QUICK, the binary as n shards
# (1 unless said): a process takes longer to start than most cases to run. PRECOMPILE: a header that most of its sources
# include and that takes long; without, they share what tests/CMakeLists.txt has precompiled.
function(smpc_test name)
  cmake_parse_arguments(T "" "TIMEOUT;PRECOMPILE;SHARDS" "SOURCES;USES;LIBS;LABELS" ${ARGN})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 300)
  endif()
  add_executable(${name} ${T_SOURCES})
  list(TRANSFORM T_USES PREPEND smpc::)
  target_link_libraries(${name} PRIVATE ${T_USES} ${T_LIBS} smpc_options GTest::gtest_main)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_compile_definitions(${name} PRIVATE
    SMPC_SHARED_DATA="${CMAKE_SOURCE_DIR}/../shared/data"
    SMPC_TEST_DATA="${CMAKE_SOURCE_DIR}/tests/data"
    SMPC_BIN_DIR="${CMAKE_RUNTIME_OUTPUT_DIRECTORY}"
    SMPC_BUILD_DIR="${CMAKE_BINARY_DIR}")
  if(SMPC_QUICK AND SMPC_SANITIZE)
    target_compile_definitions(${name} PRIVATE SMPC_THINNED)
    target_compile_options(${name} PRIVATE -fno-sanitize=undefined)  # the rooms alone
  endif()
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  if(T_PRECOMPILE)
    target_precompile_headers(${name} PRIVATE ${T_PRECOMPILE})
  else()
    target_precompile_headers(${name} REUSE_FROM smpc_precompiled)
  endif()
  if(SMPC_QUICK)
    smpc_quick_test(${name} SHARDS ${T_SHARDS} LABELS ${T_LABELS})
  else()
    gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60
      PROPERTIES TIMEOUT ${T_TIMEOUT} LABELS "${T_LABELS}")
  endif()
endfunction()

# smpc_quick_test(BINARY FILTER pattern ... SHARDS n LABELS l ... FIXTURES f ...)
# Of SMPC_QUICK: what a GoogleTest binary has, or those of its cases that a pattern fits, as n tests of ctest.
function(smpc_quick_test name)
  cmake_parse_arguments(T "" "SHARDS" "FILTER;LABELS;FIXTURES" ${ARGN})
  if(NOT T_SHARDS)
    set(T_SHARDS 1)
  endif()
  set(arguments)
  if(T_FILTER)
    list(JOIN T_FILTER ":" patterns)
    set(arguments "--gtest_filter=${patterns}")
  endif()
  foreach(number RANGE 1 ${T_SHARDS})
    math(EXPR index "${number} - 1")
    add_test(NAME ${name}_${number} COMMAND ${name} ${arguments})
    set_tests_properties(${name}_${number} PROPERTIES TIMEOUT 900 LABELS "${T_LABELS}" FIXTURES_REQUIRED "${T_FIXTURES}"
      ENVIRONMENT "GTEST_TOTAL_SHARDS=${T_SHARDS};GTEST_SHARD_INDEX=${index}")
  endforeach()
endfunction()
