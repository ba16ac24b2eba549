"""Twenty files of each kind, as the programs write them: all that decides a picture is read exactly."""

import io

import pytest
from fuzz.metadata_files import try_files
from helpers.metadata_files import EACH, KINDS, make, png

from pastelbot.errors import RequestError
from pastelbot.formats.pictures import read_infotext
from pastelbot.infotext import read_request


def facts(request):
    return (
        request.prompt, request.negative_prompt, request.seed, request.steps, float(request.cfg_scale), request.sampler,
        request.width, request.height,
    )  # fmt: skip


def written(made):
    return made.prompt, made.negative, made.seed, made.steps, made.cfg, made.sampler, made.width, made.height


@pytest.mark.parametrize("number", range(EACH))
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_read_exactly(kind, number):
    made = make(kind, number)
    read = read_request(read_infotext(made.content))

    assert written(made) == facts(read.request)
    assert () == read.missing
    assert made.schedule in (None, read.request.schedule)
    if kind == "civitai" and number % 2:
        assert made.loras == read.resources


@pytest.mark.parametrize(
    "kind", ["webui", "its forks", "civitai", "ComfyUI", "InvokeAI", "InvokeAI 2", "Fooocus", "NovelAI"]
)
def test_another_reader_finds_the_same(kind):
    """Where sd-parsers, which is not ours, understands a file, it finds what we find."""
    sd_parsers = pytest.importorskip("sd_parsers", reason="sd-parsers is not installed: pip install '.[dev]'")
    parser, understood = sd_parsers.ParserManager(), 0
    for made in (make(kind, number) for number in range(EACH)):
        found = parser.parse(io.BytesIO(made.content)) if made.content.startswith(b"\x89PNG") else None
        if found is None or not found.samplers:
            continue
        understood += 1
        request, theirs = read_request(read_infotext(made.content)).request, found.samplers[0].parameters
        prompts = [str(prompt) for prompt in found.samplers[0].prompts]
        assert all(request.prompt.startswith(prompt) for prompt in prompts) or "InvokeAI 2" == kind
        assert float(theirs.get("steps", request.steps)) == request.steps
        assert float(theirs.get("cfg_scale", request.cfg_scale)) == request.cfg_scale
        if not isinstance(theirs.get("seed"), list):
            assert int(theirs.get("seed", request.seed)) == request.seed
    assert understood > 2


def graph_file(**nodes):
    return png({"prompt": {name: {"class_type": kind, "inputs": inputs} for name, (kind, inputs) in nodes.items()}})


SAMPLER = {"seed": 7, "steps": 12, "cfg": 6, "sampler_name": "euler", "scheduler": "normal", "denoise": 1}


def encoded(text):
    return ("CLIPTextEncode", {"text": text, "clip": ["x", 0]})


@pytest.mark.parametrize(
    ("kind", "inputs", "prompt"),
    [
        ("ConditioningConcat", {"conditioning_to": ["a", 0], "conditioning_from": ["b", 0]}, "cat BREAK dog"),
        ("ConditioningConcat", {"conditioning_from": ["b", 0], "conditioning_to": ["a", 0]}, "cat BREAK dog"),
        ("ConditioningCombine", {"conditioning_1": ["a", 0], "conditioning_2": ["b", 0]}, "cat :0.5 AND dog :0.5"),
        ("ConditioningAverage", {"conditioning_to": ["a", 0], "conditioning_from": ["b", 0]}, "cat"),
        ("ControlNetApplyAdvanced", {"positive": ["a", 0], "negative": ["b", 0], "image": ["b", 0]}, "cat"),
        ("ConditioningZeroOut", {"conditioning": ["a", 0]}, ""),
        ("Efficient Loader", {"ckpt_name": "soft.ckpt", "positive": "cat", "negative": "dog"}, "cat"),
        ("StringConcatenate", {"string_a": "cat", "string_b": ["t", 0], "delimiter": " and "}, "cat and fish"),
        ("JoinStrings", {"string1": "cat", "string2": "", "delimiter": "\\n", "string3": ["t", 0]}, "cat\nfish"),
        ("StringFunction|pysssss", {"action": "append", "text_a": "cat", "text_b": "dog"}, "cat, dog"),
        ("ImpactWildcardProcessor", {"wildcard_text": "{cat|dog}", "populated_text": "cat"}, "cat"),
        ("CLIPTextEncodeSDXL", {"text_g": "cat", "text_l": "dog", "clip": ["x", 0]}, "cat"),
    ],
)
def test_comfyuis_nodes_of_texts_are_followed(kind, inputs, prompt):
    sampler = SAMPLER | {"positive": ["j", 0], "negative": ["n", 0]}
    nodes = {"a": encoded("cat"), "b": encoded("dog"), "t": ("PrimitiveString", {"value": "fish"}), "n": encoded("hat")}
    content = graph_file(**nodes, j=(kind, inputs), s=("KSampler", sampler), o=("SaveImage", {"images": ["s", 0]}))

    if prompt:
        assert prompt == read_request(read_infotext(content)).request.prompt
    else:
        with pytest.raises(RequestError, match="made with ComfyUI"):
            read_infotext(content)


@pytest.mark.parametrize(
    ("kind", "inputs", "tags"),
    [
        ("LoraLoader", {"lora_name": "a/ink.pt", "strength_model": 0.5, "strength_clip": 0.5}, "<lora:ink:0.5>"),
        ("LoraLoader", {"lora_name": "ink.pt", "strength_model": 0.5, "strength_clip": 1}, "<lora:ink:1:0.5>"),
        ("LoraLoaderModelOnly", {"lora_name": "ink.pt", "strength_model": 0.5}, "<lora:ink:0.5>"),
        ("Power Lora Loader (rgthree)", {"lora_1": {"on": True, "lora": "ink.pt", "strength": 0.5},
                                         "lora_2": {"on": False, "lora": "off.pt", "strength": 1}}, "<lora:ink:0.5>"),
        ("LoRA Stacker", {"lora_name_1": "ink.pt", "model_str_1": 0.5, "clip_str_1": 1, "lora_name_2": "None"},
         "<lora:ink:1:0.5>"),
    ],
)  # fmt: skip
def test_comfyuis_loras_are_read(kind, inputs, tags):
    sampler = SAMPLER | {"positive": ["a", 0], "negative": ["a", 0], "model": ["l", 0]}
    content = graph_file(a=encoded("cat"), l=(kind, inputs), s=("KSampler", sampler))

    assert f"cat {tags}" == read_request(read_infotext(content)).request.prompt


def test_comfyuis_sampler_of_the_saved_picture_counts():
    first, second = (SAMPLER | {"seed": seed, "positive": ["a", 0], "negative": ["a", 0]} for seed in (1, 2))
    nodes = {"p": ("PreviewImage", {"images": ["first", 0]}), "o": ("SaveImage", {"images": ["second", 0]})}
    content = graph_file(a=encoded("cat"), first=("KSampler", first), second=("KSampler", second), **nodes)

    assert 2 == read_request(read_infotext(content)).request.seed


def test_a_part_of_comfyuis_steps_means_that_another_picture_was_there_before():
    sampler = SAMPLER | {"denoise": 0.5, "positive": ["a", 0], "negative": ["a", 0]}
    read = read_request(read_infotext(graph_file(a=encoded("cat"), s=("KSampler", sampler))))

    assert 0.5 == read.init.denoising_strength


def test_comfyuis_circles_end():
    nodes = {"a": ("ConditioningConcat", {"conditioning_to": ["b", 0], "conditioning_from": ["b", 0]})}
    nodes["b"] = ("ConditioningCombine", {"conditioning_1": ["a", 0], "conditioning_2": ["a", 0]})
    sampler = SAMPLER | {"seed": ["r", 0], "positive": ["a", 0], "negative": ["a", 0], "model": ["r", 0]}

    with pytest.raises(RequestError, match="made with ComfyUI"):
        read_infotext(graph_file(**nodes, r=("Reroute", {"": ["r", 0]}), s=("KSampler", sampler)))


def test_pasted_settings_of_other_programs_are_read():
    made = make("SwarmUI", 1)
    text = make("Easy Diffusion", 2).content.decode()

    assert written(make("Easy Diffusion", 2)) == facts(read_request(text).request)
    assert made.prompt not in read_request("{}").request.prompt
    assert '{"sui_image_params": {}}' == read_request('{"sui_image_params": {}}').request.prompt


def test_damaged_files_are_read_or_refused():
    """A slice of what `python -m tests.fuzz.metadata_files` tries; another error than ours would come out of it."""
    assert {"read", "refused"} == {outcome for outcome, _seconds in try_files(1500, seed=0)}


@pytest.mark.parametrize("content", [b"{}", b'\xef\xbb\xbf {"a": 1}', b"[]", b'{"a": '])
def test_json_of_no_program_is_no_infotext(content):
    with pytest.raises(RequestError, match="is not a readable picture, nor a text"):
        read_infotext(content)
