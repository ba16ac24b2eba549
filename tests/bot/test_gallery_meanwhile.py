"""The gallery while others share, vote and take out at the same moment."""

import asyncio

import discord
import pytest
from test_gallery import Gallery, button, text_of

from pastelbot.bot.views.gallery import PageButton
from pastelbot.records import Asker
from pastelbot.store.gallery import View


@pytest.fixture
async def gallery(studio):
    return Gallery(studio)


def prompts(page):
    return [line for line in text_of(page).split("\n") if line.startswith(">")]


@pytest.mark.parametrize("view", ["newest", "mine", "top", "week"])
async def test_what_is_shared_meanwhile_moves_nothing_to_another_page(studio, gallery, view):
    for number in range(6):
        await gallery.shared(f"old {number}", seed=number)
    page = await gallery.look(studio.hana, view=view)
    first = prompts(page)
    await gallery.shared("new", seed=77)
    turned = await studio.hana.click(page, custom_id=button(page, "Next"))

    assert [f"> old {number}" for number in (5, 4, 3, 2, 1, 0)] == first + prompts(turned.response)
    assert "> new" in prompts(await gallery.look(studio.hana, view=view))


async def test_a_page_of_an_earlier_version_still_turns(studio, gallery):
    """Its buttons do not say what was the newest then."""
    for number in range(5):
        await gallery.shared(f"old {number}", seed=number)
    view = discord.ui.View(timeout=None)
    view.add_item(PageButton("n", View.NEWEST, 1, "", "", upto=None, pages=2))
    old = await studio.bot.get_channel(studio.channel.id).send("old", view=view)
    turned = await studio.kenji.click(old, label="Next ▶")

    assert prompts(turned.response) == ["> old 0"]


async def test_a_picture_taken_out_while_somebody_votes(studio, gallery, monkeypatch):
    await gallery.shared()
    page = await gallery.look()
    store = studio.bot.resources.gallery._store
    toggle = store.toggle_vote

    async def too_late(entry_id, user_id, *, now):
        await store.unshare(entry_id)
        return await toggle(entry_id, user_id, now=now)

    monkeypatch.setattr(store, "toggle_vote", too_late)
    told = await studio.kenji.click(page, custom_id=button(page, "Vote"))

    assert "This picture is not in the gallery any more." in told.response.content


async def test_two_clicks_at_once_are_two_votes_of_one_person_and_no_more(studio, gallery):
    await gallery.shared()
    resources = studio.bot.resources
    asker = Asker(user_id=studio.kenji.id, guild_id=studio.guild.id)
    (entry,) = (await resources.gallery.page(asker, View.NEWEST, 0)).shown
    told = await asyncio.gather(*(resources.gallery.vote(asker, entry.entry.id) for _ in range(3)))
    (after,) = await resources.gallery.shown(asker, [entry.entry.id])

    assert sorted(told) == [False, True, True]
    assert after.entry.votes == 1
