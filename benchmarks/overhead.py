"""Compare what a step costs besides the UNet: `python benchmarks/overhead.py [--turns 9]`.

A UNet that answers at once takes the place of the bundled checkpoint's, in our engine and in the pipeline of diffusers
that a plain bot would call (eager, DPM++ 2M Karras). A step costs the difference of a long and a short picture, divided
by their steps, so prompts and VAE do not count. In turns, in one run; the least processor time of each counts.
"""

import argparse
import dataclasses
import time
from collections.abc import Callable

import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler
from torch import Tensor, nn

from pastelbot.config import bundled_checkpoint
from pastelbot.diffusion.checkpoint import loading
from pastelbot.diffusion.engine.engine import Engine, paint_alone
from pastelbot.records import GenerationRequest

FEW, MANY = 10, 110
REQUEST = GenerationRequest(prompt="1girl", negative_prompt="blurry", width=64, height=64, sampler="DPM++ 2M")


class StubUnet(nn.Module):
    """Answers at once with noise that it made before."""

    dtype = torch.float32
    device = torch.device("cpu")

    def __init__(self, config: object) -> None:
        """Take the configuration of the UNet that it stands for."""
        super().__init__()
        self.config = config
        self.answers: dict[torch.Size, Tensor] = {}

    def forward(self, sample: Tensor, *_args: object, **_named: object) -> tuple[Tensor]:
        """Return noise of the latents' shape."""
        if sample.shape not in self.answers:
            self.answers[sample.shape] = torch.randn(sample.shape)
        return (self.answers[sample.shape],)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=9)
    options = parser.parse_args()
    torch.set_num_threads(1)
    ours, theirs = overheads(options.turns)
    print(
        f"a step besides the UNet: ours {ours * 1000:.3f} ms, diffusers {theirs * 1000:.3f}, {ours / theirs:.2f} of it"
    )


def overheads(turns: int) -> tuple[float, float]:
    """Return the seconds of processor time that a step takes besides the UNet: ours, and diffusers'."""
    loaded = loading.load(str(bundled_checkpoint()), device="cpu", precision="fp32")
    stub = StubUnet(loaded.unet.config)
    engine = Engine(dataclasses.replace(loaded, unet=stub))
    plain = StableDiffusionPipeline.from_pretrained(
        bundled_checkpoint(), safety_checker=None, torch_dtype=torch.float32
    )
    plain.scheduler = DPMSolverMultistepScheduler.from_config(plain.scheduler.config, use_karras_sigmas=True)
    plain.set_progress_bar_config(disable=True)
    plain.unet = stub

    def diffusers(steps: int) -> None:
        plain(REQUEST.prompt, negative_prompt=REQUEST.negative_prompt, width=64, height=64, num_inference_steps=steps)

    contenders = (lambda steps: paint_alone(engine, REQUEST.replace(steps=steps)), diffusers)
    least = [{FEW: float("inf"), MANY: float("inf")} for _ in contenders]
    for _ in range(turns + 1):
        for contender, times in zip(contenders, least, strict=True):
            for steps in times:
                times[steps] = min(times[steps], _timed(lambda paint=contender, steps=steps: paint(steps)))
    ours, theirs = ((times[MANY] - times[FEW]) / (MANY - FEW) for times in least)
    return ours, theirs


def _timed(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    main()
