"""Recipes: checked as a whole, run in one pass with the numbers of one command after the other."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from golden_merge.merge_cases import needed
from helpers.hub_double import running_hub, use_hub
from helpers.recipe_runs import CHAIN, EXTRACT, MERGE, assert_same, read, run_text
from helpers.small_checkpoints import make_checkpoint, make_lora, save
from safetensors import safe_open
from safetensors.torch import load_file

from pastelbot.config import CheckpointSettings
from pastelbot.errors import CheckpointError, RecipeError, WorkshopError
from pastelbot.formats.hashes import hash_file
from pastelbot.workshop import writing
from pastelbot.workshop.recipes.recipe import single_step
from pastelbot.workshop.recipes.runner import run_recipe

CARD = Path(__file__).parents[2] / "docs" / "recipes" / "pastel-mix.toml"

WRONG = [
    ("steps = 3", "has no steps"),
    ("step = 1", "unknown key 'step'. Did you mean steps"),
    ("[steps.x]\na = 1", "Step 'x' lacks the key 'operation'"),
    ('[steps.x]\noperation = "block-merg"', "there is no 'block-merg'. Did you mean block-merge"),
    (
        "[steps.x]\n" + MERGE + 'base_alfa = 1\noutput = "o.safetensors"',
        "unknown key 'base_alfa'. Did you mean base_alpha",
    ),
    ('[steps.x]\noperation = "weighted-sum"\na = "a"\nb = "b"', "Step 'x' lacks the key 'weight'"),
    ("[steps.x]\n" + MERGE.replace("0.5, ", "", 1), "Step 'x', key 'weights': There are 24 block weights"),
    ("[steps.x]\n" + MERGE.replace("0.5", '"a"', 1), "Step 'x', key 'weights': 'a' is not a number"),
    ("[steps.x]\n" + MERGE.replace("0.5", "nan", 1), "key 'weights': nan is not a number"),
    ("[steps.x]\n" + MERGE + 'precision = "fp8"', "Step 'x', key 'precision': there is no 'fp8'. Known are fp"),
    ("[steps.x]\n" + MERGE, "Step 'x' is neither used nor written. Add the key 'output'"),
    ("[steps.x]\n" + MERGE.replace("b.safe", "nowhere.safe"), "Step 'x', key 'b': 'nowhere.safetensors' is not"),
    ("[steps.mix]\n" + MERGE + "[steps.y]\n" + MERGE.replace('"a.safetensors"', '"mx"'), "Did you mean mix"),
    ("[steps.y]\n" + MERGE.replace("a.safetensors", "mix") + "[steps.mix]\n" + MERGE, "the step 'mix' comes later"),
    ("[steps.y]\n" + MERGE.replace("a.safetensors", "y"), "the step 'y' comes later"),
    ('[steps.l]\noperation = "lora-merge"\nbase = "a.safetensors"\nloras = []', "a list of tables"),
    (
        '[steps.l]\noperation = "lora-merge"\nbase = "a.safetensors"\nloras = [{ weight = 1 }]',
        "entry 1 lacks the key 'file'",
    ),
    (
        '[steps.l]\noperation = "lora-merge"\nbase = "a.safetensors"\nloras = [{ file = "x", wight = 1 }]',
        "unknown key 'wight'. Did you mean weight",
    ),
    (
        '[steps.e]\noperation = "lora-extract"\noriginal = "a.safetensors"\ntuned = "b.safetensors"\nrank = 0',
        "key 'rank': 0 is not a whole number",
    ),
    (
        "[steps.x]\n" + MERGE + 'output = "o.safetensors"\n[steps.y]\n' + MERGE + 'output = "o.safetensors"',
        "writes o.safe",
    ),
    ("[[steps", "is not valid TOML"),
]


@pytest.mark.parametrize(("text", "words"), WRONG, ids=[words[:40] for _text, words in WRONG])
def test_wrong_recipe_names_step_and_key(recipe_folder, text, words):
    """With the nearest valid one, before anything is read."""
    for path in recipe_folder.glob("*.safetensors"):
        path.write_bytes(b"not even looked at")
    with pytest.raises(RecipeError) as raised:
        read(recipe_folder, text)

    assert words in str(raised.value)


def test_extracted_lora_is_no_checkpoint(recipe_folder):
    """And the other way round."""
    with pytest.raises(RecipeError, match="gives a LoRA, but a checkpoint is needed"):
        read(recipe_folder, EXTRACT + "[steps.x]\n" + MERGE.replace("a.safetensors", "e"))


def test_one_pass_gives_the_numbers_of_separate_commands(recipe_folder):
    """Every step rounds to its own precision."""
    report = run_text(recipe_folder, CHAIN)
    tables = [
        {"operation": "block-merge", "a": "a", "b": "b", "weights": "0.5," * 24 + "0.5"},
        {
            "operation": "lora-merge",
            "base": "one",
            "loras": [
                {"file": str(recipe_folder / "lora1.safetensors"), "weight": 0.3},
                {"file": str(recipe_folder / "lora2.safetensors")},
            ],
        },
        {"operation": "add-difference", "a": "two", "b": "c", "c": "a", "weight": 0.5},
    ]
    for table, name in zip(tables, ("one", "two", "three"), strict=True):
        placed = {
            key: str(recipe_folder / f"{value}.safetensors") if len(key) == 1 or key == "base" else value
            for key, value in table.items()
        }
        run_recipe(single_step("step", placed, recipe_folder / f"{name}.safetensors"))

    assert [recipe_folder / "chain.safetensors"] == report.outputs
    assert_same(recipe_folder / "three.safetensors", recipe_folder / "chain.safetensors")


def test_step_that_is_used_twice_is_stored_once(recipe_folder):
    """In a temporary file, which is gone afterwards."""
    text = f"[steps.one]\n{MERGE}\n[steps.two]\n" + MERGE.replace("a.safetensors", "one").replace(
        "b.safetensors", "one"
    )
    before = {path.name for path in recipe_folder.iterdir()} | {"recipe.toml", "out.safetensors"}
    run_text(recipe_folder, text + 'output = "out.safetensors"')
    run_text(recipe_folder, "[steps.one]\n" + MERGE + 'output = "single.safetensors"')

    assert before | {"single.safetensors"} == {path.name for path in recipe_folder.iterdir()}
    assert_same(recipe_folder / "single.safetensors", recipe_folder / "out.safetensors")


def test_extracted_lora_can_be_merged_in_the_same_recipe(recipe_folder):
    """With full rank it is the whole difference of its layers."""
    text = EXTRACT.replace("rank = 2", 'rank = 99\nconv_rank = 99\nprecision = "fp32"')
    text += '[steps.x]\noperation = "lora-merge"\nbase = "a.safetensors"\nloras = [{ file = "e" }]\n'
    text += 'output = "o.safetensors"'
    run_text(recipe_folder, text)
    expected, actual = load_file(recipe_folder / "b.safetensors"), load_file(recipe_folder / "o.safetensors")
    name = "model.diffusion_model.input_blocks.1.0.in_layers.2.weight"

    torch.testing.assert_close(expected[name], actual[name], rtol=0, atol=2e-3)


def test_result_tells_how_it_was_made(recipe_folder):
    """The recipe's text, and both hashes of every input."""
    run_text(recipe_folder, CHAIN)
    with safe_open(recipe_folder / "chain.safetensors", "pt") as file:
        metadata = file.metadata()
    inputs = {item["file"]: item for item in json.loads(metadata["pastelbot.inputs"])}

    assert metadata["pastelbot.recipe"] == CHAIN
    assert {
        "a.safetensors",
        "b.safetensors",
        "c.safetensors",
        "lora1.safetensors",
        "lora2.safetensors",
    } == inputs.keys()
    hashes = hash_file(recipe_folder / "a.safetensors")
    assert (inputs["a.safetensors"]["sha256"], inputs["a.safetensors"]["old_hash"]) == (hashes.sha256, hashes.old)


def test_result_tells_which_folders_files_it_was_made_from(recipe_folder):
    """Their names alone are those of every folder's."""
    for part in ("unet", "vae", "text_encoder"):
        shutil.copytree(needed("lora", "base_diffusers", part), recipe_folder / "mine" / part, dirs_exist_ok=True)
    run_text(recipe_folder, '[steps.x]\noperation = "convert"\nsource = "mine"\noutput = "x.safetensors"\n')
    with safe_open(recipe_folder / "x.safetensors", "pt") as file:
        inputs = json.loads(file.metadata()["pastelbot.inputs"])

    assert {
        "mine/unet/diffusion_pytorch_model.safetensors",
        "mine/vae/diffusion_pytorch_model.safetensors",
        "mine/text_encoder/model.safetensors",
    } == {item["file"] for item in inputs}


def test_command_does_not_tell_where_files_lie(recipe_folder):
    """A published checkpoint says names, not folders."""
    table = {"operation": "convert", "source": str(recipe_folder / "a.safetensors"), "ema": "drop"}

    assert str(recipe_folder) not in single_step("convert", table, recipe_folder / "o.safetensors").text


def test_misfit_of_a_later_step_is_an_error_before_anything_is_written(recipe_folder):
    """Even where an earlier step has an output."""
    save(
        {"x.lora_down.weight": torch.ones(1, 1), "x.lora_up.weight": torch.ones(1, 1)}, recipe_folder / "c.safetensors"
    )
    with pytest.raises(CheckpointError, match="is a LoRA, not"):
        run_text(recipe_folder, CHAIN.replace("[steps.two]", 'output = "one.safetensors"\n[steps.two]'))

    assert not (recipe_folder / "one.safetensors").exists()


@pytest.mark.parametrize(
    ("output", "error"),
    [("a.safetensors", WorkshopError), ("x.ckpt", WorkshopError), ("no/x.safetensors", WorkshopError)],
)
def test_impossible_outputs_are_refused(recipe_folder, output, error):
    """An input, another ending, no folder."""
    before = (recipe_folder / "a.safetensors").read_bytes()
    with pytest.raises(error):
        run_text(recipe_folder, CHAIN.replace("chain.safetensors", output))

    assert before == (recipe_folder / "a.safetensors").read_bytes()


def test_space_for_all_outputs_is_checked_first(recipe_folder, monkeypatch):
    """One would fit, two do not."""
    text = "[steps.one]\n" + MERGE + 'output = "one.safetensors"\n'
    (out,) = run_text(recipe_folder, text).outputs
    enough = 2**20 + out.stat().st_size + 100
    monkeypatch.setattr(writing.shutil, "disk_usage", lambda _path: SimpleNamespace(free=enough))
    run_text(recipe_folder, text)
    with pytest.raises(WorkshopError, match="are free"):
        run_text(recipe_folder, text.replace("one.", "first.") + "[steps.two]\n" + MERGE + 'output = "two.safetensors"')

    assert not (recipe_folder / "first.safetensors").exists()


def test_extracted_lora_is_a_file(recipe_folder):
    """There are no folders of LoRAs."""
    with pytest.raises(WorkshopError, match="it is a LoRA"):
        run_text(recipe_folder, EXTRACT + 'output = "folder"')


def test_bad_numbers_leave_no_file(recipe_folder):
    """Neither the result nor a temporary one."""
    tensors = load_file(recipe_folder / "c.safetensors")
    tensors["model.diffusion_model.out.2.weight"][0, 0] = float("nan")
    save(tensors, recipe_folder / "c.safetensors")
    before = sorted(recipe_folder.iterdir())
    with pytest.raises(CheckpointError, match=r"c\.safetensors has NaN"):
        run_text(recipe_folder, CHAIN)

    assert [*before, recipe_folder / "recipe.toml"] == sorted(recipe_folder.iterdir())


def test_recipe_of_the_card_runs(recipe_folder):
    """On small stand-ins of its files; its result is half precision."""
    text = CARD.read_text(encoding="utf-8")
    names = [word for word in text.split('"') if word.endswith(".safetensors") and word != "pastel-mix.safetensors"]
    for seed, name in enumerate(names, start=5):
        made = make_lora(seed=seed) if f'file = "{name}"' in text else make_checkpoint(seed=seed, dtype=torch.float16)
        save(made, recipe_folder / name) if "owner" not in name else None
    torch.save(make_lora(seed=4, alpha=None), recipe_folder / "MagicLORA.pt")
    (report,) = run_text(recipe_folder, text).outputs

    assert report.name == "pastel-mix.safetensors"
    assert torch.float16 == load_file(report)["model.diffusion_model.out.2.weight"].dtype


def test_hub_references_are_inputs(recipe_folder, monkeypatch):
    """They are kept where the configuration says, of its revision, and not asked for where it forbids that."""
    text = "[steps.x]\n" + MERGE + 'output = "out.safetensors"'
    run_text(recipe_folder, text)
    recipe = read(
        recipe_folder, text.replace('"b.safetensors"', '"owner/model/file.safetensors"').replace("out.", "hub.")
    )
    settings = CheckpointSettings(path="owner/model/file.safetensors", revision="v1", cache_dir=recipe_folder / "kept")
    heard = []
    with running_hub() as hub:
        use_hub(monkeypatch, hub)
        hub.repos["owner/model"] = {"file.safetensors": (recipe_folder / "b.safetensors").read_bytes()}
        run_recipe(recipe, lambda *what: heard.append(what), settings)
        asked = len(hub.asked)
        run_recipe(recipe, settings=settings.model_copy(update={"offline": True}))
        with pytest.raises(CheckpointError, match=r"owner/away .* cannot be downloaded: the hub has no such"):
            run_text(recipe_folder, text.replace('"b.safetensors"', '"owner/away/file.ckpt"'))

    assert_same(recipe_folder / "out.safetensors", recipe_folder / "hub.safetensors")
    assert all("/resolve/v1/" in line for line in hub.asked[:asked] if "owner/" in line)
    assert not any("owner/model" in line for line in hub.asked[asked:])
    assert "file.safetensors" in {what for what, _, _ in heard}
    assert list((recipe_folder / "kept").rglob("file.safetensors"))
