import re

import pytest
from helpers.studio import fields, labels, rows

from pastelbot.bot.features.tags.views import TagPageButton, page_text, page_view
from pastelbot.prompt.tags.vocabulary import Tag, TagFile
from pastelbot.records import JobStatus
from pastelbot.service.tags.dictionary import TagPage
from pastelbot.store.database import Database


async def offered(studio, text, command="imagine", option="prompt"):
    choices = await studio.hana.autocomplete(studio.channel, command, option, text)
    return [(choice["name"], choice["value"]) for choice in choices]


async def test_imagine_completes_the_last_tag(studio):
    found = await offered(studio, "1girl, ((red_ha")

    assert found[0] == ("1girl, ((red hair", "1girl, ((red hair")
    assert all(len(name) <= 100 and len(value) <= 100 for name, value in found)


@pytest.mark.parametrize(
    "text", ["", ",,,", "1girl, ", "x" * 3000, "(" * 200, "<lora:a", "🎨", "a, " * 30, '"*^', "1" * 99]
)
async def test_any_text_is_answered_with_choices_that_discord_takes(studio, text):
    found = await offered(studio, text)

    assert len(found) == len(set(found)) <= 25
    assert all(1 <= len(name) <= 100 and 1 <= len(value) <= 100 for name, value in found)


async def test_an_alias_that_was_chosen_and_typed_on_from_is_painted_as_its_tag(studio):
    ((name, value), *_) = await offered(studio, "1girl, blond h")
    assert (name, value) == ("1girl, blond hair → blonde hair", "1girl, blonde hair")

    await studio.imagine(f"{name}, smile")
    (job_id,) = await studio.painting()
    assert "1girl, blonde hair, smile" in studio.executor.painting[job_id].prompt


async def test_completion_can_be_switched_off(open_studio):
    studio = await open_studio(tags={"complete": False})

    assert await offered(studio, "red h") == []


async def test_mistyped_tags_are_shown_to_their_author_alone_after_the_job_is_queued(studio):
    result = await studio.imagine("1girl, red hiar, @everyone")

    assert not result.response.ephemeral
    assert "Queued" in result.response.content
    (note,) = result.followups
    assert note.ephemeral
    assert note.content == "💡 red hiar is not a known tag. Did you mean **red hair**?"
    assert [] == [message for message in studio.channel.history(viewer=studio.kenji) if "💡" in message.content]


async def test_known_tags_and_sentences_bring_no_second_message(studio):
    result = await studio.imagine("masterpiece, 1girl, red hair, a girl who walks over a bridge in the rain")

    assert result.followups == []


async def test_a_sentence_brings_one_tip_to_its_author_ever(studio):
    first = await studio.imagine("a beautiful girl standing in the rain with an umbrella")
    again = await studio.imagine("a boy who is walking over the old bridge")
    other = await studio.imagine("a boy who is walking over the old bridge", by=studio.kenji)

    assert "follows those better than sentences" in first.followups[0].content
    assert first.followups[0].ephemeral
    assert (len(first.followups), again.followups, len(other.followups)) == (1, [], 1)


@pytest.mark.parametrize(
    "prompt", ["1girl, red hair, smile", "looking at viewer", "1girl, a sword in the air, sky, sea"]
)
async def test_tags_bring_no_tip(studio, prompt):
    assert (await studio.imagine(prompt)).followups == []


async def test_suggestions_can_be_switched_off(open_studio):
    studio = await open_studio(tags={"suggest": False})

    assert (await studio.imagine("red hiar")).followups == []


async def test_a_reroll_repeats_no_suggestion(studio):
    await studio.imagine("red hiar")
    message = await studio.finish()

    assert (await studio.kenji.click(message, label="Reroll")).followups == []


async def test_a_failing_vocabulary_keeps_no_user_from_painting(studio):
    database = await Database.open(studio.settings.storage.database)
    async with database.transaction() as transaction:
        await transaction.execute("DROP TABLE tag_spellings")
    await database.close()

    assert await offered(studio, "red h") == []
    assert (await studio.imagine("red hiar")).followups == []
    await studio.finish()


async def test_tags_are_searched_in_private_pages(studio):
    result = await studio.hana.slash(studio.channel, "tags", query="hair")
    first = result.response

    assert first.ephemeral
    assert " for hair, page 1 of " in first.content
    assert "1. **long hair** · 4.4M · general · also longhair" in first.content
    assert labels(first.message) == [*map(str, range(1, 11)), "◀ Prev", "Next ▶"]
    assert [5, 5, 2] == [len(row) for row in rows(first.message)]
    second = (await studio.hana.click(first, label="Next ▶")).response
    assert " for hair, page 2 of " in second.content
    assert "**long hair**" not in second.content


async def test_a_mistyped_tag_is_painted_corrected_in_place_of_the_job(studio):
    result = await studio.imagine("1girl, (red hiar:1.2), smile", seed=7)
    (wrong,) = await studio.painting()
    await studio.hana.click(result.followups[0], label="Paint corrected")
    await studio.status(wrong, JobStatus.CANCELLED)
    await studio.painting()
    (right,) = await studio.jobs.with_status(JobStatus.QUEUED, JobStatus.LEASED)

    assert (right.request.prompt, right.request.seed) == ("1girl, (red hair:1.2), smile", 7)
    assert await studio.charged(studio.hana) == 1


async def test_what_is_painted_already_stays_beside_the_corrected_one(studio):
    result = await studio.imagine("1girl, red hiar", seed=7)
    message = await studio.finish()
    await studio.hana.click(result.followups[0], label="Paint corrected")
    await studio.finish()

    assert len(studio.messages) == 2
    assert studio.message(message.id) is not None


@pytest.mark.parametrize(("label", "painted"), [('Paint as "red hair"', "red hair"), ("Paint as asked", "red hiar")])
async def test_where_the_operator_wants_it_a_mistyped_tag_is_asked_about_before_anything_is_charged(
    open_studio, label, painted
):
    studio = await open_studio(tags={"ask": True})
    asked = (await studio.imagine("1girl, (red hiar:1.2)", seed=7)).response
    assert asked.ephemeral
    assert asked.content.startswith("💡 red hiar is not a known tag. Did you mean **red hair**?\nThat is **1 job**")
    assert labels(asked) == ['Paint as "red hair"', "Paint as asked", "Cancel"]
    assert [] == await studio.jobs.with_status(*JobStatus)

    answered = await studio.hana.click(asked, label=label)
    await studio.finish()
    (job,) = await studio.jobs.with_status(JobStatus.DONE)
    assert (job.request.prompt, job.request.seed) == (f"1girl, ({painted}:1.2)", 7)
    assert answered.followups == []


@pytest.mark.parametrize("prompt", ["1girl, red hair", "1girl, a girl who walks over the old bridge"])
async def test_what_is_not_certainly_mistyped_is_painted_without_a_question(open_studio, prompt):
    studio = await open_studio(tags={"ask": True})
    await studio.imagine(prompt)

    assert len(await studio.painting()) == 1


async def test_tags_of_one_kind(studio):
    result = await studio.hana.slash(studio.channel, "tags", query="hatsune", category=4)
    assert "**1** tag of the kind character for hatsune" in result.response.content
    assert labels(result.response.message) == ["1"]

    result = await studio.hana.slash(studio.channel, "tags", query="hatsune", category=0)
    assert result.response.components == []
    assert result.response.content == "No tag of the kind general has the words hatsune."


async def test_a_found_tag_opens_the_form_that_paints_it(studio):
    found = await studio.hana.slash(studio.channel, "tags", query="saber", category=4)
    (number,) = re.findall(r"^(\d+)\. \*\*saber \\?\(fate", found.response.content, re.MULTILINE)
    form = await studio.hana.click(found.response, label=number)
    typed = fields(form.modal)
    assert typed["prompt"] == r"saber \(fate\)"

    await studio.hana.submit_modal(form, {**typed, "prompt": typed["prompt"] + ", smile"})
    (job_id,) = await studio.painting()
    assert studio.executor.painting[job_id].prompt == r"saber \(fate\), smile"


async def test_tags_are_found_and_completed_by_japanese_names(studio):
    found = (await studio.hana.slash(studio.channel, "tags", query="金髪")).response.content

    assert "1. **blonde hair**" in found
    assert ("1girl, 金髪 → blonde hair", "1girl, blonde hair") == (await offered(studio, "1girl, 金髪"))[0]


async def test_a_japanese_name_that_was_typed_is_answered_with_its_tag(studio):
    result = await studio.imagine("1girl, (金髪:1.2)", seed=7)
    assert result.followups[0].content == "💡 金髪 is not a known tag. Did you mean **blonde hair**?"

    await studio.hana.click(result.followups[0], label="Paint corrected")
    await studio.painting(1)
    (right,) = await studio.jobs.with_status(JobStatus.QUEUED, JobStatus.LEASED)
    assert right.request.prompt == "1girl, (blonde hair:1.2)"


async def test_a_search_without_result_says_what_is_near(studio):
    result = await studio.hana.slash(studio.channel, "tags", query="hair ribon")

    assert result.response.content == "No tag has the words hair ribon. Did you mean **hair ribbon**?"


async def test_a_search_is_completed_with_counts(studio):
    found = await offered(studio, "red h", "tags", "query")

    assert found[0] == ("red hair (520k)", "red hair")


async def test_an_import_is_there_without_a_restart(studio):
    assert await offered(studio, "mecha c") == []
    await studio.bot.services.tags.import_tags(TagFile(tags=(Tag(name="mecha_cat", count=5),)), "x.csv")

    assert await offered(studio, "mecha c") == [("mecha cat", "mecha cat")]


@pytest.mark.parametrize("query", ["a" * 60, "@everyone `*_~|", ":::", "🎨" * 60, "line\nbreak"])
async def test_pages_are_within_discords_limits_and_their_buttons_find_back(query):
    tags = tuple(Tag(name="*" * 200, category=5, count=2**53, aliases=("_" * 200, "`" * 79)) for _ in range(10))
    page = TagPage(tags=tags, total=10**7, page=5, hidden=3)

    assert len(page_text(query, 5, page)) <= 2000
    assert "@everyone" not in page_text(query, 5, page)
    for button in page_view(query, 5, page).children:
        assert isinstance(button, TagPageButton)  # names as long as these fit into no button
        assert len(button.custom_id) <= 100
        match = TagPageButton.__discord_ui_compiled_template__.fullmatch(button.custom_id)
        again = await TagPageButton.from_custom_id(None, None, match)
        assert (again.number, again.category, again.query) == (button.number, 5, query)
    assert page_view(query, None, TagPage(tags=(), total=0, page=0)).children == []
