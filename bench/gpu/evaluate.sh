#!/bin/bash
# Evaluates a package through the engine on a machine with a graphics card, from the bundle beside this script and the
# checkout two folders up: every protocol of docs/evaluation.md, several at a time, what matters most first.
#
#   .carry/bench/evaluate.sh OUT DATA [CLIPS, default 64]
#
# DATA: folders of held-out mazes (training/longtake_training/data/bundle/render.sh --folders). The long protocols with 4
# passes go over CLIPS of them, the costly ones over fewer. A protocol that is not begun within SECONDS_AT_MOST (540) is
# left out. Writes OUT/NAME.json each, OUT/figures.md (evaluate.py), and prints that. MODEL names another package, JOBS how many
# run at a time (6), SIZES the lengths in frames (tests use short ones), FLAGS more options of `longtake eval`.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$here/../.." && pwd)
out=$(mkdir -p "$1" && cd "$1" && pwd)
data=$(cd "$2" && pwd)
clips=${3:-64}
model=${MODEL:-models/maze-64}
read -r context generate seen walked <<<"${SIZES:-400 400 576 224}"
# shellcheck source=bench/gpu/runtime.sh
. "$here/runtime.sh"
fewer=$(((clips + 3) / 4))
some=$(((clips + 1) / 2))
retrieval="--task retrieval --context $context --generate $generate"
reasoning="--task reasoning --context $seen --generate $walked"
export model data out flags=${FLAGS:-}
export born limit
born=$(date +%s) limit=${SECONDS_AT_MOST:-540}

evaluate() { # NAME OPTIONS…
  local name=$1
  shift
  [ -e "$out/$name.json" ] && return
  [ "$(($(date +%s) - born))" -lt "$limit" ] || return
  # Options are words of their own.
  # shellcheck disable=SC2086
  longtake eval "$model" --data "$data" --backend webgpu --json $flags "$@" >"$out/.$name.part" 2>"$out/.$name.log" &&
    mv "$out/.$name.part" "$out/$name.json" || { echo "$name failed:" && tail -n 3 "$out/.$name.log"; }
  rm -f "$out/.$name.part" "$out/.$name.log"
}
export -f evaluate

xargs -P "${JOBS:-6}" -I{} bash -c 'evaluate {}' <<JOBS
retrieval $retrieval --steps 4 --clips $clips --sheet $out/retrieval.png
reasoning $reasoning --steps 4 --clips $clips --sheet $out/reasoning.png
retrieval-32-steps $retrieval --steps 32 --clips $fewer
reasoning-32-steps $reasoning --steps 32 --clips $fewer
retrieval-4-steps-of-those $retrieval --steps 4 --clips $fewer
reasoning-4-steps-of-those $reasoning --steps 4 --clips $fewer
cold --task cold --generate 100 --clips $clips --sheet $out/cold.png
gap --task gap --clips $clips
region --task region --clips $clips
retrieval-noise $retrieval --steps 4 --clips $fewer --noise 0.1
retrieval-missing $retrieval --steps 4 --clips $fewer --missing 0.2
retrieval-occlusion $retrieval --steps 4 --clips $fewer --occlusion 16
retrieval-camera-jump $retrieval --steps 4 --clips $fewer --camera-jump
reasoning-noise $reasoning --steps 4 --clips $fewer --noise 0.1
reasoning-missing $reasoning --steps 4 --clips $fewer --missing 0.2
reasoning-occlusion $reasoning --steps 4 --clips $fewer --occlusion 16
reasoning-camera-jump $reasoning --steps 4 --clips $fewer --camera-jump
retrieval-1-step $retrieval --steps 1 --clips $some
reasoning-1-step $reasoning --steps 1 --clips $some
retrieval-2-steps $retrieval --steps 2 --clips $some
reasoning-2-steps $reasoning --steps 2 --clips $some
retrieval-8-steps $retrieval --steps 8 --clips $fewer
reasoning-8-steps $reasoning --steps 8 --clips $fewer
JOBS
python3 bench/gpu/evaluate.py "$out"
