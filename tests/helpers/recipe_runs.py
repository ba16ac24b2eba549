"""Recipes for tests, and running them."""

import torch
from safetensors.torch import load_file

from pastelbot.workshop.recipes.recipe import read_recipe
from pastelbot.workshop.recipes.runner import run_recipe

HALF = "weights = [" + ", ".join(["0.5"] * 25) + "]"
MERGE = f'operation = "block-merge"\na = "a.safetensors"\nb = "b.safetensors"\n{HALF}\n'
EXTRACT = '[steps.e]\noperation = "lora-extract"\noriginal = "a.safetensors"\ntuned = "b.safetensors"\nrank = 2\n'
CHAIN = f"""
[steps.one]
{MERGE}
[steps.two]
operation = "lora-merge"
base = "one"
loras = [{{ file = "lora1.safetensors", weight = 0.3 }}, {{ file = "lora2.safetensors" }}]
[steps.three]
operation = "add-difference"
a = "two"
b = "c.safetensors"
c = "a.safetensors"
weight = 0.5
output = "chain.safetensors"
"""


def read(folder, text):
    """Write a recipe into a folder and read it."""
    path = folder / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return read_recipe(path)


def run_text(folder, text):
    """Write a recipe into a folder and run it."""
    return run_recipe(read(folder, text))


def assert_same(one, other):
    """Compare two files: names, formats, numbers."""
    one, other = load_file(one), load_file(other)

    assert one.keys() == other.keys()
    assert all(one[name].dtype == other[name].dtype and torch.equal(one[name], other[name]) for name in one)
