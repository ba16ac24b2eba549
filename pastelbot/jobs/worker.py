"""Worker process: owns torch and the device, knows no Discord and no database.

It may be killed at any time. An unexpected error ends it on purpose: the executor starts a fresh one, and the jobs
it had are painted again, each alone.
"""

import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from pastelbot.config import BUNDLED, WorkerOptions
from pastelbot.errors import PastelError
from pastelbot.jobs.heartbeat import Heartbeat
from pastelbot.records import Cancel, Event, Paint, PaintingFailed, Stop, WorkerLost, WorkerReady

if TYPE_CHECKING:
    from pastelbot.diffusion.engine.grid_engine import GridEngine, Painting

Target = Callable[[Connection, WorkerOptions], None]

_IDLE_SECONDS = 60.0  # until unused memory is given back


def main(connection: Connection, options: WorkerOptions) -> None:
    """Load the checkpoint, send WorkerReady, and paint until a Stop or the end of the bot process."""
    if threading.current_thread() is threading.main_thread():  # it is another one in an actor of a cluster
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the bot decides
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the bot process is gone
        try:
            engine, ready, give_back = _load(options, Heartbeat(connection))
        except PastelError as error:
            connection.send(WorkerLost(reason=str(error)))
            return
        connection.send(ready)
        serve(connection, engine, on_idle=give_back)


def serve(
    connection: Connection,
    engine: "Painting",
    *,
    on_idle: Callable[[], None] = lambda: None,
    idle_seconds: float = _IDLE_SECONDS,
) -> None:
    """Paint what the commands ask for, reading new ones between any two steps.

    `on_idle` is called once whenever there was nothing to do for `idle_seconds`.
    """
    while True:
        if engine.idle and not connection.poll(idle_seconds):
            on_idle()
        while connection.poll(None if engine.idle else 0):
            command: Paint | Cancel | Stop = connection.recv()
            if isinstance(command, Stop):
                return
            for event in _handle(command, engine):
                connection.send(event)
        for event in engine.step():
            connection.send(event)


def _handle(command: Paint | Cancel, engine: "Painting") -> list[Event]:
    if isinstance(command, Cancel):
        engine.cancel(command.job_id)
        return []
    try:
        engine.admit(command.job_id, command.request, owner=command.owner)
    except PastelError as error:
        return [PaintingFailed(job_id=command.job_id, reason=str(error))]
    return []


def _load(options: WorkerOptions, heartbeat: Heartbeat) -> tuple["GridEngine", WorkerReady, Callable[[], None]]:
    from pastelbot.diffusion.checkpoint.device_report import matrix_flops  # torch, only here
    from pastelbot.diffusion.engine import factory  # torch, only here, in the child
    from pastelbot.diffusion.networks.memory import give_back_memory  # the same

    engine, checkpoint = factory.make_engines(options, heartbeat.during)
    # The bundled checkpoint is made for CPUs.
    slow = checkpoint.device.type == "cpu" and options.checkpoint.path != BUNDLED
    ready = WorkerReady(
        device=str(checkpoint.device),
        checkpoint=checkpoint.name,
        checkpoint_hash=checkpoint.hash,
        flops=matrix_flops(checkpoint.device) if slow else None,
    )
    return engine, ready, partial(give_back_memory, checkpoint.device)
