"""Ray relay: a child process that looks to the bot like a worker, whose work is done by an actor of a Ray cluster.

Ray ends the process that uses it where it loses its cluster, so it is never the bot's own.
"""

import logging
import socket
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from pastelbot import __version__
from pastelbot.config import WorkerOptions
from pastelbot.errors import PastelError, install_command
from pastelbot.jobs.executors.ray_actor import PaintingActor
from pastelbot.jobs.heartbeat import Heartbeat
from pastelbot.records import Stop, WorkerLost

_CONCURRENCY = 2  # a question for events, and a command
_REACHED_WITHIN = 10.0  # seconds
RAY_MISSING = f'Ray is not installed: {install_command("ray")}, or set worker.executor = "process"'
_INTERRUPTION = "⚠️ Painting is interrupted: the machines that paint cannot be reached."


class _ClusterError(PastelError):
    """The cluster or an actor of it cannot be used; the text says why and what to do."""


def main(connection: Connection, options: WorkerOptions, *, actor_class: type[PaintingActor] = PaintingActor) -> None:
    """Paint with an actor until a Stop, the end of the bot process, or the end of the actor."""
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the bot process is gone
        try:
            ray, actor = _actor(options, Heartbeat(connection), actor_class)
        except _ClusterError as error:
            connection.send(WorkerLost(reason=str(error), interruption=_INTERRUPTION))
            return
        threading.Thread(target=_hand_down, args=(connection, actor), daemon=True).start()
        _hand_up(connection, ray, actor)


def _actor(options: WorkerOptions, heartbeat: Heartbeat, actor_class: type[PaintingActor]) -> tuple[Any, Any]:
    """Return the Ray module and an actor that has begun; raises _ClusterError."""
    try:
        import ray  # an extra, and only here
    except ImportError as error:
        raise _ClusterError(RAY_MISSING) from error
    with heartbeat.during("Ray: waiting for an actor"):
        _connect(ray, options.ray.address)
        needs = {"num_gpus": options.ray.gpus, "num_cpus": options.ray.cpus, "max_concurrency": _CONCURRENCY}
        actor = ray.remote(**needs)(actor_class).remote()
        try:
            version = ray.get(actor.about.remote())
            _check_version(version)
            ray.get(actor.begin.remote(options))
        except ray.exceptions.RayError as error:
            raise _ClusterError(f"An actor of the Ray cluster cannot start: {_first_line(error)}") from error
    return ray, actor


def _connect(ray: Any, address: str) -> None:  # noqa: ANN401 - the module, which has no types here
    """Connect with the cluster. Ray itself would wait for minutes for a head that is not there."""
    try:
        host, colon, port = address.removeprefix("ray://").rpartition(":")
        if colon:
            socket.create_connection((host.strip("[]"), int(port)), timeout=_REACHED_WITHIN).close()
        ray.init(address=address, include_dashboard=False, log_to_driver=False, logging_level=logging.WARNING)
    except (OSError, RuntimeError, ValueError) as error:
        raise _ClusterError(
            f"The Ray cluster at {address} cannot be reached: {_first_line(error)}. Start it, or correct ray.address"
        ) from error


def _check_version(version: str) -> None:
    if version != __version__:
        raise _ClusterError(
            f"A node of the Ray cluster has Pastelbot {version}, the bot has {__version__}: install the same on all"
        )


def _hand_down(connection: Connection, actor: Any) -> None:  # noqa: ANN401 - Ray's handle
    """Carry commands to the actor."""
    with suppress(EOFError, OSError):
        while True:
            command = connection.recv()
            actor.send.remote(command)
            if isinstance(command, Stop):
                return


def _hand_up(connection: Connection, ray: Any, actor: Any) -> None:  # noqa: ANN401 - the same
    """Carry events to the bot until the actor has ended, or the worker in it."""
    while True:
        try:
            events = ray.get(actor.events.remote())
        except ray.exceptions.RayActorError as error:
            connection.send(WorkerLost(reason=f"An actor of the Ray cluster has ended: {_first_line(error)}"))
            return
        except ray.exceptions.RayError:  # the worker in the actor has stopped, and its pipe has ended
            return
        for event in events:
            connection.send(event)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200]
