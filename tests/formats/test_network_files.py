"""LoRAs by the names that prompts have for them."""

import json
import os
import struct
import unicodedata

import pytest

from pastelbot.errors import CheckpointError
from pastelbot.formats import network_files as network_file_module
from pastelbot.formats.network_files import LoraFiles, NetworkFolder, network_files
from pastelbot.formats.safetensors_header import read_header


def write(path, **metadata):
    header = json.dumps({"__metadata__": metadata}).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(header)) + header)


@pytest.fixture
def loras(tmp_path):
    write(tmp_path / "Pastel_Light-v1.safetensors")
    titled = {"ss_output_name": "Soft Touch", "sshs_model_hash": "abcdef012345" + "0" * 52}
    write(tmp_path / "styles" / "soft.safetensors", **titled)
    write(tmp_path / "others" / "soft.safetensors", ss_output_name="twice")
    write(tmp_path / "ink.safetensors", ss_output_name="twice")
    (tmp_path / "simo.pt").touch()
    (tmp_path / "simo.text_encoder.pt").touch()
    (tmp_path / "notes.txt").touch()
    return LoraFiles(tmp_path)


def test_files_are_named_without_folder_and_ending(loras):
    """The second of a name keeps its folder; a list's second half is no file of its own."""
    assert {"Pastel_Light-v1", "ink", "simo", "soft", "styles/soft"} == loras.files.keys()


@pytest.mark.parametrize(
    ("name", "file", "exact"),
    [
        ("Pastel_Light-v1", "Pastel_Light-v1", True),
        ("styles/soft", "soft", True),
        ("Soft Touch", "soft", True),
        ("pastel light v1", "Pastel_Light-v1", False),
        ("SOFT TOUCH", "soft", False),
        ("pastel_ligth-v1", "Pastel_Light-v1", False),
        ("INK", "ink", False),
    ],
)
def test_names_are_found_exactly_or_where_only_one_can_be_meant(loras, name, file, exact):
    found = loras.find(name)

    assert (found.name, found.exact) == (file, exact)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_umlauts_are_the_same_however_they_are_written(tmp_path, form):
    """As one character or two, in the folder or in the prompt."""
    write(tmp_path / f"{unicodedata.normalize(form, 'Größe ✿ v1.2')}.safetensors")
    loras = LoraFiles(tmp_path)

    for written in ("NFC", "NFD"):
        name = unicodedata.normalize(written, "Größe ✿ v1.2")
        assert loras.find(name).exact
        assert not loras.find(name.lower()).exact
    assert loras.find("Größe ✿ v1.2").name == "Größe ✿ v1.2"
    assert {"Größe ✿ v1.2"} == loras.files.keys()


@pytest.mark.parametrize("name", ["Pastel_Light-v2", "twice", "unknown", "", "simo.text_encoder", "../ink", "notes"])
def test_other_versions_and_names_of_several_match_no_file(loras, name):
    assert loras.find(name) is None


def test_names_that_several_are_near_to_are_refused(tmp_path):
    for name in ("soft_light", "Soft Light", "harder"):
        write(tmp_path / f"{name}.safetensors")
    loras = LoraFiles(tmp_path)

    assert loras.find("softlight") is None
    assert loras.find("soft_light").exact
    assert "There is no LoRA 'softlight'." in loras.refusal("softlight")


def test_folder_is_looked_at_anew(loras, tmp_path):
    assert loras.find("Later") is None
    write(tmp_path / "later.safetensors", ss_output_name="Later")
    assert loras.find("Later").exact
    write(tmp_path / "later.safetensors", ss_output_name="Something else")

    assert loras.find("Later").exact is False
    assert loras.find("Something else").exact


def test_hashes_are_those_of_the_metadata(loras):
    assert loras.with_hash("abcdef012345").name == "soft"
    assert loras.with_hash("000000000000") is None
    assert loras.with_hash("") is loras.with_hash("abcdef0") is None


def test_damaged_files_have_no_metadata(tmp_path):
    (tmp_path / "a.safetensors").write_bytes(b"\x07")
    (tmp_path / "b.safetensors").write_bytes(struct.pack("<Q", 2**60))
    (tmp_path / "c.safetensors").write_bytes(struct.pack("<Q", 2) + b"[]")
    loras = LoraFiles(tmp_path)

    assert [{}, {}, {}] == [loras.metadata(path) for path in loras.files.values()]
    assert loras.find("zzz") is None


def test_no_folder_has_no_files(tmp_path):
    assert {} == network_files(None, (".safetensors",)) == network_files(tmp_path / "missing", (".safetensors",))
    assert "this bot has none" in LoraFiles().refusal("x")


def test_folder_is_listed_only_when_it_changes(tmp_path, monkeypatch):
    """Where it has not been changed for a while; what happens in the moment of listing is not missed."""
    listings = []
    real = network_file_module.network_files
    monkeypatch.setattr(network_file_module, "network_files", lambda *args: listings.append(args) or real(*args))
    now = [10**18]
    (tmp_path / "below").mkdir()
    write(tmp_path / "a.safetensors")
    for path in (tmp_path, tmp_path / "below"):
        os.utime(path, ns=(10**18, 10**18))
    folder = NetworkFolder(tmp_path, (".safetensors",), clock=lambda: now[0])

    assert [set(folder.files) for _ in range(3)] == [{"a"}] * 3
    assert len(listings) == 3
    now[0] += 3 * 10**9
    assert [set(folder.files) for _ in range(3)] == [{"a"}] * 3
    assert len(listings) == 4
    write(tmp_path / "below" / "b.safetensors")
    assert set(folder.files) == {"a", "b"}
    (tmp_path / "below" / "b.safetensors").unlink()
    (tmp_path / "below").rmdir()
    assert set(folder.files) == {"a"}


def test_one_file_with_a_nested_header_hides_no_others(tmp_path):
    write(tmp_path / "soft.safetensors", ss_output_name="Soft Touch")
    nested = b"[" * 100_000
    (tmp_path / "zz.safetensors").write_bytes(struct.pack("<Q", len(nested)) + nested)
    with_it = LoraFiles(tmp_path)

    assert with_it.metadata(tmp_path / "zz.safetensors") == {}
    assert with_it.find("no such file") is None
    assert with_it.find("Soft Touch").name == "soft"
    with pytest.raises(CheckpointError, match="nested too deeply"):
        read_header(tmp_path / "zz.safetensors")


@pytest.mark.parametrize("name", ["styles/inner", "styles\\inner", "deep/styles/inner", "deep\\styles\\inner"])
def test_a_lora_is_found_by_its_name_with_its_folder(tmp_path, name):
    (tmp_path / "deep" / "styles").mkdir(parents=True)
    path = tmp_path / "deep" / "styles" / "inner.safetensors"
    path.touch()
    found = LoraFiles(tmp_path).find(name)

    assert (path, True) == (found.path, found.exact)


@pytest.mark.parametrize("name", ["other/inner", "yles/inner", "styles/inne", "/", "styles/"])
def test_another_folder_is_another_lora(tmp_path, name):
    (tmp_path / "styles").mkdir()
    (tmp_path / "styles" / "inner.safetensors").touch()
    found = LoraFiles(tmp_path).find(name)

    assert found is None or not found.exact
