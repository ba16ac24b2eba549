"""Measure fairness: a small job beside another user's four large ones, and how right the shown times are.

    .venv/bin/python benchmarks/fairness.py [--turns 3] [--seeds 4] [--large 256] [--steps 20]

The first part paints with the bundled checkpoint, step by step, as the worker does; the second simulates mixed loads
with the real queue and a worker of numbers, so it prints the same on every machine.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from helpers.queue_simulation import Simulation, all_at_once, errors, one_by_one

from pastelbot.diffusion.checkpoint import loading
from pastelbot.diffusion.checkpoint.checkpoint import Checkpoint
from pastelbot.diffusion.engine.engine import Engine
from pastelbot.diffusion.engine.pool import EnginePool
from pastelbot.records import GenerationRequest, HiresFix, Painted

CHECKPOINT = Path(__file__).parents[1] / "pastelbot" / "data" / "checkpoint"
SMALL = GenerationRequest(prompt="1girl, smile", width=128, height=128)
MOST = 0.3  # how wrong a time may be


def open_pool(checkpoint: Checkpoint) -> EnginePool:
    """Return an engine of four slots."""
    return EnginePool("default", checkpoint, load=lambda _name: checkpoint, make=Engine, in_memory=1, slots=4)


def paint_small(pool: EnginePool, *, owner: int, steps: int) -> float:
    """Admit the small job and return the seconds until it is painted."""
    started = time.perf_counter()
    pool.admit("small", SMALL.replace(steps=steps), owner=owner)
    while not any(isinstance(event, Painted) and event.job_id == "small" for event in pool.step()):
        pass
    return time.perf_counter() - started


def measure_engine(turns: int, large: int, steps: int) -> None:
    """Print the seconds of a small job alone, beside another user's four large ones, and beside one's own four."""
    torch.set_num_threads(1)
    checkpoint = loading.load(str(CHECKPOINT), device="cpu")
    hires = HiresFix(width=large, height=large, steps=steps)
    request = SMALL.replace(width=large // 2, height=large // 2, steps=steps, hires=hires)
    for name, owner in (("alone", None), ("beside another user's four large ones", 2), ("beside one's own four", 1)):
        seconds, longer = [], []
        for _ in range(turns):
            pool = open_pool(checkpoint)
            for number in range(0 if owner is None else 4):
                pool.admit(f"large{number}", request.replace(seed=number), owner=1)
            if owner is not None:
                for _step in range(steps + 5):  # into the second pass
                    started = time.perf_counter()
                    pool.step()
                longer.append(time.perf_counter() - started)
            seconds.append(paint_small(pool, owner=owner or 2, steps=steps))
        step = f"; a step of the four: {statistics.median(longer):.2f} s" if longer else ""
        print(f"small job {name}: {statistics.median(seconds):.2f} s{step}")


def measure_forecasts(seeds: int) -> None:
    """Print how wrong the times are that waiting users are shown at first."""
    for users, jobs in ((1, 20), (3, 20), (8, 40), (30, 60)):
        visits = [Simulation(all_at_once(seed, users=users, jobs=jobs)).run() for seed in range(seeds)]
        show(f"{jobs} jobs of {users} users at once", [error for each in visits for error in errors(each)])
    for rate in (0.06, 0.1, 0.13):
        loads = [one_by_one(seed, users=12, seconds=1500, a_second=rate) for seed in range(seeds)]
        visits = [Simulation(load).run() for load in loads]
        show(f"{rate} jobs a second of 12 users", [error for each in visits for error in errors(each)])


def show(name: str, found: list[float]) -> None:
    """Print the distribution of errors."""
    tenth = statistics.quantiles(found, n=10)[-1]
    within = sum(error <= MOST for error in found) / len(found)
    print(f"{name}: median {statistics.median(found):.0%}, 90 % within {tenth:.0%}, {within:.0%} within {MOST:.0%}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--large", type=int, default=256)
    parser.add_argument("--steps", type=int, default=20)
    options = parser.parse_args()
    measure_engine(options.turns, options.large, options.steps)
    measure_forecasts(options.seeds)


if __name__ == "__main__":
    main()
