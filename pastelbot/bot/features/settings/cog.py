"""`/settings`: saved defaults of users, channels and servers."""

from collections.abc import Mapping
from typing import Any

from discord import app_commands

from pastelbot.bot.checks import actor_of
from pastelbot.bot.completions import offering
from pastelbot.bot.components.generation_options import generation_options
from pastelbot.bot.context import Interaction
from pastelbot.bot.features.settings.texts import affixes_text, settings_text
from pastelbot.bot.responses import answers_errors, respond_ephemeral
from pastelbot.choices import nearest_names
from pastelbot.config import Settings
from pastelbot.errors import RequestError
from pastelbot.options import GenerationOptions
from pastelbot.options.catalogue import SETTINGS
from pastelbot.records import Actor
from pastelbot.service.requests.building import RequestBuilder
from pastelbot.service.requests.preferences import PROMPT_AFFIXES, Preferences, check_affix, owner_of
from pastelbot.store.settings import Scope

_WHOSE = {Scope.USER: "your own", Scope.CHANNEL: "this channel's", Scope.GUILD: "this server's"}


def settings_commands(settings: Settings, builder: RequestBuilder, preferences: Preferences) -> app_commands.Group:
    """Return the whole of `/settings`."""
    handler = _SettingsHandler(settings, builder, preferences)
    top = app_commands.Group(name="settings", description="Your usual settings, and those of channels and servers.")
    channel = app_commands.Group(name="channel", description="This channel's usual settings.", parent=top)
    server = app_commands.Group(name="server", description="This server's usual settings.", parent=top)
    top.add_command(_show_command(handler))
    for group, scope in ((top, Scope.USER), (channel, Scope.CHANNEL), (server, Scope.GUILD)):
        group.add_command(_set_command(handler, scope))
        group.add_command(_reset_command(handler, scope))
    server.add_command(_affixes_command(handler))
    return top


class _SettingsHandler:
    """Does what the commands say."""

    def __init__(self, settings: Settings, builder: RequestBuilder, preferences: Preferences) -> None:
        self.settings = settings
        self._builder = builder
        self._preferences = preferences

    @answers_errors
    async def show(self, interaction: Interaction) -> None:
        defaults = await self._preferences.effective_defaults(actor_of(interaction))
        await respond_ephemeral(interaction, settings_text(defaults, self.settings))

    @answers_errors
    async def change(self, interaction: Interaction, scope: Scope, options: GenerationOptions) -> None:
        actor = actor_of(interaction)
        owner_of(actor, scope)
        if not options.set_fields():
            raise RequestError("There is nothing to set: choose at least one setting.")
        await self._builder.check_defaults(actor, options)
        await self._preferences.change(actor, scope, options, {})
        await self._say(interaction, actor, f"Kept as {_WHOSE[scope]} settings.")

    @answers_errors
    async def apply_style(self, interaction: Interaction, texts: Mapping[str, str]) -> None:
        actor = actor_of(interaction)
        owner_of(actor, Scope.GUILD)
        if not texts:
            raise RequestError("There is nothing to set: write a prefix or a suffix, or none to remove it.")
        for name, text in texts.items():
            check_affix(name, text, self.settings.limits)
        await self._preferences.change(actor, Scope.GUILD, GenerationOptions(), texts)
        defaults = await self._preferences.effective_defaults(actor)
        await respond_ephemeral(interaction, affixes_text(defaults))

    @answers_errors
    async def reset(self, interaction: Interaction, scope: Scope, name: str | None) -> None:
        actor = actor_of(interaction)
        set_fields = (*SETTINGS, *PROMPT_AFFIXES) if scope is Scope.GUILD else SETTINGS
        if name is not None and name not in set_fields:
            raise RequestError(f"There is no setting {name[:40]!r}. {nearest_names(name[:40], set_fields)}")
        await self._preferences.reset(actor, scope, [name] if name is not None else [])
        what = name if name is not None else "Everything"
        await self._say(interaction, actor, f"{what} of {_WHOSE[scope]} settings is as usual again.")

    async def _say(self, interaction: Interaction, actor: Actor, text: str) -> None:
        defaults = await self._preferences.effective_defaults(actor)
        await respond_ephemeral(interaction, f"{text}\n{settings_text(defaults, self.settings)}")


def _show_command(handler: _SettingsHandler) -> app_commands.Command[Any, ..., None]:
    async def show(interaction: Interaction) -> None:
        await handler.show(interaction)

    return app_commands.Command(name="show", description="Show what is used where you type nothing.", callback=show)


def _set_command(handler: _SettingsHandler, scope: Scope) -> app_commands.Command[Any, ..., None]:
    """Return the command that sets defaults of one level; what is left out stays as it is."""

    @generation_options(*SETTINGS, kept=True, closed=False)
    async def change(interaction: Interaction, *, options: GenerationOptions) -> None:
        await handler.change(interaction, scope, options)

    return app_commands.Command(name="set", description=f"Set {_WHOSE[scope]} usual settings.", callback=change)


def _reset_command(handler: _SettingsHandler, scope: Scope) -> app_commands.Command[Any, ..., None]:
    names = (*SETTINGS, *PROMPT_AFFIXES) if scope is Scope.GUILD else SETTINGS

    @app_commands.describe(name="Which setting; left out, all of them")
    @app_commands.autocomplete(name=offering(names))
    async def reset(interaction: Interaction, name: str | None = None) -> None:
        await handler.reset(interaction, scope, name)

    return app_commands.Command(name="reset", description=f"Forget {_WHOSE[scope]} usual settings.", callback=reset)


def _affixes_command(handler: _SettingsHandler) -> app_commands.Command[Any, ..., None]:
    @app_commands.describe(
        prefix="What goes in front of every prompt here; none for nothing",
        suffix="What goes behind every prompt here; none for nothing",
    )
    async def access(interaction: Interaction, prefix: str | None = None, suffix: str | None = None) -> None:
        typed = {"prefix": prefix, "suffix": suffix}
        await handler.apply_style(interaction, {name: _text(text) for name, text in typed.items() if text is not None})

    return app_commands.Command(name="house", description="Set what goes around every prompt here.", callback=access)


def _text(typed: str) -> str:
    return "" if typed.strip().lower() in {"none", "-"} else typed.strip()
