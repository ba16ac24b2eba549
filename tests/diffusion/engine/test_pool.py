"""Several checkpoints: loaded on demand, kept while they paint, and each with its own name in the infotext."""

import dataclasses
import json
import shutil
from contextlib import nullcontext

import pytest
import torch
from safetensors.torch import load_file, save_file

from pastelbot.config import CheckpointSettings, MoreCheckpointSettings, WorkerOptions
from pastelbot.diffusion.checkpoint import loading
from pastelbot.diffusion.engine.engine import Engine
from pastelbot.diffusion.engine.factory import load_checkpoint, make_engine, make_engines
from pastelbot.diffusion.engine.pool import EnginePool
from pastelbot.errors import CheckpointError, LimitError, NotFoundError, PaintingError
from pastelbot.records import CheckpointLoaded, GenerationRequest, Painted, PaintingCancelled, PaintingFailed

pytestmark = pytest.mark.long

REQUEST = GenerationRequest(prompt="1girl", width=64, height=64, steps=2, seed=5)


@pytest.fixture
def loads():
    return []


@pytest.fixture
def open_studio(small, loads):
    """Return a function that opens a studio whose checkpoints are the bundled one under other names."""

    def load(name):
        loads.append(name)
        if name == "broken":
            raise CheckpointError("it is cut short.")
        if name == "odd":
            raise KeyError("conv_in.weight")
        return dataclasses.replace(small, name=name, hash=name * 5)

    def open_it(in_memory=2, load=load):
        return EnginePool("default", small, load=load, make=Engine, in_memory=in_memory, slots=4)

    return open_it


def run(pool, **jobs):
    """Admit jobs and step until nothing is in flight; return all events."""
    for job_id, name in jobs.items():
        pool.admit(job_id, REQUEST.replace(checkpoint=name))
    events = []
    while not pool.idle:
        events += pool.step()
    return events


def painted(events):
    return {event.job_id: event.pictures[0] for event in events if isinstance(event, Painted)}


def test_each_job_gets_the_checkpoint_that_it_names(open_studio, loads):
    """The default one by either name; nothing is loaded twice."""
    pool = open_studio()
    events = run(pool, a="", b="a", c="default", d="a")

    models = {
        job_id: picture.infotext.partition("Model: ")[2].partition(",")[0]
        for job_id, picture in painted(events).items()
    }
    assert models == {"a": "pastelbot-lorelei", "b": "a", "c": "pastelbot-lorelei", "d": "a"}
    assert "Model hash: aaaaa" in painted(events)["b"].infotext
    assert loads == ["a"]
    assert [event for event in events if isinstance(event, CheckpointLoaded)] == [
        CheckpointLoaded(name="a", checkpoint="a", checkpoint_hash="aaaaa")
    ]


def test_the_one_used_longest_ago_leaves(open_studio, loads):
    pool = open_studio(in_memory=2)
    run(pool, a="a")
    run(pool, b="")
    run(pool, c="b")
    assert pool.loaded == ("default", "b")
    run(pool, d="a")

    assert pool.loaded == ("b", "a")
    assert loads == ["a", "b", "a"]


def test_one_that_paints_stays_and_others_wait_in_their_order(open_studio):
    """With room for one, the queue is painted in the order in which checkpoints come; no job is overtaken."""
    pool = open_studio(in_memory=1)
    events = run(pool, a="", b="a", c="", d="a")

    assert list(painted(events)) == ["a", "b", "c", "d"]
    assert pool.loaded == ("a",)


def test_jobs_of_two_checkpoints_advance_together(open_studio):
    pool = open_studio()
    events = run(pool, a="", b="a")
    steps = [event.job_id for event in events if hasattr(event, "step")]

    assert steps == ["a", "b", "a", "b"]


def test_a_job_that_waits_can_leave(open_studio):
    pool = open_studio(in_memory=1)
    pool.admit("a", REQUEST)
    pool.admit("b", REQUEST.replace(checkpoint="a"))
    pool.cancel("b")
    events = run(pool)

    assert PaintingCancelled(job_id="b") in events
    assert set(painted(events)) == {"a"}


@pytest.mark.parametrize(
    ("name", "words"), [("broken", "broken cannot be loaded: it is cut short"), ("odd", "damaged")]
)
def test_a_damaged_checkpoint_fails_its_job_alone(open_studio, name, words):
    pool = open_studio(in_memory=1)
    pool.admit("a", REQUEST)
    pool.admit("b", REQUEST.replace(checkpoint=name))
    events = run(pool, c="")

    assert set(painted(events)) == {"a", "c"}
    (failed,) = (event for event in events if isinstance(event, PaintingFailed))
    assert failed.job_id == "b"
    assert words in failed.reason
    with pytest.raises(PaintingError, match=words):
        pool.admit("d", REQUEST.replace(checkpoint=name))
    assert set(painted(run(pool, e=""))) == {"e"}


def test_a_job_that_is_wrong_is_refused_whether_it_waits_or_not(open_studio):
    pool = open_studio(in_memory=1)
    with pytest.raises(LimitError):
        pool.admit("a", REQUEST.replace(width=1))
    pool.admit("b", REQUEST)
    pool.admit("c", REQUEST.replace(width=1, checkpoint="a"))
    events = run(pool)

    assert [event.job_id for event in events if isinstance(event, PaintingFailed)] == ["c"]


def test_short_memory_lets_idle_checkpoints_leave(small, open_studio):
    def load(name):
        if "a" in pool.loaded:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return dataclasses.replace(small, name=name)

    pool = open_studio(in_memory=9, load=load)
    run(pool, a="a")
    run(pool, b="b")
    assert pool.loaded == ("b",)

    pool = open_studio(in_memory=9, load=load)
    run(pool, a="a")
    pool.admit("busy", REQUEST.replace(checkpoint="a"))
    with pytest.raises(PaintingError, match="does not fit into the memory"):
        pool.admit("b", REQUEST.replace(checkpoint="b"))
    assert set(painted(run(pool))) == {"busy"}


@pytest.fixture
def other(bundled, tmp_path):
    """Return a folder with a variation of the bundled checkpoint, and a VAE of its own in another."""
    shutil.copytree(bundled, tmp_path / "other")
    index = tmp_path / "other" / "model_index.json"
    index.write_text(json.dumps({**json.loads(index.read_text()), "_pastelbot_name": "variation"}), encoding="utf-8")
    for part, name in (("unet", "conv_in.bias"), ("vae", "decoder.conv_out.bias")):
        path = tmp_path / "other" / part / "diffusion_pytorch_model.safetensors"
        tensors = load_file(path)
        tensors[name] += 0.3
        save_file(tensors, path, {"format": "pt"})
    shutil.copytree(tmp_path / "other" / "vae", tmp_path / "soft")
    return tmp_path / "other"


def test_worker_paints_with_all_that_is_configured(bundled, other):
    """By name, a VAE too; the infotext says both with their hashes."""
    options = WorkerOptions(
        checkpoint=CheckpointSettings(path=str(bundled), device="cpu"),
        checkpoints={
            "other": MoreCheckpointSettings(path=str(other)),
            "with soft": MoreCheckpointSettings(path=str(bundled), vae="soft"),
        },
        vaes={"soft": str(other.parent / "soft"), "gone": "nowhere"},
    )

    def painted(checkpoint="", vae=""):
        engine = make_engine(options, load_checkpoint(options, checkpoint))
        engine.admit("a", REQUEST.replace(vae=vae))
        while True:
            for event in engine.step():
                if isinstance(event, Painted):
                    return event.pictures[0]

    default, named, soft, with_soft = painted(), painted("other"), painted(vae="soft"), painted("with soft")
    assert len({default.png, named.png, soft.png}) == 3
    assert soft.infotext == with_soft.infotext
    assert soft.png == with_soft.png
    assert "VAE" not in default.infotext
    assert f"Model hash: {loading.load(str(other), device='cpu').hash}, Model: variation" in named.infotext
    assert "VAE hash: " in soft.infotext
    assert "VAE: soft" in soft.infotext
    with pytest.raises(NotFoundError, match="checkpoint 'gone' is no longer here"):
        painted("gone")
    with pytest.raises(NotFoundError, match=r"no VAE 'hard'\. Known are soft, gone"):
        painted(vae="hard")
    with pytest.raises(PaintingError, match="VAE gone cannot be loaded"):
        painted(vae="gone")


def test_a_worker_paints_with_the_backend_that_is_configured(bundled, tmp_path):
    """What it compiles is kept in the configured folder."""
    pytest.importorskip("openvino", reason="the extra openvino is not installed")
    options = WorkerOptions(
        checkpoint=CheckpointSettings(path=str(bundled), device="cpu", backend="openvino"), compiled=tmp_path / "kept"
    )
    engines, _checkpoint = make_engines(options, lambda _what: nullcontext())

    pictures = []
    while not list(tmp_path.glob("kept/*.compiled")):
        engines.admit("a", REQUEST)
        while not engines.idle:
            pictures += [event for event in engines.step() if isinstance(event, Painted)]

    assert pictures
