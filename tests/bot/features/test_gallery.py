import io

import pytest
from helpers.gallery import Gallery, button, parts, text_of
from helpers.support import eventually
from PIL import Image

from pastelbot.errors import NotFoundError
from pastelbot.records import Actor
from pastelbot.service.server_rules import ADULT_TAGS, BEST_OF, GALLERY_CHANNEL
from pastelbot.store.moderation.blocks import Block, BlockStore
from pastelbot.store.settings import Scope, SettingsStore


@pytest.fixture
async def gallery(studio):
    return Gallery(studio)


def all_labels(message):
    return [part["label"] for part in parts(message) if part["type"] == 2]


async def test_share_puts_a_picture_into_the_gallery(studio, gallery):
    message = await gallery.painted("1girl, red hair", seed=7)
    result = await studio.more(studio.hana, message, "Share")
    page = await gallery.look()

    assert result.response.ephemeral
    assert result.response.content == "Shared: /gallery shows it."
    assert page.ephemeral
    assert "pictures: 1" in text_of(page)
    assert f"by <@{studio.hana.id}>" in text_of(page)
    assert "> 1girl, red hair" in text_of(page)
    (attachment,) = page.attachments
    assert Image.open(io.BytesIO(await attachment.read())).format == "WEBP"


async def test_only_its_author_shares_a_picture(studio, gallery):
    message = await gallery.painted()

    for person in (studio.kenji, studio.mod):
        refused = await studio.old_button(person, message, "share")
        assert refused.response.ephemeral
        assert "only its author can share it" in refused.response.content
    assert "pictures: 0" in text_of(await gallery.look())


async def test_a_picture_is_shared_once(studio, gallery):
    message = await gallery.shared()
    again = await studio.old_button(studio.hana, message, "share")

    assert "in the gallery already" in again.response.content
    assert "pictures: 1" in text_of(await gallery.look())


async def test_a_private_picture_is_not_shared(studio, gallery):
    message = await gallery.painted()
    job = await studio.jobs.by_message(message.id)
    async with studio.bot.services.database.transaction() as connection:
        await connection.execute("UPDATE jobs SET private = 1 WHERE id = ?", job.id)

    refused = await studio.old_button(studio.hana, message, "share")

    assert "This picture is private" in refused.response.content


async def test_a_picture_without_its_file_is_not_shared(studio, gallery):
    message = await gallery.painted()
    job = await studio.jobs.by_message(message.id)
    ((_, path),) = await studio.service.pictures(job.id)
    path.unlink()

    refused = await studio.more(studio.hana, message, "Share")

    assert "The picture's file is no longer kept" in refused.response.content


@pytest.mark.parametrize("damage", [b"", b"\x89PNG\r\n\x1a\n half", None])
async def test_a_damaged_file_is_a_page_without_its_picture(studio, gallery, damage):
    await gallery.shared("1girl, red hair", seed=1)
    (path,) = studio.settings.storage.pictures.rglob("*.png")
    path.unlink() if damage is None else path.write_bytes(damage)
    await gallery.shared("1girl, blue hair", seed=2)
    page = await gallery.look()

    assert "pictures: 2" in text_of(page)
    assert len(page.attachments) == 1


async def test_with_several_pictures_share_asks_which(studio, gallery):
    message = await gallery.painted(count=3, seed=7)
    asked = await studio.more(studio.hana, message, "Share")
    assert asked.response.ephemeral
    assert ["Share 1", "Share 2", "Share 3"] == all_labels(asked.response)

    await studio.hana.click(asked.response, label="Share 2")
    page = await gallery.look()
    form = await studio.kenji.click(page, label="Use this prompt")

    assert "Paint with this prompt" == form.modal["title"]
    assert "pictures: 1" in text_of(page)
    assert any(field["component"].get("value") == "8" for field in form.modal["components"])


async def test_the_gallerys_channel_gets_the_picture_with_credit_and_buttons(studio, gallery):
    await gallery.set(**{GALLERY_CHANNEL: gallery.channel.id})
    message = await gallery.painted("1girl, @everyone")
    result = await studio.more(studio.hana, message, "Share")
    (post,) = gallery.posts

    assert f"Shared: it is in <#{gallery.channel.id}>, and /gallery shows it." == result.response.content
    assert f"by <@{studio.hana.id}>" in text_of(post)
    assert ["Vote (0)", "Use this prompt", "Infotext", "Unshare"] == all_labels(post)
    assert len(post.attachments) == 1
    (sent,) = [body for body in studio.sent("messages", "POST") if body.get("flags")]
    assert sent["allowed_mentions"] == {"parse": []}


async def test_a_spoiler_stays_one(studio, gallery):
    await gallery.set(**{GALLERY_CHANNEL: gallery.channel.id})
    message = await gallery.painted()
    job = await studio.jobs.by_message(message.id)
    async with studio.bot.services.database.transaction() as connection:
        await connection.execute("UPDATE jobs SET spoiler = 1 WHERE id = ?", job.id)
    await studio.more(studio.hana, message, "Share")
    (post,) = gallery.posts

    for shown in (post, await gallery.look()):
        assert [True] == [item["spoiler"] for part in parts(shown) if part["type"] == 12 for item in part["items"]]


async def test_a_picture_for_adults_stays_out_of_other_channels(studio, gallery):
    await gallery.set(**{GALLERY_CHANNEL: gallery.channel.id})
    message = await gallery.painted()
    store = SettingsStore(studio.bot.services.database)
    await store.update(Scope.GUILD, studio.guild.id, {ADULT_TAGS: ["1girl"]})
    result = await studio.more(studio.hana, message, "Share")

    assert f"<#{gallery.channel.id}> is not one." in result.response.content
    assert gallery.posts == []
    assert "pictures: 0" in text_of(await gallery.look())
    assert "pictures: 0" in text_of(await gallery.look(studio.hana, view="mine"))


@pytest.mark.parametrize("trouble", ["gone", "forbidden"])
async def test_a_channel_that_cannot_be_posted_in_is_reported(studio, gallery, trouble):
    channel_id = 1 if trouble == "gone" else gallery.channel.id
    await gallery.set(**{GALLERY_CHANNEL: channel_id})
    message = await gallery.painted()
    if trouble == "forbidden":
        studio.env.inject_error("POST", "/channels/*/messages", status=403, code=50013)
    result = await studio.more(studio.hana, message, "Share")

    assert result.response.content.startswith("Shared: /gallery shows it.")
    assert result.response.content.endswith("tell a moderator.")
    assert "pictures: 1" in text_of(await gallery.look())


@pytest.mark.parametrize("who", ["hana", "mod"])
async def test_its_author_and_moderators_take_a_picture_out(studio, gallery, who):
    await gallery.set(**{GALLERY_CHANNEL: gallery.channel.id})
    await gallery.shared()
    (post,) = gallery.posts
    refused = await studio.kenji.click(post, label="Unshare")
    assert "its author and moderators can take it out" in refused.response.content

    result = await getattr(studio, who).click(post, label="Unshare")
    await eventually(lambda: gallery.posts == [])

    assert "It is no longer in the gallery." in result.response.content
    assert "pictures: 0" in text_of(await gallery.look())


async def test_a_post_that_cannot_be_deleted_now_is_deleted_later(studio, gallery):
    await gallery.set(**{GALLERY_CHANNEL: gallery.channel.id})
    await gallery.shared()
    (post,) = gallery.posts
    studio.env.inject_error("DELETE", "/channels/*/messages/*", status=500)
    await studio.hana.click(post, label="Unshare")
    assert len(gallery.posts) == 1

    await studio.bot.close()
    await studio.restart()
    studio.bot.posts.wake()

    await eventually(lambda: gallery.posts == [])


async def test_deleting_the_post_in_discord_takes_the_picture_out(studio, gallery):
    await gallery.set(**{GALLERY_CHANNEL: gallery.channel.id})
    message = await gallery.shared()
    await studio.mod.delete(gallery.posts[0])

    async def gone():
        return "pictures: 0" in text_of(await gallery.look())

    await eventually(gone)
    assert (await studio.jobs.pictures((await studio.jobs.by_message(message.id)).id)) != []


@pytest.mark.parametrize("how", ["button", "discord"])
async def test_deleting_the_message_deletes_picture_entry_and_post(studio, gallery, how):
    await gallery.set(**{GALLERY_CHANNEL: gallery.channel.id})
    message = await gallery.shared()
    job = await studio.jobs.by_message(message.id)
    ((_, path),) = await studio.service.pictures(job.id)
    if how == "button":
        asked = await studio.more(studio.hana, message, "Delete")
        await studio.hana.click(asked.response, label="Delete for all")
    else:
        await studio.mod.delete(message)
    await eventually(lambda: gallery.posts == [])
    await eventually(lambda: not path.exists())

    assert await studio.service.pictures(job.id) == []
    assert "pictures: 0" in text_of(await gallery.look())


async def test_deleting_many_messages_at_once_deletes_their_pictures(studio, gallery):
    messages = [await gallery.painted(f"1girl, {word}", seed=seed) for seed, word in enumerate(("red", "blue"))]
    studio.env.backend.bulk_delete_messages(studio.channel.id, [message.id for message in messages])

    await eventually(lambda: studio.files == [])


async def test_deleting_a_channel_deletes_its_pictures(studio, gallery):
    await gallery.set(**{GALLERY_CHANNEL: gallery.channel.id})
    message = await gallery.shared()
    studio.bot.dispatch("guild_channel_delete", studio.bot.get_channel(gallery.channel.id))
    await studio.env.settle()
    assert "pictures: 1" in text_of(await gallery.look()), "the gallery's channel showed copies"

    studio.bot.dispatch("guild_channel_delete", studio.bot.get_channel(studio.channel.id))
    await eventually(lambda: studio.files == [])

    assert await studio.jobs.pictures((await studio.jobs.by_message(message.id)).id) == []


async def test_a_message_deleted_before_its_picture_is_painted_loses_nothing(studio):
    result = await studio.imagine()
    await studio.painting()
    await studio.mod.delete(result.response)
    message = await studio.finish()

    assert message.attachments
    assert len(await studio.jobs.pictures((await studio.jobs.by_message(message.id)).id)) == 1


async def test_a_vote_counts_once_and_can_be_taken_back(studio, gallery):
    await gallery.set(**{GALLERY_CHANNEL: gallery.channel.id})
    await gallery.shared()
    (post,) = gallery.posts
    for expected in (1, 0, 1):
        result = await studio.kenji.click(gallery.posts[0], label=all_labels(gallery.posts[0])[0])
        assert f"Vote ({expected})" in all_labels(gallery.posts[0])
    page = await gallery.look()
    await studio.mod.click(gallery.posts[0], label="Vote (1)")
    assert "Vote (2)" in all_labels(gallery.posts[0])
    voted = await studio.kenji.click(page, label="Vote (1)")

    assert result.followups == voted.followups == [], "the count under the picture is the answer"
    assert gallery.posts[0].attachments == post.attachments
    assert "Vote (1)" in all_labels(gallery.posts[0]), "a vote on a page shows in the post"
    assert "Vote (1)" in all_labels(await gallery.look())


async def test_no_user_votes_for_their_own_picture(studio, gallery):
    await gallery.shared()
    page = await gallery.look(studio.hana)
    refused = await studio.hana.click(page, label="Vote (0)")

    assert "your own picture" in refused.followups[-1].content if refused.followups else refused.response.content
    assert "Vote (0)" in all_labels(await gallery.look())


async def test_blocked_people_neither_share_nor_vote(studio, gallery):
    message = await gallery.painted()
    await gallery.shared(by=studio.kenji)
    page = await gallery.look(studio.hana)
    blocks = BlockStore(studio.bot.services.database)
    await blocks.put(Block(guild_id=studio.guild.id, user_id=studio.hana.id))

    for refused in (await studio.more(studio.hana, message, "Share"), await studio.hana.click(page, label="Vote (0)")):
        assert refused.response.ephemeral
        assert "asked you to take a break" in refused.response.content
    assert "Vote (0)" in all_labels(await gallery.look())


async def test_a_button_of_a_picture_that_is_gone_says_so(studio, gallery):
    await gallery.shared()
    page = await gallery.look()
    mine = await gallery.look(studio.hana, view="mine")
    await studio.hana.click(mine, label="Unshare")

    for label in ("Vote (0)", "Use this prompt"):
        refused = await studio.kenji.click(page, label=label)
        assert "This picture is no longer in the gallery." in refused.response.content


async def test_using_a_prompt_paints_for_the_user_who_pressed(studio, gallery):
    message = await gallery.shared("1girl, red hair", seed=7)
    page = await gallery.look()
    form = await studio.kenji.click(page, label="Use this prompt")
    values = {field["component"]["custom_id"]: field["component"].get("value") for field in form.modal["components"]}
    assert values["prompt"] == "1girl, red hair"

    await studio.kenji.submit_modal(form, {"prompt": "1girl, blue hair"})
    again = await studio.finish()
    job = await studio.jobs.by_message(again.id)

    assert job.user_id == studio.kenji.id
    assert job.request.prompt == "1girl, blue hair"
    assert job.options.origin == (await studio.jobs.by_message(message.id)).id


@pytest.fixture
async def full(gallery):
    """A gallery of six pictures, the last shared first on the page."""
    for number in range(6):
        await gallery.shared(f"1girl, number {number}", seed=number)
    return gallery


async def test_pages_turn_there_and_back_also_after_a_restart(studio, full):
    page = await full.look()
    assert "pictures: 6" in text_of(page)
    assert ["number 5", "number 4", "number 3", "number 2"] == numbers(page)
    assert all_labels(page)[-3:] == ["◀ Prev", "1 of 2", "Next ▶"]

    await studio.bot.close()
    await studio.restart()
    second = (await studio.kenji.click(page, label="Next ▶")).response
    assert second.id == page.id
    assert ["number 1", "number 0"] == numbers(second)
    assert len(second.attachments) == 2
    first = (await studio.kenji.click(second, label="◀ Prev")).response

    assert ["number 5", "number 4", "number 3", "number 2"] == numbers(first)


def numbers(page):
    return [line.split(", ")[-1] for line in text_of(page).splitlines() if line.startswith("> ")]


async def test_a_page_that_is_gone_is_the_last_one(studio, full):
    page = await full.look()
    mine = await full.look(studio.hana, view="mine")
    for _ in range(3):
        await studio.hana.click(mine, custom_id=button(mine, "Unshare"))
        mine = await full.look(studio.hana, view="mine")
    shown = (await studio.kenji.click(page, label="Next ▶")).response

    assert ["number 2", "number 1", "number 0"] == numbers(shown)


async def test_a_public_page_is_turned_by_who_opened_it(studio, full):
    page = await full.look(public=True)
    assert not page.ephemeral
    others = (await studio.hana.click(page, label="Next ▶")).response
    assert others.ephemeral
    assert others.id != page.id
    own = (await studio.kenji.click(page, label="Next ▶")).response

    assert own.id == page.id
    assert ["number 1", "number 0"] == numbers(own)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"tag": "number 4"}, ["number 4"]),
        ({"tag": "Number_4"}, ["number 4"]),
        ({"tag": "number"}, []),
        ({"text": "numb 3"}, ["number 3"]),
        ({"text": 'girl" OR NEAR(*)'}, []),
        ({"text": "🎨"}, []),
        ({"tag": "1girl", "text": "5"}, ["number 5"]),
        ({"view": "mine"}, []),
        ({"view": "week", "text": "2"}, ["number 2"]),
    ],
)
async def test_searching(full, options, expected):
    page = await full.look(**options)

    assert expected == numbers(page)
    if not expected:
        assert "pictures: 0" in text_of(page)


async def test_a_search_goes_on_on_the_next_page(studio, full):
    page = await full.look(tag="1girl", text="number")
    second = (await studio.kenji.click(page, label="Next ▶")).response

    assert "Tag: 1girl" in text_of(second)
    assert ["number 1", "number 0"] == numbers(second)


async def test_the_longest_search_fits_into_its_buttons(full):
    page = await full.look(text="🎨|" + "n" * 34)

    assert "pictures: 0" in text_of(page)


@pytest.mark.usefixtures("full")
async def test_tags_are_completed_from_this_gallery(studio):
    choices = await studio.kenji.autocomplete(studio.channel, "gallery", "tag", "num")

    assert [f"number {number}" for number in range(6)] == [choice["value"] for choice in choices]


async def test_no_server_sees_anothers_pictures(studio, gallery):
    await gallery.shared()
    page = await gallery.look(public=True)
    other = studio.env.create_guild("Elsewhere")
    there = other.create_text_channel("art")
    stranger = other.add_member(studio.env.create_user("stranger"))

    result = await stranger.slash(there, "gallery")
    actor = Actor(user_id=stranger.id, guild_id=other.id, age_restricted=True)
    entry_id = int(button(page, "Vote").rpartition(":")[2])

    assert "pictures: 0" in text_of(result.response)
    for ask in (studio.bot.services.gallery.vote, studio.bot.services.gallery.job_of):
        with pytest.raises(NotFoundError):
            await ask(actor, entry_id)


async def test_who_made_this_tells_privately(studio, gallery):
    message = await gallery.painted("1girl, red hair", seed=7)
    result = await studio.kenji.context_menu(studio.channel, "Who made this", message)

    assert result.response.ephemeral
    assert f"Asked for by <@{studio.hana.id}>" in result.response.content
    assert "> 1girl, red hair" in result.response.content
    assert "seed 7 · " in result.response.content


async def test_who_made_this_knows_posts_of_the_gallery(studio, gallery):
    await gallery.set(**{GALLERY_CHANNEL: gallery.channel.id})
    await gallery.shared(seed=7)
    result = await studio.kenji.context_menu(gallery.channel, "Who made this", gallery.posts[0])

    assert f"Asked for by <@{studio.hana.id}>" in result.response.content


async def test_who_made_this_refuses_other_messages(studio):
    message = await studio.kenji.send(studio.channel, "hello")
    result = await studio.hana.context_menu(studio.channel, "Who made this", message)

    assert result.response.ephemeral
    assert "This message shows no known picture" in result.response.content


async def test_a_remix_names_what_it_was_made_from_up_to_the_root(studio, gallery):
    root = await gallery.painted("1girl, root", seed=1)
    middle = await remix(studio, root, by=studio.kenji)
    last = await remix(studio, middle, by=studio.mod)
    await studio.more(studio.mod, last, "Share")

    page = text_of(await gallery.look())
    answer = (await studio.hana.context_menu(studio.channel, "Who made this", last)).response.content

    place = f"https://discord.com/channels/{studio.guild.id}/{studio.channel.id}"
    chain = (
        f"remix of [a picture]({place}/{middle.id}) by <@{studio.kenji.id}>"
        f" ← [a picture]({place}/{root.id}) by <@{studio.hana.id}>"
    )
    assert chain in page
    assert chain in answer


async def test_a_private_ancestor_is_not_named(studio, gallery):
    root = await gallery.painted("1girl, root", seed=1)
    last = await remix(studio, root, by=studio.kenji)
    async with studio.bot.services.database.transaction() as connection:
        await connection.execute("UPDATE jobs SET private = 1 WHERE message_id = ?", root.id)

    answer = (await studio.kenji.context_menu(studio.channel, "Who made this", last)).response.content

    assert "remix of a picture that is gone or private" in answer
    assert str(studio.hana.id) not in answer


async def remix(studio, message, *, by):
    """Paint from a picture through a button."""
    await by.click(message, label="Reroll")
    return await studio.finish()


@pytest.fixture
async def best(gallery):
    """A server that wants the week's best in its gallery's channel; the clock stands on a Sunday, at noon."""
    await gallery.set(**{GALLERY_CHANNEL: gallery.channel.id, BEST_OF: True})
    return gallery


def best_posts(gallery):
    return [post for post in gallery.posts if "Best of the week" in text_of(post)]


async def vote(gallery, tag, *people):
    for person in people:
        page = await gallery.look(person, tag=tag)
        await person.click(page, custom_id=button(page, "Vote"))


async def test_the_best_of_the_week_is_posted_once(studio, best):
    for number in range(5):
        await best.shared(f"1girl, number {number}", seed=number)
    await vote(best, "number 1", studio.kenji)
    await vote(best, "number 3", studio.kenji, studio.mod)
    await studio.bot.posts.best_of()
    assert best_posts(best) == []

    studio.clock.advance(days=1)
    await studio.bot.posts.best_of()
    await studio.bot.posts.best_of()
    await studio.bot.close()
    await studio.restart()
    await studio.bot.posts.best_of()

    (post,) = best_posts(best)
    assert ["number 3", "number 1"] == numbers(post)
    assert len(post.attachments) == 2
    studio.clock.advance(days=7)
    await studio.bot.posts.best_of()
    assert len(best_posts(best)) == 1


async def test_a_best_of_that_discord_refuses_is_tried_again(studio, best):
    await best.shared()
    await vote(best, "1girl", studio.kenji)
    studio.clock.advance(days=1)
    studio.env.inject_error("POST", "/channels/*/messages", status=500)
    await studio.bot.posts.best_of()
    assert best_posts(best) == []

    await studio.bot.posts.best_of()

    assert len(best_posts(best)) == 1


async def test_the_best_of_is_off_by_default(studio, gallery):
    await gallery.set(**{GALLERY_CHANNEL: gallery.channel.id})
    await gallery.shared()
    await vote(gallery, "1girl", studio.kenji)
    studio.clock.advance(days=1)
    await studio.bot.posts.best_of()

    assert best_posts(gallery) == []


async def test_custom_ids_are_within_the_limit(full):
    page = await full.look(tag="1girl")

    for part in parts(page):
        if part["type"] == 2:
            assert len(part["custom_id"]) <= 100


async def test_an_author_is_told_when_a_moderator_takes_a_picture_out(studio, gallery):
    await gallery.set(**{GALLERY_CHANNEL: gallery.channel.id})
    await gallery.shared("1girl, red hair")
    await studio.mod.click(gallery.posts[0], label="Unshare")
    (told,) = studio.hana.user.dm_channel.history()

    assert told.content == (
        "A moderator of Pastel SimulatedServer took your picture out of the gallery.\n> 1girl, red hair"
    )


async def test_an_infotext_of_a_shared_picture_is_that_of_this_picture(studio, gallery):
    message = await gallery.painted("1girl", seed=7, count=2)
    asked = await studio.more(studio.hana, message, "Share")
    await studio.hana.click(asked.response, label="Share 2")
    shown = await studio.kenji.click(await gallery.look(), label="Infotext")

    assert shown.response.content == "```\n1girl\nSeed: 8\n```"


async def test_share_turns_into_unshare_where_it_was_pressed(studio, gallery):
    message = await gallery.painted()
    more = await studio.hana.click(message, label="More")
    await studio.hana.click(more.response, label="Share")
    assert more.response.content == "Shared: /gallery shows it."
    assert ["Seed", "Infotext", "Unshare", "Delete"] == all_labels(more.response)

    await studio.hana.click(more.response, label="Unshare")
    assert more.response.content == "It is no longer in the gallery."
    assert "pictures: 0" in text_of(await gallery.look())
