"""The gallery's pages and posts, and their buttons.

A button carries all that it needs: the entry's id, or the page with what was searched for. So they work after any
restart, for as long as the entry is in the gallery.
"""

import io
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from pathlib import PurePosixPath
from types import MappingProxyType
from urllib.parse import urlsplit

import discord
from discord import ui

from pastelbot.bot.checks import actor_of
from pastelbot.bot.components import gallery_texts, job_actions
from pastelbot.bot.components.direct_messages import notify_author
from pastelbot.bot.components.lasting_button import LastingButton
from pastelbot.bot.components.modals import WITH_THIS_PROMPT
from pastelbot.bot.context import Interaction
from pastelbot.bot.localisation import translated, translator
from pastelbot.bot.plain_text import neutral
from pastelbot.bot.responses import answers_errors, is_on_private_message, respond_ephemeral
from pastelbot.errors import NotFoundError
from pastelbot.service.gallery import Page, Shown
from pastelbot.store.gallery import View

SEARCHED = 36  # characters of a tag or a text: both go into a custom id of 100
_ALT = 1024
_LETTERS = {"n": View.NEWEST, "w": View.WEEK, "t": View.TOP, "m": View.MINE}


class EntryButton(LastingButton, template=r"pb:entry:(?P<verb>vote|use|infotext|unshare):(?P<entry_id>\d{1,15})"):
    """Vote for a shared picture, use its prompt, show its infotext, or take it out."""

    readers = MappingProxyType({"entry_id": int})

    def __init__(self, verb: str, entry_id: int, votes: int = 0) -> None:
        label, emoji = {
            "vote": (f"Vote ({votes})", "👍"),
            "use": ("Use this prompt", "✏️"),
            "infotext": ("Infotext", "📋"),
            "unshare": ("Unshare", None),
        }[verb]
        super().__init__(f"entry:{verb}:{entry_id}", label, emoji=emoji)
        self.verb = verb
        self.entry_id = entry_id
        self.paints = verb == "use"

    @answers_errors
    async def callback(self, interaction: Interaction) -> None:
        """Do what the button says."""
        await _ACTIONS[self.verb](interaction, self.entry_id)


class PageButton(
    LastingButton,
    template=r"(?s)pb:page:(?P<kind>[pnh])(?P<view>[nwtm])(?P<number>\d{1,6})(?:@(?P<upto>[0-9a-f]{1,9}))?:"
    r"(?P<tag>[^|]*)\|(?P<text>.*)",
):
    """Turn to another page: p and n are Prev and Next; h is the page that is shown, and does nothing.

    `upto` is the newest entry that counts: pictures shared meanwhile move nothing to another page.
    """

    readers = MappingProxyType({"view": _LETTERS.__getitem__, "number": int, "upto": lambda text: int(text, 16)})

    def __init__(
        self, kind: str, view: View, number: int, tag: str, text: str, *, upto: int | None, pages: int = 0
    ) -> None:
        letter = next(letter for letter, known in _LETTERS.items() if known is view)
        label = {"p": "◀ Prev", "n": "Next ▶", "h": f"{number + 1} of {pages}"}[kind]
        out = kind == "h" or not 0 <= number < pages
        place = f"{max(0, number)}" if upto is None else f"{max(0, number)}@{upto:x}"
        custom_id = f"page:{kind}{letter}{place}:{tag[:SEARCHED].replace('|', ' ')}|{text[:SEARCHED]}"
        super().__init__(custom_id, label, disabled=out)
        self.view_shown, self.number, self.tag, self.text, self.upto = view, number, tag, text, upto

    @answers_errors
    async def callback(self, interaction: Interaction) -> None:
        """Turn the page for the user who opened it; other users get a private one."""
        services, actor = interaction.client.services, actor_of(interaction)
        page = await services.gallery.page(
            actor, self.view_shown, self.number, tag=self.tag, text=self.text, upto=self.upto
        )
        own = _opened_by(interaction)
        await (interaction.response.defer() if own else interaction.response.defer(ephemeral=True, thinking=True))
        files = await interaction.client.posts.thumbnails(page.shown)
        view = page_view(page, self.view_shown, self.tag, self.text, names_of(files))
        view = translated(view, translator(interaction, public=own and not is_on_private_message(interaction)))
        if own:
            message = await interaction.edit_original_response(view=view, attachments=files)
            if not is_on_private_message(interaction) and interaction.guild_id is not None:
                await interaction.client.posts.keep_track(
                    page.shown, interaction.guild_id, message.channel.id, message.id
                )
        else:
            await interaction.followup.send(view=view, files=files, ephemeral=True)


def page_view(page: Page, view: View, tag: str, text: str, files: Collection[str]) -> ui.LayoutView:
    """Return a page of the gallery, whose pictures are the attachments with these names."""
    layout = ui.LayoutView(timeout=None)
    layout.add_item(ui.TextDisplay(gallery_texts.gallery_text(page, view, tag, text)))
    for shown in page.shown:
        add_entry(layout, shown, files, unshare=view is View.MINE)
    if page.pages > 1:
        numbers = {"p": page.number - 1, "h": page.number, "n": page.number + 1}
        buttons = [
            PageButton(kind, view, number, tag, text, upto=page.upto, pages=page.pages)
            for kind, number in numbers.items()
        ]
        layout.add_item(ui.ActionRow(*buttons))
    return layout


def add_entry(layout: ui.LayoutView, shown: Shown, files: Collection[str], *, unshare: bool) -> None:
    """Add a shared picture with its credits and buttons; the picture itself where it is among the attachments."""
    entry = shown.entry
    layout.add_item(ui.TextDisplay(gallery_texts.entry_text(shown)))
    if picture_name(shown) in files:
        media = discord.MediaGalleryItem(
            f"attachment://{picture_name(shown)}", description=neutral(entry.prompt)[:_ALT], spoiler=entry.spoiler
        )
        layout.add_item(ui.MediaGallery(media))
    verbs = ("vote", "use", "infotext", "unshare") if unshare else ("vote", "use", "infotext")
    layout.add_item(ui.ActionRow(*(EntryButton(verb, entry.id, entry.votes) for verb in verbs)))


def picture_name(shown: Shown) -> str:
    """Return the name of an entry's attachment."""
    return f"pastelbot-gallery-{shown.entry.id}.webp"


def names_of(files: Sequence[discord.File]) -> set[str]:
    """Return the names of attachments."""
    return {file.filename for file in files}


def picture_files(shown: Sequence[Shown], contents: Sequence[bytes | None]) -> list[discord.File]:
    """Return the attachments of a page or post; a picture without content has none."""
    return [
        discord.File(io.BytesIO(content), filename=picture_name(each), description=neutral(each.entry.prompt)[:_ALT])
        for each, content in zip(shown, contents, strict=True)
        if content is not None
    ]


async def _vote(interaction: Interaction, entry_id: int) -> None:
    services, actor = interaction.client.services, actor_of(interaction)
    voted = await services.gallery.vote(actor, entry_id)
    shown = next(iter(await services.gallery.shown(actor, [entry_id])), None)
    if shown is None:  # it was taken out at this moment
        raise NotFoundError("This picture is no longer in the gallery.")
    if interaction.message is None:
        await respond_ephemeral(
            interaction, "Your vote counts. Press again to take it back." if voted else "You took it back."
        )
    else:  # the count under the picture is the answer
        layout = _with_votes(interaction.message, shown)
        public = not is_on_private_message(interaction)
        await interaction.response.edit_message(view=translated(layout, translator(interaction, public=public)))
    if interaction.message is None or interaction.message.id != shown.entry.message_id:
        await interaction.client.posts.refresh(shown)


async def _use(interaction: Interaction, entry_id: int) -> None:
    job = await interaction.client.services.gallery.job_of(actor_of(interaction), entry_id)
    await job_actions.ask_edit(interaction, job, 0, title=WITH_THIS_PROMPT)


async def _infotext(interaction: Interaction, entry_id: int) -> None:
    services = interaction.client.services
    job = await services.gallery.job_of(actor_of(interaction), entry_id)
    shared = await services.gallery.shared(job.id)
    stored = await services.jobs.pictures(job.id)
    texts = [picture.infotext for picture, _path in stored if shared.get(picture.number) == entry_id]
    await job_actions.show_infotexts(interaction, job.id, texts)


async def _unshare(interaction: Interaction, entry_id: int) -> None:
    services = interaction.client.services
    job = await services.gallery.unshare(actor_of(interaction), entry_id)
    interaction.client.posts.wake()
    await notify_author(interaction, job, "took your picture out of the gallery")
    await respond_ephemeral(interaction, "It is no longer in the gallery.")


_ACTIONS: Mapping[str, Callable[[Interaction, int], Awaitable[None]]] = {
    "vote": _vote,
    "use": _use,
    "infotext": _infotext,
    "unshare": _unshare,
}


def _with_votes(message: discord.Message, shown: Shown) -> ui.LayoutView:
    """Return the message's view with the entry's votes as they are now."""
    layout = ui.LayoutView.from_message(message, timeout=None)
    fresh = EntryButton("vote", shown.entry.id, shown.entry.votes)
    for item in layout.walk_children():
        if isinstance(item, ui.Button) and item.custom_id == fresh.custom_id:
            item.label = fresh.item.label
        elif isinstance(item, ui.MediaGallery):
            for media in item.items:  # links expire; the attachments stay
                media.media = f"attachment://{PurePosixPath(urlsplit(media.media.url).path).name}"
    layout.stop()  # nothing waits for it: its buttons are found by their ids
    return layout


def _opened_by(interaction: Interaction) -> bool:
    message = interaction.message
    if message is None or is_on_private_message(interaction):
        return True
    opened = message.interaction_metadata
    return opened is not None and opened.user.id == interaction.user.id
