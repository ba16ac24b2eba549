"""Masks and the options of pictures to start from, as they are typed: flags, files, and what is refused."""

from dataclasses import replace

import pytest
from helpers.support import png

from pastelbot.errors import LimitError, RequestError
from pastelbot.options import GenerationOptions, amend, draft
from pastelbot.records import InitImage, Mask
from pastelbot.rules import cost, limits
from pastelbot.rules.sampling.init_options import divided, init_text, with_init_options

INIT, MASK = png("red", size=(64, 96)), png("white", size=(64, 96))


def drafted(settings, **options):
    return draft(GenerationOptions(prompt="1girl", **options), settings, random_seed=lambda: 1)


def checked(settings, **options):
    request = drafted(settings, **options)
    limits.check_settings(request, settings.limits)
    return request


def test_a_mask_lies_on_the_picture_and_its_bytes_are_paid(settings):
    request = checked(settings, init=INIT, mask=MASK)

    assert request.init == replace(
        InitImage.of(INIT, denoising_strength=request.init.denoising_strength),
        mask=Mask(content=MASK),
        upload=len(INIT) + len(MASK),
    )
    assert cost.work(request) == cost.work(drafted(settings, init=INIT)) + len(MASK)


def test_every_option_is_typed_by_name(settings):
    typed = (
        "Eta: 0.5, mask blur: 8, Mask blur y: 2, Mask mode: Inpaint not masked, Inpaint area: only masked, "
        "Masked area padding: 16, Masked content: latent noise, Soft mask: true, Color correction: True, "
        "Exact img2img steps: True, Img2img upscaler: Lanczos, Noise multiplier: 0.9, Extra noise: 0.1"
    )
    request = checked(settings, init=INIT, mask=MASK, sampling=typed)

    assert request.init.mask == Mask(
        content=MASK,
        blur_x=8,
        blur_y=2,
        inverted=True,
        only_masked=True,
        padding=16,
        filling="latent noise",
        rounded=False,
    )
    assert (request.init.corrected, request.init.exact_steps, request.init.upscaler) == (True, True, "Lanczos")
    assert (request.sampling.eta, request.sampling.first_noise, request.sampling.extra_noise) == (0.5, 0.9, 0.1)
    assert divided(init_text(request)) == ("", init_text(request).replace(", ", ", "))
    plain = InitImage(mask=Mask())
    assert replace(with_init_options(plain, init_text(request)), content=b"").mask == replace(
        request.init.mask, content=b""
    )


def test_options_are_kept_where_a_request_is_changed(settings):
    request = checked(settings, init=INIT, mask=MASK, sampling="Mask blur: 8")

    changed = amend(request, GenerationOptions(steps=9), settings, random_seed=lambda: 1)

    assert changed.init == request.init


def test_exact_steps_cost_as_many_as_asked_for(settings):
    few, exact = (
        cost.work(checked(settings, init=INIT, denoise=0.25, steps=20, sampling=text))
        for text in (None, "Exact img2img steps: True")
    )

    assert exact - few == 14 * 64 * 96


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mask": MASK}, "A mask belongs to a picture to start from"),
        ({"init": INIT, "sampling": "Mask blur: 8"}, "Mask blur belongs to a mask"),
        ({"sampling": "Color correction: True"}, "Color correction belongs to a picture to start from"),
        ({"init": INIT, "mask": png(size=(60, 60))}, "The mask is 60x60, the picture to start from 64x96"),
        ({"init": INIT, "mask": b"no picture"}, "The mask cannot be read"),
        ({"init": INIT, "mask": MASK, "sampling": "Mask blur: 65"}, "ask for 0 to 64"),
        ({"init": INIT, "mask": MASK, "sampling": "Mask blur: wide"}, "ask for 0 to 64"),
        ({"init": INIT, "mask": MASK, "sampling": "Masked content: grass"}, "fill or original"),
        ({"init": INIT, "sampling": "Img2img upscaler: Latent"}, "There is no upscaler 'Latent'"),
        ({"init": INIT, "denoise": 0, "sampling": "Exact img2img steps: True"}, "strength of 0"),
        (
            {"init": png(size=(4000, 64)), "mask": png(size=(4000, 64)), "sampling": "Inpaint area: Only masked"},
            "so would the result be",
        ),
    ],
)
def test_what_does_not_go_together_is_refused_with_what_to_do(settings, options, words):
    with pytest.raises((LimitError, RequestError), match=words):
        checked(settings, **options)
