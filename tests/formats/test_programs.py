"""Pictures of other programs: each is named truly, and what it says of itself is read."""

import gzip
import io
import json
import random

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pastelbot.errors import LimitError, RequestError
from pastelbot.formats.pictures import read_infotext
from pastelbot.infotext import read_request

INFOTEXT = "1girl, red hair\nNegative prompt: hat\nSteps: 12, Sampler: Euler a, CFG scale: 6, Seed: 77, Size: 64x96"


def png(chunks=None, image=None):
    info, file = PngInfo(), io.BytesIO()
    for name, text in (chunks or {}).items():
        info.add_text(name, text if isinstance(text, str) else json.dumps(text))
    (image or Image.new("RGB", (64, 96))).save(file, "PNG", pnginfo=info)
    return file.getvalue()


def commented(comment, kind="JPEG"):
    exif, file = Image.Exif(), io.BytesIO()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + json.dumps(comment).encode("utf-16-be")
    Image.new("RGB", (64, 96)).save(file, kind, exif=exif)
    return file.getvalue()


def hidden(text, *, signature=b"stealth_pnginfo", mode="RGBA", content=None):
    """Return a PNG with a text in the lowest bits of its pixels, column by column."""
    content = text.encode() if content is None else content
    data = signature + (8 * len(content)).to_bytes(4, "big") + content
    bits = "".join(f"{byte:08b}" for byte in data)
    image = Image.new(mode, (64, 96), (200, 200, 200, 254)[: len(mode)])
    channels = 1 if mode == "RGBA" else 3
    for place in range(0, len(bits), channels):
        x, y = divmod(place // channels, 96)
        pixel = list(image.getpixel((x, y)))
        for n, bit in enumerate(bits[place : place + channels]):
            channel = 3 if mode == "RGBA" else n
            pixel[channel] = pixel[channel] & 254 | int(bit)
        image.putpixel((x, y), tuple(pixel))
    return png(image=image)


NOVELAI = {
    "Software": "NovelAI",
    "Source": "Stable Diffusion F1022D28",
    "Description": "1girl, red hair",
    "Comment": json.dumps({"steps": 12, "sampler": "k_euler_ancestral", "seed": 77, "scale": 6.0, "uc": "hat"}),
}
SAMPLER = {
    "seed": ["9", 0], "steps": 12, "cfg": 6, "sampler_name": "euler_ancestral", "scheduler": "normal",
    "positive": ["20", 0], "negative": ["7", 0], "latent_image": ["5", 0], "model": ["10", 0],
}  # fmt: skip
GRAPH = {
    "1": {"class_type": "KSampler", "inputs": {**SAMPLER, "seed": 1, "steps": 99, "positive": ["7", 0]}},
    "3": {"class_type": "KSampler", "inputs": SAMPLER},
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sub/soft.safetensors"}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": ["11", 0], "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["8", 0], "clip": ["4", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "hat", "clip": ["4", 1]}},
    "8": {"class_type": "StringConcatenate",
          "inputs": {"string_a": "1girl", "string_b": ["12", 0], "delimiter": ", "}},
    "9": {"class_type": "PrimitiveInt", "inputs": {"value": 77}},
    "10": {"class_type": "LoraLoader", "inputs": {"lora_name": "light.safetensors", "strength_model": 0.5,
                                                 "strength_clip": 1, "model": ["4", 0], "clip": ["4", 1]}},
    "11": {"class_type": "Reroute", "inputs": {"": ["13", 0]}},
    "12": {"class_type": "PrimitiveString", "inputs": {"value": "red hair"}},
    "13": {"class_type": "PrimitiveInt", "inputs": {"value": 96}},
    "14": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    "15": {"class_type": "SaveImage", "inputs": {"images": ["14", 0]}},
    "20": {"class_type": "Reroute", "inputs": {"": ["6", 0]}},
}  # fmt: skip
INVOKEAI = {
    "positive_prompt": "1girl, red hair", "negative_prompt": "hat", "seed": 77, "steps": 12, "cfg_scale": 6.0,
    "scheduler": "euler_a", "width": 64, "height": 96,
}  # fmt: skip
OLD_INVOKEAI = {
    "app_id": "invoke-ai/InvokeAI", "model_weights": "soft",
    "image": {"prompt": [{"prompt": "1girl, red hair", "weight": 1}], "negative_prompt": "hat", "steps": 12,
              "cfg_scale": 6, "seed": 77, "sampler": "k_euler_a", "width": 64, "height": 96},
}  # fmt: skip
FOOOCUS = {
    "prompt": "1girl, red hair", "negative_prompt": "hat", "steps": 12, "guidance_scale": 6, "seed": "77",
    "sampler": "euler_ancestral", "scheduler": "normal", "resolution": "(64, 96)", "base_model": "soft",
}  # fmt: skip
SWARMUI = {"sui_image_params": {
    "prompt": "1girl, red hair", "negativeprompt": "hat", "steps": 12, "cfgscale": 6, "seed": 77,
    "sampler": "euler_ancestral", "scheduler": "normal", "width": 64, "height": 96, "model": "soft",
}}  # fmt: skip
DRAW_THINGS = {
    "c": "1girl, red hair", "uc": "hat", "steps": 12, "scale": 6, "seed": 77, "sampler": "Euler Ancestral",
    "size": "64x96", "model": "soft.ckpt", "v2": {"width": 1},
}  # fmt: skip
EASY_DIFFUSION = {
    "prompt": "1girl, red hair", "negative_prompt": "hat", "num_inference_steps": "12", "guidance_scale": "6",
    "seed": "77", "sampler_name": "euler_a", "width": "64", "height": "96",
}  # fmt: skip

READ = {
    "novelai": ("NovelAI", png(NOVELAI)),
    "novelai, newer": ("NovelAI", png({"Comment": {**json.loads(NOVELAI["Comment"]), "prompt": "1girl, red hair"}})),
    "novelai, hidden": ("NovelAI", hidden("", signature=b"stealth_pngcomp",
                                         content=gzip.compress(json.dumps(NOVELAI).encode(), mtime=0))),
    "comfyui": ("ComfyUI", png({"prompt": GRAPH, "workflow": {"nodes": []}})),
    "comfyui, graph alone": ("ComfyUI", png({"prompt": GRAPH})),
    "invokeai": ("InvokeAI", png({"invokeai_metadata": INVOKEAI})),
    "invokeai, old": ("InvokeAI", png({"sd-metadata": OLD_INVOKEAI})),
    "invokeai, oldest": ("InvokeAI", png({"Dream": '"1girl, red hair" -s 12 -S 77 -W 64 -H 96 -C 6.0 -A k_euler_a'})),
    "fooocus": ("Fooocus", png({"parameters": FOOOCUS, "fooocus_scheme": "fooocus"})),
    "fooocus, jpeg": ("Fooocus", commented(FOOOCUS)),
    "fooocus, webp": ("Fooocus", commented(FOOOCUS, "WEBP")),
    "swarmui": ("SwarmUI", png({"parameters": SWARMUI})),
    "swarmui, jpeg": ("SwarmUI", commented(SWARMUI)),
    "draw things": ("Draw Things", commented(DRAW_THINGS)),
    "easy diffusion": ("Easy Diffusion", png(EASY_DIFFUSION)),
    "easy diffusion, jpeg": ("Easy Diffusion", commented(EASY_DIFFUSION)),
}  # fmt: skip


def test_fooocus_says_by_hashes_which_files_were_used():
    files = {"base_model_hash": "aabbccddee", "vae": "Default (model)", "loras": [["soft", 0.5, "cafe012345"]]}
    read = read_request(read_infotext(png({"parameters": FOOOCUS | files, "fooocus_scheme": "fooocus"})))

    assert ("soft", "aabbccddee", "") == (read.checkpoint, read.checkpoint_hash, read.vae)
    assert {"soft": "cafe012345"} == read.loras
    assert "1girl, red hair <lora:soft:0.5>" == read.request.prompt


def test_swarmui_says_by_hashes_which_checkpoint_was_used():
    models = [{"name": "soft.safetensors", "param": "model", "hash": "0x" + "ab" * 32}, 5, {"param": "loras"}]
    read = read_request(read_infotext(png({"parameters": {**SWARMUI, "sui_models": models}})))

    assert "ab" * 32 == read.checkpoint_hash


def test_a_lora_that_the_prompt_names_already_counts_once():
    params = SWARMUI["sui_image_params"] | {"prompt": "cat <lora:soft:0.7>", "loras": ["soft"], "loraweights": ["0.7"]}

    assert (
        "cat <lora:soft:0.7>"
        == read_request(read_infotext(png({"parameters": {"sui_image_params": params}}))).request.prompt
    )


@pytest.mark.parametrize("name", READ)
def test_a_picture_of_another_program_is_read_and_named(name):
    program, content = READ[name]
    read = read_request(read_infotext(content))
    request = read.request

    assert any(note.startswith(f"It was made with {program}") for note in read.notes)
    assert "1girl, red hair" == request.prompt.partition(" <lora")[0]
    assert ("hat" if "oldest" not in name else "") == request.negative_prompt
    assert (12, 77, 6, "Euler a", 64, 96) == (
        request.steps,
        request.seed,
        request.cfg_scale,
        request.sampler,
        request.width,
        request.height,
    )


def test_comfyuis_loras_and_checkpoint_are_read():
    read = read_request(read_infotext(READ["comfyui"][1]))

    assert ("1girl, red hair <lora:light:1:0.5>", "soft") == (read.request.prompt, read.checkpoint)


@pytest.mark.parametrize("data", [INVOKEAI | {"loras": [{"lora": {"model_name": "light"}, "weight": 0.5}]}])
def test_invokeais_loras_are_read(data):
    read = read_request(read_infotext(png({"invokeai_metadata": data})))

    assert "1girl, red hair <lora:light:0.5>" == read.request.prompt


def test_what_is_not_understood_is_said_a_line_a_field():
    read = read_request(read_infotext(png({"parameters": {**FOOOCUS, "sharpness": 2.0, "styles": "soft, bright"}})))

    assert {"sharpness '2' is not understood.", "styles 'soft, bright' is not understood."} <= set(read.notes)


@pytest.mark.parametrize(
    ("program", "chunks"),
    [
        ("NovelAI", {"Software": "NovelAI"}),
        ("NovelAI", {"Software": "NovelAI", "Comment": "not JSON"}),
        ("ComfyUI", {"workflow": "{}"}),
        ("ComfyUI", {"prompt": '{"1": {"class_type": "KSampler", "inputs": []}}'}),
        ("ComfyUI", {"prompt": '{"1": {"class_type": "Note"}}', "workflow": "[]"}),
        ("InvokeAI", {"invokeai_metadata": "{}"}),
        ("InvokeAI", {"Dream": "?"}),
        ("SwarmUI", {"parameters": '{"sui_image_params": 5}'}),
        ("Fooocus", {"parameters": "{}", "fooocus_scheme": "fooocus"}),
        ("Easy Diffusion", {"num_inference_steps": "?"}),
    ],
)
def test_a_program_that_says_too_little_is_named(program, chunks):
    with pytest.raises(RequestError, match=f"was made with {program}, but says too little"):
        read_infotext(png(chunks))


@pytest.mark.parametrize(
    "content",
    [
        hidden(INFOTEXT),
        hidden("", signature=b"stealth_pngcomp", content=gzip.compress(INFOTEXT.encode(), mtime=0)),
        hidden(INFOTEXT, signature=b"stealth_rgbinfo", mode="RGB"),
        hidden("", signature=b"stealth_rgbcomp", mode="RGB", content=gzip.compress(INFOTEXT.encode(), mtime=0)),
    ],
    ids=["alpha", "alpha, packed", "colours", "colours, packed"],
)
def test_an_infotext_hidden_in_the_pixels_is_read(content):
    assert INFOTEXT == read_infotext(content)


@pytest.mark.parametrize(
    "content",
    [
        hidden("", content=b"\xff\xfe"),
        hidden("", signature=b"stealth_pngcomp", content=b"not packed"),
        hidden("", signature=b"stealth_nothing"),
        png(image=Image.new("RGBA", (1, 1))),
        png(image=Image.new("RGBA", (2, 2), (0, 0, 0, 255))),
    ],
)
def test_pixels_without_a_text_hide_none(content):
    with pytest.raises(RequestError, match="has no infotext"):
        read_infotext(content)


def test_a_webuis_infotext_counts_before_other_texts():
    assert INFOTEXT == read_infotext(png({"workflow": "{}", "parameters": INFOTEXT}))


@pytest.mark.filterwarnings("ignore")  # Pillow warns of damages that it can read around
def test_damaged_settings_are_refused_or_read():
    """No other error comes out of a thousand files in which bytes of the settings were replaced."""
    chance, outcomes = random.Random(1), set()
    texts = [GRAPH, INVOKEAI, OLD_INVOKEAI, FOOOCUS, SWARMUI, DRAW_THINGS, EASY_DIFFUSION]
    names = ["prompt", "invokeai_metadata", "sd-metadata", "parameters", "parameters", "parameters", "Comment"]
    for _ in range(1000):
        data, name = list(json.dumps(chance.choice(texts))), chance.choice(names)
        for _ in range(chance.choice((0, 1, 4))):
            data[chance.randrange(len(data))] = chance.choice('"{}[]:,0-x ')
        try:
            read_request(read_infotext(png({name: "".join(data)})))
            outcomes.add("read")
        except (LimitError, RequestError):
            outcomes.add("refused")

    assert {"read", "refused"} == outcomes


FLAT = {"prompt": "1girl, red hair", "negative_prompt": "hat", "steps": 12, "sampler": "Euler a", "seed": 77}


@pytest.mark.parametrize(
    "content", [png({"parameters": FLAT}), commented(FLAT), json.dumps(FLAT).encode()], ids=["PNG", "JPEG", "text"]
)
def test_settings_of_an_unknown_program_are_read(content):
    read = read_request(read_infotext(content))

    assert ("1girl, red hair", "hat", 12, 77) == (
        read.request.prompt,
        read.request.negative_prompt,
        read.request.steps,
        read.request.seed,
    )
    assert "It was made with an unknown program, which paints otherwise in many ways." in read.notes


def test_an_infotext_among_the_settings_goes_before_them():
    """The webui's API answers with both."""
    answer = json.dumps({**FLAT, "seed": 5, "infotexts": [INFOTEXT]}).encode()

    assert read_request(read_infotext(answer)).request.seed == 77
