"""Targets for a spawned child, in a module that the child can import: workers without torch."""

import os
import signal
import sys
import time

from helpers.fake_executors import painted_plain

from pastelbot.jobs.parent_watch import end_with_parent
from pastelbot.records import Cancel, Paint, Painted, PaintingCancelled, Progress, Stop, WorkerLost, WorkerReady


def obedient(connection, options):
    """Be ready; paint nothing at once, but "slow" only until it is cancelled, and die of "poison"."""
    connection.send(WorkerReady(device="cpu", checkpoint=options.checkpoint.path, checkpoint_hash="0"))
    while True:
        try:
            command = connection.recv()
        except EOFError:
            return
        match command:
            case Stop():
                return
            case Cancel(job_id=job_id):
                connection.send(PaintingCancelled(job_id=job_id))
            case Paint(job_id=job_id, request=request):
                connection.send(Progress(job_id=job_id, step=1, steps=2))
                if request.prompt == "poison":
                    os._exit(3)
                if request.prompt != "slow":
                    connection.send(Painted(job_id=job_id, pictures=(), seconds=0.0))


def unloadable(connection, _options):
    """Say why there is nothing to paint with, and end."""
    connection.send(WorkerLost(reason="The checkpoint is not there."))


def deaf(connection, options):
    """Be ready, then hear nothing: neither commands nor the end of the pipe."""
    connection.send(WorkerReady(device="cpu", checkpoint=options.checkpoint.path, checkpoint_hash="0"))
    time.sleep(3600)


def lingering(connection, options):
    """Be ready, close the pipe, and do not end."""
    connection.send(WorkerReady(device="cpu", checkpoint=options.checkpoint.path, checkpoint_hash="0"))
    connection.close()
    time.sleep(3600)


def talkative(_connection, _options):
    """Write more than is kept to standard error, then die of something."""
    sys.stderr.write("padding\n" * 2000)
    raise FileNotFoundError("No usable temporary directory")


def incomplete(_connection, _options):
    """Lack a package."""
    raise ModuleNotFoundError("No module named 'transformers'")


def short_of_memory(_connection, _options):
    """Be killed by the kernel while it loads."""
    os.kill(os.getpid(), signal.SIGKILL)


def stillborn(_connection, _options):
    """End without a word."""
    os._exit(3)


def watching_its_parent():
    """End with the parent by the way of other systems than Linux; print the process id first."""
    end_with_parent(platform="darwin")
    sys.stdout.write(f"{os.getpid()}\n")
    sys.stdout.flush()
    time.sleep(3600)


def steady(connection, options):
    """Take 0.1 s for each job, one after the other."""
    connection.send(WorkerReady(device="cpu", checkpoint=options.checkpoint.path, checkpoint_hash="0"))
    while not isinstance(command := connection.recv(), Stop):
        if isinstance(command, Paint):
            time.sleep(0.1)
            connection.send(Painted(job_id=command.job_id, pictures=(), seconds=0.1))


def drawing(connection, options):
    """Paint one plain picture a seed, at once."""
    connection.send(WorkerReady(device="cpu", checkpoint=options.checkpoint.path, checkpoint_hash="0"))
    while not isinstance(command := connection.recv(), Stop):
        if isinstance(command, Paint):
            connection.send(painted_plain(command.job_id, command.request))
