import json

import pytest

from pastelbot.errors import CheckpointError
from pastelbot.prompt.tokenization.tokenizer import ClipTokenizer

MERGES = [("c", "a"), ("ca", "t</w>"), ("a", "t</w>")]
VOCABULARY = ["a", "c", "t", "a</w>", "c</w>", "t</w>", ",</w>", "1</w>", "2</w>", '"</w>', "ca", "cat</w>", "at</w>"]


@pytest.fixture
def words():
    """Return a tokenizer that knows few words."""
    return ClipTokenizer({name: i for i, name in enumerate([*VOCABULARY, "<|startoftext|>", "<|endoftext|>"])}, MERGES)


def spelt(words, text):
    names = [*VOCABULARY, "<|startoftext|>", "<|endoftext|>"]
    return [names[i] for i in words.encode(text)]


def test_the_earliest_learnt_pair_is_merged_first(words):
    assert spelt(words, "cat") == ["cat</w>"]
    assert spelt(words, "tat catc") == ["t", "at</w>", "ca", "t", "c</w>"]


def test_case_width_and_quotes_are_repaired(words):
    assert spelt(words, "  ＣＡＴ “ ") == ["cat</w>", '"</w>']


def test_digits_stand_alone(words):
    assert spelt(words, "12, 1") == ["1</w>", "2</w>", ",</w>", "1</w>"]


def test_unknown_pieces_are_the_end_token(words):
    assert spelt(words, "%") == ["<|endoftext|>"]


def test_special_tokens_are_read_as_such(words):
    assert spelt(words, "cat<|endoftext|>cat") == ["cat</w>", "<|endoftext|>", "cat</w>"]


def test_a_folder_gives_the_same_tokenizer(words, tmp_path):
    names = [*VOCABULARY, "<|startoftext|>", "<|endoftext|>"]
    (tmp_path / "vocab.json").write_text(json.dumps({name: i for i, name in enumerate(names)}), encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in MERGES)]
    (tmp_path / "merges.txt").write_text("\n".join(lines), encoding="utf-8")

    assert words.encode("cat, at 12") == ClipTokenizer.from_folder(tmp_path).encode("cat, at 12")


def test_a_folder_without_vocabulary_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"merges\.txt"):
        ClipTokenizer.from_folder(tmp_path)
