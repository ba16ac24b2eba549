"""Folders as the installed libraries, and those before them, save checkpoints."""

import json
import shutil
import warnings

import pytest
import torch

from pastelbot.diffusion.checkpoint import loading
from pastelbot.diffusion.conditioning.conditioner import Conditioner
from pastelbot.errors import CheckpointError
from pastelbot.formats.layout.folder_parts import weights_files
from pastelbot.prompt.tokenization.tokenizer import ClipTokenizer
from pastelbot.workshop.inspection import inspect_path
from pastelbot.workshop.recipes.recipe import single_step
from pastelbot.workshop.recipes.runner import run_recipe

PROMPT = "masterpiece, 1girl, (cat ears:1.2), ＣＡＴ don't 12 ✨, <|endoftext|> saber_(fate)"


@pytest.fixture(scope="module")
def pipeline(bundled):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from diffusers import StableDiffusionPipeline

        return StableDiffusionPipeline.from_pretrained(str(bundled), safety_checker=None)


@pytest.fixture(scope="module")
def saved(pipeline, tmp_path_factory):
    """Return a folder as the installed diffusers and transformers write it."""
    folder = tmp_path_factory.mktemp("saved") / "today"
    pipeline.save_pretrained(str(folder))
    return folder


def assert_loads_as(folder, small):
    loaded = loading.load(str(folder), device="cpu", offline=True)

    assert loaded.tokenizer.encode(PROMPT) == small.tokenizer.encode(PROMPT)
    assert torch.equal(
        loaded.conditioner.encode([PROMPT], clip_skip=2), small.conditioner.encode([PROMPT], clip_skip=2)
    )
    assert torch.equal(loaded.unet.conv_in.weight, small.unet.conv_in.weight)


def test_what_the_installed_libraries_save_is_loaded(saved, small):
    assert {path.name for path in (saved / "tokenizer").iterdir()} == {"tokenizer.json", "tokenizer_config.json"}

    assert_loads_as(saved, small)


@pytest.mark.parametrize(
    "options", [{"safe_serialization": False}, {"variant": "fp16"}, {"variant": "fp16", "safe_serialization": False}]
)
def test_their_other_names_for_weights_are_loaded(options, pipeline, small, tmp_path):
    pipeline.save_pretrained(str(tmp_path / "other"), **options)

    assert_loads_as(tmp_path / "other", small)


@pytest.mark.parametrize(
    "options",
    [{}, {"safe_serialization": False}, {"variant": "fp16"}, {"variant": "fp16", "safe_serialization": False}],
    ids=str,
)
def test_weights_in_several_files_are_loaded(options, pipeline, small, tmp_path):
    folder = tmp_path / "sharded"
    pipeline.save_pretrained(str(folder), max_shard_size="2MB", **options)
    assert len(list((folder / "unet").glob("*-of-*"))) > 1

    assert_loads_as(folder, small)
    assert inspect_path(folder).problems == []
    converted = tmp_path / "again"
    run_recipe(single_step("it", {"operation": "convert", "source": str(folder)}, converted))
    assert_loads_as(converted, small)


def test_a_missing_file_of_several_is_named(pipeline, tmp_path):
    pipeline.save_pretrained(str(tmp_path), max_shard_size="2MB")
    missing = min((tmp_path / "unet").glob("*-of-*"))
    missing.unlink()

    with pytest.raises(CheckpointError, match=f"lacks {missing.name}: 1 of "):
        loading.load(str(tmp_path), device="cpu", offline=True)
    assert any(missing.name in problem for problem in inspect_path(tmp_path).problems)


@pytest.mark.parametrize(
    "index", ["", "[]", "{}", '{"weight_map": {}}', '{"weight_map": {"a": "../x"}}', '{"weight_map": 5}', "[" * 10**5]
)
def test_an_index_that_cannot_be_read_is_named(index, tmp_path):
    (tmp_path / "model.safetensors.index.json").write_text(index, encoding="utf-8")

    with pytest.raises(CheckpointError, match=r"model\.safetensors\.index\.json is damaged"):
        weights_files(tmp_path, "model")


def _with_tokenizer(saved, folder, change):
    content = json.loads((saved / "tokenizer" / "tokenizer.json").read_text(encoding="utf-8"))
    change(content)
    (folder / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def _merges_as_text(content):
    content["model"]["merges"] = [" ".join(pair) for pair in content["model"]["merges"]]


def _special_tokens_apart(content):
    for name in ("<|startoftext|>", "<|endoftext|>"):
        content["model"]["vocab"].pop(name, None)
    content["added_tokens"] = [
        {"id": 49406 + place, "content": name} for place, name in enumerate(("<|startoftext|>", "<|endoftext|>"))
    ]


def _no_added_tokens(content):
    content["model"]["vocab"] |= {"<|startoftext|>": 49406, "<|endoftext|>": 49407}
    del content["added_tokens"]


@pytest.mark.parametrize("change", [_merges_as_text, _special_tokens_apart, _no_added_tokens])
def test_every_form_of_tokenizer_json_is_read(change, saved, small, tmp_path):
    folder = _with_tokenizer(saved, tmp_path, change)

    assert ClipTokenizer.from_folder(folder).encode(PROMPT) == small.tokenizer.encode(PROMPT)


def test_the_older_files_count_where_both_are_there(bundled, saved, small, tmp_path):
    for source in (bundled, saved):
        shutil.copytree(source / "tokenizer", tmp_path, dirs_exist_ok=True)
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")

    assert ClipTokenizer.from_folder(tmp_path).encode(PROMPT) == small.tokenizer.encode(PROMPT)


def test_one_of_the_older_files_alone_does_not_hide_tokenizer_json(bundled, saved, small, tmp_path):
    shutil.copytree(saved / "tokenizer", tmp_path, dirs_exist_ok=True)
    shutil.copyfile(bundled / "tokenizer" / "vocab.json", tmp_path / "vocab.json")

    assert ClipTokenizer.from_folder(tmp_path).encode(PROMPT) == small.tokenizer.encode(PROMPT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"model": {}}',
        '{"model": null}',
        '{"model": {"vocab": {}, "merges": []}}',
        '{"model": {"vocab": [], "merges": [["a"]]}}',
        '{"model": {"vocab": {"a": 1}, "merges": ["a b c"]}}',
        '{"added_tokens": [1], "model": {"vocab": {}, "merges": []}}',
        '{"added_tokens": [{"content": [], "id": 1}], "model": {"vocab": {}, "merges": []}}',
        '{"model": {"type": "Unigram", "vocab": [["a", 0.1]], "unk_id": 0}}',
    ],
)
def test_a_tokenizer_that_is_none_is_refused_in_a_sentence(text, tmp_path):
    (tmp_path / "tokenizer.json").write_text(text, encoding="utf-8")

    with pytest.raises(CheckpointError, match=r"no readable tokenizer .*remove the folder"):
        ClipTokenizer.from_folder(tmp_path)


TABLE = '{"<|startoftext|>": 0, "<|endoftext|>": 1, ",</w>": 2}'


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "there is no vocab.json"),
        ({"vocab.json": TABLE}, "there is no merges.txt"),
        ({"tokenizer.json": '{\n"model": oops}'}, "tokenizer.json is not valid JSON: see line 2"),
        ({"tokenizer.json": "[" * 99_999}, "tokenizer.json is nested too deeply"),
        ({"tokenizer.json": "[]"}, "tokenizer.json has no model"),
        (
            {"tokenizer.json": '{"model": {"type": "Unigram", "vocab": [["a", 0.1]]}}'},
            "tokenizer.json is a Unigram tokenizer, and CLIP's is a BPE one",
        ),
        (
            {"tokenizer.json": '{"model": {"type": "WordPiece", "vocab": {"a": 1}}}'},
            "tokenizer.json is a WordPiece tokenizer, and CLIP's is a BPE one",
        ),
        (
            {"tokenizer.json": '{"model": {"vocab": {"a": 1}, "merges": ["a b"]}}'},
            "tokenizer.json lacks the word <|startoftext|> of CLIP's vocabulary",
        ),
        (
            {"tokenizer.json": f'{{"model": {{"vocab": {TABLE}, "merges": ["a b c"]}}}}'},
            "what is merged as number 1 is not a pair of texts",
        ),
        (
            {"tokenizer.json": f'{{"model": {{"vocab": {TABLE}, "merges": [["a", "b"], ["a", 2]]}}}}'},
            "what is merged as number 2 is not a pair of texts",
        ),
        ({"tokenizer.json": f'{{"model": {{"vocab": {TABLE}}}}}'}, "it has no pairs that are merged"),
        ({"vocab.json": "[1]", "merges.txt": "a b"}, "vocab.json is not a table of words with their numbers"),
        ({"vocab.json": '{"a": "b"}', "merges.txt": "a b"}, "vocab.json is not a table of words with their numbers"),
        ({"vocab.json": '{"a": -1}', "merges.txt": "a b"}, "vocab.json is not a table of words with their numbers"),
        ({"vocab.json": "", "merges.txt": "a b"}, "vocab.json is not valid JSON: see line 1"),
        ({"vocab.json": TABLE, "merges.txt": b"\xff\xfe\x00\xd8"}, "merges.txt is not text in UTF-8"),
        ({"vocab.json": TABLE, "merges.txt": ""}, "it has no pairs that are merged"),
        ({"vocab.json": TABLE, "merges.txt": None}, "merges.txt cannot be opened (Is a directory)"),
    ],
)
def test_a_tokenizer_that_is_none_is_refused_in_our_words(files, reason, tmp_path):
    for name, content in files.items():
        if content is None:
            (tmp_path / name).mkdir()
        else:
            (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(CheckpointError) as raised:
        ClipTokenizer.from_folder(tmp_path)

    assert str(raised.value) == (
        f"{tmp_path} has no readable tokenizer (tokenizer.json, or vocab.json and merges.txt): {reason}. Download it "
        "again, or remove the folder: then the usual vocabulary is used."
    )


def test_a_tokenizer_with_a_mark_at_its_start_is_read(tmp_path):
    (tmp_path / "vocab.json").write_text(TABLE, encoding="utf-8-sig")
    (tmp_path / "merges.txt").write_text("#version: 0.2\n, </w>\n", encoding="utf-8-sig")

    assert ClipTokenizer.from_folder(tmp_path).size == 3


def test_a_tokenizer_of_the_library_is_taken_as_ours(pipeline, small):
    conditioner = Conditioner(pipeline.tokenizer, small.text_encoder)

    assert conditioner.tokenizer.encode(PROMPT) == small.tokenizer.encode(PROMPT)
