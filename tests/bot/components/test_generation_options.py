"""Slash options from the table of options."""

import asyncio
import inspect

from discord import AppCommandOptionType, Interaction, app_commands

from pastelbot.bot.components.generation_options import generation_options
from pastelbot.options import GenerationOptions
from pastelbot.options.catalogue import OPTIONS
from pastelbot.options.option import Completion


def command_of(*names, **how):
    """Return a command with these options, and what its callback is called with."""
    calls = []

    @generation_options(*names, **how)
    async def callback(
        interaction: Interaction, prompt: str, *, options: GenerationOptions, last: int | None = None
    ) -> None:
        calls.append((interaction, prompt, options, last))

    return app_commands.Command(name="paint", description="Paint", callback=callback), calls


def test_everything_that_depends_on_the_bot_is_offered():
    completed = [option for option in OPTIONS if option.complete is not None]
    command, _calls = command_of(*(option.name for option in completed))

    assert {option.complete for option in completed} == set(Completion)
    assert all(command.get_parameter(option.name).autocomplete for option in completed)


def test_discord_sees_an_option_for_each_name_where_options_stands():
    command, _calls = command_of("seed", "hires", "size", "style")
    kinds = {each.name: each.type for each in command.parameters}

    assert list(kinds) == ["prompt", "seed", "hires", "size", "style", "last"]
    assert [AppCommandOptionType.integer, AppCommandOptionType.boolean] == [kinds["seed"], kinds["style"]]
    assert [each.name for each in command.parameters if each.required] == ["prompt"]
    assert [choice.value for choice in command.get_parameter("hires").choices][:2] == ["off", "on"]
    assert command.get_parameter("size").autocomplete


def test_what_is_kept_may_be_described_otherwise_and_typed_freely():
    command, _calls = command_of("negative", "sampler", "steps", kept=True, closed=False, steps="How many")

    assert "What to avoid; none for nothing" == command.get_parameter("negative").description
    assert "How many" == command.get_parameter("steps").description
    assert not command.get_parameter("sampler").choices
    assert command.get_parameter("sampler").autocomplete


def test_the_callback_gets_one_record():
    command, calls = command_of("seed", "hires", "size")

    asyncio.run(command.callback(None, prompt="1girl", seed=-1, hires="1.5x", size=None, last=3))

    assert calls == [(None, "1girl", GenerationOptions(seed=-1, hires=True, hires_scale=1.5), 3)]
    assert "options" not in inspect.signature(command.callback).parameters
