"""The gallery while others share, vote and take out at the same moment."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace

import discord
import pytest
from helpers.gallery import Gallery, button, text_of
from helpers.simulator import restrict_channels
from helpers.support import eventually

from pastelbot.bot.components.gallery_views import PageButton
from pastelbot.records import Actor
from pastelbot.service import server_rules
from pastelbot.service.server_rules import BEST_OF, GALLERY_CHANNEL
from pastelbot.store.gallery import GalleryStore, View
from pastelbot.store.settings import Scope, SettingsStore


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


async def test_a_picture_taken_out_during_a_vote(studio, gallery, monkeypatch):
    await gallery.shared()
    page = await gallery.look()
    toggle = GalleryStore.toggle_vote

    async def too_late(store, entry_id, user_id, *, now):
        await store.unshare(entry_id)
        return await toggle(store, entry_id, user_id, now=now)

    monkeypatch.setattr(GalleryStore, "toggle_vote", too_late)
    told = await studio.kenji.click(page, custom_id=button(page, "Vote"))

    assert "This picture is no longer in the gallery." in told.response.content


async def test_two_clicks_at_once_are_two_votes_of_one_person_and_no_more(studio, gallery):
    await gallery.shared()
    services = studio.bot.services
    actor = Actor(user_id=studio.kenji.id, guild_id=studio.guild.id)
    (entry,) = (await services.gallery.page(actor, View.NEWEST, 0)).shown
    told = await asyncio.gather(*(services.gallery.vote(actor, entry.entry.id) for _ in range(3)))
    (after,) = await services.gallery.shown(actor, [entry.entry.id])

    assert sorted(told) == [False, True, True]
    assert after.entry.votes == 1


@pytest.fixture
async def copies(studio, gallery):
    """Two pictures: one in the week's best, both on a page for everybody. Return the messages."""
    await gallery.set(**{GALLERY_CHANNEL: gallery.channel.id, BEST_OF: True})
    await gallery.shared("hers", seed=1)
    await gallery.shared("his", by=studio.kenji, seed=2)
    page = await gallery.look(studio.mod, text="hers")
    await studio.mod.click(page, custom_id=button(page, "Vote"))
    public = await gallery.look(studio.mod, public=True)
    studio.clock.advance(days=1)
    await studio.bot.posts.best_of()
    best = next(post for post in gallery.posts if "Best of the week" in text_of(post))
    return public.id, best.id


def there(studio, gallery, message_ids):
    """Return which of the messages are there."""
    found = {message.id for message in (*studio.messages, *gallery.posts)}
    return [message_id for message_id in message_ids if message_id in found]


async def test_a_forgotten_user_leaves_pages_for_all_and_the_best_of(studio, gallery, copies):
    assert there(studio, gallery, copies) == list(copies)
    await studio.bot.services.personal_data.forget(studio.hana.id)
    studio.bot.posts.wake()

    await eventually(lambda: there(studio, gallery, copies) == [])
    assert [post for post in gallery.posts if "hers" in text_of(post)] == []
    assert len([post for post in gallery.posts if "his" in text_of(post)]) == 1


async def test_what_a_message_does_not_show_does_not_delete_it(studio, gallery, copies):
    _public, best = copies
    post = next(post for post in gallery.posts if "his" in text_of(post))
    await studio.kenji.click(post, label="Unshare")

    await eventually(lambda: there(studio, gallery, copies) == [best])


async def test_a_page_that_was_turned_shows_other_pictures(studio, gallery):
    for number in range(5):
        await gallery.shared(f"old {number}", seed=number)
    page = await gallery.look(studio.mod, public=True)
    await studio.mod.click(page, custom_id=button(page, "Next"))
    mine = await gallery.look(studio.hana, view="mine", text="old 4")
    await studio.hana.click(mine, custom_id=button(mine, "Unshare"))
    await studio.env.settle()
    assert there(studio, gallery, [page.id]) == [page.id]

    mine = await gallery.look(studio.hana, view="mine", text="old 0")
    await studio.hana.click(mine, custom_id=button(mine, "Unshare"))
    await eventually(lambda: there(studio, gallery, [page.id]) == [])


async def test_a_picture_taken_out_before_its_page_is_shown(studio, gallery, monkeypatch):
    await gallery.shared()
    services = studio.bot.services
    thumbnails = studio.bot.posts.thumbnails

    async def slow(shown, **options):
        files = await thumbnails(shown, **options)
        await services.personal_data.forget(studio.hana.id)
        return files

    monkeypatch.setattr(studio.bot.posts, "thumbnails", slow)
    await gallery.look(studio.mod, public=True)
    await eventually(lambda: not any("Gallery" in text_of(message) for message in studio.messages))
    database = studio.bot.services.database

    assert list(await database.reader.all("SELECT * FROM gallery_copies")) == []


async def test_a_copy_deleted_in_discord_is_not_looked_for(studio, gallery, copies):
    public, _best = copies
    await studio.bot.get_channel(studio.channel.id).get_partial_message(public).delete()
    await studio.bot.get_channel(gallery.channel.id).delete()
    database = studio.bot.services.database

    async def forgotten():
        return not list(await database.reader.all("SELECT * FROM gallery_copies"))

    await eventually(forgotten)


async def test_a_remix_chain_keeps_its_credits_without_links_to_what_was_deleted(studio, gallery):
    root = await gallery.painted("1girl, root", seed=1)
    await studio.kenji.click(root, label="Reroll")
    middle = await studio.finish()
    await studio.mod.click(middle, label="Reroll")
    last = await studio.finish()
    place = f"https://discord.com/channels/{studio.guild.id}/{studio.channel.id}"
    await studio.more(studio.kenji, middle, "Delete")
    told = (await studio.hana.context_menu(studio.channel, "Who made this", last)).response.content
    assert f"remix of a picture by {studio.kenji.mention} ← [a picture]({place}/{root.id}) by" in told

    await studio.bot.services.personal_data.forget(studio.kenji.id)
    told = (await studio.hana.context_menu(studio.channel, "Who made this", last)).response.content
    assert told.endswith("remix of a picture that is gone or private")


async def test_save_prompt_and_remix_know_the_posts_of_the_gallery(studio, gallery):
    """A post is a copy without an infotext, but the bot knows what it shows."""
    await gallery.set(**{GALLERY_CHANNEL: gallery.channel.id})
    message = await gallery.shared("1girl, red hair", seed=5)
    (post,) = gallery.posts
    saving = await studio.kenji.context_menu(gallery.channel, "Save prompt", post)
    await studio.kenji.submit_modal(saving, {"name": "hers", "keep_seed": False})
    listed = await studio.kenji.slash(studio.channel, "prompt list")

    assert message.id != post.id
    assert "1girl, red hair" in listed.response.content


async def test_what_is_deleted_while_the_bot_stops_is_deleted(studio, gallery):
    """Discord does not say it again."""
    message = await gallery.painted()
    studio.bot.dispatch("raw_message_delete", SimpleNamespace(message_id=message.id))
    await asyncio.sleep(0)  # the listener's turn
    await studio.bot.close()

    assert studio.files == []


async def test_what_becomes_adult_after_it_was_shared_is_shown_outside_no_more(studio, gallery, monkeypatch):
    await gallery.shared("1girl, spider")
    await gallery.shared("1girl, cat")
    page = await gallery.look()
    store = SettingsStore(studio.bot.services.database)
    await store.update(Scope.GUILD, studio.guild.id, {server_rules.ADULT_TAGS: ["spider"]})
    using = await studio.kenji.click(page, custom_id="pb:entry:use:1")
    outside = await gallery.look()
    restrict_channels(monkeypatch)
    inside = await gallery.look()

    assert "This picture is for age-restricted channels" in using.response.content
    assert prompts(outside) == ["> 1girl, cat"]
    assert "pictures: 1" in text_of(outside)
    assert prompts(inside) == ["> 1girl, cat", "> 1girl, spider"]


async def test_a_best_of_without_a_channel_is_reported(studio, gallery):
    role = studio.guild.create_role("bosses", permissions=discord.Permissions(manage_guild=True))
    boss = studio.guild.add_member(studio.env.create_user("boss"), roles=[role])
    without = await boss.slash(studio.channel, "admin gallery best_of", on=True)
    await boss.slash(studio.channel, "admin gallery channel", channel=gallery.channel)
    there = await boss.slash(studio.channel, "admin gallery best_of", on=True)

    assert "the gallery has no channel yet" in without.response.content
    assert there.response.content == "The weekly best-of is on."


async def test_the_best_of_leaves_out_what_has_become_adult(studio, gallery):
    await gallery.shared("1girl, spider")
    page = await gallery.look()
    await studio.kenji.click(page, custom_id=button(page, "Vote"))
    store = SettingsStore(studio.bot.services.database)
    await store.update(Scope.GUILD, studio.guild.id, {server_rules.ADULT_TAGS: ["spider"]})
    span = {"since": studio.clock() - timedelta(days=1), "until": studio.clock() + timedelta(days=1), "limit": 3}
    best = studio.bot.services.gallery.best

    assert await best(studio.guild.id, **span, adult=False) == ()
    assert len(await best(studio.guild.id, **span, adult=True)) == 1


async def test_pressing_share_twice_at_once_posts_one_picture(studio, gallery):
    await gallery.set(**{GALLERY_CHANNEL: gallery.channel.id})
    job = await studio.jobs.by_message((await gallery.painted()).id)
    actor = Actor(user_id=studio.hana.id, guild_id=studio.guild.id)
    share = studio.bot.services.gallery.share
    told = await asyncio.gather(*(share(actor, job.id, 0) for _ in range(3)), return_exceptions=True)

    assert ["RequestError", "RequestError"] == [type(each).__name__ for each in told if isinstance(each, Exception)]
    assert len([each for each in told if not isinstance(each, Exception)]) == 1
