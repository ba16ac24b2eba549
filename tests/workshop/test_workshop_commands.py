"""The workshop's commands, as they are typed."""

import subprocess
import sys

import pytest
import torch
from helpers.recipe_runs import CHAIN, assert_same
from safetensors.torch import load_file
from typer.testing import CliRunner

from pastelbot.cli.main import app
from pastelbot.errors import CheckpointError, PastelError, WorkshopError


def run(*words):
    """Run a command; return its output, raise what main() would print."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    if isinstance(result.exception, PastelError):
        raise result.exception
    return result


@pytest.fixture
def here(recipe_folder, monkeypatch):
    """Return a folder with small files, as the current one."""
    monkeypatch.chdir(recipe_folder)
    return recipe_folder


def test_merge_has_three_forms(here):
    """25 weights, one weight, and minus a third checkpoint."""
    run("merge", "a.safetensors", "b.safetensors", "one.safetensors", "--weight", 0.5)
    weights = ",".join(["0.5"] * 25)
    run("merge", "a.safetensors", "b.safetensors", "two.safetensors", "--weights", weights, "--base-alpha", 0.5)
    run("merge", "a.safetensors", "b.safetensors", "three.safetensors", "--minus", "b.safetensors", "--weight", 1)

    assert_same(here / "one.safetensors", here / "two.safetensors")
    first, third = load_file(here / "a.safetensors"), load_file(here / "three.safetensors")
    # A + B - B in float32 is A up to the last bit of half precision.
    assert all(torch.allclose(first[name].float(), third[name].float(), rtol=2**-10, atol=1e-6) for name in first)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "needs either"),
        (["--weight", "1", "--weights", "1"], "needs either"),
        (["--weights", "1,2"], "There are 2 block weights"),
        (["--weights", "1", "--minus", "c.safetensors"], "--minus goes with --weight"),
        (["--weight", "1", "--precision", "fp8"], "there is no 'fp8'"),
    ],
)
def test_wrong_options_are_one_sentence(here, options, words):
    """Nothing is written."""
    with pytest.raises(WorkshopError, match=words):
        run("merge", "a.safetensors", "b.safetensors", "out.safetensors", *options)

    assert not (here / "out.safetensors").exists()


def test_configuration_is_named_before_the_command_or_behind_it(here):
    (here / "other.toml").write_text("[checkpoint]\noffline = true\n", encoding="utf-8")
    run("merge", "a.safetensors", "b.safetensors", "one.safetensors", "--weight", 0.5, "--config", "other.toml")
    merge = ("merge", "owner/name", "b.safetensors", "two.safetensors", "--weight", 0.5)
    for words in (("--config", "other.toml", *merge), (*merge, "--config", "other.toml")):
        with pytest.raises(CheckpointError, match=r"checkpoint\.offline is set"):
            run(*words)

    assert not (here / "two.safetensors").exists()


def test_recipe_and_commands_agree(here):
    """`recipe run --out` writes elsewhere."""
    (here / "recipe.toml").write_text(CHAIN)
    result = run("recipe", "run", "recipe.toml", "--out", "other.safetensors")
    run("recipe", "run", "recipe.toml")

    assert str(here / "other.safetensors") in result.output
    assert_same(here / "chain.safetensors", here / "other.safetensors")


def test_lora_is_merged_and_extracted(here):
    """Weights are behind the file's name, 1 where there is none."""
    loras = ["--lora", "lora1.safetensors:0.5", "--lora", "lora2.safetensors"]
    run("lora", "merge", "a.safetensors", "tuned.safetensors", *loras, "--precision", "fp32")
    run("lora", "extract", "a.safetensors", "tuned.safetensors", "found.safetensors", "--rank", 6)
    output = run("inspect", "found.safetensors").output

    assert "a LoRA" in output
    assert "6 (" in output
    name = "lora_te_text_model_encoder_layers_0_self_attn_q_proj"
    found = load_file(here / "found.safetensors")
    loras = [load_file(here / f"lora{number}.safetensors") for number in (1, 2)]
    products = [lora[f"{name}.lora_up.weight"] @ lora[f"{name}.lora_down.weight"] / 3 for lora in loras]
    actual = found[f"{name}.lora_up.weight"].float() @ found[f"{name}.lora_down.weight"].float()
    torch.testing.assert_close(products[0] * 0.5 + products[1], actual, rtol=0, atol=2e-2)


def test_vae_is_baked_and_files_are_converted(here):
    """The result of one command is the input of the next."""
    run("vae", "bake", "a.safetensors", "b.safetensors", "baked.safetensors")
    run("convert", "baked.safetensors", "small.safetensors", "--precision", "bf16", "--ema", "keep")

    name = "first_stage_model.decoder.conv_in.weight"
    expected = load_file(here / "b.safetensors")[name].to(torch.bfloat16)
    assert torch.equal(expected, load_file(here / "small.safetensors")[name])


def test_inspect_ends_with_1_where_something_is_wrong(here):
    """For scripts."""
    (here / "bad.safetensors").write_bytes(b"half a download")

    assert (0, 1) == (run("inspect", "a.safetensors").exit_code, run("inspect", "bad.safetensors").exit_code)


def test_commands_start_without_the_libraries_of_networks():
    """Files are tensors; nothing here paints."""
    modules = "pastelbot.workshop.recipes.runner, pastelbot.workshop.inspection"
    code = f"import sys, {modules}; print(*{{'diffusers', 'transformers'}} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == ""


def test_the_checkpoint_inside_the_package_is_called_bundled_here_too(here):
    run("convert", "bundled", "converted")
    run("merge", "bundled", "bundled", "merged", "--weight", 0.5)

    file = "unet/diffusion_pytorch_model.safetensors"
    assert_same(here / "converted" / file, here / "merged" / file)
