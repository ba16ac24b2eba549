"""More spellings and values of infotexts, kinds L and M of the cases from the field: read or said, never in silence."""

import pytest
from helpers.small_checkpoints import make_lora, save

from pastelbot.formats.network_files import LoraFiles
from pastelbot.infotext import read_request, with_loras_here

USUAL = {"Steps": "12", "Sampler": "Euler a", "CFG scale": "6", "Seed": "77", "Size": "128x192"}


def read(**fields):
    fields = USUAL | {name.replace("_", " "): value for name, value in fields.items()}
    return read_request("1girl\n" + ", ".join(f"{name}: {value}" for name, value in fields.items()))


# What is written, and the field of the request that it means.
MEANT = [
    ({"Seed": "77.0"}, "seed", 77),
    ({"Seed": "1,234,567"}, "seed", 1234567),
    ({"CFG_scale": "7,5"}, "cfg_scale", 7.5),
    ({"Steps": "20.0"}, "steps", 20),
    ({"Clip_skip": "-2"}, "clip_skip", 2),
    ({"Size": "512 × 768"}, "height", 768),
    ({"Size": "512 by 768"}, "height", 768),
    ({"RNG": "cpu"}, "noise_source", "CPU"),
    ({"Sampler": "DPM Solver++ (2M) Karras"}, "schedule", "Karras"),
    ({"Sampler": "dpmpp_sde_gpu karras"}, "sampler", "DPM++ SDE"),
    ({"Sampler": "Euler A Trailing"}, "schedule", "SGM Uniform"),
    ({"Sampler": "UniPC AYS"}, "schedule", "Align Your Steps"),
    ({"Sampler": "ＥＵＬＥＲ　ａ"}, "sampler", "Euler a"),
]


@pytest.mark.parametrize(("fields", "name", "value"), MEANT)
def test_values_of_other_programs_are_understood(fields, name, value):
    found = read(**fields)

    assert value == getattr(found.request, name)
    assert found.notes == ()


# What cannot be, and what is said of it.
SAID = [
    ({"Seed": "0x10"}, "The seed 0x10 is not a whole number"),
    ({"Seed": "random"}, "The seed random is not a whole number"),
    (
        {"Variation_seed": "-1", "Variation_seed_strength": "0.3"},
        "The variation seed -1 is not a whole number from 0 to 4294967295; 0 is taken.",
    ),
    (
        {"Variation_seed": "18446744073709551615", "Variation_seed_strength": "0.3"},
        "The variation seed 18446744073709551615 is not a whole number",
    ),
    ({"Size": "large"}, "Size 'large' is not a size; it is left out."),
    (
        {"Denoising_strength": "0.5", "Hires_upscale": "2", "Hires_resize": "large"},
        "Hires resize 'large' is not a size",
    ),
    ({"Denoising_strength": "60%", "Hires_upscale": "2"}, "Denoising strength '60%' is not a number; 0.6 is taken."),
    ({"Schedule_type": "bong_tangent"}, "The schedule 'bong_tangent' is unknown; Automatic is taken."),
    ({"Sampler": "res_multistep"}, "The sampler 'res_multistep' is unknown; DPM++ 2M is taken."),
    ({"Refiner": "x [123]"}, "Refiner 'x [123]' is not understood."),
]


@pytest.mark.parametrize(("fields", "note"), SAID)
def test_what_cannot_be_is_said(fields, note):
    assert any(each.startswith(note) for each in read(**fields).notes)


FILES = [
    ("sd\\any\\tiny.safetensors [e3edb8a26f]", "tiny", "e3edb8a26f"),
    ("sd/any/tiny.ckpt", "tiny", ""),
    ("tiny [e3edb8a2]", "tiny", "e3edb8a2"),
    ("anything-v4.5", "anything-v4.5", ""),
    ("None", "", ""),
]


@pytest.mark.parametrize(("written", "name", "digits"), FILES)
def test_checkpoints_are_named_by_their_files(written, name, digits):
    found = read(Model=written)

    assert (name, digits) == (found.checkpoint, found.checkpoint_hash)


@pytest.mark.parametrize(
    ("written", "name"),
    [("C:\\vae\\nice.vae.pt", "nice.vae.pt"), ("Automatic", ""), ("None", "")],
)
def test_vaes_are_named_by_their_files(written, name):
    assert name == read(VAE=written).vae


RESOURCES = [
    ('{"type":"lora","weight":"0.8","modelName":"soft"}', {"soft": 0.8}),
    (
        '{"air":"urn:air:sd1:lora:civitai:123@456","weight":0.5,"type":"lora"}',
        {"urn:air:sd1:lora:civitai:123@456": 0.5},
    ),
    ('{"type":"LORA","modelVersionId":456}', {"456": 1.0}),
    ('{"type":"lora"}', {"without a name": 1.0}),
]


@pytest.mark.parametrize(("resource", "loras"), RESOURCES)
def test_no_lora_of_civitai_is_passed_over(resource, loras, tmp_path):
    found = read(Civitai_resources=f"[{resource}]")

    assert loras == dict(found.resources)
    _request, notes = with_loras_here(found, LoraFiles(tmp_path))
    assert len(notes) == 1
    assert "is not here: it is left out" in notes[0]


def test_one_resource_without_a_list_is_read():
    assert {"soft": 0.8} == dict(read(Civitai_resources='{"type":"lora","weight":0.8,"modelName":"soft"}').resources)


def test_a_variation_seed_that_is_not_used_is_not_said():
    assert read(Variation_seed="-1", Variation_seed_strength="0").notes == ()


@pytest.mark.parametrize("digits", ["0", "00000", "0x0000", ""])
async def test_a_few_digits_of_a_hash_name_no_checkpoint(bot, digits):
    fields = ", ".join(f"{name}: {value}" for name, value in (USUAL | {"Model hash": digits}).items())
    said = await bot("recreate", infotext=f"1girl\n{fields}")

    assert said.endswith("77 128x192 ")
    assert ("It was painted with" in said) == bool(digits)


@pytest.mark.parametrize("digits", ["0000000000", "0x0000000000", " sha256:0000000000", "0X00000000"])
async def test_a_hash_is_found_in_every_spelling(bot, digits):
    fields = ", ".join(f"{name}: {value}" for name, value in (USUAL | {"Model hash": digits}).items())

    assert "It was painted with" not in await bot("recreate", infotext=f"1girl\n{fields}")


def test_hashes_are_read_at_the_beginning_too():
    assert read_request('1girl\nHashes: {"model": "aa"}, Steps: 20, Seed: 5, Size: 64x64').checkpoint_hash == "aa"


@pytest.mark.parametrize("prompt", ["1girl <hypernet:foo:0.5>", "1girl"])
def test_hypernetworks_of_an_infotext_are_left_out_and_said(prompt, tmp_path):
    """They are refused where they are typed; a text of another person would be a dead end."""
    save(make_lora(), tmp_path / "soft.safetensors")
    fields = "" if "<" in prompt else ", Hypernet: foo, Hypernet strength: 0.5"
    text = f"{prompt} <lora:soft:1>\nSteps: 12, Sampler: Euler a, CFG scale: 6, Seed: 77, Size: 128x192{fields}"

    request, notes = with_loras_here(read_request(text), LoraFiles(tmp_path))

    assert ["1girl", "<lora:soft:1>"] == request.prompt.split()
    assert ["The hypernetwork foo:0.5 is left out: hypernetworks are not supported."] == notes
