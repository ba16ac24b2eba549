"""`/settings`: what people, channels and servers draw with where nothing is typed."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import discord
from discord import app_commands

from pastelbot.bot.checks import asker_of
from pastelbot.bot.completions import offer
from pastelbot.bot.components.modals import HIRES_CHOICES
from pastelbot.bot.features.settings.texts import house_text, settings_text
from pastelbot.bot.responses import answers_errors, say_privately
from pastelbot.choices import nearest_names
from pastelbot.errors import RequestError
from pastelbot.options import SAMPLER_CHOICES, Wish
from pastelbot.options.reading import read_hires
from pastelbot.records import Asker
from pastelbot.rules.samplers import SCHEDULES
from pastelbot.service.requests.building import Composer
from pastelbot.service.requests.preferences import DRAWING, HOUSE_TEXTS, Preferences, check_house_text, owner_of
from pastelbot.service.requests.submission import Service
from pastelbot.store.settings import Scope

NAMES = tuple(name for name in DRAWING if name != "hires_scale")
# What Discord shows beside the options of `set`.
_DESCRIPTIONS = {
    "negative": "What to avoid; none for nothing",
    "size": "A size's name, or pixels such as 448x640",
    "steps": "Sampling steps",
    "cfg": "CFG scale",
    "sampler": "How the noise is removed",
    "schedule": "How the noise is spread over the steps",
    "clip_skip": "1 is none, 2 is usual",
    "hires": "Paint large in a second pass",
    "denoise": "How much that pass may change: 0.01 to 1",
    "count": "How many pictures",
    "checkpoint": "What paints",
    "vae": "Another VAE than the checkpoint's",
    "style": "The style that the checkpoint was trained on",
    "spoiler": "Hide pictures until they are clicked on",
    "private": "Send pictures as direct messages",
}
_WHOSE = {Scope.USER: "your own", Scope.CHANNEL: "this channel's", Scope.GUILD: "this server's"}


def settings_commands(service: Service, composer: Composer, preferences: Preferences) -> app_commands.Group:
    """Return the whole of `/settings`."""
    desk = _Desk(service, composer, preferences)
    top = app_commands.Group(name="settings", description="Your usual settings, and those of channels and servers")
    channel = app_commands.Group(name="channel", description="This channel's usual settings", parent=top)
    server = app_commands.Group(name="server", description="This server's usual settings", parent=top)
    top.add_command(_show_command(desk))
    for group, scope in ((top, Scope.USER), (channel, Scope.CHANNEL), (server, Scope.GUILD)):
        group.add_command(_set_command(desk, scope))
        group.add_command(_reset_command(desk, scope))
    server.add_command(_house_command(desk))
    return top


class _Desk:
    """Does what the commands say."""

    def __init__(self, service: Service, composer: Composer, preferences: Preferences) -> None:
        self.settings = service.settings
        self.models = service.models.names
        self._composer = composer
        self._preferences = preferences

    @answers_errors
    async def show(self, interaction: discord.Interaction[Any]) -> None:
        customs = await self._preferences.customs(asker_of(interaction))
        await say_privately(interaction, settings_text(customs, self.settings))

    @answers_errors
    async def change(self, interaction: discord.Interaction[Any], scope: Scope, wish: Wish, hires: str | None) -> None:
        asker = asker_of(interaction)
        owner_of(asker, scope)
        if hires is not None:
            large, scale = read_hires(hires)
            wish = wish.replace(hires=large, hires_scale=scale)
        if not wish.known():
            raise RequestError("There is nothing to set: choose at least one setting.")
        await self._composer.check_defaults(asker, wish)
        await self._preferences.change(asker, scope, wish, {})
        await self._say(interaction, asker, f"Kept as {_WHOSE[scope]} settings.")

    @answers_errors
    async def dress(self, interaction: discord.Interaction[Any], texts: Mapping[str, str]) -> None:
        asker = asker_of(interaction)
        owner_of(asker, Scope.GUILD)
        if not texts:
            raise RequestError("There is nothing to set: write a prefix or a suffix, or none to remove it.")
        for name, text in texts.items():
            check_house_text(name, text, self.settings.limits)
        await self._preferences.change(asker, Scope.GUILD, Wish(), texts)
        customs = await self._preferences.customs(asker)
        await say_privately(interaction, house_text(customs))

    @answers_errors
    async def reset(self, interaction: discord.Interaction[Any], scope: Scope, name: str | None) -> None:
        asker = asker_of(interaction)
        known = (*NAMES, *HOUSE_TEXTS) if scope is Scope.GUILD else NAMES
        if name is not None and name not in known:
            raise RequestError(f"There is no setting {name[:40]!r}. {nearest_names(name[:40], known)}")
        await self._preferences.reset(asker, scope, [name] if name is not None else [])
        what = name if name is not None else "Everything"
        await self._say(interaction, asker, f"{what} of {_WHOSE[scope]} settings is as usual again.")

    async def _say(self, interaction: discord.Interaction[Any], asker: Asker, text: str) -> None:
        customs = await self._preferences.customs(asker)
        await say_privately(interaction, f"{text}\n{settings_text(customs, self.settings)}")


def _show_command(desk: _Desk) -> app_commands.Command[Any, ..., None]:
    async def show(interaction: discord.Interaction[Any]) -> None:
        await desk.show(interaction)

    return app_commands.Command(name="show", description="Show what is used where you type nothing", callback=show)


def _set_command(desk: _Desk, scope: Scope) -> app_commands.Command[Any, ..., None]:
    """Return the command that sets defaults of one level; what is left out stays as it is."""

    @app_commands.describe(**_DESCRIPTIONS)
    @app_commands.autocomplete(**_offers(desk))
    async def change(
        interaction: discord.Interaction[Any],
        negative: str | None = None,
        size: str | None = None,
        steps: int | None = None,
        cfg: float | None = None,
        sampler: str | None = None,
        schedule: str | None = None,
        clip_skip: int | None = None,
        hires: str | None = None,
        denoise: float | None = None,
        count: int | None = None,
        checkpoint: str | None = None,
        vae: str | None = None,
        style: bool | None = None,  # noqa: FBT001 - Discord's options are positional
        spoiler: bool | None = None,  # noqa: FBT001
        private: bool | None = None,  # noqa: FBT001
    ) -> None:
        wish = Wish(
            negative=negative,
            size=size,
            steps=steps,
            cfg=cfg,
            sampler=sampler,
            schedule=schedule,
            clip_skip=clip_skip,
            denoise=denoise,
            count=count,
            checkpoint=checkpoint,
            vae=vae,
            style=style,
            spoiler=spoiler,
            private=private,
        )
        await desk.change(interaction, scope, wish, hires)

    return app_commands.Command(name="set", description=f"Set {_WHOSE[scope]} usual settings", callback=change)


def _offers(desk: _Desk) -> dict[str, Any]:
    """Return what is offered for the options of `set`."""
    names = {
        "sampler": SAMPLER_CHOICES,
        "schedule": SCHEDULES,
        "size": tuple(desk.settings.sizes),
        "hires": HIRES_CHOICES,
        "checkpoint": tuple(desk.models.checkpoints),
        "vae": tuple(desk.models.vaes),
    }
    return {option: _offering(known) for option, known in names.items()}


def _reset_command(desk: _Desk, scope: Scope) -> app_commands.Command[Any, ..., None]:
    names = (*NAMES, *HOUSE_TEXTS) if scope is Scope.GUILD else NAMES

    @app_commands.describe(name="Which setting; left out, all of them")
    @app_commands.autocomplete(name=_offering(names))
    async def reset(interaction: discord.Interaction[Any], name: str | None = None) -> None:
        await desk.reset(interaction, scope, name)

    return app_commands.Command(name="reset", description=f"Forget {_WHOSE[scope]} usual settings", callback=reset)


def _house_command(desk: _Desk) -> app_commands.Command[Any, ..., None]:
    @app_commands.describe(
        prefix="What goes in front of every prompt here; none for nothing",
        suffix="What goes behind every prompt here; none for nothing",
    )
    async def house(
        interaction: discord.Interaction[Any], prefix: str | None = None, suffix: str | None = None
    ) -> None:
        typed = {"prefix": prefix, "suffix": suffix}
        await desk.dress(interaction, {name: _text(text) for name, text in typed.items() if text is not None})

    return app_commands.Command(name="house", description="Set what goes around every prompt here", callback=house)


def _text(typed: str) -> str:
    return "" if typed.strip().lower() in {"none", "-"} else typed.strip()


def _offering(names: Sequence[str]) -> Callable[..., Coroutine[Any, Any, list[app_commands.Choice[str]]]]:
    async def complete(_interaction: discord.Interaction[Any], current: str) -> list[app_commands.Choice[str]]:
        return offer(current, {name: name for name in names})

    return complete
