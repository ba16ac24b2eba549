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
from pastelbot.records import GenerationRequest
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
