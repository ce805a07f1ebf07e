# Settings and functions that every folder's CMakeLists.txt uses.

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS ON) # __int128 and statement expressions, as generated code uses them
set(CMAKE_CXX_FLAGS_RELEASE "-O2")
set(CMAKE_C_FLAGS_RELEASE "-O2")
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE OFF)

find_program(WEIR_CCACHE ccache)
if(WEIR_CCACHE)
  # Paths are hashed relative to the source folder, so that every clone finds what another one compiled.
  set(WEIR_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} ${WEIR_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${WEIR_LAUNCHER})
  set(CMAKE_C_COMPILER_LAUNCHER ${WEIR_LAUNCHER})
endif()

add_compile_options(-fno-pie -march=x86-64-v2 -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers)
# Continuous integration sets it (tools/setup). What the standard library's own headers call deprecated is not ours.
option(WEIR_WERROR "warnings are errors" OFF)
if(WEIR_WERROR)
  add_compile_options(-Werror -Wno-error=deprecated-declarations)
endif()
add_link_options(-no-pie -fuse-ld=lld -Wno-unused-command-line-argument)
add_compile_definitions(FMT_HEADER_ONLY=1)
include_directories(${CMAKE_SOURCE_DIR})

# A build for tools/fuzz. Not optimised, since sanitized code takes twice as long to compile otherwise. What a
# sanitizer finds ends the process: only that is kept as a find. Checks for null are left out: what is read
# through a null pointer crashes by itself, and they slow down both compiling and running.
option(WEIR_FUZZ "build the fuzz targets of tests/fuzz" OFF)
if(WEIR_FUZZ)
  set(CMAKE_CXX_FLAGS_RELEASE "-O0 -gline-tables-only")
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined)
  add_compile_options(-fno-sanitize=null -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
endif()

# Sanitizers for the tests that want them: -DWEIR_SANITIZE=address,undefined. Little optimised, as above.
set(WEIR_SANITIZE "" CACHE STRING "comma-separated sanitizers for all targets")
if(WEIR_SANITIZE)
  set(CMAKE_CXX_FLAGS_RELEASE "-O1 -gline-tables-only")
  add_compile_options(-fsanitize=${WEIR_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${WEIR_SANITIZE})
endif()

# Archives built by tools/setup from pinned sources live outside the tree.
if(DEFINED ENV{WEIR_CACHE})
  set(WEIR_DEPS "$ENV{WEIR_CACHE}/deps" CACHE PATH "where tools/setup put third-party archives")
else()
  set(WEIR_DEPS "$ENV{HOME}/.cache/weir/deps" CACHE PATH "where tools/setup put third-party archives")
endif()
include(${CMAKE_CURRENT_LIST_DIR}/deps.cmake)

# weir_library(NAME weir_parse SOURCES a.cc b.cc LINKS weir_base …): one static library per folder.
function(weir_library)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;LINKS" ${ARGN})
  add_library(${ARG_NAME} STATIC ${ARG_SOURCES})
  target_link_libraries(${ARG_NAME} PUBLIC ${ARG_LINKS})
endfunction()

# weir_test(NAME parse_test SOURCES a_test.cc LINKS weir_parse): one Catch2 binary per folder, run by ctest.
function(weir_test)
  cmake_parse_arguments(ARG "" "NAME;TIMEOUT" "SOURCES;LINKS;ARGS" ${ARGN})
  if(NOT TARGET weir_catch_main)
    add_library(weir_catch_main STATIC ${CMAKE_SOURCE_DIR}/tests/catch_main.cc)
  endif()
  add_executable(${ARG_NAME} ${ARG_SOURCES})
  target_link_libraries(${ARG_NAME} PRIVATE weir_catch_main ${ARG_LINKS})
  add_test(NAME ${ARG_NAME} COMMAND ${ARG_NAME} ${ARG_ARGS} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  set_tests_properties(${ARG_NAME} PROPERTIES TIMEOUT ${ARG_TIMEOUT})
  weir_records_passed_cases(${ARG_NAME} FILES $<TARGET_FILE:${ARG_NAME}>)
endfunction()

# weir_records_passed_cases(NAME FILES …): the ctest NAME leaves a list of its cases that passed, which counts until one of
# these files is newer: docs/reliability.md may name its cases. Binaries of weir_test do.
function(weir_records_passed_cases name)
  cmake_parse_arguments(ARG "" "" "FILES" ${ARGN})
  set_property(TEST ${name} APPEND PROPERTY ENVIRONMENT "WEIR_PASSED_CASES=${CMAKE_BINARY_DIR}/passed/${name}")
  set_property(GLOBAL APPEND PROPERTY WEIR_RECORDING_TESTS ${name})
  list(JOIN ARG_FILES "\t" files)
  set_property(GLOBAL APPEND_STRING PROPERTY WEIR_RECORDS "${name}\t${files}\n")
endfunction()
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/passed)
