"""Recorded pictures that go through pixels between their passes, compared piece by piece.

`before_upscale` is the picture that a pixel upscaler got and `encoded` the one that the VAE's encoder got, each where
the set has it. The way is compared in three pieces: the first pass up to the picture in levels, the upscaler and the
encoder from the recorded picture, and the second pass from the recorded latents. So no piece inherits what another
one rounds.

A set may have neither picture. Then the upscaler starts from what the recorded latents of the first pass decode to,
whose levels are the recorded ones but for a few that are unknown; `reach` says how much such a few can change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from helpers.watched_vae import Encoding, levels_apart
from PIL import Image
from safetensors import safe_open
from torch import Tensor

from pastelbot.choices import LATENT_UPSCALERS, PIXEL_UPSCALERS
from pastelbot.diffusion.image.hires import Enlarge, cut_latents, upscale_pixels
from pastelbot.diffusion.networks.vae import Pixels, Vae, from_pixels, to_pixels
from pastelbot.records import GenerationRequest
from pastelbot.rules.hires import HiresSize, hires_size

FLOAT_ERROR = 1e-5  # of a decoded image: more than processors differ in, which is 6e-6 at most
TRIALS = 4
MODEL_SHARE = 0.001  # of the values that an upscaler model may have a level off

SCALE = 0.18215  # of the latents of Stable Diffusion 1.x

Limits = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class RecordedCase:
    """One case of a set: its tensors and pictures, None where the set lacks them."""

    folder: Path
    tensors: str
    case: Mapping[str, Any]

    def tensor(self, name: str, index: int) -> Tensor | None:
        """Return a picture's row of a tensor; the second batch of `n_iter` has tensors of its own, `NAME#2`."""
        batch, row = divmod(index, self.case["settings"].get("batch_size", 1))
        key = f"{self.case['name']}/{name}" + (f"#{batch + 1}" if batch else "")
        with safe_open(self.folder / self.tensors, "pt") as file:
            return file.get_slice(key)[row] if key in file.keys() else None  # noqa: SIM118 - it is no mapping

    def picture(self, name: str, index: int) -> Pixels | None:
        """Return a picture's levels; where a batch has one file, it is of the first picture."""
        files = self.case.get(name) or []
        files = [files] if isinstance(files, str) else files
        if index >= len(files):
            return None
        with Image.open(self.folder / files[index]) as image:
            return np.asarray(image.convert("RGB"))


def goes_through_pixels(request: GenerationRequest) -> bool:
    return request.hires is not None and request.hires.upscaler not in LATENT_UPSCALERS


def recorded_encodings(recorded: RecordedCase, request: GenerationRequest) -> list[Tensor]:
    """Return what the encoder gave between the passes, each picture's, with zeros where the margins are cut off.

    Of a picture to start from, it is what it gave of that where our noise is another: the webui draws the noise of a
    batch at once, and loading an upscaler model draws numbers before it.
    """
    if request.init is not None and (request.count > 1 or request.init.upscaler not in PIXEL_UPSCALERS):
        return recorded_samples(recorded, request)
    if not goes_through_pixels(request):
        return []
    size, found = hires_size(request.width, request.height, request.hires), []
    for index in range(request.count):
        whole = torch.zeros(4, *size.upscaled_cells)
        cut_latents(whole, size).copy_(recorded.tensor("hr_input_latents", index))
        found.append(whole)
    return found


def recorded_samples(recorded: RecordedCase, request: GenerationRequest) -> list[Tensor]:
    batch, found = recorded.case["settings"].get("batch_size", 1), []
    for index in range(request.count):
        mean, deviation, noise = (recorded.tensor(f"init_{name}", index % batch) for name in ("mean", "std", "noise"))
        found.append((mean + deviation * noise) * SCALE)
    return found


def compare_init(recorded: RecordedCase, encodings: Sequence[Encoding]) -> None:
    """Check what is encoded of a picture to start from, and the first one's noise."""
    noise, picture = recorded.tensor("init_noise", 0), recorded.picture("encoded", 0)
    by_model = recorded.case["opts"].get("upscaler_for_img2img") not in (None, *PIXEL_UPSCALERS)
    if noise is not None and not by_model:
        torch.testing.assert_close(encodings[0].noise, noise, rtol=0, atol=1e-5)
    if picture is not None:
        levels = ((encodings[0].image + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 0).numpy()
        largest, share = levels_apart(picture, levels)
        assert largest <= (1 if by_model else 0)
        assert share <= MODEL_SHARE


@dataclass(frozen=True, kw_only=True)
class Upscaling:
    """The way of one picture from the levels of the first pass to the latents of the second."""

    vae: Vae
    size: HiresSize
    upscaler: str
    noise: Tensor
    enlarge: Enlarge | None = None

    def upscale(self, picture: Pixels) -> Pixels:
        return upscale_pixels(picture, self.size, self.upscaler, self.enlarge)

    def encode(self, picture: Pixels) -> Tensor:
        """Return the latents of an upscaled picture."""
        with torch.inference_mode():
            return cut_latents(self.vae.encode(from_pixels(picture), self.noise), self.size)

    def reach(self, image: Tensor) -> Limits:
        """Return three times the largest and mean change that float errors in a decoded image make in the latents."""
        generator = torch.Generator().manual_seed(0)
        exact, changes = self.encode(self.upscale(to_pixels(image))), []
        for _ in range(TRIALS):
            other = to_pixels(image + FLOAT_ERROR * torch.randn(image.shape, generator=generator))
            changes.append((self.encode(self.upscale(other)) - exact).abs())
        return 3 * max(float(change.max()) for change in changes), 3 * max(float(change.mean()) for change in changes)


@dataclass(frozen=True, kw_only=True)
class Pieces:
    """The reference's picture before the upscaler, and its latents after our upscaler and encoder.

    `latents` is None where they cannot be compared; `limits` are how far they may be off, None as far as all others.
    """

    before: Pixels
    latents: Tensor | None
    limits: Limits | None = None


def compare_upscaling(
    recorded: RecordedCase,
    request: GenerationRequest,
    vae: Vae,
    encoding: Encoding,
    index: int,
    enlarge: Enlarge | None = None,
) -> Pieces:
    """Check upscaler and encoder where their input is recorded, and return what is left to compare.

    A model (`enlarge`) computes with floats, so its picture may be a level off here and there.
    """
    noise = noise_of(recorded, request, encoding, index)
    size = hires_size(request.width, request.height, request.hires)
    way = Upscaling(
        vae=vae,
        size=size,
        upscaler=request.hires.upscaler,
        noise=encoding.noise if noise is None else noise,
        enlarge=None if request.hires.upscaler in PIXEL_UPSCALERS else enlarge,
    )
    before, encoded = (recorded.picture(name, index) for name in ("before_upscale", "encoded"))
    image = None
    if before is None:
        with torch.inference_mode():
            image = vae.decode(recorded.tensor("first_latents", index))
        before = to_pixels(image)
    elif encoded is not None:
        largest, share = levels_apart(encoded, way.upscale(before))
        assert largest <= (0 if way.enlarge is None else 1)
        assert share <= MODEL_SHARE
    if noise is None:
        return Pieces(before=before, latents=None)
    if encoded is None and image is not None:
        return Pieces(before=before, latents=way.encode(way.upscale(before)), limits=way.reach(image))
    return Pieces(before=before, latents=way.encode(way.upscale(before) if encoded is None else encoded))


def noise_of(recorded: RecordedCase, request: GenerationRequest, encoding: Encoding, index: int) -> Tensor | None:
    """Return the encoder's noise, checked against the recorded one; None for a batch whose noise is not recorded.

    In a batch the webui's depends on the last seed, and where an upscaler model is loaded on what that drew before;
    ours does not, a deliberate difference (docs/conformance.md).
    """
    noise = recorded.tensor("hr_encode_noise", index)
    if request.count > 1 or request.hires.upscaler not in PIXEL_UPSCALERS:
        return noise
    if noise is not None:
        torch.testing.assert_close(encoding.noise, noise, rtol=0, atol=1e-5)
    return encoding.noise
