"""`/prompt` and "Apps > Save prompt": named presets."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from pastelbot.bot.attachments import content_of, first_picture, infotext_of
from pastelbot.bot.checks import actor_of
from pastelbot.bot.completions import offer_presets, preset_choices
from pastelbot.bot.components.generation_options import generation_options
from pastelbot.bot.components.queueing import paint
from pastelbot.bot.context import PAINTS, Interaction, PastelClient
from pastelbot.bot.features.settings.texts import presets_text, values_text
from pastelbot.bot.responses import answers_errors, open_modal, respond_ephemeral
from pastelbot.errors import RequestError
from pastelbot.formats import pictures
from pastelbot.formats.texts.infotext_cap import capped_text
from pastelbot.infotext import read_request
from pastelbot.options import GenerationOptions
from pastelbot.options.flags import options_from_prompt
from pastelbot.records import GenerationRequest
from pastelbot.service.requests.building import RequestBuilder
from pastelbot.service.requests.presets import LONGEST_NAME, Presets, options_of
from pastelbot.service.requests.submission import JobService
from pastelbot.service.visibility import Visibility

_MOST_STYLES = 2**18  # bytes of a file of styles


class PromptPresetsCog(commands.GroupCog, group_name="prompt", group_description="Settings kept under a name."):
    """Saves, uses, lists, shares and deletes presets."""

    def __init__(self, service: JobService, visibility: Visibility, builder: RequestBuilder, presets: Presets) -> None:
        self._service = service
        self._visibility = visibility
        self._builder = builder
        self._presets = presets
        self.menu = app_commands.ContextMenu(name="Save prompt", callback=self.save_message)

    @app_commands.command(name="save")
    @app_commands.describe(
        name="What to call it",
        prompt="The prompt; {prompt} in it is where yours goes later. No option at all: your last picture",
        keep_seed="Keep your last picture's seed too",
    )
    @answers_errors
    @generation_options(
        *("negative", "size", "steps", "cfg", "sampler", "clip_skip", "hires", "denoise", "count", "style", "seed"),
        kept=True,
        seed="A seed to keep too",
    )
    async def save(
        self,
        interaction: Interaction,
        name: str,
        prompt: str | None = None,
        *,
        options: GenerationOptions,
        keep_seed: bool = False,
    ) -> None:
        """Keep settings under a name: those given here, or your last picture's."""
        if prompt is not None:
            options = GenerationOptions.of({**options_from_prompt(prompt).set_fields(), **options.set_fields()})
        if options.set_fields():
            await self._builder.check_defaults(actor_of(interaction), options)
        else:
            options = options_of((await self._service.last_of(interaction.user.id)).request, keep_seed=keep_seed)
        await self._save(interaction, name, options)

    @app_commands.command(name="use", extras={PAINTS: True})
    @app_commands.describe(
        name="Which one",
        prompt="Another prompt than the saved one, flags too",
    )
    @answers_errors
    @generation_options("seed", "count", "private", seed="Left out, the saved one or a random one")
    async def use(
        self,
        interaction: Interaction,
        name: str,
        prompt: str | None = None,
        *,
        options: GenerationOptions,
    ) -> None:
        """Paint with saved settings."""
        options = options.replace(prompt=prompt, preset=name)
        await paint(interaction, await self._builder.build(actor_of(interaction), options))

    @app_commands.command(name="list")
    @answers_errors
    async def list_(self, interaction: Interaction) -> None:
        """Show your presets and this server's, to you alone."""
        await respond_ephemeral(interaction, presets_text(await self._presets.usable(actor_of(interaction))))

    @app_commands.command(name="delete")
    @app_commands.describe(name="Which one", shared="The server's one, not your own")
    @answers_errors
    async def delete(
        self,
        interaction: Interaction,
        name: str,
        *,
        shared: bool = False,
    ) -> None:
        """Delete a preset."""
        preset = await self._presets.delete(actor_of(interaction), name, shared=shared)
        name = preset.name
        done = f"Deleted the shared preset “{name}”." if preset.is_shared else f"Deleted preset “{name}”."
        await respond_ephemeral(interaction, done)

    @app_commands.command(name="share")
    @app_commands.describe(name="Which one of yours")
    @answers_errors
    async def share(self, interaction: Interaction, name: str) -> None:
        """Let everybody in this server use a copy of your preset."""
        preset = await self._presets.share(actor_of(interaction), name)
        await respond_ephemeral(interaction, f"Everybody here can use “{preset.name}” now, as it is at present.")

    @app_commands.command(name="import")
    @app_commands.describe(file="The webui's styles.csv; each style becomes a preset of this server")
    @answers_errors
    async def import_(self, interaction: Interaction, file: discord.Attachment) -> None:
        """Make presets of this server of a webui's styles."""
        text = capped_text(await content_of(file, cap=_MOST_STYLES), what="The styles.csv")
        made, left_out = await self._presets.import_styles(actor_of(interaction), text)
        lines = [f"Presets of this server now: {', '.join(made)}."] if made else ["There is no style in this file."]
        if left_out:
            lines.append(f"Left out, because a server has a limit of presets: {', '.join(left_out)}.")
        await respond_ephemeral(interaction, "\n".join(lines)[:2000])

    @use.autocomplete("name")
    async def complete_usable(self, interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        """Offer the presets that the person may use here."""
        return await preset_choices(interaction, current)

    @delete.autocomplete("name")
    @share.autocomplete("name")
    async def complete_name(self, interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        """Offer the presets that are kept for the person, or for this server."""
        return await offer_presets(self._presets, interaction, current)

    @answers_errors
    async def save_message(self, interaction: Interaction, message: discord.Message) -> None:
        """Keep the settings of a message's picture."""
        job = await self._visibility.shown_in(actor_of(interaction), message.id)
        request = job.request if job is not None else await _request_of(message)

        async def save(answer: Interaction, name: str, *, keep_seed: bool) -> None:
            await self._save(answer, name, options_of(request, keep_seed=keep_seed))

        await open_modal(interaction, _SaveModal(save))

    async def _save(self, interaction: Interaction, name: str, options: GenerationOptions) -> None:
        replaced = await self._presets.save(actor_of(interaction), name, options)
        name, values = " ".join(name.split()), values_text(options.set_fields())
        done = f"Replaced “{name}”: {values}" if replaced else f"Saved “{name}”: {values}"
        await respond_ephemeral(interaction, f"{done}\nUse it with /prompt use.")


class _SaveModal(discord.ui.Modal):
    """Asks for a preset's name."""

    def __init__(self, save: Callable[..., Awaitable[None]]) -> None:
        super().__init__(title="Save these settings")
        self._save = save
        self.name: discord.ui.TextInput[Any] = discord.ui.TextInput(custom_id="name", max_length=LONGEST_NAME)
        self.keep_seed: discord.ui.Checkbox[Any] = discord.ui.Checkbox(custom_id="keep_seed")
        self.add_item(discord.ui.Label(text="Name", component=self.name))
        self.add_item(discord.ui.Label(text="Keep the seed too", component=self.keep_seed))

    @answers_errors
    async def on_submit(self, interaction: Interaction) -> None:
        """Save them."""
        await self._save(interaction, self.name.value, keep_seed=self.keep_seed.value)


async def _request_of(message: discord.Message) -> GenerationRequest:
    infotext = await infotext_of(first_picture(message), cap=pictures.MAX_FILE)
    read = await asyncio.to_thread(read_request, infotext)
    if set(read.missing) >= {"Steps", "Sampler", "Seed"}:
        raise RequestError("The picture has no infotext: choose one of a Stable Diffusion program.")
    return read.request


async def setup(bot: PastelClient) -> None:
    """Add `/prompt` and its menu."""
    services = bot.services
    cog = PromptPresetsCog(services.jobs, services.visibility, services.builder, services.presets)
    await bot.add_cog(cog)
    bot.tree.add_command(cog.menu)
