#!/bin/sh
# Compiles the C++ at the end of each tests/emit/*.weir (types only, all warnings are errors), and looks for macros of the
# runtime's header that compiler/emit/reserved_macros.inc does not name.
#   compile.sh COMPILER SOURCE_DIR STDLIB_INCLUDE_DIR
set -eu
compiler=$1 source=$2 stdlib=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags="-std=gnu++20 -march=x86-64-v2 -isystem $source -isystem $stdlib"
failed=0
for file in "$source"/tests/emit/*.weir; do
  name=$(basename "$file" .weir)
  sed '1,/^--- expect$/d' "$file" > "$work/$name.cc"
  if [ ! -s "$work/$name.cc" ]; then
    echo "$file: no C++ is expected there"
    failed=1
  elif ! $compiler $flags -fsyntax-only -Wall -Wextra -Werror "$work/$name.cc"; then
    echo "$file: does not compile"
    failed=1
  fi
done
echo '#include "runtime/program/generated.h"' > "$work/macros.cc"
$compiler $flags -dM -E "$work/macros.cc" | sed -n 's/^#define \([A-Za-z][A-Za-z0-9_]*\).*/\1/p' | grep -v __ | sort -u > "$work/macros"
sed -n 's/^"\(.*\)",$/\1/p' "$source/compiler/emit/reserved_macros.inc" | sort -u > "$work/reserved"
if ! comm -23 "$work/macros" "$work/reserved" | { ! grep .; }; then
  echo "these macros are missing in compiler/emit/reserved_macros.inc"
  failed=1
fi
exit $failed
