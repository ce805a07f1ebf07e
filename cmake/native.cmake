# Weir's private directory, build/lib/weir: all that the compiler needs to make a pipeline, and nothing of the machine.
# The target `weir_private_directory` makes it; see compiler/native/installation.h for what is in it.
set(private ${CMAKE_BINARY_DIR}/lib/weir)
file(MAKE_DIRECTORY ${private})

# The static libraries below a folder, wherever they are declared: a new connector needs no line here.
function(weir_libraries_below folder result)
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  get_property(folders DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  set(found)
  foreach(target ${targets})
    get_target_property(type ${target} TYPE)
    if(type STREQUAL STATIC_LIBRARY AND NOT target STREQUAL weir_catch_main)
      list(APPEND found ${target})
    endif()
  endforeach()
  foreach(below ${folders})
    weir_libraries_below(${below} more)
    list(APPEND found ${more})
  endforeach()
  set(${result} ${found} PARENT_SCOPE)
endfunction()

weir_libraries_below(${CMAKE_SOURCE_DIR}/runtime runtime_targets)
list(APPEND runtime_targets weir_stdlib)

# One archive of the whole runtime. A pipeline takes from it only what its generated main names.
set(runtime_files)
set(script "create ${private}/libweir_runtime.a\n")
foreach(target ${runtime_targets})
  list(APPEND runtime_files $<TARGET_FILE:${target}>)
  string(APPEND script "addlib $<TARGET_FILE:${target}>\n")
endforeach()
string(APPEND script "save\nend\n")
file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/runtime.mri CONTENT "${script}")
add_custom_command(
  OUTPUT ${private}/libweir_runtime.a
  COMMAND ${CMAKE_COMMAND} -E rm -f ${private}/libweir_runtime.a
  COMMAND ${WEIR_LLVM}/bin/llvm-ar -M < ${CMAKE_BINARY_DIR}/runtime.mri
  DEPENDS ${runtime_targets} ${runtime_files} ${CMAKE_BINARY_DIR}/runtime.mri
  COMMENT "Joining the runtime into one archive" VERBATIM)

# The precompiled header of generated code, made by the very Clang that will read it.
set(pch_arguments)
foreach(dir ${CMAKE_SOURCE_DIR} ${WEIR_DEPS}/include $<TARGET_PROPERTY:weir_stdlib,INTERFACE_INCLUDE_DIRECTORIES>)
  list(APPEND pch_arguments -I ${dir})
endforeach()
foreach(dir ${CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES})
  list(APPEND pch_arguments -S ${dir})
endforeach()
add_custom_command(
  OUTPUT ${private}/runtime.pch
  COMMAND weir_make_pch ${private}/runtime.pch ${CMAKE_BINARY_DIR}/runtime.pch.d ${CMAKE_SOURCE_DIR}
          runtime/program/generated.h ${pch_arguments} -D FMT_HEADER_ONLY=1
  DEPENDS weir_make_pch weir_stdlib_generated
  DEPFILE ${CMAKE_BINARY_DIR}/runtime.pch.d
  COMMENT "Precompiling the header of generated code" VERBATIM)

# The C and C++ libraries and third parties' archives, copied: the directory can be moved to a machine without them.
set(private_files)
function(weir_private_file path)
  get_filename_component(name ${path} NAME)
  add_custom_command(
    OUTPUT ${private}/${name}
    COMMAND ${CMAKE_COMMAND} -E copy ${path} ${private}/${name}
    DEPENDS ${path}
    VERBATIM)
  set(private_files ${private_files} ${private}/${name} PARENT_SCOPE)
endfunction()
foreach(name crt1.o crti.o crtn.o crtbeginT.o crtend.o libc.a libm.a libgcc.a libgcc_eh.a libstdc++.a)
  execute_process(
    COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=${name} OUTPUT_VARIABLE path OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT IS_ABSOLUTE "${path}")
    message(FATAL_ERROR "${CMAKE_CXX_COMPILER} knows no ${name}: run tools/setup")
  endif()
  get_filename_component(path ${path} REALPATH)
  # glibc's libm.a is a linker script that names libm-2.36.a and libmvec.a; only the first is needed.
  if(name STREQUAL libm.a)
    file(READ ${path} head LIMIT 200)
    if(head MATCHES "GROUP \\( *([^ ]+libm-[^ ]+\\.a)")
      set(path ${CMAKE_MATCH_1})
    endif()
    configure_file(${path} ${CMAKE_BINARY_DIR}/sysroot/libm.a COPYONLY)
    set(path ${CMAKE_BINARY_DIR}/sysroot/libm.a)
  endif()
  weir_private_file(${path})
endforeach()
foreach(target weir_rdkafka weir_openssl weir_crypto weir_cares weir_lmdb weir_zstd weir_lz4 weir_zlib)
  get_target_property(path ${target} IMPORTED_LOCATION)
  weir_private_file(${path})
endforeach()

# A name for all of it, which caches of compiled pipelines depend on.
list(APPEND private_files ${private}/runtime.pch ${private}/libweir_runtime.a)
add_custom_command(
  OUTPUT ${private}/build_id
  COMMAND sh -c "cat \"$@\" | sha256sum | cut -c 1-32 > ${private}/build_id" sh ${private_files}
  DEPENDS ${private_files}
  COMMENT "Naming this build of the runtime" VERBATIM)
add_custom_target(weir_private_directory ALL DEPENDS ${private}/build_id)
