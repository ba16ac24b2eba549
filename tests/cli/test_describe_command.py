"""`pastelbot describe` as people meet it."""

import sys

import pytest
from helpers.small_tagger import make_tagger
from helpers.support import png

from pastelbot.cli.main import main


@pytest.fixture
def describe(tmp_path, monkeypatch, capsys):
    """Describe a file with the small tagger; return the exit code, the output and the errors."""
    make_tagger(tmp_path / "tagger")
    (tmp_path / "config.toml").write_text('[tagger]\npath = "tagger"\n')

    def describe(content):
        file = tmp_path / "picture.png"
        if content is not None:
            file.write_bytes(content)
        command = ["pastelbot", "describe", str(file), "--config", str(tmp_path / "config.toml")]
        monkeypatch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, *capsys.readouterr()

    return describe


def test_tags_and_rating_are_printed(describe):
    """Also where the bot's tagger is off, as it is by default."""
    code, output, _errors = describe(png("red", size=(40, 40)))

    assert 0 == code
    assert r"saber \(fate\), red hair, simple background, o_o" + "\nrating: explicit (100%)\n" == output


@pytest.mark.parametrize(
    ("content", "words"), [(b"text", "The picture cannot be read"), (None, "picture.png cannot be")]
)
def test_what_is_no_picture_ends_in_a_sentence(describe, content, words):
    code, output, errors = describe(content)

    assert (2, "") == (code, output)
    assert errors.startswith("pastelbot: ")
    assert words in errors
