"""`pastelbot export jax`: text encoder, UNet and VAE decoder as StableHLO for JAX, at the sizes that are asked for.

torch.export traces a network, torchax turns the trace into a function of JAX, and jax.export lowers it to StableHLO.
Weights stay out of the programs, in safetensors files, so that all sizes share them and they can be exchanged.
"""

import importlib.util
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch._ops import OpOverloadPacket

from pastelbot.config import CheckpointSettings, parse_size
from pastelbot.diffusion.networks.build import build_text_encoder, build_unet, build_vae
from pastelbot.diffusion.weights.files import Weights
from pastelbot.errors import WorkshopError, install_command
from pastelbot.formats.exported import JAX, TEXT_ENCODER, UNET, VAE_DECODER
from pastelbot.workshop.export.folder import (
    check_new_folder,
    new_folder,
    write_json,
    write_manifest,
    write_surroundings,
)
from pastelbot.workshop.export.networks import TOKENS, DecodeCall, TextLayers, UnetCall
from pastelbot.workshop.export.source import read_source, tokenizer_of
from pastelbot.workshop.writing import Progress, silent

_PLATFORMS = ("cpu", "cuda", "tpu")
_WEIGHTS = "model.safetensors"
_TOLERANCE = 1e-3  # of the largest number that torch gives
_CELL = 8
_NEEDED = ("jax", "torchax")
_README = Path(__file__).with_name("jax_readme.md")


@dataclass(frozen=True, kw_only=True)
class JaxOptions:
    """Which programs are written: one UNet and one decoder for each of the sizes.

    `batch` are the UNet's rows, two for a picture with guidance; `chunks` the prompt's length in units of 75 tokens.
    """

    sizes: Sequence[str] = ("448x640",)
    batch: int = 2
    chunks: int = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class _Program:
    """One network at one size: its name, its function and example inputs by name."""

    part: str
    name: str
    network: nn.Module
    output: str
    inputs: Mapping[str, Tensor]

    @property
    def file(self) -> str:
        return f"{self.part}/{self.name}.stablehlo"


def export_jax(
    reference: str,
    out: Path,
    settings: CheckpointSettings,
    options: JaxOptions,
    *,
    check: bool = False,
    tolerance: float = _TOLERANCE,
    progress: Progress = silent,
) -> dict[str, float]:
    """Write a checkpoint as programs for JAX; raises PastelError, and then nothing has its name.

    With `check` every program runs in JAX and is compared with torch; the largest relative differences are returned.
    More than `tolerance` is an error.
    """
    sizes = _check(options)
    check_new_folder(out)
    weights = read_source(reference, settings, progress)
    tokenizer = tokenizer_of(weights, settings)
    programs = list(_programs(weights, sizes, options))
    networks = {program.part: program.network for program in programs}
    total = sum(tensor.nbytes for network in networks.values() for tensor in network.state_dict().values())
    differences: dict[str, float] = {}
    with new_folder(out, total) as folder, torch.no_grad(), _quietly():
        for number, program in enumerate(programs):
            progress(f"Exporting {program.file}", number * total // len(programs), total)
            differences |= _write(program, folder, tolerance if check else None)
        for part, network in (
            (TEXT_ENCODER, weights.text_encoder),
            (UNET, weights.unet),
            (VAE_DECODER, weights.own_vae),
        ):
            write_json(folder / part / "config.json", network.config)
        write_surroundings(folder, weights, tokenizer)
        (folder / "README.md").write_text(_README.read_text(encoding="utf-8"), encoding="utf-8")
        described = [_describe(program) for program in programs]
        write_manifest(folder, JAX, weights, "fp32", programs=described, platforms=_PLATFORMS)
        progress("Exported", total, total)
    return differences


def _check(options: JaxOptions) -> list[tuple[int, int]]:
    """Return the sizes in pixels; raises WorkshopError."""
    if any(importlib.util.find_spec(name) is None for name in _NEEDED):
        raise WorkshopError(
            f"Exporting to JAX needs the packages jax and torchax: install them with `{install_command('jax')}`."
        )
    try:
        sizes = [parse_size(size) for size in options.sizes]
    except ValueError as error:
        raise WorkshopError(f"The size is wrong: {error}.") from error
    for width, height in sizes:
        if width % _CELL or height % _CELL or not (width and height):
            raise WorkshopError(f"The size {width}x{height} is not possible: both sides must be multiples of {_CELL}.")
    if options.batch < 1 or options.chunks < 1:
        raise WorkshopError("The batch and the number of chunks must be 1 or more.")
    return sizes


def _programs(weights: Weights, sizes: Sequence[tuple[int, int]], options: JaxOptions) -> Iterator[_Program]:
    cpu, full = torch.device("cpu"), torch.float32
    text = TextLayers(build_text_encoder(weights.text_encoder, cpu, full)).eval()
    unet = UnetCall(build_unet(weights.unet, cpu, full)).eval()
    decoder = DecodeCall(build_vae(weights.own_vae, cpu, full)).eval()
    generator, context = torch.Generator().manual_seed(0), int(weights.unet.config["cross_attention_dim"])
    # JAX has 32 bits for a whole number unless configured otherwise.
    tokens = torch.arange(TOKENS, dtype=torch.int32).unsqueeze(0)
    yield _Program(part=TEXT_ENCODER, name="chunk", network=text, output="layers", inputs={"input_ids": tokens})
    for width, height in dict.fromkeys(sizes):
        rows, cells = options.batch, (height // _CELL, width // _CELL)
        yield _Program(
            part=UNET,
            name=f"{width}x{height}-batch{rows}-chunks{options.chunks}",
            network=unet,
            output="out_sample",
            inputs={
                "sample": torch.randn(rows, 4, *cells, generator=generator),
                "timestep": torch.linspace(20, 900, rows),
                "encoder_hidden_states": torch.randn(rows, TOKENS * options.chunks, context, generator=generator),
            },
        )
        latents = torch.randn(1, 4, *cells, generator=generator)
        yield _Program(
            part=VAE_DECODER,
            name=f"{width}x{height}",
            network=decoder,
            output="sample",
            inputs={"latent_sample": latents},
        )


def _write(program: _Program, folder: Path, tolerance: float | None) -> dict[str, float]:
    """Write a program, and its network's weights where they are not there yet; return what a check finds."""
    jax = _jax()
    states, call = _as_jax(program)
    arrays = {name: tensor.detach().numpy() for name, tensor in states.items()}
    inputs = [tensor.numpy() for tensor in program.inputs.values()]
    shapes = jax.tree.map(lambda array: jax.ShapeDtypeStruct(array.shape, array.dtype), (arrays, inputs))
    with _without_places(jax):
        lowered = jax.export.export(jax.jit(call), platforms=_PLATFORMS)(shapes[0], *shapes[1])
    place = folder / program.file
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(lowered.serialize())
    if not (place.parent / _WEIGHTS).exists():
        # Tied weights lie in the file twice: it may not share memory.
        save_file(
            {name: tensor.detach().clone().contiguous() for name, tensor in states.items()}, place.parent / _WEIGHTS
        )
    if tolerance is None:
        return {}
    again = jax.export.deserialize(bytearray(place.read_bytes()))
    found = torch.tensor(again.call(arrays, *inputs).__array__())
    return {program.file: _difference(program, found, tolerance)}


def _jax() -> ModuleType:
    import jax
    import jax.export

    return cast("ModuleType", jax)


@contextmanager
def _without_places(jax: ModuleType) -> Iterator[None]:
    """Leave out the lines of code that each operator came from, with the paths of this machine."""
    limit = jax.config.jax_traceback_in_locations_limit
    jax.config.update("jax_traceback_in_locations_limit", 0)
    try:
        yield
    finally:
        jax.config.update("jax_traceback_in_locations_limit", limit)


def _as_jax(program: _Program) -> tuple[dict[str, Tensor], Callable[..., Any]]:
    """Return a network's weights by name, and its function of them and its inputs."""
    export = _torchax_export()
    traced = torch.export.export(program.network, (), dict(program.inputs))
    names, states, function = export.exported_program_to_jax(traced, export_raw=True)
    names = [*names, *traced.graph_signature.lifted_tensor_constants]

    def call(weights: Mapping[str, Any], *inputs: object) -> object:
        return function([weights[name] for name in names], inputs)[0]

    return dict(zip(names, states, strict=True)), call


def _torchax_export() -> ModuleType:
    """Import torchax, which names operators that newer releases of torch have removed, without ever using them."""
    known = OpOverloadPacket.__getattr__

    def also_removed(packet: OpOverloadPacket, name: str) -> object:
        try:
            return known(packet, name)
        except AttributeError:
            if "imname" not in name and "names" not in name:  # tensors with named dimensions
                raise
            return object()

    OpOverloadPacket.__getattr__ = also_removed  # type: ignore[assignment, method-assign]
    try:
        import torchax.export
        import torchax.ops.jaten
    finally:
        OpOverloadPacket.__getattr__ = known  # type: ignore[method-assign]
    return cast("ModuleType", torchax.export)


def _difference(program: _Program, found: Tensor, tolerance: float) -> float:
    """Return the largest difference from torch, relative to torch's largest number; raises WorkshopError."""
    wanted = program.network(**program.inputs)
    difference = float((found - wanted).abs().max() / wanted.abs().max())
    if not difference <= tolerance:
        raise WorkshopError(
            f"{program.file} gives other numbers in JAX than in torch: they differ by {difference:.2g} of the largest. "
            "Nothing was written."
        )
    return difference


def _describe(program: _Program) -> dict[str, object]:
    inputs = [
        {"name": name, "shape": list(tensor.shape), "dtype": str(tensor.dtype).removeprefix("torch.")}
        for name, tensor in program.inputs.items()
    ]
    return {"file": program.file, "weights": f"{program.part}/{_WEIGHTS}", "inputs": inputs, "output": program.output}


@contextmanager
def _quietly() -> Iterator[None]:
    """Silence the libraries' remarks about each other."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
