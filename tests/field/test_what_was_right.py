"""What was right when people's texts and pictures were first tried (rows 101 to 117 and 132 to 139), and stays so.

The rows about files of weights are in `test_files_that_were_right.py`.
"""

import io
import re

import pytest
from helpers.field_cases import HIRES, INFOTEXT, PAINTED
from helpers.small_checkpoints import make_lora, save
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pastelbot.errors import TagFileError
from pastelbot.formats.pictures import open_flat
from pastelbot.infotext import read_request
from pastelbot.prompt.tags.completion import Candidate, completions, unfinished
from pastelbot.prompt.tags.vocabulary import read_tag_file
from pastelbot.rules.grids import read_axis

MANY = {"limits": {"waiting_per_user": 1000}, "quota": {"work_per_day": 0}}
COMMENT, EXIF = 0x9286, 0x8769
FIRST_SIGNS = "第木水山石"


def exif(content):
    found = Image.Exif()
    found.get_ifd(EXIF)[COMMENT] = content
    return found.tobytes()


def saved(form, *, mode="RGB", size=(8, 8), **options):
    file = io.BytesIO()
    Image.new(mode, size).save(file, form, **options)
    return file.getvalue()


def utf16(text):
    return b"UNICODE\0" + text.encode("utf-16-be")


def text_chunks(**texts):
    info = PngInfo()
    for name, text in texts.items():
        info.add_itxt(name, text) if not text.isascii() else info.add_text(name, text)
    return info


CHINESE = INFOTEXT.replace("1girl, red hair", "第一, 1girl")
IN_CHINESE = PAINTED.replace("1girl, red hair", "第一, 1girl")
PICTURES = [
    (101, "a.jpg", saved("JPEG", exif=exif(utf16(INFOTEXT))), PAINTED),
    (101, "a.webp", saved("WEBP", exif=exif(utf16(INFOTEXT))), PAINTED),
    *((101, f"{n}.jpg", saved("JPEG", exif=exif(utf16(f"{n}, {INFOTEXT}"))), f"PAINTS '{n}, ") for n in FIRST_SIGNS),
    (102, "a.png", saved("PNG", pnginfo=text_chunks(parameters=INFOTEXT)), PAINTED),
    (102, "zh.png", saved("PNG", pnginfo=text_chunks(parameters=CHINESE)), IN_CHINESE),
    (102, "exif.png", saved("PNG", exif=exif(utf16(INFOTEXT))), PAINTED),
    (
        102,
        "post.png",
        saved("PNG", pnginfo=text_chunks(postprocessing="Postprocess upscale by: 2", parameters=INFOTEXT)),
        PAINTED,
    ),
    (103, "ascii.jpg", saved("JPEG", exif=exif(b"ASCII\0\0\0" + INFOTEXT.encode())), PAINTED),
    (103, "undefined.webp", saved("WEBP", exif=exif(b"\0" * 8 + INFOTEXT.encode())), PAINTED),
    (103, "bytes.jpg", saved("JPEG", exif=exif(tuple(utf16(INFOTEXT)))), PAINTED),
]


async def test_pictures_of_the_webui(bot):
    for _row, name, content, expected in PICTURES:
        assert expected in await bot("recreate", settings=MANY, picture=(name, content)), name


def with_fields(fields):
    return f"{INFOTEXT}, {fields}"


def fenced(words):
    return INFOTEXT.replace("1girl, red hair", words)


EXTENSIONS = (
    'ADetailer model: face_yolov8n.pt, ADetailer prompt: "blue eyes, smile", ControlNet 0: "Module: canny, Model: '
    'control_canny [e3fe7712], Weight: 1", Tiled Diffusion: {"Method": "MultiDiffusion", "Tile width": 96}'
)
INFOTEXTS = [
    (104, with_fields(EXTENSIONS), PAINTED, "ADetailer prompt 'blue eyes, smile' is not understood."),
    (104, with_fields(EXTENSIONS), PAINTED, "ControlNet 0"),
    (106, INFOTEXT.replace("\nNegative prompt: hat", ""), "PAINTS '1girl, red hair' '' 12 Euler a 6 77 128x192", ""),
    (106, fenced("1girl,\nred hair\nBREAK\nsky"), r"PAINTS '1girl,\nred hair\nBREAK\nsky' 'hat' 12 Euler a 6", ""),
    (106, INFOTEXT.split("\n")[2], "The prompt is empty", ""),
    (106, fenced("Steps: 3, 1girl"), "PAINTS 'Steps: 3, 1girl' 'hat' 12 Euler a 6 77 128x192", ""),
    (108, with_fields("App: SD.Next, Operations: txt2img; hires, Pipeline: StableDiffusion"), PAINTED, "App"),
    (108, with_fields(f"{HIRES} Latent, Hires Module 1: Use same choices, Distilled CFG Scale: 3.5"), PAINTED, "Dist"),
    (109, fenced("1girl <lora:gone:1>"), "PAINTS '1girl ' 'hat'", "The LoRA gone is not here: it is left out."),
    (109, fenced("1girl <lyco:gone:1>"), "PAINTS '1girl ' 'hat'", "The LoRA gone is not here: it is left out."),
    (109, fenced(" ".join(f"<lora:soft:{n}.5>" for n in range(24))), "PAINTS nothing", "the limit is 10"),
    (117, fenced("{red|blue} hair, __color__"), "PAINTS '{red|blue} hair, __color__' 'hat'", ""),
    (137, INFOTEXT.replace("128x192", "513x513"), "PAINTS nothing", "513x513"),
    (137, INFOTEXT.replace("128x192", "2048x3072"), "PAINTS nothing", "2048 pixels is over"),
    (137, INFOTEXT.replace("Steps: 12", "Steps: 150"), "PAINTS nothing", "150"),
    (137, INFOTEXT.replace("CFG scale: 6", "CFG scale: 30.5"), "PAINTS nothing", "30.5"),
    (137, with_fields("Clip skip: 12"), PAINTED, ""),
]


async def test_infotexts_of_programs(bot, tmp_path):
    save(make_lora(), tmp_path / "soft.safetensors")
    for row, text, expected, note in INFOTEXTS:
        said = await bot("recreate", settings=MANY | {"checkpoint": {"loras": tmp_path}}, infotext=text)
        assert expected in said, (row, text)
        assert note in said, (row, text)


async def test_105_long_texts_are_no_errors_of_discord(bot):
    """The simulated Discord refuses messages of more than 2,000 characters."""
    unknown = ", ".join(f"Unknown field {number}: {number} of many" for number in range(60))
    marked = "**wonderful** " * 285
    for given in ({"infotext": with_fields(unknown)}, {"infotext": fenced(marked)}):
        assert "PAINTS '" in await bot("recreate", settings=MANY, **given)


FOLLOWED = [
    ("RNG: CPU", "noise_source", "CPU"),
    ("ENSD: 31337", "eta_noise_seed_delta", 31337),
    ("Schedule type: Karras", "schedule", "Karras"),
    ("Eta: 0.5", "sampling.eta", 0.5),
    (f"{HIRES} Latent, Hires resize: 256x384", "hires.width", 256),
    ("Denoising strength: 0.7, First pass size: 64x96", "hires.width", 128),
    (f"{HIRES} Latent, Hires sampler: DDIM", "hires.sampler", "DDIM"),
    (f'{HIRES} Latent, Hires prompt: "cat, dog"', "hires.prompt", "cat, dog"),
]


@pytest.mark.parametrize(("fields", "name", "value"), FOLLOWED)
def test_107_fields_of_the_webui_are_followed(fields, name, value):
    found = read_request(with_fields(fields)).request
    for part in name.split("."):
        found = getattr(found, part)

    assert value == found


# What is typed, and what is painted; or a part of the refusal.
TYPED = [
    *((110, words, f"PAINTS {words!r}") for words in ("(1girl", "1girl)))", "[[x]]", r"\(", "x\\")),
    (110, "(x:1.2.3)", "The weight '1.2.3' at character 4 is not a number"),
    *((111, words, f"PAINTS {words!r}") for words in (r"saber \(series\)", r"(saber \(fate\):1.2)")),
    (111, ":d, ^_^, >_<, ;), \\m/", "PAINTS ':d, ^_^, >_<, ;), \\\\m/"),
    (113, "1girl --ar 16:9", "PAINTS '1girl'"),
    (113, "1girl —seed 5", "PAINTS '1girl' "),
    (113, "1girl --v 5", "--v"),
    (113, "1girl --niji", "--niji"),
    (114, "1girl # a comment", "PAINTS '1girl'"),
    (115, "@everyone, <@1>, https://a.b, ||x||, `y`", "PAINTS '@everyone, <@1>, https://a.b, ||x||, `y`'"),
    (116, "（红发：1.2）, 【帽子】、蓝", "PAINTS '（红发：1.2）, 【帽子】、蓝'"),
    (138, "{a|{b|b}} hair", " hair'"),
    (138, "{|} 1girl", "PAINTS '1girl'"),
    (138, "__sub/colour__ hair", "PAINTS 'red hair'"),
    (138, "__outer__ hair", "PAINTS 'red hair'"),
    (139, "1girl <hypernet:foo:1>", "<hypernet:foo:1>"),
]


async def test_what_is_typed(bot, tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "colour.txt").write_bytes(b"red\r\nred\r\n")
    (tmp_path / "outer.txt").write_bytes(b"__sub/colour__\r\n")
    settings = MANY | {"prompts": {"wildcards": tmp_path}}
    for row, words, expected in TYPED:
        said = await bot("imagine", settings=settings, prompt=words, hires="off")
        assert expected in said, (row, words)
        assert "@everyone" not in said.split("PAINTS")[0], "nobody is pinged"


def test_112_brackets_of_completed_tags_are_escaped():
    (found,) = completions(unfinished("1girl, saber_"), [Candidate("saber_(fate)")])

    assert r"1girl, saber \(fate\)" == found.value


ROWS = "1girl,0,100,\n{}long_hair,0,50,\n"
LISTS = {
    "BOM": "\ufeff1girl,0,100,\nlong_hair,0,50,\n".encode(),
    "CRLF": b"1girl,0,100,\r\nlong_hair,0,50,\r\n",
    "UTF-16": "1girl,0,100,\nlong_hair,0,50,\n".encode("utf-16"),
    "header": b"name,category,post_count,aliases\n1girl,0,100,\nlong_hair,0,50,\n",
    "quotes in quotes": b'1girl,0,100,"a""b"\nlong_hair,0,50,\n',
    "aliases over two lines": b'1girl,0,100,"a\nb"\nlong_hair,0,50,\n',
    "trailing comma": b"1girl,0,100,\nlong_hair,0,50,\n",
}


@pytest.mark.parametrize("name", LISTS)
def test_132_tag_lists_are_read(name):
    assert ["1girl", "long_hair"] == [tag.name for tag in read_tag_file(LISTS[name], name).tags]


NO_LISTS = {
    "semicolons": b"1girl;0;100;\nlong_hair;0;50;\n",
    "Shift-JIS": "1girl,0,100,少女\n".encode("shift-jis"),
    "translations": "1girl,少女\nlong_hair,长发\n".encode(),
}


@pytest.mark.parametrize("name", NO_LISTS)
def test_134_other_lists_are_refused_with_line_and_reason(name):
    with pytest.raises(TagFileError, match=r"\b[Ll]ine 1\b"):
        read_tag_file(NO_LISTS[name], name)


AXES = [
    ("steps", "20-40 (+10)", ("20", "30", "40")),
    ("cfg", "1-10 [5]", ("1", "3.25", "5.5", "7.75", "10")),
    ("prompt", '"a, b",c', ("a, b", "c")),
]


@pytest.mark.parametrize(("kind", "text", "values"), AXES)
def test_135_values_of_axes(kind, text, values):
    assert values == tuple(re.sub(r"\.0$", "", each) for each in read_axis(kind, text).values)


async def test_135_a_first_value_that_is_not_in_the_prompt_is_said(bot):
    said = await bot("grid", settings=MANY, prompt="1girl", x="prompt", x_values="cat,dog")

    assert "no 'cat' to replace" in said


def turned():
    found = Image.Exif()
    found[0x0112] = 6
    return saved("JPEG", size=(16, 8), exif=found)


STARTS = {
    "a turned photo": (turned(), (8, 16)),
    "CMYK": (saved("JPEG", mode="CMYK"), (8, 8)),
    "16 bit": (saved("PNG", mode="I;16"), (8, 8)),
    "palette with transparency": (saved("PNG", mode="P", transparency=0), (8, 8)),
}


@pytest.mark.parametrize("name", STARTS)
def test_136_pictures_to_start_from(name):
    content, size = STARTS[name]
    flat = open_flat(content)

    assert ("RGB", size) == (flat.mode, flat.size)
