"""Private answers to errors of commands, buttons and modals."""

import functools
import secrets
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, TypeVar

import aiohttp
import discord
import structlog
from discord import app_commands
from discord.utils import MISSING

from pastelbot.bot.context import PAINTS, Interaction
from pastelbot.bot.localisation import translated, translator
from pastelbot.bot.plain_text import plain_sentence
from pastelbot.errors import (
    NotAllowedError,
    PastelError,
    RequestError,
    StorageError,
    StoreDamagedError,
    StoreError,
    WordError,
)

Owner = TypeVar("Owner")
P = ParamSpec("P")

UNSENT = (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError)  # Discord has not taken something

_CONTENT = 2000
_QUEUED = "queued"  # in an interaction's extras
_ALREADY_ANSWERED = 40060
_SERVER_ERROR = 500

log = structlog.get_logger(__name__)


def mark_queued(interaction: Interaction) -> None:
    """Remember that what an interaction asked for is queued and charged, whatever fails from here on."""
    interaction.extras[_QUEUED] = True


def is_queued(interaction: Interaction) -> bool:
    """Return whether what an interaction asked for is queued and charged."""
    return _QUEUED in interaction.extras


async def answer_error(interaction: Interaction, error: BaseException) -> None:
    """Answer the user privately with what was wrong; unexpected errors go to the log.

    Where something was to be painted, the answer says whether it is charged.
    """
    if isinstance(error, app_commands.CommandInvokeError | app_commands.TransformerError) and error.__cause__:
        error = error.__cause__
    if isinstance(error, discord.HTTPException) and error.code == _ALREADY_ANSWERED:
        log.info("an interaction was delivered twice", user=interaction.user.id)
        return
    text = _explained(interaction, error)
    if is_queued(interaction):
        text = f"⚠️ {text} What you asked for is queued all the same, and charged: it will be shown."
    elif _paints(interaction) and not text.rstrip().endswith("charged."):
        text = f"⚠️ {text} Not charged."
    else:
        text = f"⚠️ {text}"
    editable = not is_queued(interaction) and _may_help(error)
    view = interaction.client.drafts.view(interaction) if editable else None
    await _send_privately(
        interaction, plain_sentence(translator(interaction)(text)), view=MISSING if view is None else view
    )


def _paints(interaction: Interaction) -> bool:
    """Return whether an interaction asked for something that is charged where it succeeds."""
    command = interaction.command
    return PAINTS in interaction.extras or (command is not None and bool(command.extras.get(PAINTS)))


def _may_help(error: BaseException) -> bool:
    """Return whether another text may be accepted: who is blocked, or lacks a permission, may not paint any."""
    return isinstance(error, RequestError) and (isinstance(error, WordError) or not isinstance(error, NotAllowedError))


def _explained(interaction: Interaction, error: BaseException) -> str:
    """Return what was wrong. Causes outside the program have their own sentences, and no traceback in the log."""
    if isinstance(error, StorageError | StoreDamagedError):
        log.error("storage failed", reason=str(error), cause=str(error.__cause__))
    elif isinstance(error, StoreError):
        log.error("the database failed", exc_info=error)
    elif isinstance(error, PastelError | app_commands.AppCommandError):
        log.debug("refused", user=interaction.user.id, reason=str(error))
    elif is_outage(error):
        log.warning("Discord failed", user=interaction.user.id, error=str(error))
        return "Discord does not answer the bot as it should just now: try again in a minute."
    else:
        mark = secrets.token_hex(3)
        log.error("unexpected error", mark=mark, exc_info=error)
        return f"Something went wrong here, and it is in the log as `{mark}`."
    return str(error)


def is_outage(error: BaseException) -> bool:
    """Return whether Discord or the way to it failed, so that the same may succeed later."""
    if isinstance(error, discord.HTTPException):
        return error.status >= _SERVER_ERROR
    return isinstance(error, aiohttp.ClientError | TimeoutError)


async def defer(interaction: Interaction, *, thinking: bool = True) -> None:
    """Say that an answer is coming, `thinking` for a private one; where Discord knows that, its answer was lost."""
    try:
        await interaction.response.defer(ephemeral=thinking, thinking=thinking)
    except discord.HTTPException as error:
        if error.code != _ALREADY_ANSWERED:
            raise


async def respond_ephemeral(
    interaction: Interaction,
    text: str,
    *,
    view: discord.ui.View = MISSING,
    file: discord.File = MISSING,
) -> None:
    """Answer so that only the person sees it, whether or not the interaction was answered before."""
    await _send_privately(interaction, translator(interaction)(text), view=view, file=file)


async def _send_privately(
    interaction: Interaction, text: str, *, view: discord.ui.View = MISSING, file: discord.File = MISSING
) -> None:
    """Answer with a text that is in the user's language already."""
    text = text[:_CONTENT]
    if view is not MISSING:
        view = translated(view, translator(interaction))
    message: dict[str, Any] = {"view": view, "file": file, "ephemeral": True}
    try:
        if interaction.response.is_done() or not await _answered(interaction, text, message):
            await interaction.followup.send(text, **message)
    except UNSENT as error:
        log.warning("an answer did not arrive", error=str(error))


async def _answered(interaction: Interaction, text: str, message: dict[str, Any]) -> bool:
    """Answer an interaction; False where Discord has an answer already, of which the bot does not know."""
    try:
        await interaction.response.send_message(text, **message)
    except discord.HTTPException as error:
        if error.code != _ALREADY_ANSWERED:
            raise
        return False
    return True


async def replace_response(interaction: Interaction, text: str, *, view: discord.ui.View | None = None) -> None:
    """Replace the private message whose button was pressed."""
    translate = translator(interaction)
    view = translated(view, translate) if view is not None else None
    try:
        if interaction.response.is_done():
            await interaction.edit_original_response(content=translate(text)[:_CONTENT], view=view)
        else:
            await interaction.response.edit_message(content=translate(text)[:_CONTENT], view=view)
    except UNSENT as error:  # what was asked for is done; only the message is gone
        log.warning("an answer did not arrive", error=str(error))


def is_on_private_message(interaction: Interaction) -> bool:
    """Return whether a button of a message was pressed that only this user sees."""
    return interaction.message is not None and interaction.message.flags.ephemeral


def answers_question(interaction: Interaction) -> bool:
    """Return whether a button, and no form, of a message was pressed that only this user sees."""
    return interaction.type is discord.InteractionType.component and is_on_private_message(interaction)


async def respond_in_place(interaction: Interaction, text: str, *, view: discord.ui.View) -> None:
    """Answer privately, in the private message whose button was pressed where it was one."""
    if is_on_private_message(interaction):
        await replace_response(interaction, text, view=view)
    else:
        await respond_ephemeral(interaction, text, view=view)


async def close_question(interaction: Interaction) -> None:
    """Remove the private message whose button was pressed, after `defer`: it is answered."""
    try:
        await interaction.delete_original_response()
    except UNSENT as error:  # only what is answered stays in view
        log.debug("a question was not closed", error=str(error))


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
            if getattr(owner, PAINTS, False):
                interaction.extras[PAINTS] = True
            await answer_error(interaction, error)

    return answering
