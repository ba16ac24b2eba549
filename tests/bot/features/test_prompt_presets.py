"""Settings kept under a name."""

import pytest
from discord import Permissions
from helpers.infotexts import INFOTEXT, png_with
from helpers.support import png

from pastelbot.infotext import format_infotext
from pastelbot.options.shipped_presets import SHIPPED_PRESETS


@pytest.fixture
def say(studio):
    async def say(command, *, by=None, **options):
        return (await (by or studio.hana).slash(studio.channel, f"prompt {command}", **options)).response

    return say


async def last_request(studio):
    job_id = (await studio.painting())[-1]
    return (await studio.jobs.get(job_id)).request


async def test_saved_options_are_used(studio, say):
    saved = await say("save", name="Soft  light", prompt="1girl --steps 9", cfg=5, hires="off", negative="none")
    assert "Saved “Soft light”" in saved.content
    await say("use", name="soft LIGHT", seed=7)
    request = await last_request(studio)

    assert ("1girl", "", 9, 5, None, 7) == (
        request.prompt,
        request.negative_prompt,
        request.steps,
        request.cfg_scale,
        request.hires,
        request.seed,
    )


async def test_a_preset_counts_more_than_settings_and_less_than_what_is_typed(studio, say):
    await studio.hana.slash(studio.channel, "settings set", steps=5, cfg=5, clip_skip=1)
    await say("save", name="mine", steps=6, cfg=6)
    await studio.imagine("1girl", preset="mine", steps=7)
    request = await last_request(studio)

    assert (7, 6, 1) == (request.steps, request.cfg_scale, request.clip_skip)


async def test_a_preset_named_by_a_flag(studio, say):
    await say("save", name="mine too", steps=6)
    await studio.imagine("1girl --preset mine too --seed 3")

    assert 6 == (await last_request(studio)).steps


async def test_a_prompt_goes_into_the_saved_one(studio, say):
    await say("save", name="frame", prompt="masterpiece, {prompt}, __background__")
    await studio.imagine("1girl --seed 7", preset="frame")
    request = await last_request(studio)

    assert request.prompt.startswith("masterpiece, 1girl, ")
    assert request.prompt.endswith(" background")


async def test_without_options_the_last_picture_is_saved_with_all_its_settings(studio, say):
    await studio.imagine(
        r"1girl, \{x\}", seed=7, steps=9, sampler="Euler a", size="portrait", hires="1.5x", count=2, negative="none"
    )
    first = await last_request(studio)
    await studio.finish()
    await say("save", name="last", keep_seed=True)
    await say("use", name="last")

    assert first == await last_request(studio)


async def test_a_preset_of_a_masked_picture_paints_without_one_and_has_the_masks_options_beside_one(studio, say):
    given = {"init": ("a.png", png("red", size=(64, 96))), "mask": ("m.png", png("white", size=(64, 96)))}
    await studio.imagine("1girl --set Mask blur: 8, Color correction: True, Eta: 0.5", **given)
    await studio.finish()
    await say("save", name="masked")

    def painted_with(request):
        init = request.init
        return request.sampling.eta, init and init.corrected, init and init.mask and init.mask.blur_x

    found = []
    for files in ({}, {"init": given["init"]}, given):
        await studio.imagine("1girl", preset="masked", **files)
        found.append(painted_with(await last_request(studio)))
        await studio.finish()
    assert found == [(0.5, None, None), (0.5, True, None), (0.5, True, 8)]


async def test_a_checkpoint_is_kept_too(open_studio):
    studio = await open_studio(checkpoints={"other": {"path": "bundled"}})
    await studio.imagine("1girl", checkpoint="other", seed=7)
    first = await last_request(studio)
    await studio.finish()
    await studio.hana.slash(studio.channel, "prompt save", name="last", keep_seed=True)
    await studio.hana.slash(studio.channel, "prompt use", name="last")

    assert "other" == first.checkpoint
    assert first == await last_request(studio)


async def test_without_the_seed_another_one_is_drawn(studio, say):
    await studio.imagine("1girl", seed=7)
    first = await last_request(studio)
    await studio.finish()
    await say("save", name="last")
    await say("use", name="last", prompt="2girls")
    again = await last_request(studio)

    assert first.seed != again.seed
    assert "2girls" == again.prompt


async def test_the_menu_of_a_message_saves_its_settings(studio, say):
    await studio.imagine("1girl", seed=7, steps=9)
    message = await studio.finish()
    form = await studio.kenji.context_menu(studio.channel, "Save prompt", message)
    await studio.kenji.submit_modal(form, {"name": "from hana", "keep_seed": True})
    await say("use", by=studio.kenji, name="from hana")
    request = await last_request(studio)

    assert (7, 9, "1girl") == (request.seed, request.steps, request.prompt)


async def test_the_menu_reads_a_pictures_infotext(studio, say):
    message = await studio.kenji.send(studio.channel, "look", attachments=[("a.png", png_with(INFOTEXT))])
    form = await studio.hana.context_menu(studio.channel, "Save prompt", message)
    await studio.hana.submit_modal(form, {"name": "found", "keep_seed": False})
    await say("use", name="found")

    assert ("1girl, ((red hair))", 12) == ((await last_request(studio)).prompt, (await last_request(studio)).steps)


async def test_saving_again_replaces(say):
    await say("save", name="mine", steps=6)
    again = await say("save", name="MINE", steps=8)
    text = (await say("list")).content

    assert "Replaced “MINE”" in again.content
    assert "- **MINE** (yours): `steps` 8" == text


async def test_sharing_lets_all_users_here_use_it(studio, say):
    await say("save", name="mine", steps=6)
    missing = await say("use", by=studio.kenji, name="mine", prompt="1girl")
    shared = await say("share", name="mine")
    await say("use", by=studio.kenji, name="mine", prompt="1girl")

    assert "There is no preset 'mine'" in missing.content
    assert "Everybody here can use “mine” now" in shared.content
    assert 6 == (await last_request(studio)).steps
    assert "- **mine** (this server's): `steps` 6" == (await say("list", by=studio.kenji)).content


async def test_who_may_delete(studio, say):
    await say("save", name="mine", steps=6)
    await say("share", name="mine")
    refused = await say("delete", by=studio.kenji, name="mine", shared=True)
    unknown = await say("delete", by=studio.kenji, name="mine")
    await say("delete", by=studio.mod, name="mine", shared=True)
    left = (await say("list")).content
    await say("delete", name="mine")

    assert "This is another user's preset" in refused.content
    assert "There is no preset 'mine'" in unknown.content
    assert "- **mine** (yours): `steps` 6" == left
    assert "You have no presets yet" in (await say("list")).content


async def test_a_shared_name_belongs_to_the_user_who_shared_it(studio, say):
    await say("save", name="mine", steps=6)
    await say("share", name="mine")
    await say("save", by=studio.kenji, name="mine", steps=7)
    refused = await say("share", by=studio.kenji, name="mine")

    assert "of another user already" in refused.content


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"name": "mine"}, "You have no finished picture yet"),
        ({"name": "a" * 41, "steps": 5}, "The name has 41 characters; the limit is 40"),
        ({"name": "@everyone", "steps": 5}, "is not a valid preset name"),
        ({"name": "**x**", "steps": 5}, "is not a valid preset name"),
        ({"name": " ", "steps": 5}, "is not a valid preset name"),
        ({"name": "mine", "steps": 61}, "over the cap of 60"),
        ({"name": "mine", "prompt": "1girl --stps 5"}, "There is no flag --stps"),
        ({"name": "mine", "prompt": "(a:1.2.3)"}, "The prompt cannot be read"),
        ({"name": "mine", "prompt": "{a"}, "is never closed"),
        ({"name": "mine", "seed": 2**32}, "outside 0 to 4294967295"),
    ],
)
async def test_what_cannot_be_saved(say, options, words):
    answer = await say("save", **options)

    assert answer.ephemeral
    assert words in answer.content
    assert "charged" not in answer.content


async def test_there_is_a_cap_on_their_number(open_studio):
    studio = await open_studio(limits={"max_presets": 2})
    answers = [
        (await studio.hana.slash(studio.channel, "prompt save", name=f"number {number}", steps=5)).response.content
        for number in range(3)
    ]

    assert "You have 2 presets, which is the limit" in answers[2]
    replaced = await studio.hana.slash(studio.channel, "prompt save", name="number 1", steps=6)
    assert "Replaced" in replaced.response.content


@pytest.mark.parametrize(("who", "shared"), [("hana", 2), ("mod", 4)])
async def test_one_member_shares_a_fifth_of_the_servers_presets_and_a_moderator_all(open_studio, who, shared):
    studio = await open_studio(limits={"max_presets": 10})
    by, answers = getattr(studio, who), []
    for number in range(4):
        await by.slash(studio.channel, "prompt save", name=f"number {number}", steps=5)
        answers.append((await by.slash(studio.channel, "prompt share", name=f"number {number}")).response.content)
    await studio.kenji.slash(studio.channel, "prompt save", name="his", steps=5)
    his = await studio.kenji.slash(studio.channel, "prompt share", name="his")
    again = await by.slash(studio.channel, "prompt share", name="number 1")

    assert sum("can use" in answer for answer in answers) == shared
    assert all("You share 2 presets here" in answer for answer in answers[shared:])
    assert "can use" in his.response.content
    assert "can use" in again.response.content


async def test_names_are_offered(studio, say):
    await say("save", name="mine", steps=6)
    await say("save", by=studio.kenji, name="his", steps=6)
    await say("share", by=studio.kenji, name="his")

    async def offered(command, name, typed="", **options):
        choices = await studio.hana.autocomplete(studio.channel, command, name, typed, **options)
        return [(choice["name"], choice["value"]) for choice in choices]

    saved = [("mine", "mine"), ("his (this server's)", "his")]
    assert [*saved, *((name, name) for name in SHIPPED_PRESETS)] == await offered("prompt use", "name")
    assert saved == await offered("prompt delete", "name")
    assert [("mine", "mine")] == await offered("imagine", "preset", "mi", prompt="1girl")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("LCM", ("LCM", 6, 1.5)), ("tcd", ("TCD", 6, 1.0)), ("hyper-sd", ("TCD", 8, 1.0))],
)
async def test_one_word_sets_sampler_steps_and_cfg_for_loras_of_few_steps(studio, name, expected):
    await studio.imagine(f"1girl --preset {name}")
    request = await last_request(studio)

    assert expected == (request.sampler, request.steps, request.cfg_scale)


async def test_the_preset_for_speed_leaves_guidance_out_at_the_end(studio):
    await studio.imagine("1girl", preset="fast")
    request = await last_request(studio)

    assert "NGMS: 0.25, NGMS all steps: True" in format_infotext(request, checkpoint="m", checkpoint_hash="0123456789")


async def test_a_saved_preset_counts_before_one_that_every_bot_has(studio, say):
    await say("save", name="fast", steps=6)
    await studio.imagine("1girl", preset="Fast")
    request = await last_request(studio)

    assert (6, 0.0) == (request.steps, request.sampling.guided_from)


async def test_a_long_list_is_cut(open_studio):
    studio = await open_studio()
    for number in range(30):
        await studio.hana.slash(
            studio.channel, "prompt save", name=f"number {number}", prompt="**tag**, " * 60, negative="y" * 200
        )
    text = (await studio.hana.slash(studio.channel, "prompt list")).response.content

    assert len(text) <= 2000
    assert " more" in text.splitlines()[-1]


STYLES = (
    "name,prompt,negative_prompt\r\n"
    's/soft,"soft light, {prompt}, {pastel|pale} colors",harsh shadows\r\n'
    "frame,(ornate frame:1.1),\r\n"
    '"plain: 2",,"photo, {prompt}"\r\n'
    "# comment,never,\r\n"
)


@pytest.fixture
def moderator(studio):
    roles = [studio.guild.create_role("moderators", permissions=Permissions(manage_messages=True))]
    return studio.guild.add_member(studio.env.create_user("mio"), roles=roles)


async def test_the_webuis_styles_become_presets_of_the_server(studio, say, moderator):
    answer = await say("import", by=moderator, file=("styles.csv", STYLES.encode("utf-8-sig")))
    assert "Presets of this server now: s soft, frame, plain 2." == answer.content
    painted = []
    for name in ("s soft", "frame", "plain 2"):
        await studio.imagine("1girl --negative lowres --seed 1", preset=name)
        painted.append(await last_request(studio))

    assert [
        ("soft light, 1girl, {pastel|pale} colors", "lowres, harsh shadows"),
        ("1girl, (ornate frame:1.1)", "lowres"),
        ("1girl", "photo, lowres"),
    ] == [(request.prompt, request.negative_prompt) for request in painted]


async def test_recreate_names_the_presets_that_a_prompt_is_inside_of(studio, say, moderator):
    await say("import", by=moderator, file=("styles.csv", STYLES.encode()))
    inside = "soft light, 1girl, {pastel|pale} colors, (ornate frame:1.1)\nNegative prompt: hat, harsh shadows\n"
    settings = INFOTEXT.rpartition("\n")[2]
    answer = await studio.hana.slash(studio.channel, "recreate", infotext=inside + settings)

    said = "\n".join(str(each.content) for each in answer.followups)
    assert "Its prompt is inside these presets of this server: s soft, frame." in said
    assert inside.partition("\n")[0] == (await last_request(studio)).prompt


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a,b\n1,2\n", "This is not a styles.csv of the webui"),
        (b"name,prompt\n", "There is no style in this file."),
        (b"\xff\xfe\xff", "is not text in UTF-8"),
    ],
)
async def test_what_is_no_file_of_styles_is_refused(say, moderator, content, words):
    assert words in (await say("import", by=moderator, file=("styles.csv", content))).content


async def test_styles_beyond_the_limit_of_presets_are_named(studio, say, moderator):
    limit = studio.bot.services.settings.limits.max_presets
    rows = "".join(f"style {number},a,\n" for number in range(limit + 2))
    answer = await say("import", by=moderator, file=("styles.csv", b"name,prompt,negative_prompt\n" + rows.encode()))

    assert f"a limit of presets: style {limit}, style {limit + 1}." in answer.content


async def test_only_moderators_import_styles(say):
    answer = await say("import", file=("styles.csv", STYLES.encode()))

    assert "needs the permission Manage Messages" in answer.content
