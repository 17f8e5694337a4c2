#!/bin/sh
# From a clone to a trained network: installs what is missing, builds, trains LeNet on Fashion-MNIST.
cd "$(dirname "$0")/.." || exit 1
. cmake/packages.sh
# shellcheck disable=SC2086 # a list of names
need_packages $build_packages || exit 1
dataset=fashion-mnist
need_packages dataset-fashion-mnist || {
  echo "Without Fashion-MNIST the network learns generated pictures instead (--dataset shapes)."
  dataset=shapes
}

mkdir -p build
echo "Building (log: build/quickstart.log)"
if ! { cmake --preset release -G Ninja -DDLCORE_TESTS=OFF && ninja -C build/release; } >build/quickstart.log 2>&1; then
  tail -n 20 build/quickstart.log
  exit 1
fi

run=runs/quickstart
build/release/bin/dlcore --dataset $dataset --model lenet --output runs --name quickstart --exist-ok || exit 1

number() # number KEY: from results.json
{
  sed -n "s/^ *\"$1\": *\([-0-9.e+]*\),\{0,1\}\$/\1/p" $run/results.json
}
awk -v dataset=$dataset -v accuracy="$(number test_accuracy)" -v seconds="$(number seconds_total)" 'BEGIN {
  printf "\nLeNet names %.1f %% of the test pictures of %s correctly, after %.1f s. Everything about the run is in runs/quickstart.\n",
    100 * accuracy, dataset, seconds
}'
cat <<'E2'
What to try next, with PATH=$PWD/build/release/bin:$PATH
  dlcore --help                                         every option
  dlcore --dataset shapes --model mlp --epochs 10       another data set, another model
  dlcore --opt sgd --lr 0.05 --momentum 0.9             another optimizer
  dlcore summary --model lenet                          the layers and their sizes
  dlcore plugins                                        what else can be plugged in
  cp apps/models/lenet.yaml mine.yaml; dlcore --model mine.yaml     a model of your own
E2
