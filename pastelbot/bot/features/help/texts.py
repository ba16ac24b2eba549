"""Texts of `/help` and `/about`; the commands describe themselves."""

import platform
from collections.abc import Mapping, Sequence
from typing import Any

import discord
from discord import app_commands

from pastelbot import __version__
from pastelbot.bot import render
from pastelbot.bot.features.help.questions import words_of
from pastelbot.bot.plain_text import neutral, plain
from pastelbot.i18n.languages import Translate
from pastelbot.options.flags import FLAGS
from pastelbot.records import WorkerReady

AnyCommand = app_commands.Command[Any, ..., Any] | app_commands.Group | app_commands.ContextMenu

_INTRO = """**Type `/imagine` with danbooru tags** and get a picture: `1girl, red hair, smile, pink background`.
- Landscape or tall: `size: landscape`, or `--ar 3:2` at the end of the prompt.
- Avoid hats: `--no hat` in the prompt. What you write as `negative` replaces the whole usual list.
- Four at once: `count: 4`. One of each: `{red,blue} hair`.
- Bigger: `hires: 2x`, or Hires under a picture that is not large yet.
- With a LoRA: `lora`, or `<lora:name:0.8>` in the prompt.
- Hide it: `spoiler` for a veil, `private` for a direct message.
- Cancel it: Cancel under the picture. Wrong one: More, then Delete.
- The same again: its small line has every setting; the same `seed` and settings give the same picture."""

_END = "`/help` with a command, `prompts`, `flags`, `lists` or `buttons` tells more."

# Each command's group in the overview; tests/bot/features/test_help.py finds commands without one.
_GROUPS = {
    "Paint": (
        "imagine",
        "grid",
        "recreate",
        "describe",
        "tags",
        "Remix",
        "Recreate",
        "Describe",
    ),
    "Share": ("gallery", "Who made this"),
    "Yours": ("prompt", "settings", "quota", "mydata", "Save prompt"),
    "Server": ("about", "admin", "help", "model", "queue", "web"),
}

# What is no command.
TOPICS = {
    "prompts": """**Prompts** are tags with commas between them, as on danbooru.
- `((tag))` or `(tag:1.2)` makes a tag stronger, `[tag]` or `(tag:0.8)` weaker.
- `[from:to:0.5]` changes the prompt half-way, `[a|b]` alternates with every step.
- `one AND another` paints both at once, `BREAK` begins a new chunk of 75 tokens.
- `mksks style` at the start asks for softer, paler colours.
- What a server does not allow is refused before anything is painted, and costs nothing.""",
    "flags": "\n".join(
        [
            "**Flags** are settings inside a prompt: `1girl, smile --size landscape --seed 5`.",
            "- An option of the command counts more. `--no` adds to what is avoided, all others replace.",
            "- `\\--` is two hyphens.",
            f"All of them: {', '.join(f'`{written}`' for written in FLAGS)}",
        ]
    ),
    "lists": """**Lists** paint one of several things, or all of them.
- `{red,blue} hair` paints both, each its own picture, after a question; `{a,b}{c,d}` all four pairs.
- `{red|blue} hair` paints one of them, chosen by the seed.
- `__hair_color__` paints a line of the list of that name, chosen by the seed too.
- With `count: 4` each picture has words of its own, which stand over them by number.""",
    "buttons": """**Buttons** under a picture work for ever, also after a restart.
- **Reroll** paints it with a new seed, **Edit** with another prompt.
- **Vary** paints something close to it, **Hires** the same picture large, where it is not large yet.
- **More** has 🌱 **Seed** to type one, 📋 **Infotext** with all settings, 🖼️ **Share** for the server's gallery, and \
🗑️ **Delete** for its owner and moderators.
- **Cancel** while it waits or is painted costs nothing.
- The user who presses a button that paints owns the new picture; it counts against their quota.""",
}

# What the menus of messages do; Discord has no descriptions for them.
_MENUS = {
    "Recreate": "Paints again what a message's picture or infotext says.",
    "Describe": "Says which tags a message's picture shows, ready to paint.",
    "Remix": "Paints over a message's picture.",
    "Save prompt": "Keeps the settings of a picture under a name, for /prompt use.",
    "Who made this": "Tells you who asked for a picture, and what it was made from.",
}

# What one should know besides a command's own description.
_MORE = {
    "imagine": "What you leave out follows your `/settings`, the channel's, the server's and the operator's.",
    "recreate": "It tells you what may look different here, such as another checkpoint.",
    "quota": "The cost is work: pixels times steps. What fails, is cancelled or refused costs nothing.",
    "queue": "Everybody's next picture is begun before anybody's second one.",
    "admin": "For people with Manage Server, and for the role that they choose with `/admin admin_role`.",
}

_LICENCE = """**Licence of the model.** Stable Diffusion, Pastel-Mix and what is mixed from them are under CreativeML \
OpenRAIL-M (<https://huggingface.co/spaces/CompVis/stable-diffusion-license>). You may use the pictures, also for \
money; you answer for what you do with them. The licence forbids, in our words, to use the model
- to break laws, or to exploit or harm children in any way;
- to spread what is provably false in order to harm others, or to defame, humiliate or harass people;
- to publish what identifies a person in order to harm them;
- to treat people worse for who they are, how they live or what they are thought to do, or to use their weaknesses;
- to decide by machine alone about a person's rights or duties, for justice, police, migration or asylum;
- to give medical advice or read medical results.
If you pass the model on, pass these rules on with it."""

_BUNDLED = """**Licence of the model.** The bundled checkpoint was trained for this project on drawings made for it, \
from Lorelei by Lisa Wischofsky (CC0), and is under the MIT licence."""

_CREDITS = """**Credits.** Pastel-Mix: andite. Stable Diffusion: CompVis, Stability AI, Runway, LAION. The settings' \
meanings: the AUTOMATIC1111 webui. Built on PyTorch, diffusers, transformers, discord.py and SQLite. Tags: danbooru."""


def about_text(ready: WorkerReady | None, *, bundled: bool) -> str:
    """Say what paints, under which licence, and who made all this."""
    if ready is None:
        paints = "**Checkpoint:** the worker is still starting"
    else:
        name = plain(ready.checkpoint)
        paints = f"**Checkpoint:** {name}, hash `{ready.checkpoint_hash}`, on {ready.device}"
    versions = f"Python {platform.python_version()}, discord.py {discord.__version__}"
    head = f"**Pastelbot {__version__}** ({versions}). Free software under the MIT licence."
    return "\n".join([head, paints, _BUNDLED if bundled else _LICENCE, _CREDITS])


def answers_about(question: str, translate: Translate) -> str:
    """Return those answers of the first page that have most of a question's words in common; "" where none has any."""
    lines = [translate(line) for line in _INTRO.splitlines()[1:]]
    asked = words_of(question)
    shared = [len(asked & words_of(line)) for line in lines]
    most = max(shared)
    return (
        "\n".join([*[line for line, count in zip(lines, shared, strict=True) if count == most], _END]) if most else ""
    )


def overview_text(shown: Mapping[str, str]) -> str:
    """Say how to do what people ask for, and list all commands; `shown` is how each is written, by its name."""
    groups = {title: [name for name in names if name in shown] for title, names in _GROUPS.items()}
    lines = [f"**{title}** · {' '.join(shown[name] for name in names)}" for title, names in groups.items() if names]
    return "\n".join([_INTRO, *lines, _END])


def lists_text(names: Sequence[str]) -> str:
    """Explain lists, and name those that are here."""
    return render.fitted([TOPICS["lists"], f"Here are: {', '.join(f'`__{neutral(name)}__`' for name in names)}"])


def command_text(command: AnyCommand) -> str:
    """Say what one command does, and what its options mean."""
    lines = [_line(command)]
    more = _MORE.get(command.name if isinstance(command, app_commands.ContextMenu) else command.qualified_name)
    if more:
        lines.append(more)
    if isinstance(command, app_commands.Group):
        inner = sorted(command.commands, key=lambda each: (isinstance(each, app_commands.Group), each.name))
        lines += [line for each in inner for line in _inner_lines(each)]
    elif isinstance(command, app_commands.Command):
        lines += [_option(parameter) for parameter in command.parameters]
    return render.fitted(lines)


def name_of(command: AnyCommand) -> str:
    """Return a command as users call it: `/imagine`, `/admin words add`, `Apps > Recreate`."""
    if isinstance(command, app_commands.ContextMenu):
        return f"Apps > {command.name}"
    return f"/{command.qualified_name}"


def _line(command: AnyCommand) -> str:
    if isinstance(command, app_commands.ContextMenu):
        what = _MENUS.get(command.name, "Right-click a message, or press it for long.")
        return f"`Apps > {command.name}` {what}"
    return f"`/{command.qualified_name}` {command.description}"


def _inner_lines(command: app_commands.Group | app_commands.Command[Any, ..., Any]) -> list[str]:
    """Return a command of a group with what it does; of a group inside it the commands' names."""
    if isinstance(command, app_commands.Command):
        return [_line(command)]
    return [_line(command), f"└ {', '.join(_name_alone(each) for each in command.commands)}"]


def _name_alone(command: app_commands.Group | app_commands.Command[Any, ..., Any]) -> str:
    return f"`/{command.qualified_name}`"


def _option(parameter: app_commands.Parameter) -> str:
    name, what = parameter.display_name, parameter.description
    return f"- `{name}` (needed): {what}" if parameter.required else f"- `{name}`: {what}"
