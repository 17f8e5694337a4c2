#!/bin/sh
# Fuzzes every target for SECONDS seconds each, one a processor: sh tests/fuzz/run.sh [SECONDS [NAME...]]
# 0 seconds (the default): only the committed inputs, once. What is found lies in build/fuzz/findings; it belongs into
# corpus/NAME/ when it is fixed. Needs clang, cmake and ninja.
cd "$(dirname "$0")/../.." || exit 1
build=${FUZZ_BUILD:-build/fuzz}

# One target that is built: its line, and the end of its log where it failed.
if [ "$1" = --one ]; then
  seconds=$2 name=$3
  found=$build/findings/$name-
  learnt=$build/learnt/$name
  log=$build/$name.log
  mkdir -p "$learnt"
  rm -f "$found"*
  if [ "$seconds" -gt 0 ]; then
    "$build/fuzz_$name" -max_total_time="$seconds" -timeout=20 -report_slow_units=20 -rss_limit_mb=3000 -print_final_stats=1 \
      -artifact_prefix="$found" "$learnt" "tests/fuzz/corpus/$name" >"$log" 2>&1
  else
    "$build/fuzz_$name" -runs=0 -timeout=20 -print_final_stats=1 -artifact_prefix="$found" "tests/fuzz/corpus/$name" \
      >"$log" 2>&1
  fi
  status=$?
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  echo "$name: ${executions:-?} executions, $(find "$build/findings" -name "$name-*" | wc -l) findings"
  [ $status -eq 0 ] && exit 0
  tail -n 40 "$log"
  echo "failed: $name"
  exit 1
fi

seconds=${1:-0}
[ $# -eq 0 ] || shift
mkdir -p "$build/findings"
cmake -S tests/fuzz -B "$build" -G Ninja -DCMAKE_C_COMPILER=clang >"$build/configure.log" 2>&1 ||
  { cat "$build/configure.log"; exit 1; }
if [ $# -eq 0 ]; then
  for source in tests/fuzz/fuzz_*.c; do
    name=${source##*/fuzz_}
    set -- "$@" "${name%.c}"
  done
fi
targets=$(printf 'fuzz_%s ' "$@")
# shellcheck disable=SC2086 # a list of names
ninja -C "$build" --quiet $targets >"$build/build.log" 2>&1 || { cat "$build/build.log"; exit 1; }
printf '%s\n' "$@" | FUZZ_BUILD=$build xargs -n 1 -P "$(nproc)" sh tests/fuzz/run.sh --one "$seconds"
