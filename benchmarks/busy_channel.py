"""Measure how long finished pictures wait in a busy channel, beside the edits that show progress and without them.

    .venv/bin/python benchmarks/busy_channel.py [--seeds 10] [--jobs 20]

Twenty people ask for a picture each in one channel, of whose messages Discord takes five edits in five seconds. The bot
is complete, with discord.py and its own waiting for limits; Discord, the worker and time are simulated, so the numbers
are the same on every machine. A wait runs from the last step until Discord has the picture.
"""

import argparse
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from simulation.busy_channel import NEVER, Load, watch
from simulation.seeds import prepared

LOADS = {"5 s a picture": 0.25, "30 s a picture": 1.5, "2 min a picture": 6.0}


def main() -> None:
    """Read the options, simulate, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=20)
    options = parser.parse_args()
    print("| Worker, four at once | Progress is shown | Pictures | p50 | p95 | worst | Progress edits a minute |")
    print("|---|---|---|---|---|---|---|")
    with prepared() as start:
        for name, step_seconds in LOADS.items():
            for shown, edit_seconds in (("no", NEVER), ("yes", 3.0)):
                load = Load(jobs=options.jobs, step_seconds=step_seconds)
                seen = [watch(seed, start, load, edit_seconds) for seed in range(options.seeds)]
                show(name, shown, seen)


def show(name: str, shown: str, seen: list) -> None:
    """Print a row."""
    waits = [seconds for edits in seen for seconds in edits.waits]
    minutes = sum(max(edits.posted.values()) - min(edits.painted.values()) for edits in seen) / 60
    spread = [statistics.median(waits), statistics.quantiles(waits, n=20)[18], max(waits)]
    times = " | ".join(f"{seconds:.2f} s" for seconds in spread)
    rate = sum(len(edits.progress) for edits in seen) / minutes
    print(f"| {name} | {shown} | {len(waits)} | {times} | {rate:.1f} |", flush=True)


if __name__ == "__main__":
    main()
