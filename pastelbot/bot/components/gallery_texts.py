"""Texts about shared pictures and their authors, as pure functions."""

from collections.abc import Sequence
from datetime import datetime

from discord.utils import format_dt

from pastelbot.bot import render
from pastelbot.bot.plain_text import plain
from pastelbot.service.gallery import Credit, Page, Provenance, Shown
from pastelbot.store.gallery import View

_SHOWN_CREDITS = 4
_PROMPT = 300

_VIEW_NAMES = {View.NEWEST: "newest", View.WEEK: "top of the week", View.TOP: "top of all time", View.MINE: "mine"}


def entry_text(shown: Shown) -> str:
    """Say whose picture it is, of what, and what it was made from."""
    entry = shown.entry
    lines = [
        f"**#{entry.id}** by <@{entry.user_id}> · {format_dt(entry.shared_at, 'R')}",
        render.quote(entry.prompt, _PROMPT),
    ]
    return "\n".join(lines + _credit_lines(shown.credits))


def _credit_lines(credits_: Sequence[Credit]) -> list[str]:
    """Say in one small line what a picture was made from, the nearest first and the root last; originals have none."""
    if not credits_:
        return []
    parts = [_credit(credit) for credit in credits_]
    if len(parts) > _SHOWN_CREDITS:
        left = len(parts) - _SHOWN_CREDITS
        parts = [*parts[: _SHOWN_CREDITS - 1], f"{left} more", parts[-1]]
    return [f"-# 🔁 remix of {' ← '.join(parts)}"]


def gallery_text(page: Page, view: View, tag: str, text: str) -> str:
    """Say what is shown, and how much there is."""
    lines = [f"🖼️ **Gallery**, {_VIEW_NAMES[view]} · pictures: {page.total}"]
    if tag:
        lines.append(f"Tag: {plain(tag)}")
    if text:
        lines.append(f"Words: {plain(text)}")
    if not page.total:
        lines.append(_nothing(view, searched=bool(tag or text)))
    return "\n".join(lines)


def provenance_text(provenance: Provenance, usual: render.Usual) -> str:
    """Say who asked for a picture, when, with which settings, and what it was made from."""
    job = provenance.job
    seeds = [picture.seed for picture in provenance.pictures] or [job.request.seed]
    lines = [
        f"Asked for by <@{job.user_id}>, {format_dt(job.created_at, 'f')} ({format_dt(job.created_at, 'R')})",
        render.quote_of(job.request, 800),
        f"-# {render.settings_line(job.request, seeds, job.seconds, usual=usual)}",
    ]
    return "\n".join(lines + _credit_lines(provenance.credits))


def best_of_text(since: datetime, until: datetime) -> str:
    """Head the weekly post."""
    return f"🏆 **Best of the week**, {format_dt(since, 'D')} to {format_dt(until, 'D')}"


def _credit(credit: Credit) -> str:
    if credit.user_id is None:
        return "a picture that is gone or private"
    person = f"<@{credit.user_id}>"
    return f"[a picture]({credit.link}) by {person}" if credit.link else f"a picture by {person}"


def _nothing(view: View, *, searched: bool) -> str:
    if searched:
        return "Nothing was found: try fewer or shorter words."
    if view is View.MINE:
        return "You have shared nothing here yet: press More, then Share, under a picture of yours."
    return "Nothing was shared here yet: press More, then Share, under a picture of yours."
