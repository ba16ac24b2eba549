"""Compare the backends of this machine on the bundled checkpoint: `python benchmarks/backends.py [--turns 5]`.

One picture with the hires fix, and eight users' pictures, each with torch alone, with OpenVINO after its sizes were
compiled, and with the pipelines of diffusers that a plain bot would call (eager, as installed). All in one run, in
turns; the median of the turns is printed, and the ratio to diffusers.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_img2img import StableDiffusionImg2ImgPipeline
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler
from torch.nn import functional

from pastelbot.config import bundled_checkpoint
from pastelbot.diffusion.backends.choice import compiled_networks
from pastelbot.diffusion.checkpoint import loading
from pastelbot.diffusion.engine.engine import Engine
from pastelbot.records import GenerationRequest, HiresFix

STEPS = 20
PROMPT, NEGATIVE = "1girl, red hair, smile", "blurry"
FIRST, SECOND = (128, 128), (256, 256)
USERS = 8
ONE = GenerationRequest(
    prompt=PROMPT,
    negative_prompt=NEGATIVE,
    width=FIRST[0],
    height=FIRST[1],
    steps=STEPS,
    hires=HiresFix(width=SECOND[0], height=SECOND[1], steps=STEPS),
)
FEW = ONE.replace(width=192, height=192, hires=None)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    plain = StableDiffusionPipeline.from_pretrained(
        bundled_checkpoint(), safety_checker=None, torch_dtype=torch.float32
    )
    plain.scheduler = DPMSolverMultistepScheduler.from_config(plain.scheduler.config, use_karras_sigmas=True)
    plain.set_progress_bar_config(disable=True)
    loaded = loading.load(str(bundled_checkpoint()), device="cpu", precision="fp32")
    with tempfile.TemporaryDirectory() as folder:
        again = loading.load(str(bundled_checkpoint()), device="cpu", precision="fp32")
        compiled = compiled_networks(again, "openvino", Path(folder))
        engines = {
            "torch": Engine(loaded, measured_rows=True),
            "openvino": Engine(again, compiled=compiled and compiled.unet),
        }
        torch.set_num_threads(options.threads)
        print(f"torch {torch.__version__}, {options.threads} threads, {torch.backends.cpu.get_cpu_capability()}")
        for title, requests, stock in (
            ("one picture, hires fix", [ONE], lambda: diffusers_hires(plain)),
            (f"{USERS} users", [FEW.replace(seed=seed) for seed in range(USERS)], lambda: diffusers_serial(plain)),
        ):
            contenders = {"diffusers": stock} | {
                name: lambda engine=engine, requests=requests: together(engine, requests)
                for name, engine in engines.items()
            }
            report(title, contenders, options.turns)


def together(engine: Engine, requests: list[GenerationRequest]) -> None:
    """Paint requests at the same time."""
    for number, request in enumerate(requests):
        engine.admit(str(number), request)
    while not engine.idle:
        engine.step()


def diffusers_hires(plain: StableDiffusionPipeline) -> None:
    """Paint one picture with as many UNet calls: a first pass, its latents enlarged, and a second one."""
    latents = plain(PROMPT, negative_prompt=NEGATIVE, width=FIRST[0], height=FIRST[1], num_inference_steps=STEPS,
                    output_type="latent").images  # fmt: skip
    large = functional.interpolate(latents, scale_factor=SECOND[0] / FIRST[0], mode="bilinear")
    again = StableDiffusionImg2ImgPipeline(**plain.components, requires_safety_checker=False)
    again.set_progress_bar_config(disable=True)
    # Of 33 steps at a strength of 0.6, 20 are made: as many as ours.
    again(PROMPT, image=large, negative_prompt=NEGATIVE, strength=0.61, num_inference_steps=33)


def diffusers_serial(plain: StableDiffusionPipeline) -> None:
    """Paint the users' pictures one after the other."""
    for _ in range(USERS):
        plain(PROMPT, negative_prompt=NEGATIVE, width=FEW.width, height=FEW.height, num_inference_steps=STEPS)


def report(title: str, contenders: dict[str, Callable[[], None]], turns: int) -> None:
    """Time contenders in turns, after two turns that do not count, and print a line each."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(turns + 2):
        for name, contender in contenders.items():
            start = time.perf_counter()
            contender()
            if turn > 1:
                times[name].append(time.perf_counter() - start)
        if not turn:
            time.sleep(20)  # while the compiler's thread is at work
    stock = statistics.median(times["diffusers"])
    for name, values in times.items():
        seconds = statistics.median(values)
        print(f"{title}: {name} {seconds:.2f} s, {stock / seconds:.2f} times as fast as diffusers", flush=True)


if __name__ == "__main__":
    main()
