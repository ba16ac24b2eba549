"""In what number formats networks compute, by device, processor and size."""

import dataclasses

import pytest
import torch
from helpers.painting import paint

from pastelbot.diffusion.checkpoint import loading
from pastelbot.diffusion.checkpoint.devices import NumberFormats, number_formats
from pastelbot.infotext import read_request
from pastelbot.records import GenerationRequest

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
SMALL, LARGE = 6_000_000, 860_000_000
HALF, FULL, ROUNDED = torch.float16, torch.float32, torch.bfloat16


@pytest.fixture
def processor(tmp_path):
    """Return a file as Linux writes it, of a processor with these flags."""

    def write(flags):
        file = tmp_path / "cpuinfo"
        file.write_text(f"processor\t: 0\nmodel name\t: any\nflags\t\t: fpu sse2 {flags} avx2\n", encoding="ascii")
        return file

    return write


@pytest.mark.parametrize(
    ("precision", "device", "parameters", "flags", "unet", "others"),
    [
        ("auto", CPU, LARGE, "avx512_bf16", ROUNDED, FULL),
        ("auto", CPU, LARGE, "amx_tile amx_bf16", ROUNDED, FULL),
        ("auto", CPU, LARGE, "avx512f", FULL, FULL),
        ("auto", CPU, SMALL, "avx512_bf16", FULL, FULL),
        ("fp32", CPU, LARGE, "avx512_bf16", FULL, FULL),
        ("bf16", CPU, SMALL, "", ROUNDED, ROUNDED),
        ("auto", CUDA, LARGE, "avx512_bf16", HALF, HALF),
    ],
)
def test_formats_follow_device_processor_and_size(processor, precision, device, parameters, flags, unet, others):
    formats = number_formats(precision, device, parameters, processor=processor(flags))

    assert formats == NumberFormats(unet=unet, others=others)


def test_a_system_that_says_nothing_of_its_processor_is_taken_for_one_without(tmp_path):
    formats = number_formats("auto", CPU, LARGE, processor=tmp_path / "missing")

    assert formats == NumberFormats(unet=FULL, others=FULL)


def test_a_picture_of_a_rounded_unet_looks_the_same_and_says_it(bundled, small):
    request = GenerationRequest(prompt="1girl, red hair", width=64, height=64, steps=4, seed=5)
    loaded = loading.load(str(bundled), device="cpu", precision="fp32")
    rounded = dataclasses.replace(loaded, unet=loaded.unet.to(torch.bfloat16))
    (exact,), (other,) = paint(small, request), paint(rounded, request)

    assert "Precision" not in exact.infotext
    assert "Precision: bf16" in other.infotext
    assert read_request(other.infotext).request == read_request(exact.infotext).request
