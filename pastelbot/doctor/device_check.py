"""Check of the device: in a process of its own, because torch takes seconds and memory."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec

from pastelbot.config import BUNDLED, Settings
from pastelbot.doctor.finding import Finding, Level
from pastelbot.jobs.executors.ray_relay import RAY_MISSING
from pastelbot.rules.timing.device_speed import card_minutes

_PROGRAM = "from pastelbot.diffusion.checkpoint.device_report import main; main()"
_SECONDS = 120
_LITTLE = 4 * 2**30  # bytes that SD 1.x needs in half precision, with a picture
_SLOW_MINUTES = 2


def device_findings(settings: Settings) -> Iterator[Finding]:
    """Yield what painting would be like on each of the configured devices; those of a cluster are not asked."""
    if settings.worker.executor == "ray":
        yield _cluster_finding(settings)
        return
    for device in settings.worker.devices or (settings.checkpoint.device,):
        yield from _findings_of(device, small=settings.checkpoint.path == BUNDLED)


def _cluster_finding(settings: Settings) -> Finding:
    if find_spec("ray") is None:
        return Finding(level=Level.FAIL, what="device", text=RAY_MISSING)
    text = f"{settings.ray.actors} actors of the Ray cluster at {settings.ray.address} (not checked)"
    return Finding(level=Level.OK, what="device", text=text)


def _findings_of(device: str, *, small: bool) -> Iterator[Finding]:
    environment = {name: value for name, value in os.environ.items() if name != "PASTELBOT_TOKEN"}
    command = [sys.executable, "-c", _PROGRAM, device]
    try:
        answer = subprocess.run(  # noqa: S603 - our own interpreter and program
            command, capture_output=True, text=True, timeout=_SECONDS, env=environment, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        yield Finding(level=Level.FAIL, what="device", text=f"torch cannot be started: {error}")
        return
    if answer.returncode:
        last = answer.stderr.strip().rpartition("\n")[2]
        yield Finding(level=Level.FAIL, what="device", text=f"torch does not work here: {last}")
        return
    yield from judged(json.loads(answer.stdout), small=small)


def judged(report: dict[str, object], *, small: bool) -> Iterator[Finding]:
    """Yield the findings of a report of `diffusion.checkpoint.device_report`; `small` is the bundled checkpoint."""
    if "error" in report:
        yield Finding(level=Level.FAIL, what="device", text=str(report["error"]))
        return
    memory, flops = float(str(report["memory"])), float(str(report["flops"]))
    name = f"{report['device']} ({report['name']}), driver {report['driver']}"
    minutes = card_minutes(flops)
    if report["device"] == "cpu" and not small and minutes > _SLOW_MINUTES:
        text = (
            f"{name}: no GPU, a card picture takes about {minutes:.0f} minutes here. Install a driver and torch for "
            'your GPU, or set checkpoint.path = "bundled"'
        )
        yield Finding(level=Level.WARN, what="device", text=text)
    else:
        yield Finding(level=Level.OK, what="device", text=name)
    level = Level.WARN if memory < _LITTLE and not small else Level.OK
    cure = ": little for SD 1.x, large pictures may be refused" if level else ""
    yield Finding(level=level, what="memory", text=f"{memory / 2**30:.1f} GiB{cure}")
