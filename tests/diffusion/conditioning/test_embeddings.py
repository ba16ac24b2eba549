"""Textual inversion embeddings: read in every form, called by their files' names, and written into the infotext."""

import base64
import hashlib
import io
import json
import zlib
from itertools import islice

import numpy as np
import pytest
import torch
from helpers.lora_files import write_lora
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo
from safetensors.torch import load_file, save_file

from pastelbot.diffusion.checkpoint import loading
from pastelbot.diffusion.conditioning.embeddings import EmbeddingCache
from pastelbot.diffusion.embeddings import read_embedding
from pastelbot.diffusion.engine.engine import Engine
from pastelbot.errors import CheckpointError, PaintingError
from pastelbot.formats.identify import EMBEDDING
from pastelbot.formats.network_files import EMBEDDING_SUFFIXES, NetworkFolders, network_files
from pastelbot.records import GenerationRequest, HiresFix, Painted
from pastelbot.workshop.inspection import inspect_path

REQUEST = GenerationRequest(prompt="1girl", negative_prompt="blue", width=64, height=64, steps=2, seed=5)
VECTORS = torch.arange(24.0).reshape(2, 12) / 10


@pytest.fixture(scope="module")
def own(bundled):
    """Return a checkpoint that only these tests use."""
    torch.set_num_threads(1)
    return loading.load(str(bundled), device="cpu")


@pytest.fixture
def width(own):
    return own.conditioner.width


def event_of(own, folder, **changes):
    engine = Engine(own, networks=NetworkFolders(embeddings=folder))
    engine.admit("a", REQUEST.replace(**changes))
    while True:
        for event in engine.step():
            if isinstance(event, Painted):
                return event


def infotext(own, folder, **changes):
    return event_of(own, folder, **changes).pictures[0].infotext


def safetensors(path, **tensors):
    save_file({name: tensor.clone() for name, tensor in tensors.items()}, path.with_suffix(".safetensors"))
    return path.with_suffix(".safetensors")


def pickled(path, content):
    torch.save(content, path)
    return path


def card(path, content):
    """Write a picture with an embedding in its text, as the webui does."""
    texts = PngInfo()
    texts.add_text("parameters", "a text before it")
    texts.add_text("sd-ti-embedding", base64.b64encode(json.dumps(content).encode()).decode())
    Image.new("RGB", (8, 8)).save(path, pnginfo=texts)
    return path


def mask():
    number = 0
    while True:
        number = (1664525 * number + 1013904223) % 2**32
        yield number % 255


def hidden(path, content, *, height=16, **options):
    """Write a picture with an embedding in its pixels, as the webui does: the lower halves of bytes left of it."""
    packed = np.frombuffer(zlib.compress(json.dumps(content).encode(), 9), np.uint8)
    width = len(packed) // (3 * height) + 1
    packed = np.resize(packed, (height, width, 3))
    noise = np.fromiter(islice(mask(), packed.size), np.uint8).reshape(packed.shape) & 15
    style = np.uint8(0xA0)
    black = np.zeros((height, 1, 3), np.uint8)
    picture = np.full((height, 20, 3), 99, np.uint8)
    blocks = ((packed & 15 ^ noise) | style, black, picture, black, (packed >> 4 ^ noise) | style)
    Image.fromarray(np.concatenate(blocks, axis=1)).save(path, **options)
    return path


def test_the_generator_behind_hidden_embeddings_is_the_webuis():
    """Its first numbers, as the webui's own test has them."""
    assert [253, 242, 127, 44, 157, 27, 239, 133] == list(islice(mask(), 8))


def framed(path):
    """Put a black frame around a picture, as screenshots have it."""
    with Image.open(path) as image:
        wide = ImageOps.expand(image, 5)
    wide.save(path)
    return path


A1111 = {"string_to_param": {"*": {"TORCHTENSOR": VECTORS.tolist()}}, "name": "x"}
FORMS = {
    "hidden": lambda path: hidden(path.with_suffix(".png"), A1111),
    "hidden, WebP": lambda path: hidden(path.with_suffix(".webp"), A1111, lossless=True),
    "hidden, black around": lambda path: framed(hidden(path.with_suffix(".png"), A1111)),
    "a1111": lambda path: pickled(
        path.with_suffix(".pt"),
        {
            "string_to_token": {"*": 265},
            "string_to_param": {"*": VECTORS.clone().requires_grad_()},
            "name": "x",
            "step": 9,
        },
    ),
    "first": lambda path: pickled(
        path.with_suffix(".pt"), {"string_to_param": torch.nn.ParameterDict({"*": torch.nn.Parameter(VECTORS)})}
    ),
    "onetrainer": lambda path: safetensors(path, emb_params=VECTORS, emb_params_out=torch.zeros(2, 12)),
    "card": lambda path: card(path.with_suffix(".png"), {"string_to_param": {"*": {"TORCHTENSOR": VECTORS.tolist()}}}),
    "diffusers": lambda path: pickled(path.with_suffix(".bin"), {"<x>": VECTORS}),
    "emb_params": lambda path: safetensors(path, emb_params=VECTORS),
    "diffusers_safetensors": lambda path: safetensors(path, **{"<x>": VECTORS.half()}),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_its_vectors(tmp_path, form):
    read = read_embedding(FORMS[form](tmp_path / "x"))

    assert read.dtype == torch.float32
    torch.testing.assert_close(read, VECTORS, rtol=1e-3, atol=1e-3)
    assert not read.requires_grad


@pytest.mark.parametrize("form", FORMS)
def test_inspect_and_the_folder_use_the_same_reader(tmp_path, form):
    path = FORMS[form](tmp_path / "x")
    (tmp_path / "x.preview.png").write_bytes(b"no picture")
    Image.new("RGB", (8, 8)).save(tmp_path / "y.png")

    found = inspect_path(path)

    assert found.problems == []
    assert (EMBEDDING, "2, each of 12 numbers") == (found.facts["kind"], found.facts["vectors"])
    assert {"x": path} == network_files(tmp_path, EMBEDDING_SUFFIXES)


NO_CARDS = {
    "one colour": np.full((8, 8, 3), 7, np.uint8),
    "black": np.zeros((8, 8, 3), np.uint8),
    "black columns": np.tile(np.array([[[16] * 3], [[0] * 3]], np.uint8).reshape(1, 2, 3), (8, 4, 1)),
    "noise": np.random.default_rng(1).integers(0, 255, (16, 32, 3), np.uint8),
}


@pytest.mark.parametrize("name", NO_CARDS)
def test_other_pictures_are_no_cards(tmp_path, name):
    Image.fromarray(NO_CARDS[name]).save(tmp_path / "x.png")

    assert network_files(tmp_path, EMBEDDING_SUFFIXES) == {}
    assert "is a picture." in inspect_path(tmp_path / "x.png").problems[0]


def test_a_damaged_block_is_no_card(tmp_path):
    path = hidden(tmp_path / "x.png", A1111)
    with Image.open(path) as image:
        image.putpixel((3, 3), (1, 1, 1))
        image.save(path)

    assert network_files(tmp_path, EMBEDDING_SUFFIXES) == {}


def test_a_card_beside_an_embedding_of_its_name_is_a_preview(tmp_path):
    file = FORMS["a1111"](tmp_path / "x")
    hidden(tmp_path / "x.png", A1111)

    assert {"x": file} == network_files(tmp_path, EMBEDDING_SUFFIXES)


def test_output_vectors_of_onetrainer_are_said(tmp_path, own, width):
    """Where the embedding is called, and by `inspect`."""
    vectors = torch.zeros(2, width)
    path = safetensors(tmp_path / "sparkle", emb_params=vectors, emb_params_out=vectors)

    assert "OneTrainer's output vectors" in inspect_path(path).facts["not used"]
    assert event_of(own, tmp_path).notes == ()
    (note,) = event_of(own, tmp_path, prompt="1girl, sparkle").notes
    assert "The embedding sparkle also has output vectors of OneTrainer, which are not used." == note


def test_single_vector_has_no_second_dimension(tmp_path):
    assert (1, 12) == read_embedding(pickled(tmp_path / "x.bin", {"<x>": VECTORS[0]})).shape


class Malicious:
    def __reduce__(self):
        return print, ("this must not run",)


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda path: safetensors(path, clip_g=VECTORS, clip_l=VECTORS), "for SDXL"),
        (lambda path: safetensors(path, clip_l=VECTORS, t5=VECTORS), "for Flux, not"),
        (lambda path: safetensors(path, clip_l=VECTORS, clip_g=VECTORS, t5xxl=VECTORS), "for Stable Diffusion 3, not"),
        (lambda path: safetensors(path, clip_l=VECTORS, llama=VECTORS), "for another kind of model, not"),
        (lambda path: safetensors(path, a=VECTORS, b=VECTORS), "2 tensors instead of one"),
        (lambda path: safetensors(path, **{"x.lora_up.weight": VECTORS, "x.lora_down.weight": VECTORS}), "is a LoRA"),
        (lambda path: safetensors(path, x=torch.zeros(2, 3, 4)), r"the shape \[2, 3, 4\]"),
        (lambda path: safetensors(path, x=torch.zeros(76, 12)), "76 vectors; .* room for 75"),
        (lambda path: safetensors(path, x=torch.full((1, 12), torch.inf)), "NaN or infinite"),
        (lambda path: safetensors(path, emb_params_out=VECTORS), "output embedding of OneTrainer alone"),
        (lambda path: pickled(path.with_suffix(".pt"), {"string_to_param": {"a": VECTORS, "b": VECTORS}}), "2 tensors"),
        (lambda path: card(path.with_suffix(".png"), []), "damaged embedding: it has no string_to_param"),
        (lambda path: card(path.with_suffix(".png"), {"string_to_param": {"*": 5}}), "damaged embedding"),
        (
            lambda path: card(path.with_suffix(".png"), {"string_to_param": {"*": {"TORCHTENSOR": [[1], []]}}}),
            "damaged",
        ),
        (lambda path: card(path.with_suffix(".png"), {"string_to_param": {}}), "no tensor with a name"),
        (lambda path: pickled(path.with_suffix(".pt"), [1, 2]), "no tensor with a name"),
        (lambda path: pickled(path.with_suffix(".pt"), {"x": Malicious()}), "print"),
    ],
)
def test_what_is_no_embedding_is_named(tmp_path, capfd, write, words):
    path = write(tmp_path / "x")
    with pytest.raises(CheckpointError, match=words):
        read_embedding(path)
    assert inspect_path(path).problems or inspect_path(path).facts["kind"] != EMBEDDING
    assert "must not run" not in capfd.readouterr().out


def test_damaged_files_are_named(tmp_path):
    for name in ("a.safetensors", "a.pt"):
        (tmp_path / name).write_bytes(b"nothing of the kind")
        with pytest.raises(CheckpointError, match=name):
            read_embedding(tmp_path / name)


def test_embedding_is_called_by_its_files_name(own, tmp_path, width):
    """In prompt and negative prompt, in folders below, with its hash in the infotext; the longest name counts.

    The infotext has those of the first pass alone, as the webui's.
    """
    (tmp_path / "bad").mkdir()
    vectors = torch.randn(3, width, generator=torch.Generator().manual_seed(1))
    path = safetensors(tmp_path / "bad" / "easynegative v2", emb_params=vectors)
    safetensors(tmp_path / "easynegative", emb_params=vectors[:1])
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]

    assert f'TI hashes: "easynegative v2: {digest}"' in infotext(own, tmp_path, negative_prompt="(EasyNegative V2:1.2)")
    assert f'TI hashes: "easynegative v2: {digest}"' in infotext(own, tmp_path, prompt="1girl, easynegative v2")
    shorter = infotext(own, tmp_path, prompt="easynegative v3, 1girl", hires=HiresFix(prompt="easynegative v2"))
    assert 'TI hashes: "easynegative: ' in shorter
    assert "easynegative v2: " not in shorter
    assert "TI hashes" not in infotext(own, tmp_path)


def test_embedding_changes_what_is_encoded(own, tmp_path, width):
    """To what the vectors say; when the file changes, so does what it encodes."""
    conditioner = own.conditioner
    token = conditioner.tokenizer.encode("smile")[0]
    text = getattr(own.text_encoder, "text_model", own.text_encoder)
    vector = text.embeddings.token_embedding.weight[token]
    shelf = EmbeddingCache(tmp_path, lambda: width)
    safetensors(tmp_path / "grin", emb_params=vector.detach()[None].clone())
    assert shelf.refresh()
    assert not shelf.refresh()
    conditioner.learn({name: each.vectors for name, each in shelf.by_name.items()})

    expected = conditioner.encode(["1girl, smile"], clip_skip=2)
    assert torch.equal(expected, conditioner.encode(["1girl, grin"], clip_skip=2))
    safetensors(tmp_path / "grin", emb_params=torch.zeros(2, width))
    assert shelf.refresh()
    conditioner.learn({name: each.vectors for name, each in shelf.by_name.items()})
    assert not torch.equal(expected, conditioner.encode(["1girl, grin"], clip_skip=2))
    conditioner.learn({})


@pytest.mark.parametrize(
    ("numbers", "family"),
    [
        (1024, "Stable Diffusion 2.x"),
        (1280, "SDXL"),
        (2048, "SDXL"),
        (4096, r"Flux or Stable Diffusion 3 \(T5\)"),
        (99, "another kind of model"),
    ],
)
def test_other_widths_are_refused_by_name_where_they_are_called(own, tmp_path, numbers, family):
    safetensors(tmp_path / "sparkle", emb_params=torch.zeros(1, numbers))

    assert "TI hashes" not in infotext(own, tmp_path)
    with pytest.raises(PaintingError, match=f"embedding sparkle cannot be used: .*made for {family}") as caught:
        infotext(own, tmp_path, prompt="1girl, sparkle")
    assert str(tmp_path) not in str(caught.value)


@pytest.fixture
def bundle(own, tmp_path):
    """Return folders with a LoRA that has two embeddings inside, one for another model, and with an embedding."""
    inside = {
        "bundle_emb.inner.string_to_param.*": torch.ones(2, own.conditioner.width),
        "bundle_emb.wide.emb_params": torch.ones(1, 1024),
        "bundle_emb.both.emb_params": torch.ones(1, own.conditioner.width),
    }
    write_lora(tmp_path / "loras", "soft", own.patches.targets)
    tensors = load_file(tmp_path / "loras" / "soft.safetensors")
    save_file(tensors | inside, tmp_path / "loras" / "soft.safetensors")
    (tmp_path / "embeddings").mkdir()
    safetensors(tmp_path / "embeddings" / "both", emb_params=-torch.ones(1, own.conditioner.width))
    return NetworkFolders(loras=tmp_path / "loras", embeddings=tmp_path / "embeddings")


def painted(own, folders, *prompts):
    """Return the pictures that one engine paints of several prompts, one after the other."""
    engine, found = Engine(own, networks=folders), []
    for number, prompt in enumerate(prompts):
        engine.admit(str(number), REQUEST.replace(prompt=prompt, negative_prompt=""))
        while not engine.idle:
            found += [event.pictures[0] for event in engine.step() if isinstance(event, Painted)]
    return found


def test_an_embedding_inside_a_lora_exists_while_the_lora_is_named(own, bundle):
    alone = painted(own, bundle, "a inner")[0]
    together = painted(own, bundle, "a inner <lora:soft:0>", "a inner", "a inner <lora:soft:0>")
    first, without, again = together

    assert 'TI hashes: "inner: soft"' in first.infotext
    assert "TI hashes" not in without.infotext
    assert first.png != without.png
    assert without.png == alone.png
    assert again.png == first.png


def test_an_embedding_of_the_folder_goes_before_one_inside_a_lora(own, bundle):
    named, plain = painted(own, bundle, "a both <lora:soft:0>", "a both")

    assert Image.open(io.BytesIO(named.png)).tobytes() == Image.open(io.BytesIO(plain.png)).tobytes()
    assert "both: soft" not in named.infotext


def test_an_embedding_inside_a_lora_for_another_model_is_refused_where_it_is_called(own, bundle):
    assert len(painted(own, bundle, "a <lora:soft:0>")) == 1
    with pytest.raises(PaintingError, match=r"wide cannot be used: wide in soft was made for Stable Diffusion 2\.x"):
        painted(own, bundle, "a wide <lora:soft:0>")
