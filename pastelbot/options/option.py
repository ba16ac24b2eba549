"""Option: one row of the table in `catalogue`."""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from pastelbot.config import LimitSettings, Settings
from pastelbot.options.reading import read_number, read_whole
from pastelbot.prompt.flags import FlagSyntax, Takes
from pastelbot.records import GenerationRequest

T = TypeVar("T")
Fields = Mapping[str, object]  # values of GenerationOptions by the names of its fields


class Completion(enum.Enum):
    """Values to offer while an option is typed, where they depend on the bot and on the user."""

    SIZE = enum.auto()
    LORA = enum.auto()
    CHECKPOINT = enum.auto()
    VAE = enum.auto()
    PRESET = enum.auto()


@dataclass(frozen=True, kw_only=True)
class Flag(Generic[T]):
    """A way to type an option inside a prompt; `read` makes the option's value of its text, or raises RequestError."""

    syntax: FlagSyntax
    read: Callable[[str], T]


def _nothing(_source: object) -> None:
    """Return None: there is no default, or the option cannot be read from a request."""


@dataclass(frozen=True, kw_only=True)
class Option(Generic[T]):
    """One generation option.

    `name` is its field in GenerationOptions and `value_type` what Discord hands over. `spread` says which fields a
    typed value sets, where that is not the one field of its name.
    """

    name: str
    value_type: type[T]
    describe: str = ""
    describe_kept: str = ""  # where it is set beforehand; "" is `describe`
    flags: tuple[Flag[T], ...] = ()
    spread: Callable[[T], Fields] | None = None
    join: Callable[[T, T], T] | None = None  # what a flag means that is typed twice; else the last one counts

    # The choices, and what is offered while a user types.
    choices: tuple[T, ...] = ()
    complete: Completion | None = None

    # Where it can be given, besides flags.
    slash: bool = True  # to /imagine
    command_line: bool = True
    page: bool = True  # on the web page, where it has a description
    saved: bool = False  # as a setting of a user, a channel or a server
    in_presets: bool = True

    # How it relates to others.
    supersedes: tuple[str, ...] = ()  # options that it makes meaningless where they are given at a lower level
    part_of: str | None = None  # the option whose value sets this one too
    beside_init: bool = True  # whether a default of it counts beside a picture to start from

    # Its counterparts in the configuration and in a request.
    default: Callable[[Settings], object] = _nothing  # as /settings show has it
    left_out: str = ""  # what /settings show says where there is no default
    request_field: str | None = None  # the field that takes the value as it is
    from_request: Callable[[GenerationRequest], object] = _nothing  # the value of the field, None where there is none
    cap: Callable[[LimitSettings], float] | None = None  # what caps a default

    def fields(self, value: T) -> Fields:
        """Return the fields of GenerationOptions that a typed value sets."""
        return {self.name: value} if self.spread is None else self.spread(value)

    def of_request(self, request: GenerationRequest) -> object:
        """Return the value of its field that leads to a request again; None where the request does not show it."""
        if self.request_field is None:
            return self.from_request(request)
        value: object = getattr(request, self.request_field)
        return None if value == "" else value


def flag(
    name: str, takes: Takes, *, read: Callable[[str], T], example: str = "", others: tuple[str, ...] = ()
) -> Flag[T]:
    """Return a flag whose value `read` makes of its text; `example` is such a text."""
    return Flag(syntax=FlagSyntax(name=name, takes=takes, example=example, others=others), read=read)


def text_flag(name: str, takes: Takes, *, example: str, others: tuple[str, ...] = ()) -> Flag[str]:
    """Return a flag whose text is its value."""
    return flag(name, takes, example=example, read=str, others=others)


def switch_flag(name: str, *, on: bool) -> Flag[bool]:
    """Return a flag without a text, which switches its option on or off."""
    return flag(name, Takes.NOTHING, read=lambda _text: on)


def whole_flag(name: str, example: int, *, others: tuple[str, ...] = ()) -> Flag[int]:
    """Return a flag that takes a whole number."""
    return flag(
        name, Takes.WORD, example=str(example), read=lambda text: read_whole(text, example=example), others=others
    )


def number_flag(name: str, example: float, *, others: tuple[str, ...] = ()) -> Flag[float]:
    """Return a flag that takes a number."""
    return flag(
        name, Takes.WORD, example=f"{example:g}", read=lambda text: read_number(text, example=example), others=others
    )
