import pytest

from pastelbot.i18n.languages import Catalogue, Languages


@pytest.fixture
def japanese(monkeypatch):
    """Let all users' Discord be Japanese."""
    import simcord.interactions

    plain = simcord.interactions.base_payload

    def base_payload(*args, **kwargs):
        record, payload = plain(*args, **kwargs)
        return record, payload | {"locale": "ja"}

    monkeypatch.setattr(simcord.interactions, "base_payload", base_payload)


@pytest.fixture
def catalogue(monkeypatch):
    """A catalogue of few words, in place of the one that is shipped."""
    few = Languages(
        {
            "ja": Catalogue(
                {
                    "Show who is being painted for, and who is queued.": "順番待ちを表示します。",
                    "The queue is empty: your picture would be next.": "待っている人はいません。",
                    "⚠️ {} Not charged.": "⚠️ {0} 料金はかかりません。",
                },
                {"queue": "待ち行列"},
            )
        }
    )
    monkeypatch.setattr(Languages, "shipped", lambda: few)


@pytest.mark.usefixtures("catalogue")
async def test_commands_have_their_names_in_other_languages(open_studio):
    studio = await open_studio(first=True)
    (commands,) = studio.sent("commands", "PUT")
    queue = next(command for command in commands if command["name"] == "queue")

    assert queue["name_localizations"] == {"ja": "待ち行列"}
    assert queue["description_localizations"] == {"ja": "順番待ちを表示します。"}


@pytest.mark.usefixtures("catalogue", "japanese")
async def test_private_answers_are_in_the_language_of_the_user(open_studio):
    studio = await open_studio()
    answer = await studio.hana.slash(studio.channel, "queue")

    assert answer.response.content == "待っている人はいません。"


@pytest.mark.usefixtures("catalogue")
async def test_others_are_answered_in_english(open_studio):
    studio = await open_studio()
    answer = await studio.hana.slash(studio.channel, "queue")

    assert answer.response.content == "The queue is empty: your picture would be next."
