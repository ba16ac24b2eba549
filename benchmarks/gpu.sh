#!/usr/bin/env bash
# All that a borrowed graphics card should do, in under eight minutes: `bash benchmarks/gpu.sh [FOLDER]`.
#
# The recorded pictures in half precision, the card's picture, the bot under load, and a profile of the steps. The JSON
# files and the logs are in the folder, by default build/gpu. `DRY=1` runs the same on the CPU, with small shapes.
set -euo pipefail
cd "$(dirname "$0")/.."
out="${1:-build/gpu}"
python="${PYTHON:-.venv/bin/python}"
mkdir -p "$out"
if [ -n "${DRY:-}" ]; then
    golden=(--collect-only -q) card=(--device cpu --card --small) load=(--device cpu --users 2 --seconds 0 --size 64 --steps 2)
    steps=(--device cpu --bundled --size 64 --steps 2)
else
    nvidia-smi | tee "$out/card.txt"
    golden=(-q -m gpu) card=(--device cuda --card) load=(--device cuda --seconds 60) steps=(--device cuda --trace "$out/trace.json")
fi
failed=0
part() { # one that fails costs the others nothing: the card is borrowed
    echo "== $1"
    shift
    timeout 240 "$@" || { echo "failed: $*"; failed=1; }
}
part "recorded pictures in half precision" "$python" -m pytest "${golden[@]}" tests/golden/test_half_precision.py
part "the card's picture" "$python" benchmarks/engine.py "${card[@]}" --json "$out/card.json"
part "the bot under load" "$python" benchmarks/load.py "${load[@]}" --json "$out/load.json"
part "the operations of a step" "$python" benchmarks/step_operations.py "${steps[@]}" --json "$out/operations.json"
exit "$failed"
