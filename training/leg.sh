#!/bin/bash
# One piece of a training leg (longtake_training/leg.py): call it again until it says that the leg is finished.
#
#   bash training/leg.sh OUT_DIR [LEG.json, default leg 3] [options of the module]
set -euo pipefail
cd "$(dirname "$0")/.."
export PYTHONPATH="training${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1
out=$1 leg=training/longtake_training/configs/legs/leg-3.json
shift
# What follows may be options at once.
if [[ $# -gt 0 && $1 != -* ]]; then
    leg=$1
    shift
fi
exec "${PYTHON:-python3}" -m longtake_training.leg "$leg" --out "$out" "$@"
