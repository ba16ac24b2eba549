import pytest

from pastelbot.languages import Catalogue, Languages, holes

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


def test_shipped_translations_fill_in_what_there_is():
    """A translation that names a part which its template has not would fail in front of somebody."""
    for text, translation in Languages.shipped().catalogue("ja").phrases.items():
        translation.format(*range(holes(text)))
