# The Debian packages that Weir is built and tested with. Sourced by tools/setup.
# Names carry the version where Debian's do (clang-19, boost1.81): what is embedded in `weir` must not change by itself.

packages=(
  # The compiler that builds Weir, and the same one as libraries to embed.
  clang-19 libclang-19-dev llvm-19-dev libclang-rt-19-dev lld-19 liblld-19-dev
  # Building.
  cmake ninja-build ccache pkg-config dpkg-dev ca-certificates
  # The language: parser generator and its runtime.
  antlr4 libantlr4-runtime-dev
  # What pipelines are linked with.
  libboost1.81-dev libssl-dev liblmdb-dev libfmt-dev libc-ares-dev libxxhash-dev libzstd-dev liblz4-dev zlib1g-dev
  # What only the tools, tests and benchmarks use.
  libcli11-dev nlohmann-json3-dev catch2 libsimdjson-dev maven python3 wrk curl
)

# The broker of the integration tests runs on any Java from 17 on.
java_package=default-jdk-headless

missing_packages() {
  local installed name
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null | sed -n 's/^installed //p')
  for name in "${packages[@]}"; do
    grep -qxF -- "$name" <<<"$installed" || echo "$name"
  done
  command -v java >/dev/null || echo "$java_package"
}

install_packages() {
  local wanted
  mapfile -t wanted < <(missing_packages)
  if [ ${#wanted[@]} = 0 ]; then
    note "all ${#packages[@]} Debian packages are installed"
    return
  fi
  say "installing ${#wanted[@]} Debian packages: ${wanted[*]}"
  # The lists of a fresh machine are empty or old; updating them is needed once only.
  quietly "$cache/log/apt-update.log" as_root apt-get update -q
  quietly "$cache/log/apt-install.log" as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -qy --no-install-recommends "${wanted[@]}"
}
