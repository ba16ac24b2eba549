from multiprocessing import Pipe
from threading import Event

import pytest
from helpers.support import PATIENCE

from pastelbot.config import CheckpointSettings, MoreCheckpointSettings, WorkerOptions, bundled_checkpoint
from pastelbot.diffusion.checkpoint import loading
from pastelbot.diffusion.engine import factory
from pastelbot.errors import CheckpointError
from pastelbot.jobs.heartbeat import Heartbeat
from pastelbot.records import GenerationRequest, Loading


@pytest.fixture
def pipe():
    ours, theirs = Pipe()
    yield ours, theirs
    ours.close()
    theirs.close()


def hear(connection):
    assert connection.poll(PATIENCE)
    return connection.recv()


def test_heartbeats_repeat_the_last_report(pipe):
    ours, theirs = pipe
    with Heartbeat(theirs, every=0.01).during("Loading soft") as say:
        assert [Loading(what="Loading soft")] * 2 == [hear(ours), hear(ours)]
        say("Downloading: 1 of 2 MB")
        while hear(ours) != Loading(what="Downloading: 1 of 2 MB"):
            pass


def test_no_heartbeat_follows_the_end(pipe):
    ours, theirs = pipe
    with pytest.raises(CheckpointError), Heartbeat(theirs, every=0.01).during("Loading soft"):
        hear(ours)
        raise CheckpointError("It is damaged.")
    while ours.poll():
        ours.recv()

    assert not ours.poll(0.1)


def test_what_is_loaded_quickly_is_not_talked_about(pipe):
    ours, theirs = pipe
    with Heartbeat(theirs).during("Loading soft"):
        pass

    assert not ours.poll()


def test_a_bot_that_is_gone_breaks_no_loading():
    tried = Event()

    class Broken:
        def send(self, _event):
            tried.set()
            raise BrokenPipeError

    with Heartbeat(Broken(), every=0.01).during("Loading soft"):
        assert tried.wait(PATIENCE)


def test_another_checkpoint_is_loaded_with_signs_of_life(pipe, monkeypatch):
    """The job that asked for it is not taken for a crash, however long this takes."""
    ours, theirs = pipe
    bundled, heard = loading.load(str(bundled_checkpoint()), device="cpu"), []

    def load(_options, name="", on_progress=None):
        on_progress(f"Downloading {name}")
        while hear(ours) != Loading(what=f"Downloading {name}"):
            pass
        heard.append(name)
        return bundled

    monkeypatch.setattr(factory, "load_checkpoint", load)
    options = WorkerOptions(
        checkpoint=CheckpointSettings(path="bundled"), checkpoints={"soft": MoreCheckpointSettings(path="owner/soft")}
    )

    engines, _checkpoint = factory.make_engines(options, Heartbeat(theirs, every=0.01).during)
    engines.admit("job", GenerationRequest(prompt="1girl", width=64, height=64, steps=1, checkpoint="soft"))

    assert heard == ["", "soft"]
