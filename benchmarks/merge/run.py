"""Compare the workshop with the plain approach: load everything, full SVD.

    python benchmarks/merge/run.py [--narrow] [--folder FOLDER] [--rank 64] [--every 1]

Full-size files need about 12 GB of disk space; they are deleted afterwards. Every contender runs alone, in a separate
process with one thread. `--every N` decomposes only every Nth layer in the comparison of extractions.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PAIRS = (
    ("Block merge of two checkpoints", "merge_plain", "merge_ours"),
    ("The card's recipe: two merges, five LoRAs", "recipe_plain", "recipe_ours"),
    ("Rank 64 of {share} layers", "layers_plain", "layers_ours"),
    ("Extraction at rank 64, all 264 layers, with reading", None, "extract_ours"),
)


def main() -> None:
    """Make the files, run the contenders, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--narrow", action="store_true", help="a few MB instead of 2 GB a checkpoint")
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--rank", type=int, default=64, help="rank of the LoRAs")
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="pastelbot-merge-", dir=options.folder))
    try:
        make = f"from files import *; make_files(Path({str(folder)!r}), narrow={options.narrow}, rank={options.rank})"
        subprocess.run([sys.executable, "-c", make], cwd=HERE, check=True)  # noqa: S603 - our own program
        report(folder, options.every)
    finally:
        shutil.rmtree(folder)


def report(folder: Path, every: int) -> None:
    """Print a Markdown table, row by row."""
    print("| | plain: CPU s | ours: CPU s | ratio | plain: MB | ours: MB | ratio |\n|---|---|---|---|---|---|---|")
    share = f"{len(range(0, 264, every))} of 264" if every > 1 else "264"
    for title, plain, ours in PAIRS:
        one, other = (measure(plain, folder, every) if plain else None), measure(ours, folder, every)
        cells = [
            f"{one[key]:.1f} | {other[key]:.1f} | {other[key] / one[key]:.2f}" if one else f"- | {other[key]:.1f} | -"
            for key in ("cpu", "memory")
        ]
        print(f"| {title.format(share=share)} | {' | '.join(cells)} |", flush=True)
        if one and one["residuals"]:
            worst = max(other["residuals"][name] / best for name, best in one["residuals"].items() if best > 0.01)
            print(f"\nLargest residual, ours to the best possible: {worst:.4f}\n", file=sys.stderr, flush=True)


def measure(name: str, folder: Path, every: int) -> dict[str, Any]:  # JSON
    """Run one contender and return what it took; its output is deleted."""
    command = [sys.executable, str(HERE / "contenders.py"), name, str(folder), str(every)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own program
    for left in ("ours.safetensors", "plain.safetensors"):
        (folder / left).unlink(missing_ok=True)
    return json.loads(done.stdout)


if __name__ == "__main__":
    main()
