"""The bot for people whose Discord is Japanese, in servers that are Japanese or not."""

import re

import discord
import pytest
from helpers.studio import labels
from helpers.support import eventually, png
from helpers.translatable import PROPER_NAMES, every_template, words_of_commands

from pastelbot.i18n.languages import Languages
from pastelbot.options.catalogue import OPTIONS
from pastelbot.records import JobStatus, Painted, PaintingFailed, Picture

# Words by which an English sentence gives itself away; what is quoted, in code or in parentheses is a user's own.
ENGLISH = re.compile(r"\b(?:the|is|are|was|not|of|to|your|and|for|with|this|that|it|in|line)\b", re.IGNORECASE)
NOT_OURS = re.compile(r"^>.*$|```.*?```|`[^`]*`|<[^>]*>|https?://\S+|“[^”]*”|「[^」]*」", re.MULTILINE | re.DOTALL)
KANA = re.compile(r"[ぁ-んァ-ヶ一-龠]")


@pytest.fixture
def languages(monkeypatch):
    """Let the test say which language each person has; the server's is "guild"."""
    import simcord.interactions

    chosen = {}
    plain = simcord.interactions.base_payload

    def base_payload(*args, **kwargs):
        record, payload = plain(*args, **kwargs)
        payload["locale"] = chosen.get(int(kwargs["user_id"]), chosen.get("all users", "en-US"))
        if kwargs["guild_id"] is not None:
            payload["guild_locale"] = chosen.get("guild", "en-US")
        return record, payload

    monkeypatch.setattr(simcord.interactions, "base_payload", base_payload)
    return chosen


@pytest.fixture
async def japan(studio, languages):
    """A studio in which all users and texts are Japanese."""
    languages |= {"all users": "ja", "guild": "ja"}
    studio.bot.get_guild(studio.guild.id).preferred_locale = discord.Locale.japanese
    return studio


def manager(studio):
    """Return a user who may manage the server."""
    role = studio.guild.create_role("boss", permissions=discord.Permissions(manage_guild=True))
    return studio.guild.add_member(studio.env.create_user("boss"), roles=[role])


def private_labels(answer):
    return [button["label"] for row in answer.response.components for button in row["components"]]


def is_japanese(text):
    """Return whether a text of the bot's has Japanese in it, and nothing English but what is not ours."""
    ours = NOT_OURS.sub("", text)
    return bool(KANA.search(ours)) and not ENGLISH.search(ours)


def everything_sent(studio):
    """Return every text that the bot has sent, but for commands: contents, labels, titles, alt texts."""
    return [text for body in studio.sent("") if isinstance(body, dict) for text in texts_in(body)]


def texts_in(part):
    if isinstance(part, dict):
        for key, value in part.items():
            if key in {"content", "label", "title", "placeholder", "description"} and isinstance(value, str):
                yield value
            else:
                yield from texts_in(value)
    elif isinstance(part, list):
        for each in part:
            yield from texts_in(each)


async def say(studio, path, *, by=None, **options):
    """Return what a command answers privately, which must be Japanese."""
    answer = await (by or studio.hana).slash(studio.channel, path, **options)
    assert answer.response.ephemeral
    assert is_japanese(answer.response.content), answer.response.content
    return answer.response.content


async def test_commands_are_translated_from_the_first_to_the_last(new_studio):
    """The studio checks names, lengths and the 8,000 characters of each when it closes."""
    catalogue = Languages.shipped().catalogue("ja")
    (commands,) = new_studio.sent("commands", "PUT")
    names, descriptions = words_of_commands(commands)

    assert [name for name in names - PROPER_NAMES if not (catalogue.word(name) or catalogue.phrase(name))] == []
    assert [text for text in descriptions if not catalogue.phrase(text)] == []
    assert [text for text in descriptions if not is_japanese(catalogue.phrase(text))] == []
    imagine = next(command for command in commands if command["name"] == "imagine")
    assert imagine["name_localizations"] == {"ja": "描く"}
    assert {option["name_localizations"]["ja"] for option in imagine["options"]} >= {"プロンプト", "シード", "枚数"}


async def test_no_translation_is_out_of_date(new_studio):
    catalogue = Languages.shipped().catalogue("ja")
    (commands,) = new_studio.sent("commands", "PUT")
    names, descriptions = words_of_commands(commands)
    known = every_template() | names | descriptions | {", ", " or "}

    assert [text for text in catalogue.phrases if text not in known] == []
    of_the_page = {option.name for option in OPTIONS if option.page and option.describe}
    assert [word for word in catalogue.words if word not in names | of_the_page] == []


async def test_commands_named_in_japanese_texts_are_commands(new_studio):
    """A user who reads /描く must find it under that name."""
    catalogue = Languages.shipped().catalogue("ja")
    (commands,) = new_studio.sent("commands", "PUT")
    paths = set(paths_of(commands, "", catalogue))

    for text in catalogue.phrases.values():
        for path in re.findall(r"(?<![\w</])/([^\s`、。」（{}/:>\d]+(?: [^\s`、。」（{}/:>\d]+)?)", text):
            first = path.split(" ")[0]
            assert path in paths or first in paths, text


def paths_of(commands, before, catalogue):
    for command in commands:
        path = f"{before}{catalogue.word(command['name'])}"
        yield path
        yield from paths_of(
            [each for each in command.get("options", []) if each["type"] in (1, 2)], f"{path} ", catalogue
        )


async def test_a_picture_from_the_command_to_the_result(japan):
    await japan.imagine("1girl, red hair")
    waiting = japan.channel.last_message
    assert "⏳ **受付済み**、1番目\n> 1girl, red hair\n-# 消費 " in waiting.content or "🎨" in waiting.content
    assert labels(waiting) == ["キャンセル"]

    (job_id,) = await japan.painting()
    japan.executor.progress(job_id, 10, 20)
    await japan.says("**生成中**")
    result = await japan.finish()

    assert "-# シード " in result.content
    assert "ステップ" in result.content
    assert labels(result) == ["引き直し", "編集", "変化", "その他"]
    alt_texts = [text for text in everything_sent(japan) if text.startswith("生成した画像: 1girl, red hair（シード ")]
    assert alt_texts
    assert not [text for text in everything_sent(japan) if ENGLISH.search(NOT_OURS.sub("", text))]


async def test_cancelling(japan):
    answer = await japan.imagine()
    await japan.painting()
    await japan.hana.click(answer.response, label="キャンセル")

    message = await japan.says("🚫 **キャンセルしました**。利用枠は減っていません。")
    assert not ENGLISH.search(NOT_OURS.sub("", message.content))


async def test_a_failure_says_why(japan):
    await japan.imagine()
    (job_id,) = await japan.painting()
    reason = "A picture of 8x8 does not fit into the memory of cpu; try 4x4."
    japan.executor.emit(PaintingFailed(job_id=job_id, reason=reason))

    message = await japan.says(
        "⚠️ **生成できませんでした:** 8x8 の画像は cpu のメモリーに収まりません。4x4 を試してください。"
    )
    assert "\n利用枠は減っていません。" in message.content


@pytest.mark.parametrize(
    ("options", "japanese"),
    [
        (
            {"prompt": "(a:1.2.3)"},
            "⚠️ プロンプトを読み取れません: 4文字目の強さ '1.2.3' は数値ではありません。例: (word:1.2) 利用枠は",
        ),
        ({"prompt": "a --sed 5"}, "フラグ --sed はありません（3文字目）。もしかして: "),
        (
            {"prompt": "a --sampler Eular"},
            "⚠️ サンプラー 'Eular' はありません。もしかして: ",
        ),
        ({"prompt": "a", "steps": 5000}, "ステップ数 5000 は上限 "),
        ({"prompt": "a", "size": "Everything"}, "'Everything' はサイズではありません。"),
        ({"prompt": "a <lora:The prompt is empty.:1>"}, "LoRA 'The prompt is empty.' はありません。"),
        ({"prompt": " "}, "プロンプトが空です。"),
        ({"prompt": "{a"}, "1文字目の { が閉じられていません。{red,blue} のように"),
        ({"prompt": "a", "strength": 0.5}, "「強さ」には元画像が必要です。"),
    ],
)
async def test_refusals_are_japanese_to_the_innermost_part(japan, options, japanese):
    text = await japan.refused(await japan.hana.slash(japan.channel, "imagine", **options))

    assert japanese in text
    assert text.endswith("利用枠は減っていません。")


async def test_forms(japan):
    await japan.imagine("The prompt is empty.")
    form = await japan.hana.click(await japan.finish(), label="編集")

    assert form.modal["title"] == "編集して生成"
    assert [each["label"] for each in form.modal["components"]] == [
        *(
            "プロンプト",
            "ネガティブプロンプト",
            "シード（空欄でランダム）",
            "サンプラー",
            "高解像度補助: 2段階目で大きく生成",
        )
    ]
    assert form.modal["components"][0]["component"]["value"] == "The prompt is empty."
    options = form.modal["components"][4]["component"]["options"]
    assert [option["label"] for option in options][:3] == [
        "そのまま: オフ",
        "オフ",
        "オン（標準の大きさ）",
    ] or "そのまま" in (options[0]["label"])


async def test_the_question_before_several_jobs(japan):
    answer = await japan.imagine("{red, blue} hair")

    assert "**2件**、画像2枚、消費は合計で標準画像2枚分です" in answer.response.content
    assert private_labels(answer) == ["生成する", "キャンセル"]
    await japan.hana.click(answer.response, label="キャンセル")
    assert "生成しませんでした。利用枠は減っていません。" in everything_sent(japan)


async def test_the_question_which_picture(japan):
    await japan.imagine(count=2, hires="off")
    answer = await japan.more(japan.hana, await japan.finish(), "変化", more="その他")

    assert is_japanese(answer.response.content)
    assert private_labels(answer) == ["弱め 1", "弱め 2", "強め 1", "強め 2"]


async def test_the_gallery(japan):
    await japan.hana.slash(japan.channel, "gallery", text="newest")
    await japan.imagine("newest")
    await japan.more(japan.hana, await japan.finish(), "共有", more="その他")
    await japan.kenji.slash(japan.channel, "gallery")
    everything = everything_sent(japan)

    assert (
        "🖼️ **ギャラリー**（新着） · 画像 0枚\n語句: newest\n見つかりませんでした。語を減らすか短くしてください。"
        in everything
    )
    assert "共有しました。/ギャラリー で見られます。" in everything
    assert {"投票 (0)", "このプロンプトを使う"} <= set(everything)
    assert [text for text in everything if text.startswith("**#1** 作者 <@")]
    assert not [text for text in everything if ENGLISH.search(NOT_OURS.sub("", text))]


async def test_the_gallerys_posts_are_in_the_servers_language(japan, languages):
    boss = manager(japan)
    wall = japan.guild.create_text_channel("wall")
    await boss.slash(japan.channel, "admin gallery channel", channel=wall)
    languages["all users"] = "en-US"
    await japan.imagine("newest")
    await japan.more(japan.hana, await japan.finish(), "Share", more="その他")
    posted = everything_sent(japan)

    assert {"投票 (0)", "このプロンプトを使う", "共有をやめる"} <= set(posted)
    assert [text for text in posted if text.startswith("**#1** 作者 <@") and "\n> newest" in text]
    assert wall.last_message is not None
    assert [text for text in posted if text.startswith("Shared: it is in ")]


async def test_moderators_are_asked_in_the_servers_language(japan):
    mods = japan.guild.create_text_channel("mods")
    await manager(japan).slash(japan.channel, "admin mod_channel", channel=mods)
    await japan.imagine("no one")
    (job_id,) = await japan.painting()
    japan.executor.painting.pop(job_id)
    picture = Picture(png=png(), seed=5, width=8, height=4, infotext="", rating="explicit")
    japan.executor.emit(Painted(job_id=job_id, pictures=(picture,), seconds=0.1))
    await eventually(lambda: mods.last_message)
    question = mods.last_message

    assert question.content.startswith(
        f"🔞 **保留中**（成人向け）: <@{japan.hana.id}> が <#{japan.channel.id}> で生成。"
    )
    assert "\n> no one\n" in question.content
    assert labels(question) == ["承認", "却下"]
    await japan.says("🔞 **保留中**: この画像は成人向けと判定されたか")
    await manager(japan).click(question, label="却下")
    await japan.says("⚠️ **生成できませんでした:** モデレーターが確認し、表示しないことにしました")
    assert f"**却下**: <@{japan.hana.id}> の画像" in mods.last_message.content


async def test_help_in_all_its_parts(japan):
    overview = await say(japan, "help")
    assert "</imagine:" in overview
    assert "`アプリ > 再現`" in overview
    command = await say(japan, "help", command="描く")
    assert "- `プロンプト`（必須）: " in command
    assert command == await say(japan, "help", command="imagine")
    for topic in ("prompts", "flags", "lists", "buttons", "/設定 サーバー 変更", "アプリ > リミックス"):
        assert len(await say(japan, "help", command=topic)) <= 2000
    assert "コマンド 'imagin' はありません。もしかして: imagine" in await say(japan, "help", command="imagin")
    offered = await japan.hana.autocomplete(japan.channel, "help", "command", "設定 サ")
    assert {"name": "設定 サーバー 変更", "value": "settings server set"} in [
        {key: choice[key] for key in ("name", "value")} for choice in offered
    ]
    assert is_japanese(await say(japan, "about"))


async def test_what_people_ask_about_themselves(japan):
    assert await say(japan, "queue") == "順番待ちはありません。すぐに生成できます。"
    assert "残りは **標準画像" in await say(japan, "quota") or "無制限" in await say(japan, "quota")
    settings = await say(japan, "settings set", negative="Everything")
    assert "自分の設定として保存しました。" in settings
    assert "- `ネガティブ` Everything — 自分の設定" in settings
    assert "自分の設定の「すべて」を標準に戻しました。" in await say(japan, "settings reset")
    assert "「Steps」を保存しました: on" in await say(japan, "prompt save", name="Steps", prompt="on")
    assert "- **Steps**（自分）: on" in (await japan.hana.slash(japan.channel, "prompt list")).response.content
    assert await say(japan, "prompt delete", name="Steps") == "プリセット「Steps」を削除しました。"
    assert "に合うタグはありません。" in await say(japan, "tags", query="qqqqqq")
    assert "**すべてのサーバーから、次のものを完全に消します:**" in await say(japan, "mydata forget")
    assert "（標準）" in (await japan.hana.slash(japan.channel, "model list")).response.content
    assert "- この画像" not in await say(japan, "mydata export")


async def test_looking_after_the_server(japan):
    boss = manager(japan)
    blocked = await say(japan, "admin block", by=boss, member=japan.kenji, duration="7d", reason="no one")
    assert blocked.startswith(f"ブロックしました: <@{japan.kenji.id}> <t:")
    assert ": no one。順番待ちのものはキャンセルしました。" in blocked
    refusal = await japan.imagine(by=japan.kenji)
    assert "理由: `no one`。" in refusal.response.content
    assert "の上限: サイズ 512、ステップ 20" in await say(japan, "admin caps set", by=boss, size=512, steps=20)
    assert "追加しました: `on`" in await say(japan, "admin words add", by=boss, words="on")
    assert "**単語**（1件）:" in await say(japan, "admin words list", by=boss)
    await say(japan, "admin show", by=boss)
    await say(japan, "admin stats", by=boss)
    log = await say(japan, "admin log", by=boss)
    assert f"ブロック <@{japan.kenji.id}>" in log
    assert "受付を停止しました。" in await say(japan, "admin drain", by=boss)
    assert "ボットは休止中で" in (await japan.imagine()).response.content


async def test_the_longest_help_fits(japan):
    boss = manager(japan)
    for command in ("", "admin", "settings", "imagine", "grid", "prompt save", "admin caps set"):
        options = {"command": command} if command else {}
        assert 0 < len(await say(japan, "help", by=boss, **options)) <= 2000


async def test_what_is_public_is_in_the_servers_language(studio, languages):
    """A Japanese user in an English server, and an English user in a Japanese one."""
    languages |= {studio.hana.id: "ja"}
    await studio.imagine("1girl", by=studio.hana)
    result = await studio.finish()
    assert "steps" in result.content
    assert "Reroll" in labels(result)
    answer = await studio.hana.slash(studio.channel, "queue")
    assert is_japanese(answer.response.content)
    shown = await studio.hana.click(result, label="Edit")
    assert shown.modal["title"] == "編集して生成"

    languages |= {"guild": "ja"}
    await studio.kenji.click(result, label="Reroll")
    assert "引き直し" in labels(await studio.finish())
    answer = await studio.kenji.slash(studio.channel, "queue")
    assert answer.response.content == "The queue is empty: your picture would be next."


async def test_private_pictures_come_in_the_persons_language(studio, languages):
    languages |= {studio.hana.id: "ja"}
    await studio.imagine("1girl", private=True)
    (job_id,) = await studio.painting()
    studio.executor.finish(job_id)
    await studio.status(job_id, JobStatus.DONE)

    assert (await studio.jobs.get(job_id)).options.locale == "ja"
    assert [
        text
        for text in everything_sent(studio)
        if text.startswith(f"**1girl** · <@{studio.hana.id}>") and "ステップ" in text
    ]
    assert [text for text in everything_sent(studio) if text.startswith("🔒 画像はあなただけに届きます: ")]


async def test_a_job_keeps_its_language_over_restarts(japan):
    await japan.imagine()
    (job_id,) = await japan.painting()
    await japan.bot.close()
    await japan.restart()
    await japan.painting()
    japan.executor.finish(job_id)
    await japan.status(job_id, JobStatus.DONE)

    assert "引き直し" in labels(await japan.message_of(job_id))


async def test_recreating_tells_what_differs(japan):
    await japan.hana.slash(
        japan.channel,
        "recreate",
        infotext="1girl\nSteps: 20, Sampler: Nonsense, Seed: 5, Size: 64x64, Model hash: 0123456789",
    )
    notes = [text for text in everything_sent(japan) if text.startswith("見た目が変わるかもしれません:")]

    assert notes
    assert is_japanese(notes[0])


async def test_a_file_that_is_no_picture(japan):
    answer = await japan.hana.slash(japan.channel, "recreate", picture=("a.png", png()))

    assert "生成情報がありません" in answer.response.content


@pytest.mark.parametrize("locale", ["en-GB", "de", "zh-CN"])
async def test_other_languages_are_answered_in_english(studio, languages, locale):
    languages |= {"all users": locale, "guild": locale}
    await studio.imagine("1girl")

    assert "Reroll" in labels(await studio.finish())
    answer = await studio.hana.slash(studio.channel, "queue")
    assert answer.response.content == "The queue is empty: your picture would be next."


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("横長にするには", "`サイズ: landscape`"),
        ("帽子を描かないで", "`--no hat`"),
        ("LoRAの使い方", "`<lora:name:0.8>`"),
        ("4枚描きたい", "`枚数: 4`"),
        ("大きくしたい", "`高解像度: 2x`"),
        ("隠すには？", "`スポイラー`"),
        ("止めるには", "キャンセル"),
    ],
)
async def test_a_question_to_help_is_answered_in_japanese(japan, question, answer):
    text = (await japan.hana.slash(japan.channel, "help", command=question)).response.content

    assert answer in text
    assert len(text.splitlines()) <= 3
