"""Time the engine: `python benchmarks/engine.py [--device cuda] [--card]`.

All lines are measured in the same run, the two values of a ratio in turns, and the median of the turns is printed.
`--card` paints one picture of the Pastel-Mix card's settings with random weights of Stable Diffusion 1.5's size, in the
device's usual precision; on a CPU that takes an hour: `--small` takes the bundled checkpoint and a small picture.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from transformers import CLIPTextConfig, CLIPTextModel

from pastelbot.cli.bench import publish
from pastelbot.config import bundled_checkpoint
from pastelbot.diffusion.checkpoint import loading
from pastelbot.diffusion.checkpoint.checkpoint import Checkpoint
from pastelbot.diffusion.checkpoint.devices import choose_device, choose_dtype, device_name
from pastelbot.diffusion.conditioning.conditioner import Conditioner
from pastelbot.diffusion.engine.engine import Engine, paint_alone
from pastelbot.diffusion.lora.patch import NetworkPatches
from pastelbot.diffusion.networks.lean_unet import LeanUnet
from pastelbot.diffusion.networks.unet import place, prepare_unet
from pastelbot.diffusion.networks.vae import Vae
from pastelbot.diffusion.sampling.rng import make_generator
from pastelbot.prompt.tokenization.tokenizer import ClipTokenizer
from pastelbot.records import GenerationRequest, HiresFix

TAGS = [f"(detail {number}:1.{number % 9 + 1})" if number % 5 == 0 else f"tag number {number}" for number in range(200)]
SMALL = GenerationRequest(prompt="1girl, red hair, smile", negative_prompt="blurry", width=64, height=96, steps=10)
CARD = GenerationRequest(prompt="1girl, red hair", hires=HiresFix(width=960, height=1280))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--card", action="store_true")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--turns", type=int, default=9)
    options = parser.parse_args()
    device = choose_device(options.device)
    print(torch.cuda.get_device_name(device) if device.type == "cuda" else f"{device}, torch {torch.__version__}")
    if options.card:
        card_picture(device, small=options.small, json_file=options.json)
        return
    torch.set_num_threads(1)
    loaded = loading.load(str(bundled_checkpoint()), device=options.device)
    conditioning(loaded, options.turns)
    engine_overhead(loaded, options.turns)
    company(loaded, options.turns)
    noise(options.turns)


def conditioning(loaded: Checkpoint, turns: int) -> None:
    """Encode a prompt of 200 tags, and take away what the text encoder takes."""
    inside = 0.0
    encoder = loaded.text_encoder.forward

    def timed(*args: object, **kwargs: object) -> object:
        nonlocal inside
        start = time.perf_counter()
        result = encoder(*args, **kwargs)
        inside += time.perf_counter() - start
        return result

    loaded.text_encoder.forward = timed
    besides, all_of_it = [], []
    for turn in range(turns):
        inside = 0.0
        start = time.perf_counter()
        loaded.conditioner.positive([", ".join([f"turn {turn}", *TAGS])], steps=20, clip_skip=2)
        all_of_it.append(time.perf_counter() - start)
        besides.append(all_of_it[-1] - inside)
    del loaded.text_encoder.forward
    print(f"conditioning of 200 tags: {ms(all_of_it)} ms, besides the text encoder {ms(besides)} ms")


def engine_overhead(loaded: Checkpoint, turns: int) -> None:
    """Paint a picture, and call the UNet as often as that does."""
    x, context = torch.randn(2, 4, 12, 8), torch.randn(2, 77, loaded.text_encoder.config.hidden_size)
    t = torch.full((2,), 500.0)

    def only_unet() -> None:
        with torch.inference_mode():
            for _ in range(SMALL.steps):
                loaded.unet(x, t, context, return_dict=False)

    whole, calls = alternately(lambda: paint_alone(Engine(loaded), SMALL), only_unet, turns)
    share = 1 - statistics.median(calls) / statistics.median(whole)
    print(f"picture of 64x96, 10 steps: {ms(whole)} ms, its UNet calls alone {ms(calls)} ms: {share:.0%} for the rest")


def company(loaded: Checkpoint, turns: int) -> None:
    """Paint four jobs together, and one after the other."""

    def together() -> None:
        engine = Engine(loaded)
        for number in range(4):
            engine.admit(str(number), SMALL.replace(seed=number))
        while not engine.idle:
            engine.step()

    def alone() -> None:
        for number in range(4):
            paint_alone(Engine(loaded), SMALL.replace(seed=number))

    one, other = alternately(together, alone, turns)
    ratio = statistics.median(other) / statistics.median(one)
    print(f"four jobs: together {ms(one)} ms, one after the other {ms(other)} ms: {ratio:.2f} times as fast together")


def noise(turns: int) -> None:
    """Draw the noise of the card's large picture as an NVIDIA card and as torch's CPU generator."""
    shape = (4, 160, 120)
    draw = (lambda source=source: make_generator(source, 1).randn(shape) for source in ("NV", "CPU"))
    nv, cpu = alternately(*draw, turns)
    print(f"noise of 960x1280: NV {ms(nv)} ms, CPU {ms(cpu)} ms")


def card_picture(device: torch.device, *, small: bool, json_file: Path | None) -> None:
    """Paint one picture of the card's settings with random weights; `small`: of smaller ones, bundled."""
    loaded = loading.load(str(bundled_checkpoint()), device=str(device)) if small else random_checkpoint(device)
    rows = []
    for name in ("first", "second"):
        start = time.perf_counter()
        paint_alone(Engine(loaded), SMALL if small else CARD)
        seconds = time.perf_counter() - start
        peak = torch.cuda.max_memory_allocated(device) / 2**30 if device.type == "cuda" else None
        rows.append({"picture": name, "seconds": seconds, "GiB at most": peak})
    publish("card", device_name(device), {"precision": str(loaded.unet.dtype).removeprefix("torch.")}, rows, json_file)


def random_checkpoint(device: torch.device) -> Checkpoint:
    """Return a checkpoint of Stable Diffusion 1.5's size and of no meaning."""
    dtype = choose_dtype("auto", device)
    torch.manual_seed(0)
    with torch.device(device):
        unet = LeanUnet(sample_size=64, cross_attention_dim=768, attention_head_dim=8)
        vae = AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=(128, 256, 512, 512),
            layers_per_block=2,
            scaling_factor=0.18215,
        )
        text = CLIPTextModel(
            CLIPTextConfig(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12)
        )
    clip = ClipTokenizer.from_folder(bundled_checkpoint() / "tokenizer")
    return Checkpoint(
        name="random",
        hash="",
        tokenizer=clip,
        text_encoder=text,
        unet=prepare_unet(unet, device, dtype),
        vae=Vae(place(vae, device, dtype).eval().requires_grad_(False), device),
        device=device,
        dtype=dtype,
        conditioner=Conditioner(clip, text, device=device, dtype=dtype),
        patches=NetworkPatches(unet, text, {}),
    )


def alternately(
    first: Callable[[], object], second: Callable[[], object], turns: int
) -> tuple[list[float], list[float]]:
    """Time two things in turns, after one turn that does not count."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(turns + 1):
        for thing, taken in zip((first, second), times, strict=True):
            start = time.perf_counter()
            thing()
            if turn:
                taken.append(time.perf_counter() - start)
    return times


def ms(seconds: list[float]) -> str:
    """Return the median in milliseconds."""
    return f"{1000 * statistics.median(seconds):.1f}"


if __name__ == "__main__":
    main()
