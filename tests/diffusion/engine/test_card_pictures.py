"""The six example pictures of the Pastel-Mix card, painted small: all of their settings but the sizes and steps."""

import dataclasses
import io
import json
from pathlib import Path

import pytest
from helpers.painting import paint
from PIL import Image
from sd_parsers import ParserManager

from pastelbot.formats.pictures import read_infotext
from pastelbot.infotext import read_request

CARD = json.loads((Path(__file__).parents[2] / "prompt" / "card.json").read_text(encoding="utf-8"))
SHRUNK = {448: 64, 640: 96, 960: 128, 1280: 192}  # the card's own proportions, to whole latent cells
STEPS = 4


def shrunk(request):
    """Return a card's request with small sizes and few steps."""
    fix = request.hires
    return request.replace(
        width=SHRUNK[request.width],
        height=SHRUNK[request.height],
        steps=STEPS,
        hires=dataclasses.replace(fix, width=SHRUNK[fix.width], height=SHRUNK[fix.height], steps=STEPS),
    )


@pytest.mark.parametrize("text", CARD, ids=["portrait", "reimu", "witch", "roses", "angel", "mksks"])
def test_each_picture_of_the_card_is_painted_and_read_by_others(small, text):
    """sd-parsers, which is not ours, finds prompts and settings in the file."""
    request = shrunk(read_request(text).request)
    (picture,) = paint(small, request)

    image = Image.open(io.BytesIO(picture.png))
    assert (request.hires.width, request.hires.height) == image.size
    assert max(high - low for low, high in image.getextrema()) > 10, "one colour is no picture"
    assert request == read_request(read_infotext(picture.png)).request

    info = ParserManager().parse(image)
    assert [request.prompt] == [prompt.value for prompt in info.prompts]
    assert [request.negative_prompt] == [prompt.value for prompt in info.negative_prompts]
    (sampler,) = info.samplers
    assert ("DPM++ 2M", str(request.seed)) == (sampler.name, str(sampler.parameters["seed"]))
    assert [small.name] == [model.name for model in info.models]
