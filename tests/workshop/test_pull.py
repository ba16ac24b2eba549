"""`pastelbot pull`, as it is typed, against a double of the hub."""

import hashlib
import json

import pytest
from helpers.hub_double import running_hub, use_hub
from safetensors.torch import load, save
from typer.testing import CliRunner

from pastelbot import config
from pastelbot.cli.main import app
from pastelbot.diffusion.checkpoint import devices, loading
from pastelbot.errors import CheckpointError, PastelError, WorkshopError

REPO = "owner/small"
UNET = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture(scope="module")
def files():
    """Return the bundled checkpoint's files by name."""
    folder = config.bundled_checkpoint()
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def hub(files, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PASTELBOT_CHECKPOINT__CACHE_DIR", str(tmp_path / "cache"))
    with running_hub() as hub:
        hub.repos[REPO] = {**files, "sheet.png": b"a picture", "other.safetensors": b"\2\0\0\0\0\0\0\0{}"}
        hub.repos["owner/vae"] = {name.removeprefix("vae/"): data for name, data in files.items() if "vae/" in name}
        hub.repos["owner/files"] = {"a.safetensors": b"", "b.ckpt": b"", "readme.md": b""}
        use_hub(monkeypatch, hub)
        monkeypatch.setattr("time.sleep", lambda _seconds: None)
        yield hub


def pull(*words):
    """Run the command; return its lines, raise what main() would print."""
    result = CliRunner().invoke(app, ["pull", *map(str, words)])
    if isinstance(result.exception, PastelError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def sent(hub):
    return {line.split("/resolve/")[1].partition("/")[2] for line in hub.asked if line.startswith("GET /owner/")}


def test_a_checkpoint_goes_where_the_loader_looks(hub, files, tmp_path):
    """The same files as the loader takes; afterwards it needs no hub."""
    place, facts, *lines = pull(REPO)
    digest = hashlib.sha256(files[UNET]).hexdigest()
    size = sum(map(len, files.values()))
    asked = len(hub.asked)
    loaded = loading.load(REPO, device="cpu", offline=True, cache_dir=tmp_path / "cache")

    assert sent(hub) == files.keys()
    assert f"{size:,} bytes, sha256 {digest}, hash {digest[:10]}" == facts
    assert ["", "For config.toml:", "[checkpoint]", 'path = "owner/small"', f'cache_dir = "{tmp_path}/cache"'] == lines
    assert loaded.hash == digest[:10]
    assert asked == len(hub.asked)
    assert place.startswith(str(tmp_path / "cache"))


def test_a_checkpoint_goes_into_a_folder(hub, files, tmp_path):
    """What is there already is not asked for again, what is damaged is."""
    place, _facts, *lines = pull(REPO, "--into", "mine", "--revision", "v1")
    (tmp_path / "mine" / UNET).write_bytes(b"damaged")
    hub.asked.clear()
    pull(REPO, "--into", "mine", "--revision", "v1")

    assert "mine" == place
    assert ["[checkpoint]", f'path = "{tmp_path}/mine"'] == lines[-2:]
    assert {UNET} == sent(hub)
    assert files == {
        path.relative_to(tmp_path / "mine").as_posix(): path.read_bytes()
        for path in (tmp_path / "mine").rglob("*")
        if path.is_file()
    }


def test_a_download_that_was_broken_off_goes_on(hub, files, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 10_000)
    hub.break_after[UNET] = [5_000_000, *[0] * 5]
    with pytest.raises(CheckpointError, match="it goes on where it stopped"):
        pull(REPO, "--into", "mine")
    before = hub.bytes_sent
    pull(REPO, "--into", "mine")

    rest = sum(len(data) for name, data in files.items() if name != UNET)
    assert "bytes=5000000-" == hub.ranges[-1]
    assert hub.bytes_sent - before <= rest + len(files[UNET]) - 5_000_000


def test_the_vae_alone(hub, files):
    """Of a checkpoint's folder, or of a repository that is a VAE."""
    place, facts, *lines = pull(REPO, "--vae")
    other, *_ = pull("owner/vae", "--vae", "--into", "vae")
    digest = hashlib.sha256(files["vae/diffusion_pytorch_model.safetensors"]).hexdigest()

    assert {"vae/config.json", "vae/diffusion_pytorch_model.safetensors"} <= sent(hub)
    assert not any(name.startswith("unet/") for name in sent(hub))
    assert digest in facts
    assert ["[checkpoint]", f'vae = "{place}"'] == lines[-2:]
    assert "vae" == other
    for found in (place, other):
        assert loading.load_vae(found, device=devices.choose_device("cpu"), dtype=devices.PRECISIONS["fp32"])


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["nothing"], "'nothing' is not a name on the hub"),
        (["../x/y"], "is not a name on the hub"),
        (["owner/files"], r"has no diffusers folder\. Name one of its files with --file: a\.safetensors, b\.ckpt"),
        (["owner/files", "--file", "a.safetensor"], r"has no file 'a\.safetensor'\. Did you mean a\.safetensors"),
        (["owner/files/b.ckpt", "--file", "b.ckpt"], "names a file already"),
        (["owner/files", "--vae"], "has no VAE in diffusers' form"),
        ([REPO, "--revision", "v9"], "has no revision 'v9'"),
        (["owner/none"], "the hub has no such repository"),
        ([REPO, "--file", "other.safetensors"], r"other\.safetensors is an unknown kind of file"),
        ([REPO, "--file", UNET], "is a UNet of diffusers without its other parts"),
        ([REPO, "--vae", "--file", UNET], "not a VAE of Stable Diffusion"),
    ],
)
@pytest.mark.usefixtures("hub")
def test_what_cannot_be_pulled_is_reported(words, error):
    with pytest.raises((CheckpointError, WorkshopError), match=error):
        pull(*words)


def test_another_kind_of_checkpoint_is_reported(hub):
    hub.repos[REPO]["unet/config.json"] = b'{"cross_attention_dim": 2048}'
    with pytest.raises(CheckpointError, match="is an SDXL checkpoint"):
        pull(REPO)


def test_a_gated_repository_says_what_to_do(hub):
    hub.gated.add(REPO)
    with pytest.raises(CheckpointError, match="accept them on its page, and set HF_TOKEN"):
        pull(REPO)


def test_nothing_is_pulled_where_the_configuration_forbids_it(hub, monkeypatch):
    monkeypatch.setenv("PASTELBOT_CHECKPOINT__OFFLINE", "true")
    with pytest.raises(WorkshopError, match=r"checkpoint\.offline is set"):
        pull(REPO)

    assert [] == hub.asked


def test_a_folder_that_cannot_be_written_is_reported(hub, tmp_path):
    (tmp_path / "mine").write_text("a file")
    with pytest.raises(CheckpointError, match=r"cannot be kept: .*mine"):
        pull(REPO, "--into", "mine")

    assert set() == sent(hub)


def in_shards(files, variant):
    """Return a checkpoint's files with the UNet in two and an index, as diffusers saves large ones."""
    tensors = load(files[UNET])
    names = sorted(tensors)
    stem, end = f"diffusion_pytorch_model{variant}", ".safetensors"
    halves = {f"{stem}-0000{n + 1}-of-00002{end}": names[n::2] for n in (0, 1)}
    index = {"metadata": {}, "weight_map": {name: file for file, half in halves.items() for name in half}}
    shards = {f"unet/{file}": save({name: tensors[name] for name in half}) for file, half in halves.items()}
    listed = {f"unet/diffusion_pytorch_model{end}.index{variant}.json": json.dumps(index).encode()}
    return {name: data for name, data in files.items() if name != UNET} | shards | listed


@pytest.mark.parametrize("variant", ["", ".fp16"])
def test_a_checkpoint_in_several_files_is_pulled_and_painted_with(hub, files, tmp_path, variant):
    hub.repos[REPO] = {**in_shards(files, variant), "unet/other.safetensors": b"not asked for"}
    pull(REPO)
    asked = len(hub.asked)
    loaded = loading.load(REPO, device="cpu", offline=True, cache_dir=tmp_path / "cache")

    assert sent(hub) == hub.repos[REPO].keys() - {"unet/other.safetensors"}
    assert asked == len(hub.asked)
    assert {tuple(tensor.shape) for tensor in load(files[UNET]).values()} == {
        tuple(tensor.shape) for tensor in loaded.unet.state_dict().values()
    }


def test_a_file_that_the_index_lists_and_the_hub_lacks_is_named(hub, files, tmp_path):
    shards = in_shards(files, "")
    lost = next(name for name in shards if "00002-of" in name)
    hub.repos[REPO] = {name: data for name, data in shards.items() if name != lost}

    with pytest.raises(CheckpointError, match=r"lacks diffusion_pytorch_model-00002-of-00002\.safetensors"):
        loading.load(REPO, device="cpu", cache_dir=tmp_path / "cache")
