#!/bin/bash
# Renders Memory Maze training shards on a machine without network, from the bundle beside this script.
#
#   .carry/maze/render.sh OUT_DIR N_MAZES FRAMES PROCESSES FIRST_SEED [HELDOUT_MAZES, default 16]
#   .carry/maze/render.sh --folders OUT_DIR N_MAZES FRAMES PROCESSES    # held-out mazes 0, 1, … as plain folders, for `longtake eval`
#
# Writes OUT_DIR/heldout/maze-*.npz (first, from held-out mazes 0, 1, …) and OUT_DIR/train/maze-*.npz (training mazes
# FIRST_SEED, FIRST_SEED + 1, …); every file appears when it is whole. Start it in the background; its output says
# which OpenGL it uses and how fast. OUT_DIR/done appears at the end, OUT_DIR/failed if it broke.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$here/../.." && pwd)
folders=''
if [ "$1" = --folders ]; then
  folders=yes
  shift
fi
out=$1 mazes=$2 frames=$3 processes=$4 first=${5:-0} heldout=${6:-16}
runtime=${LONGTAKE_MAZE_RUNTIME:-/tmp/longtake-maze-runtime}
mkdir -p "$out"
rm -f "$out/done" "$out/failed"
trap '[ -e "$out/done" ] || touch "$out/failed"' EXIT

if [ ! -e "$runtime/ready" ]; then
  mkdir -p "$runtime"
  python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2], filter="data")' \
    "$here/runtime.tar.xz" "$runtime" || tar -C "$runtime" -xJf "$here/runtime.tar.xz"
  touch "$runtime/ready"
fi

export PYTHONPATH="$runtime/site:$repository/training${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1
# One thread a process: there is a process for every core.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 LP_NUM_THREADS=0 CUDA_MODULE_LOADING=LAZY
system_libraries=${LD_LIBRARY_PATH:-}

use_mesa() {
  export MUJOCO_GL=osmesa PYOPENGL_PLATFORM=osmesa
  export LD_LIBRARY_PATH="$runtime/mesa${system_libraries:+:$system_libraries}"
}
use_gpu() { # NVIDIA's driver through EGL; the loaders come from the bundle where the image has none
  export MUJOCO_GL=egl PYOPENGL_PLATFORM=egl
  export LD_LIBRARY_PATH="$runtime/glvnd:/usr/local/nvidia/lib64:/usr/local/nvidia/lib${system_libraries:+:$system_libraries}"
  local vendor=/usr/local/nvidia/share/glvnd/egl_vendor.d/10_nvidia.json
  [ ! -e "$vendor" ] || export __EGL_VENDOR_LIBRARY_FILENAMES=$vendor
}
works=''
for path in ${LONGTAKE_MAZE_GL:-mesa gpu}; do
  "use_$path"
  if nice python3 -m longtake_training.data.self_test; then
    works=$path
    break
  fi
  echo "Rendering through $path failed its self-test." >&2
done
[ -n "$works" ] || { echo 'No OpenGL works here: nothing rendered.' >&2; exit 1; }
echo "rendering through $works with $processes processes"

if [ -n "$folders" ]; then
  nice python3 -m longtake_training.data.render_folders --mazes "$mazes" --frames "$frames" --processes "$processes" --out "$out"
  touch "$out/done"
  exit
fi

render() {
  local command=(nice python3 -m longtake_training.data.render_shards --frames "$frames" --processes "$processes" "$@")
  # Finished shards are kept: a second try does the rest where a process was killed.
  "${command[@]}" || "${command[@]}"
}
[ "$heldout" -eq 0 ] || render --split heldout --first 0 --mazes "$heldout" --out "$out/heldout"
render --split train --first "$first" --mazes "$mazes" --out "$out/train"
touch "$out/done"
