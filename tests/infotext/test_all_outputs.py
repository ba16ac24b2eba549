"""Whatever is painted, the text of its settings goes back in, in every form in which the bot hands it out."""

import json

from helpers.infotexts import exif_pictures, png_with
from hypothesis import given
from hypothesis import strategies as st

from pastelbot.choices import MASK_FILLINGS
from pastelbot.formats.pictures import read_infotext
from pastelbot.infotext import format_infotext, read_request
from pastelbot.records import Axis, GenerationRequest, Grid, HiresFix, InitImage, Mask, SamplingOptions
from pastelbot.rules import grids
from pastelbot.rules.plain_fields import PLAIN_FIELDS
from pastelbot.rules.samplers import SAMPLERS, SCHEDULES
from pastelbot.rules.sampling.options import SAMPLING_OPTIONS

WORDS = st.sampled_from(
    ["1girl", "(red hair:1.2)", "[a:b:0.5]", "<lora:soft:0.8>", 'say "x"', "a: b", "、最高", r"\(fate\)", ":3",
     "ａ：ｂ", "{c|d}", "`e`", "x; Y: z", "3 | Z: 1", "#1", "Steps", "BREAK", "a AND b:0.5", "C:\\new", "&lt;", "$$"]
)  # fmt: skip
PROMPTS = st.lists(WORDS, min_size=1, max_size=5).map(", ".join) | st.lists(WORDS, min_size=2).map("\n".join)
SIZES = st.integers(8, 160).map(lambda count: 8 * count)
PARTS = st.integers(0, 100).map(lambda percents: percents / 100)
NAMES = st.sampled_from(["soft", "my model v1.5", "folder/name", "和風", "a, b", "x: y"])


def options_of(option):
    """Return the values of an option of sampling."""
    if isinstance(option.usual, bool):
        return st.booleans()
    if isinstance(option.usual, str):
        return st.sampled_from(option.choices)
    span = st.integers(1, 20).map(lambda step: round(option.least + (option.most - option.least) * step / 20, 3))
    return (span.map(int) if isinstance(option.usual, int) else span) | st.just(option.usual)


SAMPLING = st.fixed_dictionaries(
    {}, optional={option.field: options_of(option) for option in SAMPLING_OPTIONS if option.written}
).map(lambda fields: SamplingOptions(**fields))
OTHER_PROMPTS = st.none() | PROMPTS
HIRES = st.builds(
    HiresFix,
    scale=st.sampled_from([1.25, 1.5, 2.0]),
    steps=st.integers(0, 60),
    denoising_strength=PARTS,
    upscaler=st.sampled_from(["Latent", "Latent (nearest)", "Lanczos", "R-ESRGAN 4x+ Anime6B"]),
    sampler=st.none() | st.sampled_from(list(SAMPLERS)),
    cfg_scale=st.none() | st.sampled_from([1.5, 5.0, 12.0]),
    prompt=OTHER_PROMPTS,
    negative_prompt=OTHER_PROMPTS,
) | st.builds(HiresFix, width=SIZES, height=SIZES)
MASKS = st.builds(
    Mask,
    blur_x=st.just(4.0),
    inverted=st.booleans(),
    filling=st.sampled_from(MASK_FILLINGS),
    only_masked=st.booleans(),
    padding=st.integers(0, 256),
)
INITS = st.builds(InitImage, denoising_strength=PARTS, mask=st.none() | MASKS)
REQUESTS = st.builds(
    GenerationRequest,
    prompt=PROMPTS,
    negative_prompt=st.just("") | PROMPTS,
    width=SIZES,
    height=SIZES,
    seed=st.integers(0, 2**32 - 1),
    steps=st.integers(1, 60),
    cfg_scale=st.sampled_from([1.0, 4.5, 7.0, 30.0]),
    sampler=st.sampled_from(list(SAMPLERS)),
    schedule=st.none() | st.sampled_from(SCHEDULES),
    subseed=st.integers(0, 2**32 - 1),
    subseed_strength=PARTS,
    emphasis=st.sampled_from(["Original", "No norm", "None", "Ignore"]),
    sampling=SAMPLING,
    **{field.name: st.integers(field.least, field.most) for field in PLAIN_FIELDS},
)
PAINTED = st.one_of(
    REQUESTS,
    st.builds(lambda request, fix: request.replace(hires=fix), REQUESTS, HIRES),
    st.builds(lambda request, init: request.replace(init=init), REQUESTS, INITS),
)
NETWORKS = st.fixed_dictionaries({}, optional={"Lora hashes": NAMES.map(lambda name: f"{name}: 0123456789ab")})


def written(request, **named):
    return format_infotext(request, checkpoint="m, 1", checkpoint_hash="0123456789", **named)


def forms_of(text):
    """Return what the bot, its files and its command line hand out."""
    yield text
    yield text.replace("\n", "\r\n")
    yield read_infotext(text.encode())
    yield read_infotext(png_with(text))
    yield from map(read_infotext, exif_pictures(text))
    yield json.dumps({"infotext": text})
    if "```" not in text:
        yield f"```\n{text}\n```"


@given(PAINTED, NETWORKS)
def test_it_is_read_as_it_was_painted(request, networks):
    """Written again it is the same text, without a note; so is all of the request that the text holds."""
    text = written(request, networks=networks)
    for form in forms_of(text):
        read = read_request(form)
        init = read.init if request.init else None
        notes = [note for note in read.notes if "painted over another picture" not in note]

        assert written(read.request.replace(init=init), networks=networks) == text
        assert (read.request.prompt, read.request.negative_prompt) == (request.prompt, request.negative_prompt)
        assert (notes, read.missing) == ([], ())


AXES = st.sampled_from(
    [
        ("cfg", ("5", "7.5")),
        ("seed", ("1", "2")),
        ("prompt", ("1girl", 'a "b"', "c, d")),
        ("sampler", ("Euler a", "DDIM")),
    ]
)


@given(REQUESTS, AXES)
def test_a_sheet_is_read_as_its_first_picture(request, axis):
    sheet = grids.describe(Grid(x=Axis(kind=axis[0], values=axis[1])))
    text = written(request)

    assert read_request(text).request == read_request(f"{text}, {sheet}").request
