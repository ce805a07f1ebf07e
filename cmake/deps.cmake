# Static third-party archives as targets: link these names, never -l flags. All of them go into pipelines, too, so
# `weir_private_directory` (cmake/native.cmake) takes the same files from here.
#
#   weir_openssl  weir_lmdb  weir_cares  weir_zstd  weir_lz4  weir_zlib  weir_rdkafka

# weir_archive(TARGET file LINKS …): an imported static archive, looked for among Debian's.
function(weir_archive target file)
  cmake_parse_arguments(ARG "" "" "LINKS" ${ARGN})
  find_library(${target}_file ${file} REQUIRED NO_CACHE)
  add_library(${target} STATIC IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES IMPORTED_LOCATION ${${target}_file})
  target_link_libraries(${target} INTERFACE ${ARG_LINKS})
endfunction()

weir_archive(weir_crypto libcrypto.a)
weir_archive(weir_openssl libssl.a LINKS weir_crypto)
weir_archive(weir_lmdb liblmdb.a)
weir_archive(weir_cares libcares.a)
weir_archive(weir_zstd libzstd.a)
weir_archive(weir_lz4 liblz4.a)
weir_archive(weir_zlib libz.a)

# Built by tools/setup, which Debian 12 cannot provide; only what talks to Kafka needs it.
if(EXISTS ${WEIR_DEPS}/lib/librdkafka.a)
  add_library(weir_rdkafka STATIC IMPORTED GLOBAL)
  set_target_properties(weir_rdkafka PROPERTIES
    IMPORTED_LOCATION ${WEIR_DEPS}/lib/librdkafka.a
    INTERFACE_INCLUDE_DIRECTORIES ${WEIR_DEPS}/include
    INTERFACE_COMPILE_DEFINITIONS LIBRDKAFKA_STATICLIB)
  target_link_libraries(weir_rdkafka INTERFACE weir_openssl weir_zstd weir_lz4 weir_zlib)
else()
  message(FATAL_ERROR "no librdkafka in ${WEIR_DEPS}: run tools/setup")
endif()
