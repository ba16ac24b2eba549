"""Impossible values of infotexts, kinds K and L of the cases from the field: said, never replaced in silence."""

import pytest

from pastelbot.config import LimitSettings
from pastelbot.errors import LimitError
from pastelbot.infotext import format_infotext, read_request
from pastelbot.rules.limits import MAX_SEED, check_request
from pastelbot.rules.number_texts import number_text, read_float

START = "1girl\nSteps: 12, Sampler: Euler a, CFG scale: 6, Seed: 77, Size: 128x192"


def read(field):
    """Read an infotext with one field more, or another one."""
    name = field.partition(":")[0] + ":"
    kept = [each for each in START.partition("\n")[2].split(", ") if not each.startswith(name)]
    return read_request("1girl\n" + ", ".join([*kept, field]))


@pytest.mark.parametrize(
    ("field", "name", "value"),
    [
        ("Seed: １２３４", "seed", 1234),
        ("Steps: ２０", "steps", 20),
        ("CFG scale: ７．５", "cfg_scale", 7.5),
        ("Size: ５１２ｘ７６８", "height", 768),
        ("Size: ５１２×７６８", "width", 512),
        ("Clip skip: ２", "clip_skip", 2),
        ("ENSD: -31337", "eta_noise_seed_delta", -31337),
        ("ENSD: －３１３３７", "eta_noise_seed_delta", -31337),
        ("Variation seed: ７, Variation seed strength: ０．３", "subseed", 7),
    ],
)
def test_full_width_digits_and_signs_are_numbers(field, name, value):
    found = read(field)

    assert (getattr(found.request, name), found.notes) == (value, ())
    check_request(found.request, LimitSettings())


@pytest.mark.parametrize(
    ("field", "note"),
    [
        ("ENSD: 99999999999", f"ENSD 99999999999 is not a number from -{MAX_SEED} to {MAX_SEED}; 0 is taken."),
        ("ENSD: -99999999999", f"ENSD -99999999999 is not a number from -{MAX_SEED} to {MAX_SEED}; 0 is taken."),
        ("CFG scale: 0x10", "CFG scale '0x10' is not a number; 7 is taken."),
        ("CFG scale: 7_5", "CFG scale '7_5' is not a number; 7 is taken."),
        ("Steps: 2x3", "Steps '2x3' is not a number; 20 is taken."),
        ("Steps: 2000000000.5", "Steps 2e+09 is not a whole number; 2000000000 is taken."),
        ("Hashes: [1]", "Hashes '[1]' is not understood."),
        ('Hashes: {"model": {"a": 1}}', "Hashes 'model: {\"a\": 1}' is not understood."),
        ("Civitai resources: [5]", "Civitai resources: '5' is not understood."),
        ("Civitai resources: [null]", "Civitai resources: 'null' is not understood."),
        ("Lora hashes: soft", "Lora hashes: 'soft' is not a name with a hash; it is left out."),
        ('TI hashes: "soft: "', "TI hashes: 'soft' is not a name with a hash; it is left out."),
        (
            'Civitai resources: [{"type": "style", "weight": 1}]',
            "Civitai lists the style 'without a name', which is left out.",
        ),
        ('Civitai resources: [{"modelName": "soft"}]', "Civitai lists the resource 'soft', which is left out."),
    ],
)
def test_what_cannot_be_is_said(field, note):
    assert read(field).notes == (note,)


@pytest.mark.parametrize("weight", ['"strong"', "1e9", "-500", "NaN", "Infinity", "[1]", "true", '"1_0"'])
def test_a_weight_that_is_none_is_said(weight):
    found = read(f'Civitai resources: [{{"type": "lora", "modelName": "soft", "weight": {weight}}}]')

    assert dict(found.resources) == {"soft": 1.0}
    (note,) = found.notes
    assert note.startswith("Civitai lists the LoRA 'soft' with the weight '")
    assert note.endswith(", which is not a number below 100; 1 is taken.")


@pytest.mark.parametrize(("weight", "read_as"), [("0.7", 0.7), ('"-0.5"', -0.5), ("null", 1.0), ('"０．５"', 0.5)])
def test_a_weight_that_is_one_is_taken_without_a_word(weight, read_as):
    found = read(f'Civitai resources: [{{"type": "lora", "modelName": "soft", "weight": {weight}}}]')

    assert (dict(found.resources), found.notes) == ({"soft": read_as}, ())


def test_a_negative_difference_of_seeds_is_written_and_read_again():
    request = read("ENSD: -5").request

    assert read_request(format_infotext(request, checkpoint="x", checkpoint_hash="0123456789")).request == request


@pytest.mark.parametrize(
    ("field", "told"),
    [("CFG scale: 2147483647", "2147483647"), ("Clip skip: 99999999", "99999999"), ("Steps: 1e9", "")],
)
def test_caps_are_told_in_whole_numbers(field, told):
    with pytest.raises(LimitError) as raised:
        check_request(read(field).request, LimitSettings())

    assert told in str(raised.value)
    assert "e+" not in str(raised.value)


def test_numbers_are_shown_as_people_write_them():
    assert [number_text(value) for value in (7, 7.0, 7.5, -31337, 2147483647, 1e14, float("nan"))] == [
        *("7", "7", "7.5", "-31337", "2147483647", "100000000000000", "nan")
    ]
    assert str(read_float("1_0")) == "nan"
