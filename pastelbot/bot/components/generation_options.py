"""Slash options from the table of options: the command lists their names and gets one GenerationOptions."""

import functools
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, TypeVar

from discord import app_commands

from pastelbot.bot import completions
from pastelbot.bot.responses import answer_error
from pastelbot.errors import RequestError
from pastelbot.options import GenerationOptions
from pastelbot.options.catalogue import BY_NAME
from pastelbot.options.option import Completion
from pastelbot.options.signatures import PARAMETER, show_options

# Any: commands have a self or none, and parameters of their own.
Callback = TypeVar("Callback", bound=Callable[..., Coroutine[Any, Any, None]])

_COMPLETIONS: Mapping[Completion, Callable[..., Awaitable[list[app_commands.Choice[str]]]]] = {
    Completion.SIZE: completions.size_choices,
    Completion.LORA: completions.lora_choices,
    Completion.CHECKPOINT: completions.checkpoint_choices,
    Completion.VAE: completions.vae_choices,
    Completion.PRESET: completions.preset_choices,
}


def generation_options(
    *names: str, kept: bool = False, closed: bool = True, **descriptions: str
) -> Callable[[Callback], Callback]:
    """Show the named options of the table in place of the callback's parameter `options`.

    They are described as the table has it, with `kept` as settings that are kept for later, unless `descriptions` has
    something else. Without `closed` the choices are only completions, and any value may be typed. Invalid values are
    refused with the reason.
    """
    texts = {name: (kept and BY_NAME[name].describe_kept) or BY_NAME[name].describe for name in names}

    def decorate(callback: Callback) -> Callback:
        @functools.wraps(callback)
        async def with_options(*args: Any, **typed: Any) -> None:  # noqa: ANN401 - what the callback takes
            try:
                options = GenerationOptions.typed({name: typed.pop(name, None) for name in names})
            except RequestError as error:
                await answer_error(args[-1], error)  # the interaction: all behind it are given by name
            else:
                await callback(*args, **typed, **{PARAMETER: options})

        show_options(with_options, callback, {name: BY_NAME[name].value_type | None for name in names})
        app_commands.describe(**texts | descriptions)(with_options)
        app_commands.choices(**_choices(names) if closed else {})(with_options)
        app_commands.autocomplete(**_completions(names, closed=closed))(with_options)
        return with_options  # type: ignore[return-value]  # called as `__signature__` says

    return decorate


def _choices(names: tuple[str, ...]) -> dict[str, list[app_commands.Choice[str]]]:
    return {
        name: [app_commands.Choice(name=choice, value=choice) for choice in BY_NAME[name].choices]
        for name in names
        if BY_NAME[name].choices
    }


def _completions(names: tuple[str, ...], *, closed: bool) -> dict[str, Any]:  # Any: discord.py's type is private
    found: dict[str, Any] = {}
    for name in names:
        option = BY_NAME[name]
        if option.complete is not None:
            found[name] = _COMPLETIONS[option.complete]
        elif option.choices and not closed:
            found[name] = completions.offering(option.choices)
    return found
