"""Sets that were never recorded: other shapes, formats, ranks and weights, against a slow computation in float64."""

import math
import random

import numpy as np
import pytest
import torch
from merge_cases import half_step, needed, read_json
from safetensors.torch import load_file, save_file

from pastelbot.diffusion.lora.files import open_loras
from pastelbot.diffusion.weights.tensor_sources import MemorySource, SafetensorsSource
from pastelbot.workshop.blocks import read_weights
from pastelbot.workshop.lora_extract import Extraction, extract
from pastelbot.workshop.lora_merge import LoraMerge
from pastelbot.workshop.merge import POSITION_IDS, AddDifference, BlockMerge
from pastelbot.workshop.writing import write

FORMATS = (torch.float32, torch.float16, torch.bfloat16)
SEEDS = range(4)


def exact(tensor):
    return tensor.double().numpy()


def step_of(tensor):
    """Return the distance between neighbouring numbers of a tensor's format, elementwise."""
    fine = {torch.float32: 2.0**-13, torch.float16: 1.0, torch.bfloat16: 8.0}[tensor.dtype]
    return half_step(tensor).numpy() * fine


def assert_rounded_once(expected, actual, sizes, name):
    """Say that a result is the exact one, rounded once from float32 sums of numbers of these sizes."""
    slack = 2.0**-22 * sum(np.abs(size) for size in sizes) + 0.501 * step_of(actual)
    worst = np.max(np.abs(expected - exact(actual)) - slack, initial=-math.inf)

    assert worst <= 0, f"{name} is off by {worst} more than a rounding"


def write_and_load(source, path):
    write(source, path)
    return load_file(path)


# Checkpoints: the names of a real one, shapes of our own.


def random_shape(rng, rank):
    return [rng.choice((1, 2, 3, 5, 8)) for _ in range(rank)]


def make_checkpoints(rng, count, folder):
    """Write checkpoints of one architecture, each tensor in a format of its own; return their paths."""
    known = load_file(needed("mbw", "A_fp32.safetensors"))
    generator = torch.Generator().manual_seed(rng.randrange(2**31))
    shapes = {name: random_shape(rng, tensor.dim()) for name, tensor in known.items()}
    shapes["model.diffusion_model.input_blocks.0.0.weight"] = [4, 4, 3, 3]
    paths = []
    for number in range(count):
        tensors = {
            name: (torch.randn(shape, generator=generator) * 10 ** rng.uniform(-3, 1)).to(rng.choice(FORMATS))
            for name, shape in shapes.items()
            if not name.endswith(POSITION_IDS)
        }
        paths.append(folder / f"{number}.safetensors")
        save_file(tensors, paths[-1])
    return paths


def block_by_hand(name):
    """Return the place of a tensor's weight among the 25, None for the base alpha: the README's rules, one by one."""
    if "model.diffusion_model." not in name:
        return None
    parts = name.split("model.diffusion_model.")[1].split(".")
    if parts[0] == "time_embed":
        return 0
    if parts[0] == "input_blocks":
        return int(parts[1])
    if parts[0] == "middle_block":
        return 12
    if parts[0] == "output_blocks":
        return 13 + int(parts[1])
    return 24 if parts[0] == "out" else None


@pytest.mark.parametrize("seed", SEEDS)
def test_block_merges_of_other_checkpoints(tmp_path, seed):
    rng = random.Random(seed)
    one, other = make_checkpoints(rng, 2, tmp_path)
    weights = [rng.choice((0, 1, rng.random(), rng.uniform(-0.5, 1.5))) for _ in range(25)]
    alpha = rng.choice((0, 1, 0.5, rng.random()))
    precision = (None, torch.float16, torch.bfloat16, torch.float32)[seed % 4]
    merge = BlockMerge(
        SafetensorsSource(one), SafetensorsSource(other), read_weights(weights, alpha), precision=precision
    )
    result = write_and_load(merge, tmp_path / "out.safetensors")
    a, b = load_file(one), load_file(other)

    assert a.keys() == result.keys()
    for name, tensor in result.items():
        place = block_by_hand(name)
        weight = alpha if place is None else weights[place]
        if "model" not in name:
            assert torch.equal(a[name], tensor)
            continue
        assert tensor.dtype == (precision or torch.promote_types(a[name].dtype, b[name].dtype))
        effective = exact(a[name]) * (1 - weight), exact(b[name]) * weight
        assert_rounded_once(sum(effective), tensor, effective, name)


@pytest.mark.parametrize("seed", SEEDS)
def test_differences_added_to_other_checkpoints(tmp_path, seed):
    rng = random.Random(100 + seed)
    paths = make_checkpoints(rng, 3, tmp_path)
    weight = rng.uniform(-1.5, 1.5)
    source = AddDifference(*(SafetensorsSource(path) for path in paths), weight)
    result = write_and_load(source, tmp_path / "out.safetensors")
    a, b, c = (load_file(path) for path in paths)

    for name, tensor in result.items():
        factor = weight if "model" in name else 0.0
        effective = exact(a[name]), factor * exact(b[name]), -factor * exact(c[name])
        assert tensor.dtype == a[name].dtype
        assert_rounded_once(sum(effective), tensor, effective, name)


# LoRAs: layers of other widths, every form that files have.


def make_layers(rng, folder):
    """Write a checkpoint whose LoRA-able layers have widths of their own; return its path and its layers."""
    layers = read_json("lora", "module_map.json")
    tensors = dict(load_file(needed("lora", "base_ldm.safetensors")))
    generator = torch.Generator().manual_seed(rng.randrange(2**31))
    for layer in layers.values():
        layer["shape"] = [rng.randrange(3, 20), rng.randrange(3, 20), *layer["shape"][2:]]
        tensors[layer["ldm_key"]] = torch.randn(layer["shape"], generator=generator).to(rng.choice(FORMATS))
    save_file(tensors, folder / "base.safetensors")
    return folder / "base.safetensors", layers


def kohya(rng, layers, generator):
    """Return a file's tensors and, by the checkpoint's names, what it changes in float64."""
    tensors, changes = {}, {}
    for name, layer in layers.items():
        if rng.random() < 0.3:
            continue
        rows, columns, *kernel = layer["shape"]
        rank, dtype = rng.randrange(1, 9), rng.choice(FORMATS)
        middle = bool(layer["conv3x3"]) and rng.random() < 0.5
        ones = (1, 1) if kernel or rng.random() < 0.2 else ()
        inner = ones if middle or not kernel else kernel

        def draw(*shape, dtype=dtype):
            return torch.randn(shape, generator=generator).to(dtype)

        tensors[f"{name}.lora_down.weight"] = down = draw(rank, columns, *inner)
        tensors[f"{name}.lora_up.weight"] = up = draw(rows, rank, *ones)
        product = exact(up).reshape(rows, rank) @ exact(down).reshape(rank, -1)
        if middle:
            tensors[f"{name}.lora_mid.weight"] = mid = draw(rank, rank, *kernel)
            product = np.einsum("ip,prkl,rj->ijkl", exact(up)[:, :, 0, 0], exact(mid), exact(down)[:, :, 0, 0])
        scale = 1.0
        if rng.random() < 0.7:
            tensors[f"{name}.alpha"] = alpha = torch.tensor(rng.choice((1.0, 0.5, rank * 2.0, 3.0)), dtype=dtype)
            scale = float(alpha) / rank
        changes[layer["ldm_key"]] = scale * product.reshape(layer["shape"])
    return tensors, changes


def numbered(rng, layers, generator):
    """Return a list of cloneofsimo's and what it changes: the order of 2023."""
    order = read_json("lora", "simo_order.json")["unet"]
    found, changes = [], {}
    for path in order:
        layer = layers["lora_unet_" + path.replace(".", "_")]
        rows, columns = layer["shape"][:2]
        rank = rng.randrange(1, 5)
        up, down = (torch.randn(shape, generator=generator) for shape in ((rows, rank), (rank, columns)))
        found += [up, down]
        changes[layer["ldm_key"]] = (exact(up) @ exact(down)).reshape(layer["shape"])
    return found, changes


@pytest.mark.parametrize("seed", SEEDS)
def test_loras_merged_into_other_checkpoints(tmp_path, seed):
    """Several at once, of every form, with weights of either sign: the sum in float64, rounded once."""
    rng = random.Random(200 + seed)
    generator = torch.Generator().manual_seed(seed)
    base, layers = make_layers(rng, tmp_path)
    files = [kohya(rng, layers, generator), kohya(rng, layers, generator), numbered(rng, layers, generator)]
    paths = [tmp_path / name for name in ("one.safetensors", "two.pt", "list.pt")]
    save_file(files[0][0], paths[0])
    torch.save(files[1][0], paths[1])
    torch.save([torch.nn.Parameter(tensor) for tensor in files[2][0]], paths[2])
    ratios = [rng.uniform(-1.5, 1.5), rng.uniform(0, 1), 0.35]
    precision = (None, torch.float16, torch.bfloat16, torch.float32)[seed % 4]
    source = LoraMerge(SafetensorsSource(base), [*zip(open_loras(paths), ratios, strict=True)], precision=precision)
    result = write_and_load(source, tmp_path / "out.safetensors")

    assert source.unknown == {}
    for name, tensor in load_file(base).items():
        effective = [exact(tensor)] + [
            ratio * changes[name] for (_, changes), ratio in zip(files, ratios, strict=True) if name in changes
        ]
        if len(effective) == 1 and precision is None:
            assert torch.equal(tensor, result[name])
        elif tensor.is_floating_point():
            # A product of up to eight terms is summed in float32 as well.
            assert_rounded_once(
                sum(effective), result[name], [8 * np.max(np.abs(term), initial=0) for term in effective], name
            )


# Extraction: layers large enough for the randomised search, spectra of every kind.


def spectrum(kind, rows, columns, generator):
    """Return a matrix whose singular values are flat, falling, of a low rank, or nearly nothing."""
    noise = torch.randn(rows, columns, generator=generator, dtype=torch.float64)
    if kind == "noise":
        return noise * 1e-2
    left, values, right = torch.linalg.svd(noise, full_matrices=False)
    values = {
        "falling": values[0] / torch.arange(1, len(values) + 1),
        "low": values * (torch.arange(len(values)) < 5),
        "plateau": torch.where(torch.arange(len(values)) < 40, 1.0, 0.98),
        "tiny": values * 1e-6,
    }[kind]
    return left * values @ right


@pytest.mark.parametrize("kind", ["noise", "falling", "low", "plateau", "tiny"])
def test_extraction_from_other_checkpoints_is_nearly_the_best(kind):
    """The residual of each layer is within 1 % of the best possible, of 3x3 convolutions too."""
    generator = torch.Generator().manual_seed(len(kind))
    layers = read_json("lora", "module_map.json")
    chosen = [name for name, layer in layers.items() if layer["conv3x3"]][:2]
    chosen += [name for name, layer in layers.items() if layer["in_standard_lora"]][-4:]
    sizes = ([40, 30, 3, 3], [33, 50, 3, 3], [300, 290], [150, 320], [320, 140], [64, 64])
    original = dict(load_file(needed("lora", "base_ldm.safetensors")))
    tuned, differences = dict(original), {}
    for name, matrix in zip(chosen, sizes, strict=True):
        key = layers[name]["ldm_key"]
        size = matrix + [1] * (len(layers[name]["shape"]) - len(matrix))
        flat = spectrum(kind, size[0], math.prod(size[1:]), generator)
        original[key] = torch.randn(size, generator=generator)
        tuned[key] = original[key] + flat.reshape(size).float()
        differences[name] = (tuned[key].double() - original[key].double()).flatten(1)
    how = Extraction(rank=16, conv_rank=6, precision=torch.float32)
    sources = (MemorySource(tensors, "the set") for tensors in (original, tuned))
    tensors, _metadata = extract(*sources, how)

    for name, difference in differences.items():
        up, down = (tensors[f"{name}.lora_{role}.weight"].double().flatten(1) for role in ("up", "down"))
        rank = 6 if layers[name]["conv3x3"] else 16
        best = torch.linalg.svdvals(difference)[rank:].norm()
        assert down.shape[0] == rank == float(tensors[f"{name}.alpha"])
        assert float((difference - up @ down).norm()) <= 1.01 * float(best) + 1e-6 * float(difference.norm())
