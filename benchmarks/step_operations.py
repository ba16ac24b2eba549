"""Profile the steps of one picture: `python benchmarks/step_operations.py --device cuda [--json FILE] [--trace FILE]`.

Prints the operations that take the most time on the device, how much of the time the device computes, and how often
the program waits for it within the steps: never is the aim. Weights of Stable Diffusion 1.5's size, at random; with
`--bundled` the bundled checkpoint.
"""

import argparse
import time
from collections import Counter
from pathlib import Path
from typing import Any

import torch
from engine import random_checkpoint  # beside this file
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode

from pastelbot.cli.bench import Row, publish
from pastelbot.config import bundled_checkpoint
from pastelbot.diffusion.checkpoint import loading
from pastelbot.diffusion.checkpoint.devices import choose_device, device_name
from pastelbot.diffusion.engine.engine import Engine, paint_alone
from pastelbot.records import GenerationRequest

SHOWN = 12
SKIPPED = 2  # steps before those that are profiled
WAITING = {"aten._local_scalar_dense.default", "aten.equal.default", "aten.is_nonzero.default", "aten.nonzero.default"}


class HostReads(TorchDispatchMode):
    """Counts the operations for which the program waits for the device."""

    def __init__(self) -> None:
        """Begin with none."""
        super().__init__()
        self.found: Counter[str] = Counter()

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # noqa: ANN401
        """Count and call an operation."""
        result = function(*args, **(kwargs or {}))
        tensors = [each for each in args if isinstance(each, torch.Tensor)]
        moved = (
            isinstance(result, torch.Tensor)
            and result.device.type == "cpu"
            and any(each.device.type != "cpu" for each in tensors)
        )
        if moved or str(function) in WAITING:
            self.found[str(function)] += 1
        return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--bundled", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--trace", type=Path, help="also write the trace, for Perfetto")
    options = parser.parse_args()
    device = choose_device(options.device)
    checkpoint = (
        loading.load(str(bundled_checkpoint()), device=str(device)) if options.bundled else random_checkpoint(device)
    )
    engine = Engine(checkpoint)
    request = GenerationRequest(prompt="1girl", width=options.size, height=options.size, steps=options.steps + SKIPPED)
    paint_alone(engine, request)
    reads = HostReads()
    with reads:
        seconds = _steps(engine, request, device)
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if device.type == "cuda" else [])]
    with profile(activities=activities) as measured:
        _steps(engine, request, device)
    if options.trace:
        measured.export_chrome_trace(str(options.trace))
    averages = measured.key_averages()
    own = sorted(averages, key=lambda each: _microseconds(each, device), reverse=True)
    busy = sum(_microseconds(each, device) for each in averages)
    rows: list[Row] = [
        {
            "operation": each.key,
            "calls a step": each.count / options.steps,
            "share": _microseconds(each, device) / max(busy, 1),
        }
        for each in own[:SHOWN]
    ]
    facts = {
        "picture": f"{request.width}x{request.height}, {request.sampler}, {options.steps} steps looked at",
        "step (s), counted": f"{seconds / options.steps:.4g}",
        "waits for the device": ", ".join(f"{name} {count}" for name, count in reads.found.items()) or "none",
    }
    publish("operations", device_name(device), facts, rows, options.json)


def _steps(engine: Engine, request: GenerationRequest, device: torch.device) -> float:
    """Run the steps in the middle of a picture; return their seconds."""
    engine.admit("profiled", request)
    for _ in range(SKIPPED):
        engine.step()
    start = time.perf_counter()
    for _ in range(request.steps - SKIPPED - 1):  # the last one is looked at for invalid numbers
        engine.step()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    seconds = time.perf_counter() - start
    engine.cancel("profiled")
    engine.step()
    return seconds


def _microseconds(average: Any, device: torch.device) -> float:  # noqa: ANN401 - torch has no type for it
    return float(average.self_device_time_total if device.type == "cuda" else average.self_cpu_time_total)


if __name__ == "__main__":
    main()
