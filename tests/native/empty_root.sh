#!/usr/bin/env bash
# A root directory that holds Weir's own folder and nothing else (no shell, libc, compiler, header, linker or /proc):
# pipelines compile there. The executables then run in a second root that holds nothing but them and their input.
#   empty_root.sh BUILD_DIR SOURCE_DIR
set -euo pipefail
build=$1
source=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

scratch=$(mktemp -d /tmp/weir-empty-root-XXXXXX)
trap 'rm -rf "$scratch"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }

# Not on everybody's PATH, and `env -i` forgets PATH altogether.
chroot=$(PATH=$PATH:/usr/sbin:/sbin command -v chroot)

# Root may change its root; everybody else needs a user namespace for it.
inside() {
  local root=$1
  shift
  if [ "$(id -u)" = 0 ]; then
    env -i HOME=/ "$chroot" "$root" "$@"
  else
    env -i HOME=/ unshare --user --map-root-user --root="$root" "$@"
  fi
}

# The compiler's root.
compiler=$scratch/compiler
mkdir -p "$compiler/weir/bin" "$compiler/weir/lib" "$compiler/pipelines" "$compiler/tmp"
cp "$build/bin/weir" "$compiler/weir/bin/"
cp -r "$build/lib/weir" "$compiler/weir/lib/"
cp "$here/local.weir" "$compiler/pipelines/"
cp "$source/examples/trade_enrichment/pipeline.weir" "$compiler/pipelines/trade_enrichment.weir"

[ -z "$(find "$compiler" -name '*.h' -o -name 'clang*' -o -name 'ld*' -o -name '*.so*' -o -name proc)" ] ||
  fail "the root is not empty"
inside "$compiler" /weir/bin/weir --version
inside "$compiler" /weir/bin/weir check /pipelines/local.weir
inside "$compiler" /weir/bin/weir build /pipelines/local.weir -o /pipelines/local --timings
inside "$compiler" /weir/bin/weir build /pipelines/trade_enrichment.weir -o /pipelines/trade_enrichment --timings

# The executables' root.
pipelines=$scratch/pipelines
mkdir -p "$pipelines/tmp"
cp "$compiler/pipelines/local" "$compiler/pipelines/trade_enrichment" "$pipelines/"
printf '%s\n' '{"id": 1, "amount": 12.50}' '{"id": 2, "amount": 0.10}' '{"id": "x"}' '{"id": 3, "amount": 99}' \
  >"$pipelines/tmp/orders.ndjson"

for program in local trade_enrichment; do
  inside "$pipelines" "/$program" version
  plan=$(inside "$pipelines" "/$program" plan)
  [ -n "$plan" ] || fail "$program plan says nothing"
done
inside "$pipelines" /local run --state-dir /tmp/state

expected='{"id":1,"doubled":25}
{"id":3,"doubled":198}'
[ "$(cat "$pipelines/tmp/large.ndjson")" = "$expected" ] ||
  fail "the output is not as expected: $(cat "$pipelines/tmp/large.ndjson")"
[ "$(wc -l <"$pipelines/tmp/dead.ndjson")" = 1 ] || fail "the dead letter is missing"

# A size that grew by accident shows here.
for program in local trade_enrichment; do
  bytes=$(stat -c %s "$pipelines/$program")
  [ "$bytes" -lt 12000000 ] || fail "$program has $bytes bytes; 12 MB are the limit"
done
echo "pipelines compile and run in an empty root"
