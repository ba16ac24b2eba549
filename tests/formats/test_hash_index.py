"""Files found by the hashes that sites and infotexts know them by."""

import hashlib

import numpy as np
import pytest
from safetensors.numpy import save_file

from pastelbot.choices import recognised_upscaler
from pastelbot.formats.hashes import HashIndex, lora_hash, old_hash, sha256_of


@pytest.fixture
def files(tmp_path):
    for number in range(3):
        save_file({"a": np.full(600_000, number, np.float32)}, tmp_path / f"{number}.safetensors", {"k": "v"})
    return sorted(tmp_path.iterdir())


@pytest.mark.parametrize(
    "shorten",
    [
        sha256_of,
        lambda path: sha256_of(path)[:10],
        lambda path: sha256_of(path)[:10].upper(),
        lambda path: lora_hash(path, None),
        lambda path: lora_hash(path, None).upper(),
        old_hash,
        lambda path: f" {old_hash(path)} ",
    ],
    ids=["whole", "ten digits", "capitals", "without header", "without header, capitals", "old", "blanks"],
)
def test_a_file_is_found_by_each_of_its_hashes(files, shorten):
    assert files[2] == HashIndex().find(files, shorten(files[2]))


@pytest.mark.parametrize("wanted", ["", "12", "f" * 64, "not a hash"])
def test_what_is_no_files_hash_finds_none(files, wanted):
    assert HashIndex().find(files, wanted) is None


def test_what_is_not_hashed_in_time_is_found_by_the_next_search(files):
    times = iter([0, 0.5, 2, 2, 0, 0, 0, 0])
    index = HashIndex(patience=1, clock=lambda: next(times))
    wanted = sha256_of(files[1])

    assert index.find(files, wanted) is None
    assert files[1] == index.find(files, wanted)


def test_a_file_that_changed_is_hashed_anew_and_one_that_is_gone_is_skipped(files):
    index = HashIndex()
    assert files[0] == index.find(files, sha256_of(files[0]))
    files[0].write_bytes(b"something else")
    wanted = hashlib.sha256(b"something else").hexdigest()
    files[0].rename(files[0].with_suffix(".pt"))

    assert files[0].with_suffix(".pt") == index.find([*files, files[0].with_suffix(".pt")], wanted)


UPSCALERS = ("Latent", "Lanczos", "RealESRGAN_x4plus_anime_6B", "RealESRGAN_x4plus", "4x-UltraSharp", "R-ESRGAN 2x+")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("R-ESRGAN 4x+ Anime6B", "RealESRGAN_x4plus_anime_6B"),
        ("r-esrgan 4x+ anime6b", "RealESRGAN_x4plus_anime_6B"),
        ("R-ESRGAN 4x+", "RealESRGAN_x4plus"),
        ("RealESRGAN_x4plus_anime_6B.pth", "RealESRGAN_x4plus_anime_6B"),
        ("RealESRGAN_x2plus", "R-ESRGAN 2x+"),
        ("4x_UltraSharp", "4x-UltraSharp"),
        ("4x-ultrasharp", "4x-UltraSharp"),
        ("4x UltraSharp.pth", "4x-UltraSharp"),
        ("latent", "Latent"),
        ("LANCZOS", "Lanczos"),
        ("4x_foolhardy_Remacri", None),
        ("", None),
        ("R-ESRGAN 8x+", None),
    ],
)
def test_an_upscaler_is_recognised_by_its_file_or_its_usual_name(written, meant):
    assert meant == recognised_upscaler(written, UPSCALERS)
