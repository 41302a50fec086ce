#!/bin/bash
# Measures everything on a machine with a graphics card, from the bundle beside this script and the checkout two folders
# up:
#
#   .carry/bench/run.sh OUT [STEP …]
#
# Steps (default: all, in this order; about 8 minutes, of which torch takes 4):
#   parity   every kernel against float64, a rollout against PyTorch's (recorded here first), by f32, f16, matrix units
#   base     our kernels in f32 with the default tiles: what every device runs
#   f16      the same with f16 tiles, the fastest of some for this device
#   units    the same on the device's matrix units
#   unchecked  units again without the bounds checks that browsers insist on: what these cost (only where named)
#   anatomy  where the time of a chunk goes, on matrix units and in f32
#   variants tiles of matrix units for every product, splits of the scans (only where named: it takes 90 s)
#   predict  how well the time of an extension is predicted (only where named)
#   bench    longtake bench: our kernels in f32 with the fastest tiles, onnxruntime on the device and as WebAssembly
#   torch    PyTorch eager and compiled, in CUDA graphs
# f16 and units use Dawn's switches for f16 on NVIDIA.
# Tables and JSON go to OUT; a summary against the goals is printed last. A step that fails is said and the next one runs.
# MODEL names another package, BENCH_FLAGS more options of `longtake bench`, TORCH_FLAGS of torch_reference.py.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$here/../.." && pwd)
out=$(mkdir -p "$1" && cd "$1" && pwd)
shift
steps=${*:-parity base f16 units anatomy bench torch}
model=${MODEL:-models/maze-64}
# shellcheck source=bench/gpu/runtime.sh
. "$here/runtime.sh"

step() { # name, seconds at most, command: its output goes to OUT/name.txt and is shown
  echo "--- $1"
  local start=$SECONDS
  timeout -k 5 "$2" bash -c "$3" >"$out/$1.txt" 2>"$out/.$1.log"
  local code=$?
  cat "$out/$1.txt"
  if [ $code -ne 0 ]; then
    { echo "$1 failed with exit code $code:"; tail -n 15 "$out/.$1.log"; } | tee -a "$out/$1.txt"
  fi
  rm -f "$out/.$1.log"
  echo "($1 took $((SECONDS - start)) s)"
}

export PYTHONPATH="$repository/training${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1 model out
export half=allow_unsafe_apis,vulkan_enable_f16_on_nvidia
flags=${BENCH_FLAGS:-}
short="--backend webgpu --world-only --prefix 10,1000 $flags"
for name in $steps; do
  case $name in
    parity)
      step parity 150 'recording=$(mktemp -d)/recording.safetensors
        if ! python3 -m longtake_training.record "$model" --out "$recording"; then
          echo "PyTorch could not record a rollout here: nothing to compare with."
          exit 1
        fi
        export LONGTAKE_DAWN_FEATURES=$half
        for LONGTAKE_ARITHMETIC in f32 f16 matrix-units; do
          export LONGTAKE_ARITHMETIC
          echo "$LONGTAKE_ARITHMETIC"
          longtake models parity "$model" --backend webgpu --recording "$recording"
        done'
      ;;
    base) step base 60 "longtake bench --model \"\$model\" $short --untuned --out \"\$out/base.json\"" ;;
    f16)
      step f16 60 "LONGTAKE_DAWN_FEATURES=\$half longtake bench --model \"\$model\" $short --arithmetic f16 \
        --out \"\$out/f16.json\""
      ;;
    units)
      step units 60 "LONGTAKE_DAWN_FEATURES=\$half longtake bench --model \"\$model\" $short \
        --arithmetic matrix-units --out \"\$out/units.json\""
      ;;
    unchecked)
      step unchecked 60 "LONGTAKE_DAWN_FEATURES=\$half,disable_robustness longtake bench --model \"\$model\" $short \
        --arithmetic matrix-units --out \"\$out/unchecked.json\""
      ;;
    anatomy)
      step anatomy 60 'for arithmetic in matrix-units f32; do
          echo "$arithmetic"
          LONGTAKE_DAWN_FEATURES=$half runtime_node bench/chunk-anatomy.ts "$model" "$arithmetic"
        done'
      ;;
    variants)
      step variants 150 'LONGTAKE_DAWN_FEATURES=$half runtime_node bench/kernel-variants.ts "$model" 70'
      ;;
    predict) step predict 60 'runtime_node bench/predict.ts "$model" webgpu' ;;
    bench) step bench 150 "longtake bench --model \"\$model\" $flags --out \"\$out/bench.json\"" ;;
    torch) step torch 240 "python3 bench/torch_reference.py \"\$model\" --out \"\$out/torch.json\" ${TORCH_FLAGS:-}" ;;
    *) echo "There is no step “$name”." >&2 ;;
  esac
done
python3 bench/gpu/summary.py "$out"
