"""What a device is like, as JSON on standard output: a program of its own for `pastelbot doctor`."""

import json
import sys
import time

import torch

from pastelbot.diffusion.checkpoint.devices import choose_device
from pastelbot.diffusion.networks.memory import machine_memory
from pastelbot.errors import CheckpointError

_SIZE = 1024
_TRIES = 8  # the first one loads libraries


def main() -> None:
    """Print a report on the device that the first argument names."""
    try:
        report = _report(choose_device(sys.argv[1]))
    except CheckpointError as error:
        report = {"error": str(error)}
    sys.stdout.write(json.dumps(report))


def _report(device: torch.device) -> dict[str, object]:
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        name, memory, driver = properties.name, properties.total_memory, f"CUDA {torch.version.cuda}"
    else:
        name, driver = f"{torch.get_num_threads()} threads", "none"
        memory = machine_memory()
    return {"device": str(device), "name": name, "memory": memory, "driver": driver, "flops": matrix_flops(device)}


def matrix_flops(device: torch.device) -> float:
    """Return the floating point operations a second of a matrix product, the fastest of a few."""
    matrix, seconds = torch.ones(_SIZE, _SIZE, device=device), []
    for _ in range(_TRIES):
        start = time.perf_counter()
        float((matrix @ matrix)[0, 0])
        seconds.append(time.perf_counter() - start)
    return float(2 * _SIZE**3 / max(min(seconds), 1e-6))
