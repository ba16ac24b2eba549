"""Fields of infotexts as forks and other programs spell them, and values that cannot be."""

import pytest

from pastelbot.infotext import completed, read_request

PROMPT = "1girl\nNegative prompt: hat\n"
USUAL = "Steps: 12, Sampler: Euler a, CFG scale: 6, Seed: 77, Size: 128x192"


@pytest.mark.parametrize(
    "line",
    [
        USUAL.replace("CFG scale", "CFG Scale"),
        USUAL.replace("CFG scale", "Cfg scale"),
        USUAL.replace("CFG scale", "Guidance scale"),
        USUAL.replace("Sampler", "Sampling method"),
        USUAL.replace("Seed", "seed"),
        USUAL.replace("Size", "Resolution"),
        USUAL.replace("128x192", "128 x 192"),
        USUAL.replace("128x192", "128X192"),
        USUAL.replace("128x192", "128×192"),
        USUAL.replace("Size: 128x192", "Width: 128, Height: 192"),
        USUAL.replace("Euler a", "k_euler_a"),
        USUAL.replace("12,", "12.0,").replace("77", "77 "),
    ],
)
def test_a_field_is_read_in_every_spelling(line):
    assert read_request(PROMPT + USUAL).request == read_request(PROMPT + line).request
    assert () == read_request(PROMPT + line).notes


@pytest.mark.parametrize(
    ("seed", "note"),
    [
        (
            "1125899906842624",
            "The seed 1125899906842624 is not a whole number from 0 to 4294967295; a random one was drawn.",
        ),
        ("5000000000", "The seed 5000000000 is not a whole number from 0 to 4294967295; a random one was drawn."),
        ("18446744073709551615", "The seed 18446744073709551615 is not"),
        ("9" * 400, "The seed 9999999999"),
        ("-1", "The seed -1 means a random one; one was drawn."),
        ("-5", "The seed -5 is not a whole number"),
        ("7.5", "The seed 7.5 is not a whole number"),
        ("random", "The seed random is not a whole number"),
        ("ten", "The seed ten is not a whole number"),
    ],
)
def test_a_seed_that_cannot_be_is_said_and_a_random_one_drawn(seed, note):
    read = completed(read_request(PROMPT + USUAL.replace("77", seed)), random_seed=lambda: 5)

    assert 5 == read.request.seed
    assert len(read.notes) == 1
    assert read.notes[0].startswith(note)


@pytest.mark.parametrize("seed", ["0", "4294967295", "007"])
def test_a_seed_that_can_be_stays(seed):
    read = completed(read_request(PROMPT + USUAL.replace("77", seed)), random_seed=lambda: 5)

    assert (int(seed), ()) == (read.request.seed, read.notes)


@pytest.mark.parametrize(
    ("field", "note"),
    [
        ("Clip skip: 1.5", "Clip skip 1.5 is not a whole number; 1 is taken."),
        ("Clip skip: many", "Clip skip 'many' is not a number; 1 is taken."),
        ("Hires steps: 7.2, Hires upscale: 2", "Hires steps 7.2 is not a whole number; 7 is taken."),
        ("Schedule type: Magic", "The schedule 'Magic' is unknown; Automatic is taken."),
        ("Magic: 5", "Magic '5' is not understood."),
    ],
)
def test_a_value_that_is_replaced_is_said(field, note):
    assert (note,) == read_request(f"{PROMPT}{USUAL}, {field}").notes


def test_a_field_that_is_there_twice_counts_in_the_webuis_spelling():
    assert 12 == read_request(f"{PROMPT}sampling steps: 40, {USUAL}").request.steps


HASHES = '{"model": "1d1e459f9f", "vae": "2d2e459f9f", "lora:soft": "3d3e459f9f", "embed:easy": "4d4e459f9f"}'
RESOURCES = (
    '[{"type":"checkpoint","modelName":"Some Model","modelVersionName":"v1.0, fp16"},'
    '{"type":"lora","weight":0.8,"modelName":"Soft: style"},{"type":"LORA","modelName":"other"},'
    '{"type":"upscaler","modelName":"big, one"},7]'
)


@pytest.mark.parametrize("before", ["", ", Version: v1.10.1"])
@pytest.mark.parametrize("after", ["", ", Civitai metadata: {}", ', Lora hashes: "gone: abcdef012345"'])
def test_fields_of_json_are_read_whole(before, after):
    read = read_request(f"{PROMPT}{USUAL}{before}, Hashes: {HASHES}, Civitai resources: {RESOURCES}{after}")

    assert "1d1e459f9f" == read.checkpoint_hash
    assert "3d3e459f9f" == read.loras["soft"]
    assert ("gone" in read.loras) == ("gone" in after)
    assert {"easy": "4d4e459f9f"} == read.embeddings
    assert {"Soft: style": 0.8, "other": 1.0} == read.resources
    assert read.notes == (
        "Civitai lists the upscaler 'big, one', which is left out.",
        "Civitai resources: '7' is not understood.",
    )


@pytest.mark.parametrize("broken", ["{", "[", '{"model": ', "[" * 9000, '{"model": "a"', "{'model': 'a'}"])
def test_json_that_is_damaged_is_a_field_that_is_not_understood(broken):
    read = read_request(f"{PROMPT}{USUAL}, Hashes: {broken}")

    assert (77, "") == (read.request.seed, read.checkpoint_hash)
    assert all("is not understood" in note for note in read.notes)


@pytest.mark.parametrize("hashes", ["[1]", '"a"', '{"model": 5, "lora:": "x"}'])
def test_hashes_of_another_form_are_no_hashes(hashes):
    assert read_request(f"{PROMPT}{USUAL}, Hashes: {hashes}").checkpoint_hash in ("", "5")
