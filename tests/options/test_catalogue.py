"""The table of options fits the records that its rows speak of: an option that is forgotten somewhere is found here."""

import ast
import dataclasses
import types
import typing
from pathlib import Path

import pytest

import pastelbot
from pastelbot.config import LimitSettings, Settings
from pastelbot.errors import LimitError
from pastelbot.infotext import format_infotext, read_request
from pastelbot.options import GenerationOptions
from pastelbot.options.catalogue import BY_NAME, OPTIONS
from pastelbot.records import GenerationRequest, HiresFix, SamplingOptions
from pastelbot.rules import grids
from pastelbot.rules.limits import check_request
from pastelbot.rules.plain_fields import PLAIN_FIELDS

FIELDS = typing.get_type_hints(GenerationOptions)
REQUEST = GenerationRequest(prompt="1girl")


def test_each_field_has_a_row_in_the_same_order():
    assert [field.name for field in dataclasses.fields(GenerationOptions)] == [option.name for option in OPTIONS]


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_a_row_fits_the_records(option):
    names = {*option.supersedes, *([option.part_of] if option.part_of else [])}

    assert names <= set(BY_NAME)
    assert option.spread is not None or FIELDS[option.name] == option.value_type | types.NoneType
    assert option.request_field is None or hasattr(REQUEST, option.request_field)
    assert option.cap is None or option.request_field is not None
    assert all(isinstance(choice, option.value_type) for choice in option.choices)


@pytest.mark.parametrize("option", [option for option in OPTIONS if option.saved and not option.part_of])
def test_a_setting_says_what_holds_where_it_is_left_out(option):
    assert (option.default(Settings()) is None) == bool(option.left_out)


@pytest.mark.parametrize("option", [option for option in OPTIONS if option.slash or option.command_line])
def test_what_can_be_given_to_a_command_is_described(option):
    assert option.describe


def test_no_two_flags_have_the_same_name():
    names = [name for option in OPTIONS for flag in option.flags for name in (flag.syntax.name, *flag.syntax.others)]

    assert len(set(names)) == len(names)


def test_each_number_that_an_option_sets_has_limits_and_a_name_in_infotexts():
    numbers = {option.request_field for option in OPTIONS if option.request_field and option.value_type in (int, float)}

    # The caps of these are the operator's, and the webui writes them even where they are usual.
    assert numbers - {"steps", "cfg_scale", "count"} == {field.name for field in PLAIN_FIELDS}


@pytest.mark.parametrize(
    "option", [option for option in OPTIONS if option.request_field], ids=lambda option: option.name
)
def test_a_value_keeps_its_type_in_the_request(option):
    of_request = typing.get_type_hints(GenerationRequest)[option.request_field]

    assert of_request == option.value_type or of_request == option.value_type | types.NoneType


# A request in which every field matters to the pixels, so that an infotext says it.
EVERYTHING = GenerationRequest(
    prompt="(1girl:1.2)",
    sampler="Euler a",
    subseed_strength=0.25,
    seed_resize_width=512,
    seed_resize_height=512,
    hires=HiresFix(),
)
# Texts have few values that mean something; records are changed in one of their fields.
OTHERS = {
    "sampler": "DPM2 a",
    "schedule": "Exponential",
    "noise_source": "CPU",
    "emphasis": "No norm",
    "hires": HiresFix(denoising_strength=0.3),
    "sampling": SamplingOptions(skip_early=0.5),
}
NOT_IN_INFOTEXTS = {
    "count",  # an infotext is that of one picture
    "prompts",  # the same
    "grid",  # the same: its cells have their own values
    "init",  # a picture, which is attached again
    "checkpoint",  # the file's name and hash stand for the configuration's name
    "vae",  # the same
}


def changed(field):
    value = getattr(EVERYTHING, field.name)
    if field.name in OTHERS:
        return OTHERS[field.name]
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return f"other {value}".strip()
    return value + 1 if field.type in (int, "int") else value + 0.375


@pytest.mark.parametrize(
    "field",
    [field for field in dataclasses.fields(GenerationRequest) if field.name not in NOT_IN_INFOTEXTS],
    ids=lambda field: field.name,
)
def test_what_a_request_says_survives_its_infotext(field):
    """What is not written is lost when a picture is made again from it."""
    request = EVERYTHING.replace(**{field.name: changed(field)})
    read = read_request(format_infotext(request, checkpoint="a", checkpoint_hash="b"))

    assert request != EVERYTHING
    assert getattr(read.request, field.name) == getattr(request, field.name)


@pytest.mark.parametrize("field", PLAIN_FIELDS, ids=lambda field: field.name)
def test_a_plain_field_is_known_wherever_requests_go(field):
    other = REQUEST.replace(**{field.name: field.most})
    text = format_infotext(other, checkpoint="a", checkpoint_hash="b")

    assert field.value(read_request(text).request) == field.most
    assert f"{field.title}: {field.most:g}" in text
    assert grids.KINDS[field.title.lower()].apply(REQUEST, f"{field.most:g}", None) == other
    check_request(other, LimitSettings())
    with pytest.raises(LimitError, match=field.title):
        check_request(REQUEST.replace(**{field.name: field.most + 1}), LimitSettings())


def test_the_engine_reads_each_setting_of_a_request():
    """A field that no module beside the options and the rules reads would be shown and not painted."""
    package = Path(pastelbot.__file__).parent
    read = {
        node.attr
        for folder in ("diffusion", "jobs")
        for path in (package / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
    }

    assert {field.name for field in dataclasses.fields(GenerationRequest)} <= read
