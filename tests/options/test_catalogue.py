"""The table of options fits the records that its rows speak of: an option that is forgotten somewhere is found here."""

import dataclasses
import types
import typing

import pytest

from pastelbot.config import Settings
from pastelbot.options import GenerationOptions
from pastelbot.options.catalogue import BY_NAME, OPTIONS
from pastelbot.options.flags import READERS
from pastelbot.records import GenerationRequest

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
    assert len(READERS) == sum(len(option.flags) for option in OPTIONS)
