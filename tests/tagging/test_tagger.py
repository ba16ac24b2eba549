"""What the tagger says of pictures, and which files it refuses."""

import re
import sys

import numpy as np
import pytest
from helpers.small_tagger import (
    OUTPUTS,
    SIDE,
    make_echo,
    make_tagger,
    nodes_of_any_input,
    nodes_that_fail_on_red,
    options_of,
    usual_nodes,
    write_labels,
)
from helpers.support import png, png_declaring
from PIL import Image

from pastelbot.errors import LimitError, RequestError, TaggerError, install_command
from pastelbot.tagging.tagger import Tagger


@pytest.fixture
def load(tmp_path):
    """Load the small tagger, changed in something."""

    def load(options=None, **changes):
        return Tagger.load(options_of(make_tagger(tmp_path / "tagger", **changes), **(options or {})))

    return load


def names(tags):
    return [tag.name for tag in tags]


def test_a_picture_is_described(load):
    found = load().describe(png("red", size=(40, 40)))

    assert "explicit" == found.rating
    assert found.rating_score == pytest.approx(1 / (1 + np.exp(-6)), abs=1e-4)
    assert ["red_hair", "simple_background", "o_o"] == names(found.tags)
    assert ["saber_(fate)"] == names(found.characters)


@pytest.mark.parametrize(("colour", "rating"), [("red", "explicit"), ("blue", "questionable"), ("white", "general")])
def test_the_likeliest_rating_is_the_rating(load, colour, rating):
    assert rating == load().describe(png(colour, size=(40, 40))).rating


def test_thresholds_decide_what_is_named(load):
    found = load({"general_threshold": 0.96, "character_threshold": 0.5}).describe(png("red", size=(40, 40)))

    assert ["red_hair"] == names(found.tags)
    assert ["saber_(fate)", "hatsune_miku"] == names(found.characters)


def test_the_batch_may_be_fixed(load):
    assert "general" == load(shape=(1, SIDE, SIDE, 3)).describe(png("white")).rating


@pytest.fixture
def seen(tmp_path):
    """Return what a model with a side of 8 is given of a picture."""
    tagger = Tagger.load(options_of(make_echo(tmp_path / "echo", 8), general_threshold=-1.0))

    def seen(colour, size):
        scores = {int(tag.name): tag.score for tag in tagger.describe(png(colour, size=size)).tags}
        return np.array([scores[number] for number in range(8 * 8 * 3)]).reshape(8, 8, 3) * 255

    return seen


def test_pictures_are_framed_in_white_and_turned_to_bgr(seen):
    """The longer side fills the square, the rest is white on both sides."""
    pixels = seen((255, 0, 10), (200, 100))

    assert (pixels[0] == 255).all()
    assert (pixels[7] == 255).all()
    assert pixels[4, 4] == pytest.approx([10, 0, 255], abs=1e-3)


@pytest.mark.parametrize("size", [(1, 5000), (5000, 1), (1, 1), (3, 2)])
def test_any_shape_fits(seen, size):
    """A long thin picture never becomes a square of its length."""
    assert (seen("black", size) < 255).any()


def test_what_is_transparent_is_white(load, tmp_path):
    Image.new("RGBA", (40, 40), (255, 0, 0, 0)).save(tmp_path / "clear.png")

    assert "general" == load().describe((tmp_path / "clear.png").read_bytes()).rating


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        (b"no picture", RequestError, "The picture cannot be read"),
        (png(size=(64, 64))[:60], RequestError, "damaged|cannot be read"),
        (png_declaring(30_000, 30_000), LimitError, "more pixels than can be read"),
    ],
)
def test_bad_files_are_refused(load, content, kind, words):
    with pytest.raises(kind, match=words):
        load().describe(content)


def test_finished_pictures_have_any_size(load):
    """The caps on uploads are not for what the bot has painted itself."""
    assert "explicit" == load().describe(png("red", size=(6000, 4500))).rating


@pytest.mark.parametrize("content", [b"", b"no model", b"\x08\x07" * 100])
def test_a_broken_model_is_refused(tmp_path, content):
    folder = make_tagger(tmp_path)
    (folder / "model.onnx").write_bytes(content)

    with pytest.raises(TaggerError, match=r"model\.onnx cannot be loaded"):
        Tagger.load(options_of(folder))


@pytest.mark.parametrize("shape", [("batch", 3, SIDE, SIDE), ("batch", SIDE, 16, 3), ("batch", "h", "w", 3), (1, 8)])
def test_models_of_another_kind_are_refused(tmp_path, shape):
    with pytest.raises(TaggerError, match="is not a WD14 tagger"):
        Tagger.load(options_of(make_tagger(tmp_path, shape=shape, nodes=nodes_of_any_input())))


def test_values_outside_0_to_1_are_refused(load):
    with pytest.raises(TaggerError, match="not probabilities"):
        load(nodes=usual_nodes("Neg"))


def test_nan_is_refused(load):
    """A rating of nothing must never pass for a harmless one."""
    with pytest.raises(TaggerError, match="not probabilities"):
        load(outputs=[(name, category, weights, float("nan")) for name, category, weights, _bias in OUTPUTS])


def test_a_list_of_another_length_is_refused(tmp_path):
    folder = make_tagger(tmp_path)
    write_labels(folder, [("tag_id", "name", "category", "count"), *[(0, o[0], o[1], 1) for o in OUTPUTS[:-1]]])

    with pytest.raises(TaggerError, match="11 numbers for 10 tags"):
        Tagger.load(options_of(folder))


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("id", "tag")], "has no column category, name"),
        ([], "has no column category, name"),
        ([("name", "category"), ("1girl", "0")], "must have the ratings general.*it has none"),
        ([("name", "category"), ("safe", "9")], "it has safe"),
        ([("name", "category"), *[("general", "9")] * 4], "each once; it has general"),
    ],
)
def test_a_wrong_list_is_refused(tmp_path, rows, words):
    folder = make_tagger(tmp_path)
    write_labels(folder, rows)

    with pytest.raises(TaggerError, match=words):
        Tagger.load(options_of(folder))


def test_a_list_that_is_no_text_is_refused(tmp_path):
    folder = make_tagger(tmp_path)
    (folder / "selected_tags.csv").write_bytes(b"\xff\xfe\x00name")

    with pytest.raises(TaggerError, match=r"selected_tags\.csv cannot be read"):
        Tagger.load(options_of(folder))


@pytest.mark.parametrize("name", ["model.onnx", "selected_tags.csv"])
def test_a_missing_file_is_named(tmp_path, name):
    (make_tagger(tmp_path) / name).unlink()

    with pytest.raises(TaggerError, match=f"has no {name}"):
        Tagger.load(options_of(tmp_path))


def test_without_onnx_runtime_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)

    with pytest.raises(TaggerError, match=re.escape(install_command("tagger"))):
        Tagger.load(options_of(make_tagger(tmp_path)))


def test_a_failing_session_is_an_error_of_the_tagger(load):
    tagger = load(nodes=nodes_that_fail_on_red())

    assert "general" == tagger.describe(png("white")).rating
    with pytest.raises(TaggerError, match="model failed"):
        tagger.describe(png("red"))
