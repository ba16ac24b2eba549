"""A key is set in a configuration file, and everything else stays."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pastelbot.config.editing import with_key
from pastelbot.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "edited"),
    [
        ("", '[a]\nkey = "new"\n'),
        ("# only a comment\n", '# only a comment\n\n[a]\nkey = "new"\n'),
        ("[a]\nother = 1  # why\n", '[a]\nkey = "new"\nother = 1  # why\n'),
        ("[a]\nkey = 'old'  # why\n[b]\nkey = 1\n", '[a]\nkey = "new"  # why\n[b]\nkey = 1\n'),
        ('[b]\nkey = 1\n[a]\n# key = "example"   # what it is\n', '[b]\nkey = 1\n[a]\nkey = "new"   # what it is\n'),
        ('[a]\n# key = "x"\nkey = "a # b"\n', '[a]\n# key = "x"\nkey = "new"\n'),
        ("[a] # section\r\nkey = 3\r\n", '[a] # section\r\nkey = "new"\r\n'),
        ("[a]\n# a\u2028bc", '[a]\nkey = "new"\n# a\u2028bc\n'),
        ('[a.b]\nkey = "x"\n', '[a.b]\nkey = "x"\n\n[a]\nkey = "new"\n'),
    ],
)
def test_one_key_is_set(text, edited):
    assert with_key(text, "a", "key", "new") == edited


@pytest.mark.parametrize(
    "text",
    ['a = { key = "x" }\n', 'a.key = "x"\n', '[a]\nkey = """\nlong\n"""\n', '[a]\n"key" = "x"\n', '["a"]\nkey = "x"\n'],
)
def test_what_cannot_be_changed_line_by_line_is_left_to_the_operator(text):
    with pytest.raises(ConfigError, match=r'Set it by hand, please: key = "new" under \[a\]'):
        with_key(text, "a", "key", "new")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x7f")))
def test_every_text_comes_back(value):
    assert tomllib.loads(with_key("", "a", "key", value)) == {"a": {"key": value}}
