"""More ways of saying how a checkpoint predicts: kind B of the cases from the field, and its neighbours."""

import json
import os

import pytest
import torch
from helpers.small_checkpoints import UNET, VAE, make_checkpoint, make_lora, make_vae, save

from pastelbot.diffusion.weights.files import read_file, read_scheduler
from pastelbot.errors import CheckpointError
from pastelbot.formats.layout.checking import ema_name
from pastelbot.formats.layout.prediction import described, prediction_of
from pastelbot.workshop.folders import open_reference
from pastelbot.workshop.inspection import inspect_path
from pastelbot.workshop.recipes.recipe import single_step
from pastelbot.workshop.recipes.runner import run_recipe

WHOLE = make_checkpoint()
V = WHOLE | {"v_pred": torch.tensor([])}
FLOW = '{model: {params: {"parameterization": "v"}}}'
V_YAML = "model:\n  params:\n    parameterization: v\n"
ONETRAINER = {
    "ot_config": json.dumps({"force_v_prediction": True, "rescale_noise_scheduler_to_zero_terminal_snr": True})
}


def run(operation, out, **table):
    run_recipe(single_step("it", {"operation": operation, **table}, out))
    return out


def file(folder, *, name="a.safetensors", tensors=WHOLE, metadata=None, beside=None, content=V_YAML):
    path = save(tensors, folder / name, metadata)
    if beside is not None:
        (folder / beside).write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


SAID = {
    "YAML with one capital": ({"beside": "a.Yaml"}, "v_prediction"),
    "the short ending with one capital": ({"beside": "a.safetensors.Yml"}, "v_prediction"),
    "YAML with a tag": ({"beside": "a.yaml", "content": V_YAML.replace(": v", ": !!str v")}, "v_prediction"),
    "YAML with a tag and quotes": (
        {"beside": "a.yaml", "content": V_YAML.replace(": v", ": !!str 'v'")},
        "v_prediction",
    ),
    "YAML with an anchor": ({"beside": "a.yaml", "content": V_YAML.replace(": v", ": &p v")}, "v_prediction"),
    "no betas given": ({"beside": "a.yaml", "content": f"{V_YAML}    given_betas: null\n"}, "v_prediction"),
    "betas given": (
        {"beside": "a.yaml", "content": "params:\n  given_betas: [0.1, 2e-1,\n    0.3]\n  timesteps: 1000\n"},
        "epsilon, betas of its own, num_train_timesteps 3",
    ),
    "betas given in lines": (
        {"beside": "a.yaml", "content": "params:\n  given_betas:\n  - 0.1\n  - 0.2\n  parameterization: v\n"},
        "v_prediction, betas of its own, num_train_timesteps 2",
    ),
    "YAML in capitals": ({"beside": "a.YAML"}, "v_prediction"),
    "YAML's short ending in capitals": ({"beside": "a.YML"}, "v_prediction"),
    "YAML with a mark": ({"beside": "a.yaml", "content": V_YAML.encode("utf-8-sig")}, "v_prediction"),
    "YAML in UTF-16": ({"beside": "a.yaml", "content": V_YAML.encode("utf-16")}, "v_prediction"),
    "YAML set in by tabs": ({"beside": "a.yaml", "content": V_YAML.replace("  ", "\t")}, "v_prediction"),
    "YAML in one line": ({"beside": "a.yaml", "content": FLOW}, "v_prediction"),
    "YAML in JSON": (
        {"beside": "a.yaml", "content": FLOW.replace("model", '"model"')},
        "v_prediction",
    ),
    "YAML that says it first": ({"beside": "a.yaml", "content": "parameterization: v"}, "v_prediction"),
    "YAML behind a name with a dot": ({"name": "a.b.safetensors", "beside": "a.b.yaml"}, "v_prediction"),
    "YAML behind the file's whole name": ({"beside": "a.safetensors.yaml"}, "v_prediction"),
    "zero terminal SNR in other words": (
        {"beside": "a.yaml", "content": f"{V_YAML}    zero_terminal_snr: true\n"},
        "v_prediction, zero terminal SNR",
    ),
    "YAML of another file": ({"beside": "b.yaml"}, "epsilon"),
    "another word for v": ({"metadata": {"modelspec.prediction_type": "v_pred"}}, "v_prediction"),
    "v as one word": ({"metadata": {"modelspec.prediction_type": "vpred"}}, "v_prediction"),
    "velocity": ({"metadata": {"modelspec.prediction_type": "velocity"}}, "v_prediction"),
    "diffusers' word": ({"metadata": {"modelspec.prediction_type": "v_prediction"}}, "v_prediction"),
    "an empty word": ({"metadata": {"modelspec.prediction_type": " "}}, "epsilon"),
    "OneTrainer's settings": ({"metadata": ONETRAINER}, "v_prediction, zero terminal SNR"),
    "OneTrainer's damaged settings": ({"metadata": {"ot_config": "{"}}, "epsilon"),
    "diffusers' name in YAML": (
        {"beside": "a.yaml", "content": "prediction_type: v_prediction\nzsnr: yes\n"},
        "v_prediction, zero terminal SNR",
    ),
    "diffusers' name as metadata": ({"metadata": {"prediction_type": "v_prediction"}}, "v_prediction"),
    "the key as metadata": ({"metadata": {"v_pred": "true"}}, "v_prediction"),
    "Stability's newer code": (
        {"beside": "a.yaml", "content": "target: sgm.modules.diffusionmodules.denoiser_scaling.VScaling"},
        "v_prediction",
    ),
    "Stability's newer code for epsilon": (
        {"beside": "a.yaml", "content": "target: sgm.modules.diffusionmodules.denoiser_scaling.EpsScaling"},
        "epsilon",
    ),
    "kohya's flag as a number": ({"metadata": {"ss_v_parameterization": "1"}}, "v_prediction"),
    "a flag that is not set": ({"metadata": {"v_pred": "False"}}, "epsilon"),
    "zero terminal SNR as metadata": (
        {"metadata": {"ztsnr": "true", "v_pred": "true"}},
        "v_prediction, zero terminal SNR",
    ),
    "diffusers' zero terminal SNR as metadata": (
        {"metadata": {"rescale_betas_zero_snr": "True"}},
        "epsilon, zero terminal SNR",
    ),
    "a flag in quotes": (
        {"metadata": {"pastelbot.scheduler": '{"rescale_betas_zero_snr": "false", "beta_start": "0.00085"}'}},
        "epsilon",
    ),
    "no word": ({"metadata": {"modelspec.prediction_type": "None"}}, "epsilon"),
    "empty quotes": ({"metadata": {"modelspec.prediction_type": "", "prediction_type": '""'}}, "epsilon"),
    "no word beside a key": (
        {"metadata": {"modelspec.prediction_type": "null"}, "tensors": V},
        "v_prediction",
    ),
    "a word in quotes": ({"metadata": {"modelspec.prediction_type": '"v"'}}, "v_prediction"),
    "no word in YAML": (
        {"beside": "a.yaml", "content": "parameterization: null\nzsnr: true"},
        "epsilon, zero terminal SNR",
    ),
    "a key with numbers": ({"tensors": WHOLE | {"v_pred": torch.ones(1)}}, "v_prediction"),
}


@pytest.mark.parametrize("name", SAID)
def test_it_is_read_and_told(name, tmp_path):
    options, words = SAID[name]
    path = file(tmp_path, **options)

    assert words == inspect_path(path).facts["predicts"]
    assert read_file(path).prediction_type == words.split(",")[0]


REFUSED = {
    "EDM": ({"tensors": WHOLE | {"edm_vpred.sigma_max": torch.ones(1)}}, "predicts 'edm_v'"),
    "flow": ({"metadata": {"modelspec.prediction_type": "flow-matching"}}, "predicts 'flow-matching'"),
    "EDM in Stability's newer code": (
        {"beside": "a.yaml", "content": "target: sgm.modules.diffusionmodules.denoiser_scaling.EDMScaling"},
        "predicts 'EDMScaling'",
    ),
    "a web page beside it": ({"beside": "a.yaml", "content": "<!DOCTYPE html><html>404</html>"}, "is a web page"),
    "a pointer beside it": (
        {"beside": "a.yaml", "content": "version https://git-lfs.github.com/spec/v1\noid sha256:a\n"},
        "is a pointer of Git LFS",
    ),
    "an archive beside it": ({"beside": "a.yaml", "content": b"PK\x03\x04aaaa"}, "is an archive"),
    "zeros beside it": ({"beside": "a.yaml", "content": bytes(99)}, "is nothing but zeros"),
    "two metadata": (
        {"metadata": {"modelspec.prediction_type": "v", "prediction_type": "epsilon"}},
        "of prediction_type both 'v_prediction' and 'epsilon'",
    ),
    "our metadata damaged": ({"metadata": {"pastelbot.scheduler": "[1]"}}, "they are no table in JSON"),
    "half a timestep": (
        {"metadata": {"pastelbot.scheduler": '{"num_train_timesteps": 999.5}'}},
        "num_train_timesteps is 999.5, not a whole number",
    ),
    "betas as a text": (
        {"metadata": {"pastelbot.scheduler": '{"trained_betas": "abc"}'}},
        "trained_betas is 'abc', not a list of numbers",
    ),
    "a flag that is none": (
        {"metadata": {"pastelbot.scheduler": '{"rescale_betas_zero_snr": "perhaps"}'}},
        "rescale_betas_zero_snr is 'perhaps', not true or false",
    ),
    "no timesteps": ({"beside": "a.yaml", "content": "timesteps: 0"}, "cannot be: it has betas"),
    "one timestep": ({"beside": "a.yaml", "content": "timesteps: 1"}, "cannot be: it has betas"),
    "countless timesteps": ({"beside": "a.yaml", "content": "timesteps: 999999999"}, "cannot be: it has betas"),
    "a beta below zero": ({"beside": "a.yaml", "content": "linear_start: -1"}, "cannot be: it has betas"),
    "a beta above one": ({"beside": "a.yaml", "content": "linear_end: 1.2"}, "cannot be: it has betas"),
    "a beta that is no number": ({"beside": "a.yaml", "content": "linear_start: nan"}, "nan, no number"),
    "another noise schedule": ({"beside": "a.yaml", "content": "beta_schedule: cosine"}, "noise schedule 'cosine'"),
    "betas that are no list": (
        {"beside": "a.yaml", "content": "given_betas: betas.npy"},
        "has given_betas: betas.npy, no list",
    ),
    "betas above one": ({"beside": "a.yaml", "content": "given_betas: [0.1, 1.5]"}, "cannot be: it has betas"),
    "a sample in YAML": ({"beside": "a.yaml", "content": V_YAML.replace(" v", " x0")}, "predicts 'sample'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_painted_is_refused_by_name(name, tmp_path):
    options, words = REFUSED[name]
    path = file(tmp_path, **options)

    with pytest.raises(CheckpointError, match=words):
        read_file(path)
    assert words in " ".join(inspect_path(path).problems)


@pytest.mark.parametrize(
    "table",
    [torch.zeros(1000), torch.ones(1000, dtype=torch.long), torch.full((2, 2), 0.5)],
    ids=["zeros", "whole numbers", "a square"],
)
def test_a_table_that_is_no_schedule_is_left_out_and_told(table, tmp_path):
    found = inspect_path(file(tmp_path, tensors=WHOLE | {"alphas_cumprod": table}))

    assert found.facts["predicts"] == "epsilon"
    assert "its table alphas_cumprod, which is no noise schedule" in found.facts["not used"]
    assert "not used" not in inspect_path(file(tmp_path)).facts


@pytest.mark.parametrize("word", ["v", "v-prediction", "V_PREDICTION", "velocity"])
def test_a_folder_may_say_it_in_other_words(word):
    assert prediction_of("it", {"prediction_type": word}) == "v_prediction"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "FlowMatchEulerDiscreteScheduler",
            "EDMEulerScheduler",
            "CosineDPMSolverMultistepScheduler",
            "UnCLIPScheduler",
        ),
        *("ScoreSdeVeScheduler", "KarrasVeScheduler", "VQDiffusionScheduler", "CMStochasticIterativeScheduler"),
        *("AmusedScheduler", "DDPMWuerstchenScheduler"),
    ],
)
def test_a_folders_scheduler_of_another_family_is_refused_by_name(name):
    with pytest.raises(CheckpointError, match=name):
        prediction_of("it", {"_class_name": name})


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Return a diffusers folder, whose scheduler the tests change."""
    folder = tmp_path_factory.mktemp("saved")
    return run("convert", folder / "it", source=str(file(folder)))


def scheduler_of(saved, content):
    (saved / "scheduler" / "scheduler_config.json").write_bytes(
        content if isinstance(content, bytes) else json.dumps(content).encode()
    )
    return read_scheduler(saved)


V_JSON = json.dumps({"prediction_type": "v_prediction"})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"prediction_type": None, "trained_betas": [], "beta_schedule": None, "beta_start": None}, "epsilon"),
        ({"rescale_betas_zero_snr": "false"}, "epsilon"),
        ({"rescale_betas_zero_snr": "true"}, "epsilon, zero terminal SNR"),
        ({"rescale_betas_zero_snr": 1}, "epsilon, zero terminal SNR"),
        ({"num_train_timesteps": "1000", "beta_end": "0.012"}, "epsilon"),
        ({"num_train_timesteps": 500.0}, "epsilon, num_train_timesteps 500"),
        (V_JSON.encode("utf-8-sig"), "v_prediction"),
        (V_JSON.encode("utf-16"), "v_prediction"),
    ],
)
def test_a_folders_scheduler_is_read_as_it_is_meant(saved, content, words):
    assert described(scheduler_of(saved, content)) == words


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b'{\n"a": 1,}', "it is not valid JSON: see line 2"),
        (b"\x81\x82", "it is not text in UTF-8 or UTF-16"),
        (b"<!DOCTYPE html>", "it is a web page"),
        (b"version https://git-lfs.github.com/spec/v1", "it is a pointer of Git LFS"),
        (bytes(50), "it is nothing but zeros"),
        ({"trained_betas": {"a": 1}}, "trained_betas is {'a': 1}, not a list of numbers"),
        ({"trained_betas": [0.1, None]}, "not a list of numbers"),
        ({"num_train_timesteps": True}, "num_train_timesteps is True, not a whole number"),
        ({"beta_start": "low"}, "beta_start is 'low', not a number"),
        ({"rescale_betas_zero_snr": "perhaps"}, "not true or false"),
    ],
)
def test_a_folders_scheduler_that_cannot_be_is_refused_in_words(saved, content, words):
    with pytest.raises(CheckpointError) as raised:
        scheduler_of(saved, content)

    assert words in str(raised.value)


def smoothed(tensors):
    return {name: it for name, it in tensors.items() if not name.startswith(UNET)} | {
        ema_name(name): it for name, it in tensors.items() if name.startswith(UNET)
    }


def operations(folder):
    """Return steps, by name, that make a checkpoint of one or several that predict v."""
    v = str(file(folder, name="v.safetensors", tensors=V))
    bare = str(file(folder, name="n.safetensors", tensors={k: it for k, it in V.items() if not k.startswith(VAE)}))
    ema = str(file(folder, name="e.safetensors", tensors=smoothed(V)))
    lora = str(save(make_lora(), folder / "l.safetensors"))
    vae = str(save(make_vae(), folder / "vae.safetensors"))
    return {
        "vae-bake": {"base": bare, "vae": vae},
        "lora-merge": {"base": v, "loras": [{"file": lora, "weight": 1}]},
        "add-difference": {"a": v, "b": v, "c": v},
        "block-merge": {"a": v, "b": v, "weights": ",".join(["0.5"] * 25)},
        "weighted-sum": {"a": v, "b": v, "weight": 0.5},
        "convert": {"source": v, "precision": "fp16"},
        "convert of EMA weights": {"source": ema, "ema": "use"},
    }


NAMES = [
    "vae-bake", "lora-merge", "add-difference", "block-merge", "weighted-sum", "convert", "convert of EMA weights",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("out", ["o.safetensors", "o"])
def test_every_operation_carries_it(name, out, tmp_path):
    made = run(name.partition(" ")[0], tmp_path / out, **operations(tmp_path)[name])

    assert inspect_path(made).facts["predicts"] == "v_prediction"


@pytest.mark.parametrize(("operation", "table"), [
    ("add-difference", {"a": "v", "b": "v", "c": "e"}),
    ("add-difference", {"a": "v", "b": "e", "c": "e"}),
    ("block-merge", {"a": "e", "b": "v", "weights": ",".join(["0.5"] * 25)}),
    ("lora-extract", {"original": "e", "tuned": "v", "rank": 2}),
])  # fmt: skip
def test_no_operation_mixes(operation, table, tmp_path):
    places = {"v": str(file(tmp_path, name="v.safetensors", tensors=V)), "e": str(file(tmp_path))}

    with pytest.raises(CheckpointError, match="they cannot be mixed"):
        run(operation, tmp_path / "o.safetensors", **{key: places.get(value, value) for key, value in table.items()})


def test_a_pipe_beside_it_is_refused(tmp_path):
    path = file(tmp_path)
    os.mkfifo(tmp_path / "a.yaml")

    with pytest.raises(CheckpointError, match=r"a\.yaml is a pipe"):
        read_file(path)


def test_a_pickled_file_says_it_by_its_key_too(tmp_path):
    torch.save({"state_dict": V}, tmp_path / "a.ckpt")

    assert read_file(tmp_path / "a.ckpt").prediction_type == "v_prediction"
    assert open_reference(tmp_path / "a.ckpt").scheduler == {"prediction_type": "v_prediction"}
