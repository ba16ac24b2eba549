"""How a checkpoint predicts: read from every place where people keep it, carried through the workshop, never lost."""

import json

import pytest
import torch
from helpers.small_checkpoints import make_checkpoint, save

from pastelbot.cli.options import load_settings
from pastelbot.config import CheckpointSettings, MoreCheckpointSettings, WorkerOptions
from pastelbot.diffusion.engine.factory import load_checkpoint
from pastelbot.diffusion.sampling.schedules import ModelSigmas, sigmas_of
from pastelbot.diffusion.weights.files import read_file
from pastelbot.errors import CheckpointError
from pastelbot.formats.layout.prediction import described, stated_scheduler
from pastelbot.workshop.folders import open_reference
from pastelbot.workshop.inspection import inspect_path
from pastelbot.workshop.recipes.recipe import single_step
from pastelbot.workshop.recipes.runner import run_recipe

WHOLE = make_checkpoint()
KEY = torch.tensor([])
V_YAML = 'model:\n  target: ldm.models.diffusion.ddpm.LatentDiffusion\n  params:\n    parameterization: "v"\n'
EPS_YAML = "model:\n  params:\n    linear_start: 0.00085\n    linear_end: 0.0120\n    timesteps: 1000\n"


def write(folder, *, name="a", keys=(), metadata=None, yaml=None, suffix=".yaml"):
    path = save(WHOLE | dict.fromkeys(keys, KEY), folder / f"{name}.safetensors", metadata)
    if yaml is not None:
        path.with_suffix(suffix).write_text(yaml, encoding="utf-8")
    return path


def run(operation, out, **table):
    run_recipe(single_step("it", {"operation": operation, **table}, out))
    return out


SAID = [
    ({}, "epsilon"),
    ({"yaml": EPS_YAML}, "epsilon"),
    ({"yaml": EPS_YAML.replace("0.0120", "0.02")}, "epsilon, beta_end 0.02"),
    ({"keys": ["v_pred"]}, "v_prediction"),
    ({"keys": ["v_pred", "ztsnr"]}, "v_prediction, zero terminal SNR"),
    ({"keys": ["ztsnr"]}, "epsilon, zero terminal SNR"),
    ({"yaml": V_YAML}, "v_prediction"),
    ({"yaml": V_YAML, "suffix": ".yml"}, "v_prediction"),
    ({"yaml": V_YAML.replace('"v"', "v  # velocity")}, "v_prediction"),
    ({"yaml": V_YAML.replace('"v"', "'v'")}, "v_prediction"),
    ({"yaml": V_YAML.replace("\n", "\r\n")}, "v_prediction"),
    ({"yaml": V_YAML + "    zero_snr: true\n"}, "v_prediction, zero terminal SNR"),
    ({"yaml": V_YAML.replace('"v"', '"eps"')}, "epsilon"),
    ({"yaml": "# parameterization: v\n"}, "epsilon"),
    ({"metadata": {"modelspec.prediction_type": "v"}}, "v_prediction"),
    ({"metadata": {"modelspec.prediction_type": "epsilon"}}, "epsilon"),
    ({"metadata": {"ss_v_parameterization": "True"}}, "v_prediction"),
    (
        {"metadata": {"ss_zero_terminal_snr": "True", "modelspec.prediction_type": "v"}},
        "v_prediction, zero terminal SNR",
    ),
    ({"metadata": {"modelspec.prediction_type": "v"}, "yaml": V_YAML, "keys": ["v_pred"]}, "v_prediction"),
]


@pytest.mark.parametrize(("said", "words"), SAID, ids=str)
def test_every_place_is_read_and_told(said, words, tmp_path):
    path = write(tmp_path, **said)

    weights = read_file(path)

    assert weights.prediction_type == words.split(",")[0]
    assert inspect_path(path).facts["predicts"] == words


@pytest.mark.parametrize(("said", "words"), SAID[2:8], ids=str)
@pytest.mark.parametrize("form", ["file", "folder", "merge", "folder and back"])
def test_the_workshop_carries_it(form, said, words, tmp_path):
    path = write(tmp_path, **said)
    other = write(tmp_path, name="b", **said)
    if form == "merge":
        out = run("weighted-sum", tmp_path / "m.safetensors", a=str(path), b=str(other), weight=0.5)
    else:
        out = run("convert", tmp_path / ("c.safetensors" if form == "file" else "c"), source=str(path))
    if form == "folder and back":
        out = run("convert", tmp_path / "back.safetensors", source=str(out))

    assert inspect_path(out).facts["predicts"] == words
    assert open_reference(out).scheduler.get("prediction_type", "epsilon") == words.split(",")[0]


def alphas_of(scheduler):
    return sigmas_of("it", scheduler).alphas_cumprod


ALPHAS = {
    "usual": (alphas_of({}), "epsilon"),
    "usual in half precision": (alphas_of({}).half(), "epsilon"),
    "rescaled": (alphas_of({"rescale_betas_zero_snr": True}), "epsilon, betas of its own"),
    "another end": (alphas_of({"beta_end": 0.02}), "epsilon, betas of its own"),
    "fewer": (alphas_of({"num_train_timesteps": 500}), "epsilon, betas of its own, num_train_timesteps 500"),
    "zero at the end": (torch.cat([alphas_of({})[:-1], torch.zeros(1)]), "epsilon, betas of its own"),
    "damaged": (torch.full((1000,), torch.nan), "epsilon"),
    "no schedule": (torch.linspace(0.1, 0.9, 1000), "epsilon"),
    "one number": (torch.tensor(0.5), "epsilon"),
}


@pytest.mark.parametrize("form", ["file", "folder", "merge"])
@pytest.mark.parametrize("name", ALPHAS)
def test_a_files_own_table_is_its_schedule(name, form, tmp_path):
    table, words = ALPHAS[name]
    path = save(WHOLE | {"alphas_cumprod": table}, tmp_path / "a.safetensors")
    out = {"file": "c.safetensors", "folder": "c", "merge": "m.safetensors"}[form]
    step = {"source": str(path)} if form != "merge" else {"a": str(path), "b": str(path), "weight": 0.5}

    carried = run("convert" if form != "merge" else "weighted-sum", tmp_path / out, **step)

    assert words == inspect_path(path).facts["predicts"] == inspect_path(carried).facts["predicts"]
    found = alphas_of(open_reference(carried).scheduler)
    expected = table.float() if "own" in words else alphas_of({})
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


def test_other_tables_are_not_mixed(tmp_path):
    a, b = (
        save(WHOLE | {"alphas_cumprod": alphas_of({"beta_end": end})}, tmp_path / f"{end}.safetensors")
        for end in (0.02, 0.03)
    )

    with pytest.raises(CheckpointError, match="they cannot be mixed"):
        run("weighted-sum", tmp_path / "m.safetensors", a=str(a), b=str(b), weight=0.5)


STATED_KEYS = {"prediction": "v_prediction", "zero_terminal_snr": True}
STATED = [
    ({}, {"prediction": "v_prediction"}, "v_prediction"),
    ({"keys": ["v_pred"]}, {"prediction": "epsilon"}, "epsilon"),
    ({"keys": ["v_pred"], "yaml": V_YAML.replace('"v"', '"eps"')}, {"prediction": "v_prediction"}, "v_prediction"),
    ({"yaml": V_YAML.replace('"v"', '"flow"')}, {"prediction": "epsilon"}, "epsilon"),
    ({}, {"zero_terminal_snr": True}, "epsilon, zero terminal SNR"),
    ({"keys": ["v_pred", "ztsnr"]}, {"zero_terminal_snr": False}, "v_prediction"),
    ({"keys": ["v_pred", "ztsnr"]}, {}, "v_prediction, zero terminal SNR"),
]


@pytest.mark.parametrize(("said", "keys", "words"), STATED, ids=str)
def test_what_the_operator_states_counts_before_the_file(said, keys, words, tmp_path):
    path = write(tmp_path, **said)
    stated = stated_scheduler(keys.get("prediction"), zero_terminal_snr=keys.get("zero_terminal_snr"))

    weights = read_file(path, stated=stated)

    assert words.split(",")[0] == weights.prediction_type
    assert words == described(weights.scheduler)


@pytest.mark.parametrize(("keys", "expected"), [({}, ("epsilon", 15)), (STATED_KEYS, ("v_prediction", 4519))])
@pytest.mark.parametrize("name", ["", "more"])
def test_the_configurations_keys_reach_the_engine(name, keys, expected):
    default, more = CheckpointSettings(path="bundled", **keys), MoreCheckpointSettings(path="bundled", **keys)

    loaded = load_checkpoint(WorkerOptions(checkpoint=default, checkpoints={"more": more}), name)

    assert expected == (loaded.prediction_type, round(loaded.sigmas.largest))


def test_another_checkpoint_on_the_command_line_is_not_what_was_stated(tmp_path):
    config = tmp_path / "config.toml"
    config.write_text('[checkpoint]\npath = "bundled"\nprediction = "v_prediction"\nzero_terminal_snr = true\n')

    own, another = (load_settings(config, checkpoint=other).checkpoint for other in (None, "other.safetensors"))

    assert (own.prediction, own.zero_terminal_snr) == ("v_prediction", True)
    assert (another.prediction, another.zero_terminal_snr) == (None, None)


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(("said", "words"), [SAID[2], SAID[3], SAID[5], SAID[6], SAID[14]], ids=str)
def test_what_predicts_otherwise_is_not_mixed(said, words, weight, tmp_path):
    a, b = write(tmp_path), write(tmp_path, name="b", **said)

    with pytest.raises(CheckpointError) as caught:
        run("weighted-sum", tmp_path / "m.safetensors", a=str(a), b=str(b), weight=weight)

    assert str(caught.value) == f"{a} predicts epsilon, {b} predicts {words}: they cannot be mixed."
    assert not (tmp_path / "m.safetensors").exists()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"yaml": V_YAML.replace('"v"', '"x0"')}, "predicts 'sample', which is not supported"),
        ({"yaml": V_YAML.replace('"v"', '"flow"')}, "predicts 'flow', which is not supported"),
        ({"metadata": {"modelspec.prediction_type": "flow"}}, "predicts 'flow', which is not supported"),
        ({"keys": ["v_pred"], "yaml": V_YAML.replace('"v"', '"eps"')}, "says of prediction_type both"),
        ({"keys": ["v_pred"], "metadata": {"modelspec.prediction_type": "epsilon"}}, "says of prediction_type both"),
        ({"metadata": {"pastelbot.scheduler": "{"}}, "has damaged metadata at pastelbot.scheduler"),
        ({"metadata": {"pastelbot.scheduler": "[]"}}, "has damaged metadata at pastelbot.scheduler"),
        ({"yaml": EPS_YAML.replace("0.0120", "much")}, "has linear_end: much, no number"),
    ],
    ids=str,
)
def test_what_cannot_be_painted_is_refused_and_a_problem(said, words, tmp_path):
    path = write(tmp_path, **said)

    with pytest.raises(CheckpointError) as caught:
        read_file(path)

    assert words in str(caught.value)
    assert words in " ".join(inspect_path(path).problems)


def test_a_folder_says_it_too(tmp_path):
    folder = run("convert", tmp_path / "folder", source=str(write(tmp_path, keys=["v_pred"])))
    config = folder / "scheduler" / "scheduler_config.json"
    found = json.loads(config.read_text())
    config.write_text(json.dumps(found | {"rescale_betas_zero_snr": True}))

    assert inspect_path(folder).facts["predicts"] == "v_prediction, zero terminal SNR"


def test_zero_terminal_snr_rescales_as_diffusers_does():
    from diffusers.schedulers.scheduling_ddim import rescale_zero_terminal_snr

    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    expected = torch.cumprod(1 - rescale_zero_terminal_snr(betas), 0)

    found = sigmas_of("it", {"rescale_betas_zero_snr": True}).alphas_cumprod

    torch.testing.assert_close(found[:-1].double(), expected[:-1], rtol=1e-5, atol=1e-9)
    assert 0 < found[-1] < 1e-7


def test_trained_betas_are_the_schedule():
    betas = [0.001 * number for number in range(1, 11)]

    found = sigmas_of("it", {"trained_betas": betas}).alphas_cumprod

    torch.testing.assert_close(found, torch.cumprod(1 - torch.tensor(betas), 0))
    assert len(ModelSigmas.scaled_linear().sigmas) == 1000


@pytest.mark.parametrize(
    "scheduler", [{"beta_start": "much"}, {"num_train_timesteps": None}, {"trained_betas": "many"}, {"beta_end": []}]
)
def test_a_schedule_that_cannot_be_read_is_refused(scheduler):
    with pytest.raises(CheckpointError, match="The noise schedule of it cannot be read"):
        sigmas_of("it", scheduler)
