"""Random recipes give the numbers of single commands; damaged ones end in a sentence."""

import json
import random

import pytest
from helpers.recipe_runs import CHAIN, assert_same, run_text

from pastelbot.errors import PastelError
from pastelbot.workshop.recipes.recipe import single_step
from pastelbot.workshop.recipes.runner import run_recipe

pytestmark = pytest.mark.long

INPUTS = ["a.safetensors", "b.safetensors", "c.safetensors"]
REFERENCES = ("a", "b", "c", "base", "source", "vae")


def random_table(generator, known):
    """Return a step over inputs and earlier steps."""
    one, two, three = (generator.choice(known) for _input in range(3))
    weight = round(generator.uniform(-0.5, 1.5), 2)
    operations = {
        "weighted-sum": {"a": one, "b": two, "weight": weight},
        "add-difference": {"a": one, "b": two, "c": three, "weight": weight},
        "lora-merge": {
            "base": one,
            "loras": [{"file": f"lora{generator.choice([1, 2])}.safetensors", "weight": weight}],
        },
        "block-merge": {"a": one, "b": two, "weights": [generator.random() for _block in range(25)]},
        "convert": {"source": one},
        "vae-bake": {"base": one, "vae": two},
    }
    operation = generator.choice([*operations])
    precision = generator.choice([{}, {"precision": "fp32"}, {"precision": "bf16"}])
    return {"operation": operation, **operations[operation], **precision}


def random_recipe(seed):
    """Return four random steps and one that brings the last two together; what is not used is written."""
    generator = random.Random(seed)
    steps = {}
    for number in range(4):
        steps[f"step{number}"] = random_table(generator, [*INPUTS, *steps])
    steps["last"] = {"operation": "weighted-sum", "a": "step3", "b": "step2", "weight": 0.5, "output": "o.safetensors"}
    used = {table.get(key) for table in steps.values() for key in REFERENCES}
    for name, table in steps.items():
        if name not in used:
            table.setdefault("output", f"{name}.unused.safetensors")
    return steps


def as_toml(name, table):
    lines = [f"[steps.{name}]"]
    for key, value in table.items():
        text = json.dumps(value)
        if key == "loras":
            text = "[" + ", ".join(f'{{ file = "{use["file"]}", weight = {use["weight"]} }}' for use in value) + "]"
        lines.append(f"{key} = {text}")
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(10))
def test_random_recipes_give_the_numbers_of_separate_commands(recipe_folder, seed, monkeypatch):
    """Whatever is streamed, stored or used twice."""
    monkeypatch.chdir(recipe_folder)
    steps = random_recipe(seed)
    run_text(recipe_folder, "\n".join(as_toml(*step) for step in steps.items()))
    for name, table in steps.items():
        alone = {key: value for key, value in table.items() if key != "output"}
        for key in REFERENCES:
            if alone.get(key) in steps:
                alone[key] = f"{alone[key]}.alone.safetensors"
        run_recipe(single_step("alone", alone, recipe_folder / f"{name}.alone.safetensors"))

    assert_same(recipe_folder / "last.alone.safetensors", recipe_folder / "o.safetensors")


@pytest.mark.parametrize("seed", range(40))
def test_damaged_recipes_are_one_sentence(recipe_folder, seed):
    """Whatever is cut out, it is an error of ours and nothing is written, or the recipe is still a right one."""
    generator = random.Random(seed)
    start = generator.randrange(len(CHAIN))
    text = CHAIN[:start] + CHAIN[start + generator.randrange(1, 60) :]
    said = None
    try:
        run_text(recipe_folder, text)
    except PastelError as error:
        said = str(error)

    assert said is None or (said and not (recipe_folder / "chain.safetensors").exists())
