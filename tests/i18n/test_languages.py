import re
import sys
import tomllib
from string import Formatter

import pytest
from helpers.translatable import ALSO_SHOWN, LANGUAGES, PACKAGE, main, missing, missing_names, texts

from pastelbot.i18n.languages import Catalogue, Languages

PHRASES = {
    "The prompt is empty.": "プロンプトが空です。",
    "The {} of {} pixels is over the cap of {}.": "{0:t} の {1} ピクセルは上限 {2} を超えています。",
    "width": "幅",
    "There is no upscaler {}. {}": "アップスケーラー {0} はありません。{1:t}",
    "Did you mean {}?": "{0} ですか？",
    "Known are: {}.": "あるもの: {0}",
    "⚠️ {} Not charged.": "⚠️ {0:t} 料金はかかりません。",
    "Braces {{}} and {}": "{{}} と {0}",
}


@pytest.fixture
def catalogue():
    return Catalogue(PHRASES, {"imagine": "描く"})


@pytest.mark.parametrize(
    ("english", "japanese"),
    [
        ("The prompt is empty.", "プロンプトが空です。"),
        ("The width of 5 pixels is over the cap of 4.", "幅 の 5 ピクセルは上限 4 を超えています。"),
        ("There is no upscaler 'x'. Did you mean Latent?", "アップスケーラー 'x' はありません。Latent ですか？"),
        ("There is no upscaler 'a.b'. Known are: A, B.", "アップスケーラー 'a.b' はありません。あるもの: A, B"),
        ("⚠️ The prompt is empty. Not charged.", "⚠️ プロンプトが空です。 料金はかかりません。"),
        ("Braces {} and more", "{} と more"),
        ("The prompt is empty.\nUnknown words.", "プロンプトが空です。\nUnknown words."),
        ("Unknown {0} words.", "Unknown {0} words."),
        ("", ""),
    ],
)
def test_texts_are_translated_with_what_was_filled_in(catalogue, english, japanese):
    assert catalogue.translate(english) == japanese


def test_what_people_wrote_is_not_taken_for_a_template(catalogue):
    """A prompt may hold anything: braces, backslashes, group references."""
    assert catalogue.translate(r"There is no upscaler {0}\1. Known are: \g<0>.") == (
        r"アップスケーラー {0}\1 はありません。あるもの: \g<0>"
    )


def test_words_are_names(catalogue):
    assert catalogue.word("imagine") == "描く"
    assert catalogue.word("queue") is None


def test_english_and_unknown_languages_stay_english():
    languages = Languages({"ja": Catalogue(PHRASES)})

    assert languages.translate("The prompt is empty.", "ja") == "プロンプトが空です。"
    assert languages.translate("The prompt is empty.", "en-GB") == "The prompt is empty."
    assert languages.translate("The prompt is empty.", "de") == "The prompt is empty."


SHIPPED = sorted(file.stem for file in LANGUAGES.glob("*.toml"))


def phrases(language):
    return Languages.shipped().catalogue(language).phrases


def holes(template):
    return sum(field is not None for _, field, _, _ in Formatter().parse(template))


def marks(translation):
    """Return what a translation takes: each part's number with its mark."""
    return [(int(field), mark) for _, field, mark, _ in Formatter().parse(translation) if field is not None]


@pytest.fixture(scope="module")
def japanese():
    return Languages.shipped().catalogue("ja")


@pytest.mark.parametrize("language", SHIPPED)
def test_shipped_translations_fill_in_what_there_is(language):
    """A translation that names a part which its template has not would fail in front of a user."""
    for text, translation in phrases(language).items():
        assert all(
            number < holes(text) and mark in {"", "t", "l", "c", "n", "o"} for number, mark in marks(translation)
        ), text


@pytest.mark.parametrize("language", SHIPPED)
def test_shipped_translations_leave_nothing_out(language):
    """All parts are there again, but for the s of English plurals."""
    for text, translation in phrases(language).items():
        plurals = text.count("job{}") + text.count("tag{}") + text.count("picture{}") + text.count("part{}")
        plurals += text.count("seed{}")
        assert len({number for number, _ in marks(translation)}) == holes(text) - plurals, text


@pytest.mark.parametrize("language", SHIPPED)
def test_every_text_is_translated(language):
    """`python tests/helpers/translatable.py ja` prints what is missing."""
    assert missing({*phrases(language), *Languages.shipped().catalogue(language).words}) == {}


@pytest.mark.parametrize("language", SHIPPED)
def test_every_name_is_translated(language):
    catalogue = Languages.shipped().catalogue(language)

    assert missing_names({*catalogue.words, *catalogue.phrases}) == []


def test_what_a_new_language_lacks_is_printed_as_its_file(capsys):
    """That the file is not there yet is where a new language begins."""
    main("xx")
    printed = tomllib.loads(capsys.readouterr().out)

    assert "imagine" in printed["words"]
    assert "The queue is empty: your picture would be next." in printed["phrases"]


def test_functions_that_are_said_to_show_texts_are_there():
    """One that was renamed would show texts that no test asks to be translated."""
    for module, names in ALSO_SHOWN.items():
        source = (PACKAGE / module).read_text(encoding="utf-8")
        for name in names:
            assert re.search(rf"^ *(?:async def|def|class) {name}\b|^{name} = ", source, re.MULTILINE), (module, name)


def test_texts_found_in_the_code_are_those_that_people_read():
    found = {text for text, _ in texts()}

    assert "⏳ **Queued**, {}" in found  # an f-string
    assert "- to give medical advice or read medical results." in {line for text in found for line in text.split("\n")}
    # raised below the bot
    assert "The weight {} at character {} is not a number. Write for example (word:1.2)." in found
    assert "{}, twice while this was painted" in found  # a reason in a job's message
    assert "renamed" not in found
    assert not {text for text in found if text.startswith(("SELECT", "pb:", "http"))}


@pytest.mark.parametrize(
    ("english", "japanese_text"),
    [
        (
            "⚠️ There is no LoRA 'v1. 5'. Did you mean a or b? Not charged.",
            "⚠️ LoRA 'v1. 5' はありません。もしかして: a または b 利用枠は減っていません。",
        ),
        (
            "⏳ **Queued**, 2nd in line, ready <t:12:R>\n> The prompt is empty.\n-# costs 1.4 usual pictures",
            "⏳ **受付済み**、2番目、完成予定 <t:12:R>\n> The prompt is empty.\n-# 消費 標準画像1.4枚分",
        ),
        (
            "<@5>\n> Steps\n-# seed 5 · 448x640 → 960x1280 · 20+20 steps · CFG 7 · 3.2 s · cost 1 usual picture",
            "<@5>\n> Steps\n-# シード 5 · 448x640 → 960x1280 · 20+20 ステップ · CFG 7 · 3.2 s · 消費 標準画像1枚分",
        ),
        (
            "⚠️ **This could not be painted:** the worker process ended with exit code 1, twice while this was painted",
            "⚠️ **生成できませんでした:** 生成プロセスが終了コード 1 で終了しました（この画像の生成中に2回）",
        ),
        (
            "- `negative` The prompt is empty. — set by you\n- `size` Everything\n- `style` on",
            "- `ネガティブ` The prompt is empty. — 自分の設定\n- `サイズ` Everything\n- `スタイル` オン",
        ),
        ("Tag: Everything\nWords: newest", "タグ: Everything\n語句: newest"),
        (
            "Saved “Everything”: Steps\nUse it with /prompt use.",
            "「Everything」を保存しました: Steps\n/プロンプト 使う で使えます。",
        ),
        ("```\nEverything\n```\n**Rating:** general (90%)", "```\nEverything\n```\n**判定:** 一般（90%）"),
        (
            "**Channels:** only <#5>, not <#6>\n**Caps of the server:** size 640, no hires fix",
            "**チャンネル:** 許可: <#5>、拒否: <#6>\n**サーバーの上限:** サイズ 640、高解像度補助なし",
        ),
        (
            "⚠️ There is no setting 'x'. Known are imagine, prompt, on, prefix, a, b, c. Not charged.",
            "⚠️ 設定 'x' はありません。使えるもの: imagine, prompt, on, prefix, a, b, c 利用枠は減っていません。",
        ),
        (
            "⚠️ There is no command 'x': `/help` alone names them all.",
            "⚠️ コマンド 'x' はありません。`/ヘルプ` だけを使うと、すべて表示されます。",
        ),
        (
            "⚠️ There is no command 'flagg'. Did you mean flags or settings?",
            "⚠️ コマンド 'flagg' はありません。もしかして: flags または settings",
        ),
        (
            "-# 🔁 remix of [a picture](https://x/y) by <@1> ← a picture that is gone or private ← 3 more",
            "-# 🔁 元の作品: <@1> の[画像](https://x/y) ← 削除済みまたは非公開の画像 ← ほか3件",
        ),
        ("- `Everything` is no option: on", "- `Everything` is no option: on"),
    ],
)
def test_japanese_texts_leave_what_people_have_typed(japanese, english, japanese_text):
    assert japanese.translate(english) == japanese_text


def test_a_list_of_known_parts_is_put_together_in_the_other_language():
    few = Catalogue(
        {"{} in line": "{0:n}番目", "on": "オン", ", ": "、", "Now: {}": "今: {0:l}", "of {}": "{0:c}の"},
        {"seed": "シード"},
    )

    assert few.translate("Now: 2nd in line, on, and more") == "今: 2番目、オン、and more"
    assert few.translate("Now: many in line") == "今: many in line"
    assert (few.translate("of seed"), few.translate("of sand")) == ("シードの", "of sand")


@pytest.mark.parametrize(
    "text",
    [
        "There is no LoRA 'x'. " * 90,
        "a, " * 600,
        "the prompt, on, off, " * 90,
        "`/{}` " * 300,
        "⚠️ " * 600,
        "{0:t}" * 300,
    ],
)
def test_reading_is_bounded_for_any_input(japanese, text):
    """Texts made to be slow take a few times the steps of a usual answer; measured: 360 to 7,400."""
    assert steps_of(japanese.translate, f"⚠️ {text} Not charged.") < 20_000


def test_an_answer_tries_few_templates(japanese):
    text = "⚠️ The prompt cannot be read: The weight 'x' at character 5 is not a number. Write for example (word:1.2)."

    assert steps_of(japanese.translate, text) < 6_000  # measured: 2,800


def steps_of(function, text):
    """Return how many functions and generators were entered or resumed: work counted without a clock."""
    steps = 0

    def count(_frame, event, _argument):
        nonlocal steps
        steps += event == "call"

    sys.setprofile(count)
    try:
        function(text)
    finally:
        sys.setprofile(None)
    return steps
