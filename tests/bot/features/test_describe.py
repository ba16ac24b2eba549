"""`/describe`: from a picture to tags, privately, and from the tags to a picture."""

import pytest
from helpers.small_tagger import make_tagger
from helpers.support import eventually, png, png_declaring

from pastelbot.errors import RequestError, TaggerError
from pastelbot.records import Description, ScoredTag

SEEN = Description(
    rating="sensitive",
    rating_score=0.912,
    tags=(
        ScoredTag(name="1girl", score=0.993),
        ScoredTag(name="red_hair", score=0.81),
        ScoredTag(name="^_^", score=0.5),
    ),
    characters=(ScoredTag(name="saber_(fate)", score=0.97),),
)
PROMPT = r"saber \(fate\), 1girl, red hair, ^_^"


@pytest.fixture
async def studio(open_studio):
    """A studio whose tagger is on, and sees one character in every picture."""
    studio = await open_studio(tagger={"enabled": True})
    studio.describer.description = SEEN
    return studio


@pytest.fixture
def describe(studio):
    async def describe(content=None, *, by=None):
        by = by or studio.hana
        return await by.slash(studio.channel, "describe", picture=("a.png", content or png(size=(64, 64))))

    return describe


def said(result):
    assert result.response.ephemeral
    assert [] == result.followups
    return result.response


async def test_a_picture_becomes_a_prompt_with_rating_and_characters(studio, describe):
    picture = png("blue")
    message = said(await describe(picture))

    assert [picture] == studio.describer.described
    assert f"```\n{PROMPT}\n```" in message.content
    assert "**Rating:** sensitive (91%)" in message.content
    assert "**Characters:** saber (fate) (97%)" in message.content
    assert "1girl (99%), red hair (81%)" in message.content
    assert ["pb:paint-tags"] == [button["custom_id"] for row in message.components for button in row["components"]]


async def test_what_is_seen_can_be_changed_and_painted(studio, describe):
    form = await studio.hana.click(said(await describe()), label="Paint this")
    assert PROMPT == form.modal["components"][0]["component"]["value"]

    await studio.hana.submit_modal(form, {"prompt": "1girl, blue hair", "negative": "", "seed": ""})
    message = await studio.finish()

    assert message.content.startswith("**1girl, blue hair** · ")


async def test_paint_this_works_after_a_restart(studio, describe):
    message = said(await describe())
    await studio.bot.close()
    await studio.restart()

    form = await studio.hana.click(message, label="Paint this")

    assert PROMPT == form.modal["components"][0]["component"]["value"]


async def test_the_menu_of_a_message_describes_its_picture(studio):
    await studio.imagine("1girl")
    message = await studio.finish()

    assert PROMPT in said(await studio.kenji.context_menu(studio.channel, "Describe", message)).content


async def test_a_message_without_a_picture_is_refused(studio):
    message = await studio.kenji.send(studio.channel, "hello")
    result = await studio.hana.context_menu(studio.channel, "Describe", message)

    assert result.response.ephemeral
    assert "There is no picture in this message" in result.response.content


async def test_a_picture_of_nothing_has_nothing_to_paint(studio, describe):
    studio.describer.description = Description(rating="general", rating_score=1.0)
    message = said(await describe())

    assert "recognised nothing" in message.content
    assert "general (100%)" in message.content
    assert [] == message.components


async def test_the_longest_description_fits_into_a_message(studio, describe):
    many = tuple(ScoredTag(name=f"{number}_" + "(*_~`" * 30, score=1.0) for number in range(60))
    studio.describer.description = Description(rating="explicit", rating_score=1.0, tags=many, characters=many)
    message = said(await describe())

    assert len(message.content) <= 2000
    assert message.content.count("```") == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"hello", "The picture cannot be read"),
        (png_declaring(30_000, 30_000), "The picture claims to be huge; the cap is 25,000,000 pixels"),
        (png_declaring(6_000, 6_000), "The picture is 6000x6000; the cap is 25,000,000 pixels"),
        (b"x" * (10 * 2**20 + 1), "The file has 10,485,761 bytes; the cap is 10,485,760"),
    ],
    ids=["text", "huge", "large", "heavy"],
)
async def test_what_is_no_good_picture_is_refused(studio, describe, content, words):
    text = said(await describe(content)).content

    assert words in text
    assert "charged" not in text
    assert [] == studio.describer.described


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TaggerError("a path of the operator's"), "the tagger does not work at the moment"),
        (RequestError("The picture is damaged: send it again."), "The picture is damaged"),
    ],
)
async def test_a_tagger_that_fails_is_reported(studio, describe, error, words):
    studio.describer.ratings = [error]
    text = said(await describe()).content

    assert words in text
    assert "operator's" not in text


async def test_a_tagger_that_is_off_can_be_switched_on(open_studio):
    studio = await open_studio()
    result = await studio.hana.slash(studio.channel, "describe", picture=("a.png", png()))

    assert result.response.ephemeral
    assert "Describing pictures is switched off here" in result.response.content
    assert "`enabled = true` under `[tagger]`" in result.response.content


async def test_no_user_can_describe_without_end(studio, describe, clock):
    for _ in range(6):
        assert PROMPT in said(await describe()).content
    result = await describe()
    assert "6 pictures a minute" in result.response.content
    assert PROMPT in said(await describe(by=studio.kenji)).content

    clock.advance(seconds=61)

    assert PROMPT in said(await describe()).content


async def test_pictures_are_rated_before_they_are_posted(studio):
    studio.describer.ratings = ["general", "sensitive"]
    await studio.imagine("1girl", count=2)
    (job_id,) = await studio.painting()
    studio.executor.finish(job_id)
    await eventually(lambda: studio.jobs.pictures(job_id))

    assert ["general", "sensitive"] == [picture.rating for picture in await studio.jobs.pictures(job_id)]


@pytest.mark.parametrize("rating", ["questionable", "explicit", TaggerError("lost")])
async def test_what_is_adult_or_cannot_be_rated_is_not_public(studio, rating):
    studio.describer.ratings = [rating]
    await studio.imagine("1girl")
    (job_id,) = await studio.painting()
    studio.executor.finish(job_id)
    message = await studio.says("Not charged", (await studio.jobs.get(job_id)).reply.message_id)

    assert [] == message.attachments


@pytest.mark.parametrize("tagger", [{}, {"enabled": True, "rate_pictures": False}])
async def test_without_rating_pictures_have_none(open_studio, tagger):
    studio = await open_studio(tagger=tagger)
    await studio.imagine("1girl")
    (job_id,) = await studio.painting()
    await studio.finish()

    assert [None] == [picture.rating for picture in await studio.jobs.pictures(job_id)]
    assert [] == studio.describer.described


async def test_the_tagger_ends_with_the_bot(studio):
    await studio.bot.close()

    assert studio.describer.closed


async def test_the_real_tagger_describes_and_rates(open_studio, tmp_path):
    """From Discord through the tagger's process into the database, with a small model."""
    studio = await open_studio(tagger={"enabled": True, "path": make_tagger(tmp_path / "tagger")})
    await studio.bot.close()
    studio.describer = None  # the restarted bot brings its own
    await studio.restart()

    result = await studio.hana.slash(studio.channel, "describe", picture=("a.png", png("red", size=(64, 64))))
    assert r"saber \(fate\), red hair, simple background" in said(result).content
    await studio.imagine("1girl", seed=200 + 256 * 200)  # a fake picture's colour is its seed's
    (job_id,) = await studio.painting()
    await studio.finish()

    assert ["general"] == [picture.rating for picture in await studio.jobs.pictures(job_id)]
