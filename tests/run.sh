#!/bin/sh
# Everything the continuous integration checks, on a clean clone of any machine: sh tests/run.sh
# FUZZ_SECONDS=60 sh tests/run.sh fuzzes longer; 0: only the inputs that are committed. KILLS=200 kills more runs.
# Goes on after a failure, so that one run shows all of them; ends with the summary of each round of ctest.
cd "$(dirname "$0")/.." || exit 1
. cmake/packages.sh
# shellcheck disable=SC2086 # a list of names
need_packages $build_packages g++ check clang libclang-rt-dev clang-format xz-utils bzip2 zstd dataset-fashion-mnist ||
  exit 1

failed=
step() # step NAME COMMAND...: runs it and remembers its name when it fails
{
  name=$1
  shift
  echo "== $name"
  "$@" || failed="$failed, $name"
}

# A round: configure, build with warnings as errors, test. More arguments go to ctest.
round()
{
  preset=$1 folder=$2
  shift 2
  cmake --preset "$preset" -G Ninja -DDLCORE_TESTS=ON -DDLCORE_WERROR=ON >"build/$folder.log" 2>&1 || { cat "build/$folder.log"; return 1; }
  ninja -C "build/$folder" --quiet || return 1
  $wrapper ctest --test-dir "build/$folder" --output-on-failure -O "build/$folder-ctest.log" "$@"
}

mkdir -p build
rm -f build/*-ctest.log
step "format" sh -c 'find core plugins sdk apps tests -name "*.[ch]" | xargs clang-format --dry-run -Werror'
step "layers" sh tests/layers.sh
wrapper=
step "release" round release release
step "asan+ubsan" round asan+ubsan asan -j2
# ThreadSanitizer of gcc 12 wants addresses that are not too random; the tests are those in which threads meet.
setarch "$(uname -m)" -R true 2>/dev/null && wrapper="setarch $(uname -m) -R"
step "tsan" round tsan tsan -R 'test_(pool|loader|program|run|data_run|cpu_threads|imagefolder|parity|archive)$'
step "kills" sh tests/kill.sh "${KILLS:-10}"
step "fuzz" sh tests/fuzz/run.sh "${FUZZ_SECONDS:-5}" # each target

echo "== summary"
for folder in asan tsan release; do
  [ ! -f "build/$folder-ctest.log" ] || sed -n "/tests passed/s/^/$folder: /p" "build/$folder-ctest.log"
done
[ -z "$failed" ] || { echo "failed: ${failed#, }"; exit 1; }
