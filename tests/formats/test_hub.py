"""Downloads from the hub, against a double of it on this machine."""

import errno
import os
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
from helpers.hub_double import COMMIT, running_hub, use_hub
from helpers.support import PATIENCE

from pastelbot.errors import CheckpointError
from pastelbot.formats.hub import is_hub_name, locate, split_hub_name
from pastelbot.formats.hub_download import HubDownload

REPO = "owner/small"
UNET = "unet/diffusion_pytorch_model.safetensors"
FILES = {
    "model_index.json": b'{"_class_name": "StableDiffusionPipeline"}',
    "unet/config.json": b'{"in_channels": 4}',
    UNET: b"weights" * 1000,
    "unet/diffusion_pytorch_model.fp16.safetensors": b"not the best",
    "unet/diffusion_pytorch_model.bin": b"nor this",
    "vae/config.json": b"{}",
    "vae/diffusion_pytorch_model.fp16.safetensors": b"the only one of the VAE",
    "text_encoder/pytorch_model.bin": b"the only",
    "example-images/large.png": b"never asked for",
    "small.safetensors": b"one file",
}


@pytest.fixture
def hub(monkeypatch):
    with running_hub() as hub:
        hub.repos[REPO] = dict(FILES)
        use_hub(monkeypatch, hub)
        monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1000)
        monkeypatch.setattr("time.sleep", lambda _seconds: None)
        yield hub


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def sent(hub):
    """Return the files whose content was asked for."""
    return {line.split("/resolve/")[1].partition("/")[2] for line in hub.asked if line.startswith(f"GET /{REPO}/")}


def test_a_folder_is_downloaded_once_and_then_found_offline(hub, cache):
    """Only what the engine loads is asked for, the best weights of each part; the pictures are not."""
    folder = locate(REPO, cache_dir=cache)

    assert FILES[UNET] == (folder / UNET).read_bytes()
    assert sent(hub) == FILES.keys() - {
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "unet/diffusion_pytorch_model.bin",
        "example-images/large.png",
        "small.safetensors",
    }
    hub.asked.clear()
    assert folder == locate(REPO, cache_dir=cache, offline=True)
    assert [] == hub.asked
    assert folder == locate(REPO, cache_dir=cache)
    assert set() == sent(hub)


def test_a_single_file_is_downloaded_at_its_revision(hub, cache):
    found = locate(f"{REPO}/small.safetensors", revision="v1", cache_dir=cache)

    assert ("small.safetensors", b"one file") == (found.name, found.read_bytes())
    assert any("/resolve/v1/small.safetensors" in line for line in hub.asked)


def test_the_usual_variable_says_where_the_hub_is(hub, cache):
    """The client reads it when it is imported, so this is a process of its own."""
    code = "import sys; from pastelbot.formats.hub import locate; print(locate(sys.argv[1], offline=False))"
    variables = {"HF_ENDPOINT": hub.address, "HF_HUB_CACHE": str(cache), "HF_HUB_DISABLE_XET": "1"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    done = subprocess.run(
        [sys.executable, "-c", code, REPO],
        env=kept | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )

    assert 0 == done.returncode, done.stderr
    assert done.stdout.strip() == str(cache / "models--owner--small" / "snapshots" / COMMIT)


def test_a_connection_that_breaks_goes_on_where_it_stopped(hub, cache):
    hub.break_after[UNET] = [3000, 2000]

    assert FILES[UNET] == (locate(REPO, cache_dir=cache) / UNET).read_bytes()
    assert ["bytes=3000-", "bytes=5000-"] == hub.ranges


def test_what_was_broken_off_goes_on_next_time(hub, cache):
    """Also when the program ended meanwhile: what came stays, under a name that says which content it is."""
    hub.break_after[UNET] = [3000, *[0] * 5]
    with pytest.raises(CheckpointError, match=r"cannot be downloaded: .*it goes on where it stopped"):
        locate(f"{REPO}/{UNET}", cache_dir=cache)
    before, heard = len(hub.ranges), []
    found = locate(f"{REPO}/{UNET}", cache_dir=cache, listener=lambda *what: heard.append(what))

    assert FILES[UNET] == found.read_bytes()
    assert ["bytes=3000-"] == hub.ranges[before:]
    assert (UNET, 3000, 7000) == heard[0]
    assert (UNET, 7000, 7000) == heard[-1]
    assert [] == list(cache.rglob("*.part*"))


@pytest.mark.parametrize("reference", [REPO, f"{REPO}/small.safetensors"])
def test_a_hub_that_is_away_is_asked_once(monkeypatch, cache, reference):
    """The client would try again for half a minute, and write each time that it does."""
    with running_hub() as hub:
        use_hub(monkeypatch, hub)
    waits = []
    monkeypatch.setattr("time.sleep", waits.append)

    with pytest.raises(CheckpointError, match=r"cannot be downloaded: .*[Cc]onnection"):
        locate(reference, cache_dir=cache)
    assert waits == []


def test_a_hub_that_cannot_send_parts_starts_again(hub, cache):
    hub.break_after[UNET] = [3000]
    hub.honours_ranges = False

    assert FILES[UNET] == (locate(REPO, cache_dir=cache) / UNET).read_bytes()


def test_a_file_that_changed_meanwhile_is_not_mixed(hub, cache):
    hub.break_after[UNET] = [3000, *[0] * 5]
    with pytest.raises(CheckpointError):
        locate(f"{REPO}/{UNET}", cache_dir=cache)
    hub.repos[REPO][UNET] = b"another" * 1000

    assert b"another" * 1000 == locate(f"{REPO}/{UNET}", cache_dir=cache).read_bytes()


def test_damage_on_the_way_is_noticed(hub, cache):
    """Nothing of it stays."""
    hub.damaged.add(UNET)
    with pytest.raises(CheckpointError, match=f"{REPO}/{UNET} was damaged on its way here"):
        locate(f"{REPO}/{UNET}", cache_dir=cache)
    hub.damaged.clear()

    assert FILES[UNET] == locate(f"{REPO}/{UNET}", cache_dir=cache).read_bytes()


@pytest.mark.parametrize(
    ("reference", "revision", "words"),
    [
        (
            "owner/nothing",
            None,
            "owner/nothing is not a file or folder here and cannot be downloaded: the hub has",
        ),
        (f"{REPO}/none.safetensors", None, "there is no such file in owner/small"),
        (REPO, "v9", "owner/small cannot be downloaded: it has no revision 'v9'"),
        (f"{REPO}/small.safetensors", "v9", "it has no revision 'v9'"),
        ("./missing", None, "'./missing' is not a file or folder here. Check checkpoint.path"),
    ],
)
@pytest.mark.usefixtures("hub")
def test_what_is_not_there_is_named(cache, reference, revision, words):
    with pytest.raises(CheckpointError, match=words):
        locate(reference, revision=revision, cache_dir=cache)


def test_a_gated_repository_says_what_to_do(hub, cache):
    hub.gated.add(REPO)
    with pytest.raises(CheckpointError, match=r"accept them on its page, and set HF_TOKEN"):
        locate(REPO, cache_dir=cache)


def test_offline_without_a_download_says_so(hub, cache):
    with pytest.raises(CheckpointError, match=r"checkpoint\.offline is set"):
        locate(REPO, offline=True, cache_dir=cache)

    assert [] == hub.asked


def test_without_a_way_to_the_hub_what_is_there_is_taken(hub, cache, monkeypatch):
    folder, single = locate(REPO, cache_dir=cache), locate(f"{REPO}/small.safetensors", cache_dir=cache)
    hub.address = "http://127.0.0.1:1"
    use_hub(monkeypatch, hub)

    assert folder == locate(REPO, cache_dir=cache)
    assert single == locate(f"{REPO}/small.safetensors", cache_dir=cache)
    with pytest.raises(CheckpointError, match=r"owner/other/x\.ckpt cannot be downloaded"):
        locate("owner/other/x.ckpt", cache_dir=cache)


def test_too_little_space_is_an_error_before_anything_is_requested(hub, cache, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _path: SimpleNamespace(free=5000))
    with pytest.raises(CheckpointError, match=r"needs 0\.\d MB, but only 0\.\d MB are free"):
        locate(f"{REPO}/{UNET}", cache_dir=cache)

    assert set() == sent(hub)


@pytest.mark.usefixtures("hub")
def test_a_disk_that_fills_up_keeps_what_came(cache, monkeypatch):
    def full(*_arguments, **_options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("huggingface_hub.file_download.http_get", full)
        with pytest.raises(CheckpointError, match=r"does not fit: the disk of .* is full. Make room"):
            locate(f"{REPO}/{UNET}", cache_dir=cache)

    assert FILES[UNET] == locate(f"{REPO}/{UNET}", cache_dir=cache).read_bytes()


class StoredElsewhere(HubDownload):
    """A download from a hub that names another host for its files."""

    def look_up(self, repo, name):
        return replace(super().look_up(repo, name), address="http://127.0.0.2/file")


@pytest.mark.usefixtures("hub")
def test_a_token_is_not_shown_to_the_host_that_stores_the_files(tmp_path, monkeypatch):
    """Large files lie elsewhere: the hub answers with another address."""
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    seen = []

    def http_get(url, target, *, headers, **_options):
        seen.append((url, headers.get("authorization")))
        target.write(FILES[UNET])

    monkeypatch.setattr("huggingface_hub.file_download.http_get", http_get)
    here = HubDownload().look_up(REPO, UNET)
    for number, download in enumerate((HubDownload(), StoredElsewhere())):
        download.into_folder(REPO, [UNET], tmp_path / str(number))

    assert [(here.address, "Bearer hf_secret"), ("http://127.0.0.2/file", None)] == seen


@pytest.mark.parametrize(
    "name", ["../..", "a/..", "../a", "./a", "a/.", "a/b/../../c.safetensors", "a/b:../c.safetensors", "~/a"]
)
def test_a_name_that_leads_out_of_its_repository_is_none(name):
    assert not is_hub_name(name)
    with pytest.raises(CheckpointError, match="is not a name on the hub"):
        split_hub_name(name)


def test_names_on_the_hub_may_have_dots():
    assert split_hub_name("a.b/c.d-1:e/f.safetensors") == ("a.b/c.d-1", "e/f.safetensors")
