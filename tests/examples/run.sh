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
# Over Kafka: with the broker inside weir, how many records each topic gets.
if [ -f embedded-counts.txt ]; then
  timeout 60 "$weir" run --embedded pipeline.weir > records 2> log || { cat log; exit 1; }
  sed 's/.*"topic": *"\([^"]*\)".*/\1/' records | sort | uniq -c | awk '{print $2, $1}' > counts
  diff embedded-counts.txt counts || { echo "weir run --embedded: the topics do not get what embedded-counts.txt says"; exit 1; }
fi
[ -d expected ] || exit 0

compare() {
  for file in expected/*; do
    diff "$file" "$(basename "$file")" || { echo "$1: $(basename "$file") is not what $file says"; exit 1; }
    [ "$2" = keep ] || rm "$(basename "$file")"
  done
}
timeout 60 "$weir" run pipeline.weir 2> log || { cat log; exit 1; }
compare "weir run" clear
# The executable, twice: the second time it finds its state and has nothing left to do.
"$weir" build pipeline.weir -o built 2> log || { cat log; exit 1; }
for time in first second; do
  timeout 60 ./built run --state-dir state 2> log || { cat log; exit 1; }
  compare "the $time run" keep
done
