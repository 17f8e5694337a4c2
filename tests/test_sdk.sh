#!/bin/sh
# What someone without our source tree does: takes the installed SDK, copies the five templates elsewhere, builds them
# in both ways, lists them and trains through all of them at once.    sh test_sdk.sh BUILD
set -eu
build=$1
work=$(mktemp -d "${TMPDIR:-/tmp}/dlcore-sdk.XXXXXX")
trap 'rm -rf "$work"' EXIT
fail()
{
  echo "FAIL: $*" >&2
  exit 1
}
quiet() # quiet COMMAND...: what it wrote is shown only when it fails
{
  "$@" >"$work/output" 2>&1 || { cat "$work/output" >&2; fail "$*"; }
}
ids="acme tiny stripes jsonl darkroom"

# Installed in one place and moved to another: nothing in the SDK may remember where it was.
quiet cmake --install "$build" --prefix "$work/first"
mv "$work/first" "$work/prefix"
prefix=$work/prefix
export HOME="$work/home" PATH="$prefix/bin:$PATH" CMAKE_GENERATOR=Ninja
unset DLCORE_PLUGIN_PATH
pc=$(find "$prefix" -name dlcore-sdk.pc)
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
cflags=$(pkg-config --cflags dlcore-sdk)
ls "$(pkg-config --variable=plugindir dlcore-sdk)"/dlcore-*.so >/dev/null || fail "no plugins in the plugindir of dlcore-sdk.pc"

# The header alone, in every language it promises.
warnings="-Wall -Wextra -Wpedantic -Wshadow -Werror"
printf '#include <dlcore/plugin.h>\nstatic const dlc_plugin p = {DLC_PLUGIN("x", "1", "MIT"), 0, 0, 0};\n%s\n' \
  'DLC_EXPORT const dlc_plugin *dlcore_plugin(void) { return &p; }' >"$work/header.c"
# shellcheck disable=SC2086 # lists of options
for language in "cc -x c -std=c11 -Wstrict-prototypes" "cc -x c -std=c17" "c++ -x c++ -std=c++17"; do
  quiet $language $warnings $cflags -fsyntax-only "$work/header.c"
done

# Both ways to build, in a copy of the templates.
cp -r "$prefix/share/dlcore/templates" "$work/author"
mkdir "$work/plain"
for source in "$work"/author/*/*.c; do
  id=$(basename "$source" .c)
  # shellcheck disable=SC2086
  quiet cc -std=c11 $warnings -O2 -shared -fPIC -fvisibility=hidden "$source" -o "$work/plain/dlcore-$id.so" $cflags -lm
  folder=$(dirname "$source")
  quiet cmake -S "$folder" -B "$folder/build" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_FLAGS="$warnings"
  quiet cmake --build "$folder/build"
  quiet cmake --install "$folder/build" --prefix "$HOME/.local"
done
for file in "$work"/plain/*.so "$HOME"/.local/lib/dlcore/*.so "$prefix"/lib*/dlcore/*.so; do
  exported=$(nm -D --defined-only "$file" | awk '{ print $3 }')
  [ "$exported" = dlcore_plugin ] || fail "$file exports: $exported"
  ! readelf -d "$file" | grep -E 'RPATH|RUNPATH' || fail "$file has an RPATH"
done

# A symbol that nobody provides is found when linking, not by a user.
mkdir "$work/undefined"
printf 'void nowhere(void);\nvoid here(void);\nvoid here(void) { nowhere(); }\n' | cat "$work/header.c" - >"$work/undefined/acme.c"
sed '/target_link/d' "$work/author/op/CMakeLists.txt" >"$work/undefined/CMakeLists.txt"
quiet cmake -S "$work/undefined" -B "$work/undefined/build" -DCMAKE_PREFIX_PATH="$prefix"
! cmake --build "$work/undefined/build" >"$work/output" 2>&1 || fail "a plugin with an undefined symbol was linked"
grep -q 'undefined reference to .nowhere' "$work/output" || fail "no word on the undefined symbol: $(cat "$work/output")"

cat >"$work/net.yaml" <<'E2'
layers:
  - conv2d: {out_channels: 4, kernel_size: 3}
  - relu
  - max_pool2d: 2
  - flatten
  - linear: {out_features: 16}
  - acme.softplus: {beta: 2}
  - linear: {out_features: classes}
E2
train() # train NAME ARGUMENT...: a run through all five plugins
{
  name=$1
  shift
  quiet dlcore "$@" --backend tiny --dataset stripes:count=300 --logger jsonl:steps=1 --model "$work/net.yaml" \
    --train-transforms "darkroom.solarize(p=0.3)" --epochs 2 --batch-size 32 --limit-batches 3 --seed 1 --output "$work/runs" --name "$name"
  rows=$(grep -c '"kind": "step"' "$work/runs/$name/log.jsonl")
  [ "$rows" = 6 ] || fail "$name: log.jsonl has $rows rows of steps, expected 6: $(cat "$work/runs/$name/log.jsonl")"
  rows=$(grep -c '"kind": "epoch".*"train_loss": [0-9]' "$work/runs/$name/log.jsonl")
  [ "$rows" = 2 ] || fail "$name: log.jsonl has $rows rows of epochs, expected 2: $(cat "$work/runs/$name/log.jsonl")"
  for fact in '"backend": "tiny"' '"dataset": "stripes"' '"test_accuracy": [0-9]'; do
    grep -q "$fact" "$work/runs/$name/results.json" || fail "$name: results.json lacks $fact: $(cat "$work/runs/$name/results.json")"
  done
}
for way in plain home; do
  path=
  [ $way = home ] || path="--plugin-path=$work/plain"
  # shellcheck disable=SC2086 # no path, no argument
  dlcore plugins $path >"$work/list" || fail "dlcore plugins: $(cat "$work/list")"
  for id in $ids; do
    case $way in
      plain) file=$work/plain/dlcore-$id.so ;;
      home) file=$HOME/.local/lib/dlcore/dlcore-$id.so ;;
    esac
    grep -qF "$file" "$work/list" || fail "dlcore plugins does not list $file: $(cat "$work/list")"
  done
  # shellcheck disable=SC2086
  train $way $path
done
cmp "$work/runs/plain/weights/last.safetensors" "$work/runs/home/weights/last.safetensors" || fail "the two builds trained to different weights"

# A run that goes on: the log keeps the rows up to the checkpoint, and no others.
printf '{"kind": "step", "epoch": 3, "step": 7, "train_loss": 1}\n{"kind": "st' >>"$work/runs/home/log.jsonl"
quiet dlcore --resume "$work/runs/home" --epochs 3
steps=$(sed -n 's/.*"step", "epoch": [0-9]*, "step": \([0-9]*\),.*/\1/p' "$work/runs/home/log.jsonl" | tr '\n' ' ')
[ "$steps" = "1 2 3 4 5 6 7 8 9 " ] || fail "the log of a run that went on has the steps $steps: $(cat "$work/runs/home/log.jsonl")"

# The backend's kernels compute what the reference kernels do.
quiet dlcore --backend reference --dataset stripes:count=300 --model "$work/net.yaml" \
  --train-transforms "darkroom.solarize(p=0.3)" --epochs 2 --batch-size 32 --limit-batches 3 \
  --seed 1 --output "$work/runs" --name reference
cmp "$work/runs/plain/weights/last.safetensors" "$work/runs/reference/weights/last.safetensors" ||
  fail "the tiny backend trained to other weights than the reference kernels"
echo "ok: five templates, built in two ways, trained"
