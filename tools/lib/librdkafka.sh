# librdkafka, built statically from Debian 13's source package. Sourced by tools/setup.
# Debian 12 has 2.0.2, whose consumer can stall and whose static archive needs Cyrus SASL. Version 2.8.0 is built without
# Cyrus SASL and curl; PLAIN and SCRAM are librdkafka's own and stay (its switch for Cyrus would take SCRAM with it).

rdkafka_version=2.8.0
rdkafka_package=2.8.0-1
rdkafka_sha256=5bd1c46f63265f31c6bfcedcde78703f77d28238eadf23821c2b43fc30be3e25
rdkafka_flags=(
  -DCMAKE_BUILD_TYPE=Release
  -DCMAKE_C_COMPILER=clang-19
  -DCMAKE_CXX_COMPILER=clang++-19
  "-DCMAKE_C_FLAGS=-march=x86-64-v2 -fno-pie"
  "-DCMAKE_C_FLAGS_RELEASE=-O2 -DNDEBUG"
  -DCMAKE_POSITION_INDEPENDENT_CODE=OFF
  -DRDKAFKA_BUILD_STATIC=ON
  -DRDKAFKA_BUILD_TESTS=OFF
  -DRDKAFKA_BUILD_EXAMPLES=OFF
  -DWITH_SASL=OFF
  -DWITH_SASL_SCRAM=ON
  -DWITH_CURL=OFF
  -DWITH_SSL=ON
  -DWITH_ZLIB=ON
  -DWITH_ZSTD=ON
  -DENABLE_LZ4_EXT=ON
  -DWITH_PLUGINS=OFF
)

# The address this machine's apt gets Debian itself from (not its security updates).
debian_mirror() {
  apt-get indextargets --format '$(REPO_URI) $(ORIGIN)' 'Created-By: Packages' 2>/dev/null |
    sed -n 's/ Debian$//p' | grep -v -- '-security/*$' | head -n 1
}

build_librdkafka() {
  local key stamp mirror work=$cache/src/librdkafka
  key="$rdkafka_package ${rdkafka_flags[*]}"
  stamp=$deps/lib/librdkafka.key
  if [ -f "$deps/lib/librdkafka.a" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$key" ]; then
    note "librdkafka $rdkafka_version is built ($deps)"
    return
  fi

  rm -rf "$work/tree" "$work/build"
  mkdir -p "$work" "$deps/lib" "$deps/include/librdkafka"
  if ! check_rdkafka_archive "$work"; then
    mirror=$(debian_mirror)
    [ -n "$mirror" ] || die "no Debian mirror among apt's sources: run 'apt-get update' and look at /etc/apt/sources.list.d"
    say "fetching librdkafka $rdkafka_package from Debian 13's sources"
    # A sources list and state of our own: the machine's apt stays as it was.
    mkdir -p "$work/apt/lists/partial" "$work/apt/archives/partial"
    printf 'deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s trixie main\n' "$mirror" \
      >"$work/apt/sources.list"
    local options=(
      -o Dir::Etc::SourceList="$work/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
      -o Dir::State="$work/apt" -o Dir::State::Lists="$work/apt/lists" -o Dir::Cache="$work/apt"
      -o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none
    )
    quietly "$cache/log/librdkafka-update.log" apt-get "${options[@]}" update -q
    (cd "$work" && quietly "$cache/log/librdkafka-source.log" \
      apt-get "${options[@]}" source -q --download-only "librdkafka=$rdkafka_package") || exit 1
    check_rdkafka_archive "$work" || die "librdkafka's source archive is not the one Weir was tested with"
    rm -rf "$work/apt"
  fi

  say "building librdkafka $rdkafka_version (about a minute)"
  mkdir -p "$work/tree"
  tar xzf "$work/librdkafka_$rdkafka_version.orig.tar.gz" -C "$work/tree" --strip-components=1
  quietly "$cache/log/librdkafka-configure.log" cmake -S "$work/tree" -B "$work/build" -G Ninja "${rdkafka_flags[@]}"
  quietly "$cache/log/librdkafka-build.log" nice ninja -C "$work/build" rdkafka
  cp "$work/tree/src/rdkafka.h" "$work/tree/src/rdkafka_mock.h" "$deps/include/librdkafka/"
  cp "$work/tree/LICENSES.txt" "$deps/lib/librdkafka.LICENSES.txt"
  cp "$work/build/src/librdkafka.a" "$deps/lib/librdkafka.a.new"
  mv "$deps/lib/librdkafka.a.new" "$deps/lib/librdkafka.a"
  printf '%s\n' "$key" >"$stamp"
  rm -rf "$work/tree" "$work/build"
}

check_rdkafka_archive() {
  local archive=$1/librdkafka_$rdkafka_version.orig.tar.gz
  [ -f "$archive" ] && echo "$rdkafka_sha256  $archive" | sha256sum --check --status
}
