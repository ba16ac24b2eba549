"""Private answers to errors of commands, buttons and modals."""

import functools
import secrets
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, TypeVar

import discord
import structlog
from discord import app_commands
from discord.utils import MISSING

from pastelbot.bot.context import Interaction
from pastelbot.bot.localisation import translated, translator
from pastelbot.errors import PastelError, StoreError

Owner = TypeVar("Owner")
P = ParamSpec("P")

_CONTENT = 2000

log = structlog.get_logger(__name__)


async def answer_error(interaction: Interaction, error: BaseException) -> None:
    """Answer the user privately with what was wrong; unexpected errors also go to the log."""
    if isinstance(error, app_commands.CommandInvokeError | app_commands.TransformerError) and error.__cause__:
        error = error.__cause__
    if isinstance(error, PastelError):
        text = str(error)
        if isinstance(error, StoreError):
            log.error("the database failed", exc_info=error)
        log.debug("refused", user=interaction.user.id, reason=text)
    elif isinstance(error, app_commands.AppCommandError):
        text = str(error)
    else:
        mark = secrets.token_hex(3)
        text = f"Something went wrong here, and it is in the log as `{mark}`."
        log.error("unexpected error", mark=mark, exc_info=error)
    says_charge = text.rstrip().endswith("charged.")
    await respond_ephemeral(interaction, f"⚠️ {text}" if says_charge else f"⚠️ {text} Not charged.")


async def respond_ephemeral(
    interaction: Interaction,
    text: str,
    *,
    view: discord.ui.View = MISSING,
    file: discord.File = MISSING,
) -> None:
    """Answer so that only the person sees it, whether or not the interaction was answered before."""
    translate, none = translator(interaction), discord.AllowedMentions.none()
    text = translate(text)[:_CONTENT]
    if view is not MISSING:
        view = translated(view, translate)
    try:
        if interaction.response.is_done():
            await interaction.followup.send(text, view=view, file=file, ephemeral=True, allowed_mentions=none)
        else:
            await interaction.response.send_message(text, view=view, file=file, ephemeral=True, allowed_mentions=none)
    except discord.HTTPException as error:
        log.warning("an answer did not arrive", error=str(error))


async def replace_response(interaction: Interaction, text: str, *, view: discord.ui.View | None = None) -> None:
    """Replace the private message whose button was pressed."""
    translate, none = translator(interaction), discord.AllowedMentions.none()
    view = translated(view, translate) if view is not None else None
    try:
        if interaction.response.is_done():
            await interaction.edit_original_response(
                content=translate(text)[:_CONTENT], view=view, allowed_mentions=none
            )
        else:
            await interaction.response.edit_message(
                content=translate(text)[:_CONTENT], view=view, allowed_mentions=none
            )
    except discord.HTTPException as error:  # what was asked for is done; only the message is gone
        log.warning("an answer did not arrive", error=str(error))


async def open_modal(interaction: Interaction, form: discord.ui.Modal) -> None:
    """Open a form."""
    await interaction.response.send_modal(translated(form, translator(interaction)))


def answers_errors(
    callback: Callable[Concatenate[Owner, Interaction, P], Coroutine[Any, Any, None]],
) -> Callable[Concatenate[Owner, discord.Interaction[Any], P], Coroutine[Any, Any, None]]:
    """Let a method that takes an interaction answer its own errors.

    discord.py only logs what a dynamic item raises, so no error may leave one.
    """

    @functools.wraps(callback)
    async def answering(owner: Owner, interaction: Interaction, /, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            await callback(owner, interaction, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the edge: everything is answered
            await answer_error(interaction, error)

    return answering
