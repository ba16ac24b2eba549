"""Each step of the training runs for a few iterations on made-up pictures and leaves what the next one needs."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from training import export, judge, latents, text, unet, vae
from training.captions import ACCESSORIES, Condition, Vocabulary, compose
from training.render import SCRIPT
from training.sampling import Painter, Settings, karras_sigmas, split_emphasis
from training.weight_averaging import WeightAveraging
from training.workspace import PICTURE_SETS, Label, Workspace, flat_then_cosine

TOKENIZER = Path(__file__).parents[2] / "pastelbot" / "data" / "checkpoint" / "tokenizer"
COUNT = 6

pytestmark = pytest.mark.long


def label(i: int) -> Label:
    """Return a plain label."""
    hair, ground = judge.QUESTIONS["hair"][i % 12], judge.QUESTIONS["background"][i % 11]
    tags = ["1girl", f"{hair} hair", f"{ground} background", "blue eyes", "red shirt", "long hair", "glasses"]
    return Label(
        tags=tags,
        hair=hair,
        background=ground,
        eye="blue",
        eyes="open",
        mouth="smile",
        eyewear="glasses",
        blush=False,
        style=False,
        shirt="red",
        shape="15",
        flower=False,
        bad=i == 3,
    )


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Return a workspace with noise for pictures."""
    if not TOKENIZER.exists():
        pytest.skip("the bundled checkpoint's tokenizer is missing")
    work = Workspace(tmp_path_factory.mktemp("training"))
    rng = np.random.default_rng(0)
    for pictures in PICTURE_SETS:
        rng.integers(0, 256, (COUNT, *pictures.shape, 3), np.uint8).tofile(work.path(f"{pictures.name}.rgb"))
        work.path(f"{pictures.name}.json").write_text(json.dumps([label(i) for i in range(COUNT)]))
    shutil.copytree(TOKENIZER, work.path("tokenizer"))
    return work


def test_the_chain_from_pictures_to_a_folder_that_paints(
    work: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """VAE, text encoder, latents and UNet train, resume and export to a folder of the SD 1.x layout."""
    torch.set_num_threads(1)
    for seconds in (0.2, 0.3):
        vae.train(work, vae.Options(seconds=seconds))
        text.train(work, seconds=seconds, seed=0)
    for name in latents.SPOILT:
        latents.run(work, name, 0)
    vae.train(work, vae.Options(seconds=0.2, decoder_only=True))
    unet.train(work, unet.Options(seconds=0.2, batch=4))
    monkeypatch.setattr(unet, "HIRES_FROM", 0)
    monkeypatch.setattr(unet, "HIRES_SHARE", 1)
    unet.train(work, unet.Options(seconds=0.5, batch=4))
    size = export.export(work, tmp_path / "checkpoint")
    picture = Painter(tmp_path / "checkpoint").paint(["1girl, (blush:1.3)"], [1], Settings(steps=2))

    assert size < 24_000_000
    assert picture.shape == (1, 128, 128, 3)


def test_the_judge_learns_and_answers_every_question(work: Workspace) -> None:
    """The judge trains on the same files and answers with words of QUESTIONS."""
    trained = judge.train(work, seconds=0.2, seed=0)
    answers = trained.look(work.pictures("h"))

    assert len(answers) == COUNT
    assert all(answers[0][name] in options for name, options in judge.QUESTIONS.items())


def test_whitened_latents_have_unit_variance() -> None:
    """Whitening makes mean 0, variance 1 and no correlation."""
    raw = np.random.default_rng(0).normal(3, 2, (64, 4, 8, 8)).astype(np.float16)
    raw[:, 1] += raw[:, 0]
    white = latents.whiten(raw, latents.whitening(raw)).transpose(0, 1).flatten(1)

    assert torch.allclose(torch.cov(white), torch.eye(4), atol=0.02)


def test_a_fresh_unet_predicts_its_input() -> None:
    """The UNet starts near epsilon = x_t."""
    model = unet.build()
    x = torch.randn(2, 4, 16, 16)
    predicted = model(x, torch.tensor([900, 500]), torch.randn(2, 77, text.HIDDEN)).sample

    assert float((predicted - x).detach().square().mean()) < 0.5


def test_a_fresh_vae_keeps_the_colours() -> None:
    """The VAE starts as an identity path: flat colours survive."""
    model = vae.build()
    pictures = torch.rand(8, 3, 1, 1).expand(8, 3, 64, 64) * 1.6 - 0.8
    vae.start_as_identity(model, pictures)
    restored = model.decode(vae.encode(model, pictures)).sample

    assert float((restored - pictures).detach().abs().mean()) < 0.25


def test_captions_drop_everything_at_times_and_weigh_accessories(work: Workspace) -> None:
    """A tenth of the captions is empty; spoilt pictures say so; only accessories are weighted."""
    rng = random.Random(0)
    tags = label(0)["tags"]
    captions = [compose(tags, Condition.CLEAN, rng) for _ in range(600)]
    empty = sum(not caption for caption in captions) / 600
    spoilt = {w.tag for _ in range(50) for w in compose(tags, Condition.DEGRADED, rng)}
    vocabulary = Vocabulary.of(work.path("tokenizer"), work.labels("a"))

    assert 0.06 < empty < 0.15
    assert "worst quality" in spoilt
    assert all(w.weight == 1 or w.tag in ACCESSORIES for caption in captions for w in caption)
    assert all(len(vocabulary.encode(caption, rng).rows) == 77 for caption in captions)


def test_weights_are_averaged_with_those_that_others_published(tmp_path: Path) -> None:
    """Two processes' weights meet in the middle; a process alone keeps its own."""
    first, second = torch.zeros(3), torch.ones(3)
    left = WeightAveraging(tmp_path, "w", [first], rank=0, world=2)
    right = WeightAveraging(tmp_path, "w", [second], rank=1, world=2)

    assert left.exchange() == 0
    assert right.exchange() == 1
    assert torch.allclose(second, torch.full((3,), 0.5))


def test_schedules() -> None:
    """The rate is flat, then falls; Karras sigmas fall to zero; emphasis is split."""
    assert flat_then_cosine(0.2, 0.5) == 1
    assert flat_then_cosine(1.0, 0.5) == pytest.approx(0.02)
    assert karras_sigmas(20)[0] == pytest.approx(14.6, abs=0.1)
    assert karras_sigmas(20)[-1] == 0
    assert split_emphasis("a, (b:1.4), c") == [("a, ", 1.0), ("b", 1.4), (", c", 1.0)]


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_rendering_writes_pictures_and_labels(tmp_path: Path) -> None:
    """The renderer writes whole pictures, the same for the same seed."""
    packages = next((p / "node_modules" for p in SCRIPT.parents if (p / "node_modules" / "@resvg").exists()), None)
    if packages is None:
        pytest.skip("the npm packages of training/README.md are not installed")
    (tmp_path / "node_modules").symlink_to(packages)
    for name in ("x", "y"):
        subprocess.run(
            [shutil.which("node") or "node", SCRIPT, name, "3", "64", "5", "portrait"], cwd=tmp_path, check=True
        )

    assert (tmp_path / "x.rgb").stat().st_size == 3 * 96 * 64 * 3
    assert (tmp_path / "x.rgb").read_bytes() == (tmp_path / "y.rgb").read_bytes()
    assert len(json.loads((tmp_path / "x.json").read_text())) == 3
