"""Pages of found tags; a button carries the search and its page, or its tag, so it works after any restart."""

from types import MappingProxyType

import discord

from pastelbot.bot.checks import actor_of
from pastelbot.bot.components.lasting_button import LastingButton
from pastelbot.bot.components.queueing import open_prompt_form
from pastelbot.bot.context import Interaction
from pastelbot.bot.plain_text import plain
from pastelbot.bot.responses import answers_errors, replace_response
from pastelbot.prompt.tags.completion import short_count
from pastelbot.prompt.tags.names import spoken, written
from pastelbot.prompt.tags.vocabulary import Tag, category_name
from pastelbot.service.tags.dictionary import TagPage

LONGEST_QUERY = 60

_MOST_PAGES = 99_999
_MOST_ROWS = 10
_IN_ROW = 5  # buttons
_LAST_ROW = 4
_LONGEST_NAME = 88  # what Discord's 100 characters of a custom id leave
_USE = "-# A number below opens the form with that tag, to add others and paint it, or to copy it."
_ALIASES = 80
_CONTENT = 2000


class TagPageButton(
    LastingButton,
    template=r"(?s)pb:tags:(?P<step>[pn])(?P<number>\d{1,5}):(?P<category>\d{0,2}):(?P<query>.*)",
):
    """Turn to another page: p is the one before, n the next one."""

    readers = MappingProxyType({"number": int, "category": lambda text: int(text) if text else None})

    def __init__(self, step: str, number: int, category: int | None, query: str, *, out: bool = False) -> None:
        kind = "" if category is None else str(category)
        super().__init__(
            f"tags:{step}{max(0, number)}:{kind}:{query[:LONGEST_QUERY]}",
            {"p": "◀ Prev", "n": "Next ▶"}[step],
            disabled=out,
            row=_LAST_ROW,
        )
        self.number = number
        self.category = category
        self.query = query

    @answers_errors
    async def callback(self, interaction: Interaction) -> None:
        """Turn the page."""
        tags = interaction.client.services.tags
        page = await tags.search(self.query, self.category, self.number, actor_of(interaction))
        text, view = page_text(self.query, self.category, page), page_view(self.query, self.category, page)
        await replace_response(interaction, text, view=view)


class UseTagButton(LastingButton, template=r"(?s)pb:use-tag:(?P<name>.+)"):
    """Opens the usual form with a tag, to paint it with others, or to copy it."""

    def __init__(self, name: str, number: int = 0, *, row: int | None = None) -> None:
        super().__init__(f"use-tag:{name}", str(number), row=row)
        self.name = name
        self.paints = True

    @answers_errors
    async def callback(self, interaction: Interaction) -> None:
        """Open the form."""
        await open_prompt_form(interaction, written(self.name))


def page_view(query: str, category: int | None, page: TagPage) -> discord.ui.View:
    """Return a page's buttons: one for each tag by its number, and those that turn pages where there are several."""
    view = discord.ui.View(timeout=None)
    for place, tag in enumerate(page.tags[:_MOST_ROWS]):
        if len(tag.name) <= _LONGEST_NAME:
            view.add_item(UseTagButton(tag.name, place + 1, row=place // _IN_ROW))
    if page.pages > 1:
        last = min(page.pages - 1, _MOST_PAGES)
        view.add_item(TagPageButton("p", page.page - 1, category, query, out=page.page <= 0))
        view.add_item(TagPageButton("n", page.page + 1, category, query, out=page.page >= last))
    return view


def page_text(query: str, category: int | None, page: TagPage) -> str:
    """List a page's tags with their counts, kinds and other names."""
    kind, words = "" if category is None else category_name(category), plain(query)
    if not page.total:
        return _nothing(words, kind, " or ".join(f"**{plain(name)}**" for name in page.near))[:_CONTENT]
    total, s, number, pages = f"{page.total:,}", "s" * (page.total != 1), page.page + 1, f"{page.pages:,}"
    head = f"**{total}** tag{s} for {words}, page {number} of {pages}:"
    if kind:
        head = f"**{total}** tag{s} of the kind {kind} for {words}, page {number} of {pages}:"
    rows = [_row(number, tag) for number, tag in enumerate(page.tags, start=1)]
    if page.hidden:
        rows.append(f"-# {page.hidden} more on this page are not shown in this channel.")
    return "\n".join([head, *rows, _USE])[:_CONTENT]


def _nothing(words: str, kind: str, near: str) -> str:
    if kind and near:
        return f"No tag of the kind {kind} has the words {words}. Did you mean {near}?"
    if kind:
        return f"No tag of the kind {kind} has the words {words}."
    return f"No tag has the words {words}. Did you mean {near}?" if near else f"No tag has the words {words}."


def _row(number: int, tag: Tag) -> str:
    aliases = ""
    for alias in tag.aliases:
        if len(aliases) + len(alias) > _ALIASES:
            aliases += ", …"
            break
        aliases += f", {spoken(alias)}"
    name, count, kind = plain(spoken(tag.name)[:_ALIASES]), short_count(tag.count), category_name(tag.category)
    if aliases:
        return f"{number}. **{name}** · {count} · {kind} · also {plain(aliases[2:])}"
    return f"{number}. **{name}** · {count} · {kind}"
