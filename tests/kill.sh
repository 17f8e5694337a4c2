#!/bin/sh
# Kills training runs at random instants and lets them go on: sh tests/kill.sh [KILLS [PROGRAM]]
# Every run must end with the same weights, optimizer states and log rows (but for their times) as one that nobody
# killed. Prints how many kills, resumes and finished runs there were; fails at the first difference.
kills=${1:-200}
program=${2:-build/release/bin/dlcore}
folder=$(mktemp -d "${TMPDIR:-/tmp}/dlcore-kill-XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT

cat >"$folder/model.yaml" <<'END'
layers:
  - conv2d: {out_channels: 8, kernel_size: 3, padding: 1}
  - batch_norm2d
  - relu
  - max_pool2d: 2
  - dropout: 0.2
  - flatten
  - linear: classes
END
EXEC=
train() {
  $EXEC "$program" --dataset shapes:count=600,test-count=100 --model "$folder/model.yaml" --epochs 4 --batch-size 32 --val-split 0.2 \
    --opt adamw --sched cosine --sched-by step --warmup-epochs 1 --model-ema 0.9 --mixup 0.2 --checkpoint-steps 5 --checkpoint-keep 2 \
    --logger csv:steps=1 --output "$folder" --name "$1" --resume auto --no-progress -q
}
rows() { # without their times
  sed 's/,[^,]*,[^,]*$//' "$folder/$1/summary.csv"
  sed 's/,[^,]*$//' "$folder/$1/steps.csv"
}
same() {
  rows whole >"$folder/a"; rows "$1" >"$folder/b"
  cmp "$folder/whole/weights/last.safetensors" "$folder/$1/weights/last.safetensors" &&
    cmp "$folder/whole/weights/best.safetensors" "$folder/$1/weights/best.safetensors" &&
    cmp "$folder/a" "$folder/b" && return 0
  echo "run $1 ended otherwise than one that was not killed:"
  diff "$folder/a" "$folder/b" | head -n 6
  return 1
}

train whole || exit 1
began=$(date +%s%N)
train timed || exit 1
usual=$(( ($(date +%s%N) - began) / 1000000 )) # milliseconds of a run
killed=0 finished=0 run=1
while [ "$killed" -lt "$kills" ]; do
  (EXEC=exec; train "$run" 2>"$folder/err") &
  pid=$!
  wait_ms=$(( $(od -An -N4 -tu4 /dev/urandom) % (usual * 7 / 10) ))
  sleep "$(printf '%d.%03d' $((wait_ms / 1000)) $((wait_ms % 1000)))"
  if kill -9 $pid 2>/dev/null; then killed=$((killed + 1)); fi
  wait $pid 2>/dev/null
  status=$?
  if [ $status -eq 0 ]; then
    finished=$((finished + 1))
    same "$run" || exit 1
    rm -rf "${folder:?}/$run"
    run=$((run + 1))
  elif [ $status -ne 137 ]; then
    cat "$folder/err"
    echo "run $run ended with status $status after a kill"
    exit 1
  fi
done
# The last one goes on to its end.
train "$run" || exit 1
same "$run" || exit 1
echo "$killed kills, $((finished + 1)) runs finished, all with the same bytes"
