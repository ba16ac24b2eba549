import io
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderTiny
from PIL import Image

from pastelbot.diffusion.image.preview import Previewer, load_tiny
from pastelbot.errors import CheckpointError

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a tiny autoencoder of random weights, as diffusers writes TAESD."""
    torch.manual_seed(0)
    channels, blocks = (8, 8, 8, 8), (1, 1, 1, 1)
    tiny = AutoencoderTiny(
        encoder_block_out_channels=channels,
        decoder_block_out_channels=channels,
        num_encoder_blocks=blocks,
        num_decoder_blocks=blocks,
    )
    tiny.save_pretrained(tmp_path / "taesd")
    return tmp_path / "taesd"


def image(jpeg):
    return Image.open(io.BytesIO(jpeg))


def test_previews_are_decoded_where_taesd_is_there(folder, small):
    latents = torch.randn(4, 16, 24, generator=torch.Generator().manual_seed(1))
    tiny = load_tiny(folder, CPU)
    expected = ((tiny.decode(latents.unsqueeze(0)).sample[0] + 1) / 2).clamp(0, 1) * 255
    shown = image(Previewer(small.vae, tiny).preview(latents))

    assert (shown.format, shown.size) == ("JPEG", (192, 128))
    pixels = torch.from_numpy(np.asarray(shown).copy()).movedim(-1, 0)
    assert (pixels - expected).abs().mean() < 12  # what JPEG leaves
    assert image(Previewer(small.vae).preview(latents)).tobytes() != shown.tobytes()


def test_a_large_picture_is_made_small_before_it_is_decoded(folder, small):
    preview = Previewer(small.vae, load_tiny(folder, CPU)).preview(torch.zeros(4, 160, 120))

    assert image(preview).size == (384, 512)


@pytest.mark.parametrize("there", [None, Path("nowhere")])
def test_without_it_there_is_none(there):
    assert load_tiny(there, CPU) is None


def test_something_else_is_named(tmp_path):
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"checkpoint\.taesd .* holds no tiny autoencoder"):
        load_tiny(tmp_path, CPU)


def test_a_damaged_file_is_named(folder):
    os.truncate(folder / "diffusion_pytorch_model.safetensors", 1000)
    with pytest.raises(CheckpointError, match="holds no tiny autoencoder"):
        load_tiny(folder, CPU)
