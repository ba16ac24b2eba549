"""Inpainting: what is masked is painted, and nothing else; UNets of nine channels are shown what stays."""

import copy
import dataclasses
import io

import numpy as np
import pytest
import torch
from helpers.painting import paint
from PIL import Image

from pastelbot.choices import LATENT_RESIZE, MASK_FILLINGS
from pastelbot.diffusion.engine.engine import Engine, paint_alone
from pastelbot.errors import LimitError, RequestError
from pastelbot.infotext import read_request
from pastelbot.records import GenerationRequest, InitImage, Mask

SIZE = (64, 96)
REQUEST = GenerationRequest(prompt="1girl", width=64, height=96, steps=6, seed=5, cfg_scale=5.0)


def as_png(image):
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def ramp(size=SIZE):
    levels = np.linspace(60, 200, size[0])[None, :, None]
    return as_png(Image.fromarray(np.broadcast_to(levels, (size[1], size[0], 3)).astype(np.uint8), "RGB"))


def mask(box=(16, 16, 48, 48), size=SIZE, **changes):
    image = Image.new("L", size)
    if box:
        image.paste(255, box)
    return Mask(content=as_png(image), **changes)


def over(masked, content=None, **changes):
    return REQUEST.replace(init=InitImage(content=content or ramp(), mask=masked, **changes))


def levels(picture):
    return np.asarray(Image.open(io.BytesIO(picture.png))).astype(int)


def original(content=None):
    return np.asarray(Image.open(io.BytesIO(content or ramp()))).astype(int)


@pytest.mark.parametrize("filling", MASK_FILLINGS)
@pytest.mark.parametrize("sampler", ["DPM++ 2M", "DDIM", "Euler a"])
def test_only_what_is_masked_changes(small, sampler, filling):
    request = over(mask(blur_x=0, blur_y=0, filling=filling)).replace(sampler=sampler, schedule="Automatic")

    changed = np.abs(levels(paint(small, request)[0]) - original()).max(axis=2) > 0

    assert changed[16:48, 16:48].mean() > 0.5
    changed[16:48, 16:48] = False
    assert not changed.any()


def test_an_inverted_mask_paints_the_rest(small):
    request = over(mask(blur_x=0, blur_y=0, inverted=True))

    changed = np.abs(levels(paint(small, request)[0]) - original()).max(axis=2) > 0

    assert not changed[16:48, 16:48].any()
    assert changed.mean() > 0.3


def test_the_masked_part_alone_is_painted_into_a_picture_of_any_size(small):
    content = ramp((200, 150))
    request = over(mask((120, 50, 150, 90), (200, 150), only_masked=True, padding=8, blur_x=2, blur_y=2), content)

    (picture,) = paint(small, request)

    assert (picture.width, picture.height) == (200, 150)
    changed = np.argwhere(np.abs(levels(picture) - original(content)).max(axis=2) > 0)
    assert changed.min(axis=0).tolist() >= [42, 112]
    assert (changed.max(axis=0) < [98, 158]).all()
    assert "Inpaint area: Only masked, Masked area padding: 8" in picture.infotext


def test_a_blank_mask_paints_the_whole_picture_and_says_so(small):
    blank = over(mask(None, only_masked=True, filling="fill", blur_x=0, blur_y=0))

    painted = paint_alone(Engine(small), blank)

    assert [note.partition(",")[0] for note in painted.notes] == ["The mask is blank"]
    assert painted.pictures[0].png == paint(small, over(None))[0].png


def test_a_mask_may_be_opaque_instead_of_white(small):
    clear = Image.new("RGBA", SIZE, (255, 255, 255, 0))
    clear.paste((0, 0, 0, 255), (16, 16, 48, 48))

    by_alpha, by_white = (
        paint(small, over(Mask(content=content, blur_x=0, blur_y=0)))[0].png
        for content in (as_png(clear), mask().content)
    )

    assert by_alpha == by_white


def test_an_infotext_says_what_was_asked_of_the_mask(small):
    asked = mask(inverted=True, blur_x=3, blur_y=3, only_masked=True, padding=16, filling="latent nothing")
    (picture,) = paint(small, over(asked, denoising_strength=0.5))

    read = read_request(picture.infotext).init

    assert read == InitImage(denoising_strength=0.5, mask=dataclasses.replace(asked, content=b""))


def nine_channels(small, weight):
    """Return the checkpoint with a UNet that is also shown a mask and what stays, and weighs these by `weight`."""
    unet = copy.deepcopy(small.unet)
    first = unet.conv_in
    wider = torch.nn.Conv2d(9, first.out_channels, 3, padding=1)
    with torch.no_grad():
        wider.weight.fill_(weight)
        wider.weight[:, :4] = first.weight
        wider.bias.copy_(first.bias)
    unet.conv_in = wider.requires_grad_(False)
    return dataclasses.replace(small, unet=unet, is_inpainting=True)


@pytest.mark.parametrize("request_", [REQUEST, over(mask()), over(None)], ids=["noise", "masked", "whole"])
def test_a_unet_for_inpainting_is_shown_five_more_channels(small, request_):
    """Where their weights are 0 it paints as the one of four channels does, else otherwise."""
    plain = levels(paint(small, request_)[0])

    assert np.abs(levels(paint(nine_channels(small, 0.0), request_)[0]) - plain).max() <= 1
    assert np.abs(levels(paint(nine_channels(small, 0.05), request_)[0]) - plain).max() > 1


def test_a_unet_for_inpainting_is_shown_mask_and_what_stays(small):
    checkpoint, shown = nine_channels(small, 0.0), []
    checkpoint.unet.register_forward_pre_hook(lambda _unet, arguments: shown.append(arguments[0][0, 4:]))

    paint(checkpoint, over(mask(blur_x=0, blur_y=0)))

    assert shown[0].shape == (5, 12, 8)
    assert shown[0][0, 2:6, 2:6].min() == 1
    assert shown[0][0].sum() == 16
    assert all(torch.equal(shown[0], each) for each in shown)


@pytest.mark.parametrize(
    ("request_", "error", "words"),
    [
        (
            over(mask(size=(60, 60), only_masked=True)),
            RequestError,
            "The mask is 60x60, the picture to start from 64x96",
        ),
        (over(Mask(content=b"no picture")), RequestError, "The mask cannot be read"),
        (over(mask(filling="grass")), LimitError, "grass"),
        (over(mask(), ramp((100, 100)), resize_mode=LATENT_RESIZE), RequestError, "another resize mode"),
        (over(None, upscaler="Latent"), LimitError, "needs another"),
        (over(None, upscaler="ESRGAN_9x"), LimitError, "unknown"),
        (over(None, exact_steps=True, denoising_strength=0), LimitError, "strength of 0"),
    ],
)
def test_what_cannot_be_painted_over_is_refused(small, request_, error, words):
    engine = Engine(small)

    with pytest.raises(error, match=words):
        engine.admit("a", request_)
    assert engine.idle
