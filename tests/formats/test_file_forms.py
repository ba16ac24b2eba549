"""What a weights file is, is decided by its content: its name's ending may be another one, or in capitals."""

import zipfile

import numpy as np
import pytest
import torch
from helpers.small_checkpoints import make_checkpoint, make_lora, save

from pastelbot.diffusion.embeddings import read_embedding
from pastelbot.diffusion.lora.files import open_lora
from pastelbot.diffusion.weights.files import read_tensors
from pastelbot.diffusion.weights.tensor_sources import open_file
from pastelbot.errors import CheckpointError
from pastelbot.formats.file_forms import is_safetensors
from pastelbot.formats.hashes import lora_hash
from pastelbot.formats.network_files import LoraFiles
from pastelbot.formats.precheck import check_reference
from pastelbot.workshop.inspection import inspect_path

ENDINGS = ("safetensors", "SAFETENSORS", "SafeTensors", "ckpt", "CKPT", "pt", "bin", "pth", "download")


def write_pickle(tensors, path, **options):
    torch.save(tensors, path, **options)
    return path


@pytest.mark.parametrize("ending", ENDINGS)
def test_safetensors_are_read_under_any_ending(tmp_path, ending):
    tensors = make_checkpoint()
    path = save(tensors, tmp_path / f"a.{ending}")

    assert is_safetensors(path)
    assert read_tensors(path).keys() == tensors.keys()
    assert open_file(path).entries.keys() == tensors.keys()
    assert inspect_path(path).problems == []


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("zipped", [True, False])
def test_pickles_are_read_under_any_ending(tmp_path, ending, zipped):
    tensors = make_checkpoint()
    path = write_pickle({"state_dict": tensors}, tmp_path / f"a.{ending}", _use_new_zipfile_serialization=zipped)

    assert not is_safetensors(path)
    assert read_tensors(path).keys() == tensors.keys()
    assert open_file(path).entries.keys() == tensors.keys()
    assert inspect_path(path).problems == []


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("write", [save, write_pickle])
def test_loras_and_embeddings_are_read_under_any_ending(tmp_path, ending, write):
    lora = write(make_lora(), tmp_path / f"lora.{ending}")
    embedding = write({"emb_params": torch.ones(2, 768)}, tmp_path / f"embedding.{ending}")

    assert len(open_lora(lora).modules) == 3
    assert len(lora_hash(lora, None)) == 12
    assert read_embedding(embedding).shape == (2, 768)


def test_metadata_of_a_lora_in_capitals_are_read(tmp_path):
    path = save(make_lora(), tmp_path / "a.SAFETENSORS", {"ss_output_name": "soft"})

    assert LoraFiles(tmp_path).metadata(path)["ss_output_name"] == "soft"


def test_the_bot_checks_its_checkpoint_at_the_start_under_any_ending(tmp_path):
    with pytest.raises(CheckpointError, match="is a LoRA, not a Stable Diffusion 1"):
        check_reference(str(save(make_lora(), tmp_path / "a.ckpt")))


def archive(path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("model.safetensors", "weights")


OTHERS = [
    (b"", "is empty"),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "is a pointer of Git LFS"),
    (b"\n<!DOCTYPE html><html>", "is a web page"),
    (b"<HTML>404", "is a web page"),
    (b'{"error": "Unauthorized"}', "is a text in JSON"),
    (b"GGUF\3\0\0\0" + bytes(100), "is a GGUF file"),
    (b"\x08\x0a\x12\x07pytorch" + bytes(100), "is an ONNX file"),
    (b"Rar!\x1a\x07\1\0", "is an archive"),
    (b"7z\xbc\xaf\x27\x1c", "is an archive"),
    (b"\x89PNG\r\n\x1a\n" + bytes(100), "is a picture"),
    (b"\xff\xd8\xff\xe0" + bytes(100), "is a picture"),
]
READERS = [read_tensors, open_file, open_lora, read_embedding]


@pytest.mark.parametrize("ending", ["safetensors", "CKPT", "pt"])
@pytest.mark.parametrize(("content", "words"), OTHERS)
@pytest.mark.parametrize("read", READERS)
def test_what_holds_no_weights_is_named(tmp_path, ending, content, words, read):
    path = tmp_path / f"a.{ending}"
    path.write_bytes(content)

    with pytest.raises(CheckpointError, match=words):
        read(path)
    assert words in inspect_path(path).problems[0]


@pytest.mark.parametrize("ending", ["safetensors", "ckpt"])
def test_an_archive_that_pytorch_did_not_write_is_named(tmp_path, ending):
    archive(tmp_path / f"a.{ending}")

    with pytest.raises(CheckpointError, match="is an archive: unpack it"):
        open_file(tmp_path / f"a.{ending}")


@pytest.mark.parametrize("length", [1, 7, 8, 9, 40])
def test_what_is_cut_short_at_its_start_is_damaged_by_its_ending(tmp_path, length):
    whole = save(make_lora(), tmp_path / "whole.safetensors").read_bytes()
    (tmp_path / "a.safetensors").write_bytes(whole[:length])

    with pytest.raises(CheckpointError, match="is damaged or not a safetensors file"):
        open_file(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xef\xbb\xbf<!DOCTYPE html><html>", "a web page"),
        (b"<!-- saved --><html>", "a web page"),
        (b'\xef\xbb\xbf{"error": 1}', "a text in JSON"),
        ("アクセスが拒否されました。\n".encode() * 30, "a text"),
        ("Access denied".encode("utf-16"), "a text"),
        (b"\xfd7zXZ\0\0\4" + b"\1" * 20, "an archive"),
        (b"BZh91AY&SY\xff\0" + b"\1" * 20, "an archive"),
        (b"\x28\xb5\x2f\xfd\x24" + b"\1" * 20, "an archive"),
        (b"GIF89a\1\0\1\0\xff\xff", "a picture"),
        (b"\0\0\0 ftypavif" + b"\0" * 20, "a picture or a video"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a PDF document"),
        (b"\0" * 257 + b"ustar\x0000" + b"\1" * 50, "an archive"),
        (b"\x04\x22\x4d\x18\xff" + b"\1" * 20, "an archive"),
        (b"BM\x36\x90\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\xff", "a picture"),
        (b"\xff\x0a\xff\x1f" + b"\1" * 20, "a picture"),
        (b"\0\0\0\x0cJXL \r\n\x87\n\xff", "a picture"),
        (b"II*\0\x08\0\0\0\xff", "a picture"),
        (b"RIFF\xff\0\0\0WEBPVP8 ", "a picture"),
        (b'<?xml version="1.0"?>\n<svg xmlns="x">', "a picture"),
        (b"RIFF\xff\0\0\0WAVEfmt ", "a sound or a video"),
        (b"\x1aE\xdf\xa3\x9f" + b"\xff" * 20, "a video"),
        (b"MZ\x90\0" + b"\xff" * 80, "a program"),
        (b"\x7fELF\2\1\1" + b"\xff" * 20, "a program"),
        (b"tjgg\3\0\0\0\xff", "a GGML file"),
        (b"\x93NUMPY\1\0v\0{'descr'", "arrays of NumPy"),
        (b"SQLite format 3\0\x10\0\xff", "a database"),
        (b"d8:announce35:http://a/announce13:creation datei1ee", "a torrent"),
        (b"\0\5\x16\7\0\2\0\0Mac OS X\xff", "what macOS keeps beside a file"),
        (b"L\0\0\0\1\x14\2\0\0\0\xff", "a shortcut of Windows"),
        (b'<?xml version="1.0"?>\n<net name="Model0" version="11">', "the XML file of an OpenVINO network"),
        (b"\x1c\0\0\0TFL3\xff\xff", "a file of TensorFlow Lite"),
        (b"\x84\xa7encoder\x81\xa8conv_out" + b"\xff" * 20, "a file of Flax"),
    ],
)
@pytest.mark.parametrize("ending", ["safetensors", "CKPT"])
def test_other_content_is_named(tmp_path, content, said, ending):
    path = tmp_path / f"a.{ending}"
    path.write_bytes(content)

    with pytest.raises(CheckpointError, match=f"is {said}"):
        open_file(path)


@pytest.mark.parametrize("ending", ["safetensors", "pt", "NPZ"])
def test_latents_of_a_training_are_named(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    with path.open("wb") as file:
        np.savez(file, latents=np.ones(3))

    with pytest.raises(CheckpointError, match="is arrays of NumPy: trainers keep latents so"):
        open_file(path)
