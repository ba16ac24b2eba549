"""A language is one file: the bot reads whatever catalogues lie in the folder, and the tests hold each of them."""

from helpers.project_copy import link_project, run_tests

CATALOGUE = """
[words]
queue = "warteschlange"

[phrases]
"Show who is being painted for, and who is queued." = "Zeigt, für wen gemalt wird und wer wartet."
"The queue is empty: your picture would be next." = "Die Warteschlange ist leer."
"""
WORKS = """
import pytest
import simcord.interactions


@pytest.fixture
def german(monkeypatch):
    plain = simcord.interactions.base_payload

    def base_payload(*args, **kwargs):
        record, payload = plain(*args, **kwargs)
        return record, payload | {"locale": "de"}

    monkeypatch.setattr(simcord.interactions, "base_payload", base_payload)


async def test_the_language_is_used(german, new_studio):
    (commands,) = new_studio.sent("commands", "PUT")
    queue = next(command for command in commands if command["name"] == "queue")
    answer = await new_studio.hana.slash(new_studio.channel, "queue")

    assert queue["name_localizations"]["de"] == "warteschlange"
    assert queue["description_localizations"]["de"] == "Zeigt, für wen gemalt wird und wer wartet."
    assert answer.response.content == "Die Warteschlange ist leer."
"""
LANGUAGE = "pastelbot/data/languages/de.toml"
TEST = "tests/bot/test_german.py"


def test_a_file_is_all_that_a_language_takes(tmp_path):
    link_project(tmp_path, {LANGUAGE: CATALOGUE, TEST: WORKS})
    done = run_tests(tmp_path, TEST)

    assert done.returncode == 0, done.stdout


def test_what_a_new_language_has_wrong_is_found(tmp_path):
    """A part that the English text does not have, a part that is left out, and all texts that are missing."""
    wrong = CATALOGUE + '"⚠️ {} Not charged." = "⚠️ {1} Nichts berechnet."\n"{} settings" = "Einstellungen"\n'
    link_project(tmp_path, {LANGUAGE: wrong})
    done = run_tests(tmp_path, "tests/i18n/test_languages.py")

    assert done.returncode == 1, done.stdout
    for test in ("fill_in_what_there_is", "leave_nothing_out"):
        assert f"test_shipped_translations_{test}[de]" in done.stdout
    assert "test_every_text_is_translated[de]" in done.stdout
    assert "test_every_name_is_translated[de]" in done.stdout
