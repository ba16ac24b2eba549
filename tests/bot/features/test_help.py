import re

import pytest
from discord import Permissions, app_commands

from pastelbot.bot.features.help import texts as about
from pastelbot.options.flags import FLAGS
from pastelbot.records import WorkerReady


@pytest.fixture
async def studio(open_studio):
    return await open_studio(tagger={"enabled": True})


@pytest.fixture
def boss(studio):
    role = studio.guild.create_role("bosses", permissions=Permissions(manage_guild=True))
    return studio.guild.add_member(studio.env.create_user("boss"), roles=[role])


def leaves(studio):
    """Yield every command that a user can type, with its full name."""
    for command in studio.bot.tree.walk_commands():
        if isinstance(command, app_commands.Command):
            yield command


async def ask(studio, command=None, by=None):
    options = {} if command is None else {"command": command}
    result = await (by or studio.hana).slash(studio.channel, "help", **options)
    assert result.response.ephemeral
    return result.response.content


async def test_help_lists_every_command_and_menu_that_one_may_use(studio, boss):
    for person in (studio.hana, boss):
        text = await ask(studio, by=person)
        assert len(text) <= 2000
        for command in studio.bot.tree.get_commands():
            assert (about.name_of(command) in text) is (command.name != "admin" or person is boss)
    assert "Type `/imagine` with danbooru tags" in text
    assert re.search(r"\*\*Paint\*\* · </imagine:\d+> </grid:\d+>", text), "commands are there to be clicked on"


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("make it landscape", "`size: landscape`"),
        ("make it 3:2", "`--ar 3:2`"),
        ("avoid hats", "`--no hat`"),
        ("use a LoRA", "`<lora:name:0.8>`"),
        ("make four", "`count: 4`"),
        ("make it bigger", "Hires under a picture that is not large yet"),
        ("hide it", "`spoiler`"),
        ("send it to me alone", "`private`"),
        ("cancel", "Cancel under the picture"),
    ],
)
async def test_the_first_page_answers_what_people_ask(studio, question, answer):
    assert answer in await ask(studio), question


@pytest.mark.parametrize("word", ["landscape", "hats", "LoRA", "four", "bigger", "hide", "cancel"])
async def test_a_word_of_a_task_is_answered_with_its_line(studio, word):
    lines = (await ask(studio, word)).splitlines()

    assert [line for line in lines if word.casefold() in line.casefold()]
    assert len(lines) <= 3


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How do I make it landscape?", "`size: landscape`"),
        ("how to avoid hats", "`--no hat`"),
        ("without a hat", "`--no hat`"),
        ("use a lora", "`<lora:name:0.8>`"),
        ("make four pictures", "`count: 4`"),
        ("make it bigger", "`hires: 2x`"),
        ("how can I upscale this", "`hires: 2x`"),
        ("how do I hide it", "`spoiler`"),
        ("can I stop it?", "Cancel under the picture"),
        ("get the same picture again", "the same `seed`"),
    ],
)
async def test_a_question_in_several_words_is_answered_with_its_line(studio, question, answer):
    text = await ask(studio, question)

    assert answer in text
    assert len(text.splitlines()) == 2


async def test_a_question_without_an_answer_is_no_command(studio):
    assert "There is no answer to 'who are my parents'" in await ask(studio, "who are my parents")


async def test_what_is_switched_off_is_not_listed(open_studio):
    studio = await open_studio(tagger={"enabled": False})

    assert "escribe" not in await ask(studio)
    assert "There is no command 'describe'" in await ask(studio, "describe")


async def test_the_options_and_flags_of_the_first_page_exist(studio):
    text = await ask(studio)
    options = {parameter.display_name for parameter in studio.bot.tree.get_command("imagine").parameters}
    flags = " ".join(FLAGS)

    assert set(re.findall(r"`(\w+): ", text)) <= options
    assert {"spoiler", "private", "lora", "negative"} <= options
    assert set(re.findall(r"--[a-z]+", text)) == {"--ar", "--no"}
    assert "--ar " in flags
    assert "--no " in flags


async def test_the_admin_role_is_helped_with_admin_too(studio, boss):
    role = studio.guild.create_role("helpers")
    helper = studio.guild.add_member(studio.env.create_user("helper"), roles=[role])
    assert "/admin" not in await ask(studio, by=helper)
    await boss.slash(studio.channel, "admin admin_role", role=role)

    assert "`/admin`" in await ask(studio, by=helper)
    assert "`/admin block`" in await ask(studio, "admin block", by=helper)


async def test_help_tells_about_every_command_and_all_its_options(studio, boss):
    for command in leaves(studio):
        text = await ask(studio, command.qualified_name, by=boss)
        assert f"`/{command.qualified_name}` {command.description}" in text
        for parameter in command.parameters:
            assert f"- `{parameter.display_name}`" in text


async def test_help_tells_about_menus_groups_and_topics(studio, boss):
    assert "Paints over a message's picture." in await ask(studio, "Apps > Remix")
    for name in ("prompts", "flags", "buttons"):
        assert await ask(studio, name) == about.TOPICS[name]
    assert "`__hair_color__`" in (await ask(studio, "lists")).splitlines()[-1]
    group = await ask(studio, "/ADMIN", by=boss)
    assert "`/admin block` Keep a user from painting for a while." in group
    words = "└ `/admin words add`, `/admin words remove`, `/admin words list`, `/admin words test`"
    assert f"`/admin words` Words that are not painted here.\n{words}" in group
    assert "more lines" not in group


async def test_every_menu_is_described(studio):
    menus = [
        command.name for command in studio.bot.tree.get_commands() if isinstance(command, app_commands.ContextMenu)
    ]

    assert len(menus) == 5
    for name in menus:
        assert "Right-click a message" not in await ask(studio, f"Apps > {name}"), (
            "that is said of menus without a text"
        )


@pytest.mark.parametrize("name", ["imagin", "admin block"])
async def test_what_is_no_command_for_the_user_is_refused_with_the_nearest(studio, name):
    text = await ask(studio, name)

    assert f"There is no command '{name}'" in text
    assert "imagine" in text or name != "imagin"


async def test_commands_and_topics_are_completed(studio, boss):
    async def offered(person, word):
        choices = await person.autocomplete(studio.channel, "help", "command", word)
        return [choice["value"] for choice in choices]

    assert "imagine" in await offered(studio.hana, "ima")
    assert "prompts" in await offered(studio.hana, "")
    assert len(await offered(boss, "")) <= 25
    assert "admin words add" in await offered(boss, "words")
    assert await offered(studio.hana, "admin") == []


async def test_about_names_checkpoint_licence_and_credits(studio):
    await studio.imagine()
    await studio.painting()
    result = await studio.hana.slash(studio.channel, "about")
    text = result.response.content

    assert result.response.ephemeral
    assert re.search(r"\*\*Pastelbot \d+\.\d+", text)
    assert "fake, hash `0000000000`, on none" in text
    assert "Lorelei" in text
    assert "andite" in text


def test_about_tells_the_licence_with_its_restrictions_and_fits():
    ready = WorkerReady(device="cuda", checkpoint="*" * 100, checkpoint_hash="0123456789")
    text = about.about_text(ready, bundled=False)

    assert "CreativeML OpenRAIL-M" in text
    for word in ("laws", "children", "false", "identifies", "medical", "police"):
        assert word in text
    assert len(text) <= 2000
    assert "still starting" in about.about_text(None, bundled=True)


async def test_what_resembles_nothing_gets_no_far_fetched_suggestion(studio):
    assert "There is no command 'nonsense': `/help` alone names them all." in await ask(studio, "nonsense")
