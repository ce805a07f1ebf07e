#!/bin/sh
# One example as a test: run.sh WEIR EXAMPLE_DIR. Works on a copy.
set -eu
export WEIR_HTTP=off  # several tests may run at once
weir=$1 example=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -R "$example"/. "$work"
cd "$work"
said=$("$weir" check pipeline.weir 2>&1) || { echo "$said"; exit 1; }
case $said in
  *warning*) echo "$said"; exit 1 ;;
esac
"$weir" plan pipeline.weir > /dev/null
"$weir" test pipeline.weir
[ -d expected ] || exit 0
# Twice: the second run finds its state and has nothing left to do.
for run in 1 2; do
  timeout 60 "$weir" run pipeline.weir 2> log || { cat log; exit 1; }
  for file in expected/*; do
    diff "$file" "$(basename "$file")" || { echo "run $run: $(basename "$file") is not what $file says"; exit 1; }
  done
done
