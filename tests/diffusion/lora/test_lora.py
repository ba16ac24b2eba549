"""LoRAs at generation: what merging them would paint, and afterwards not a trace of them."""

import hashlib
import io

import pytest
import torch
from helpers.lora_files import lora_tensors, write_lora
from helpers.network_layers import LAYERS, write_network
from helpers.painting import paint
from PIL import Image
from safetensors.torch import load_file, save_file

from pastelbot.diffusion.checkpoint import loading
from pastelbot.diffusion.engine.engine import Engine
from pastelbot.diffusion.lora.changes import add_changes
from pastelbot.diffusion.lora.library import LoraLibrary, text_set, unet_set
from pastelbot.diffusion.lora.patch import NO_LORAS, NetworkPatches, Patch
from pastelbot.errors import NotFoundError, PaintingError, PromptError
from pastelbot.formats.network_files import LoraFiles, NetworkFolders
from pastelbot.records import GenerationRequest, HiresFix, Painted, SamplingOptions
from pastelbot.workshop.recipes.recipe import read_recipe
from pastelbot.workshop.recipes.runner import run_recipe

REQUEST = GenerationRequest(prompt="1girl, red hair", negative_prompt="blue", width=64, height=64, steps=3, seed=5)


@pytest.fixture(scope="module")
def loaded(bundled):
    """Return a checkpoint that only these tests use."""
    torch.set_num_threads(1)
    return loading.load(str(bundled), device="cpu")


@pytest.fixture
def own(loaded):
    """Return it without the LoRAs that an earlier test may have left in its weights, for the next job to take out."""
    loaded.patches.unet.use(NO_LORAS)
    loaded.patches.text.use(NO_LORAS)
    return loaded


@pytest.fixture
def folders(tmp_path, own):
    """Return a folder with three LoRAs: of attention layers, of all layers, and of the text encoder."""
    targets = own.patches.targets
    write_lora(tmp_path, "soft", targets, seed=1)
    write_lora(tmp_path, "styles/hard", targets, seed=2, conv=True, rank=3, alpha=2.0)
    write_lora(tmp_path, "words", targets, seed=3, part="lora_te_")
    return NetworkFolders(loras=tmp_path)


def weights(own):
    """Return copies of all weights."""
    networks = {"unet": own.unet, "text": own.text_encoder}
    return {
        f"{part}.{name}": value.clone() for part, net in networks.items() for name, value in net.state_dict().items()
    }


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def pixels(picture):
    return Image.open(io.BytesIO(picture.png)).tobytes()


def run(engine, **jobs):
    for job_id, request in jobs.items():
        engine.admit(job_id, request)
    painted = {}
    while not engine.idle:
        painted |= {event.job_id: event for event in engine.step() if isinstance(event, Painted)}
    return painted


def merged(folder, bundled, *loras):
    """Merge LoRAs into the bundled checkpoint with the workshop and load the result."""
    listed = ", ".join(f'{{ file = "{file}", weight = {weight} }}' for file, weight in loras)
    text = f'[steps.x]\noperation = "lora-merge"\nbase = "{bundled}"\nloras = [{listed}]\noutput = "merged"\n'
    (folder / "recipe.toml").write_text(text, encoding="utf-8")
    run_recipe(read_recipe(folder / "recipe.toml"))
    return loading.load(str(folder / "merged"), device="cpu")


@pytest.mark.parametrize(
    ("tags", "loras"),
    [
        ("<lora:soft:0.6>", [("soft.safetensors", 0.6)]),
        ("<lora:hard:-0.8>", [("styles/hard.safetensors", -0.8)]),
        ("<lyco:soft:0.3> <lora:hard>", [("soft.safetensors", 0.3), ("styles/hard.safetensors", 1.0)]),
        ("<lora:soft:0.25><lora:soft:0.5>", [("soft.safetensors", 0.25), ("soft.safetensors", 0.5)]),
    ],
)
def test_using_loras_is_merging_them(own, folders, bundled, tags, loras):
    """To the last bit: the weights are those of the merged file, and so is the picture."""
    other = merged(folders.loras, bundled, *loras)
    engine = Engine(own, networks=folders)
    painted = run(engine, a=REQUEST.replace(prompt=f"1girl{tags}, red hair"))["a"].pictures[0]
    used = weights(own)
    plain = paint(other, REQUEST)[0]

    assert same(weights(other), used)
    assert pixels(plain) == pixels(painted)
    assert pixels(plain) != pixels(paint(loading.load(str(bundled), device="cpu"), REQUEST)[0])
    run(engine, b=REQUEST)
    assert not same(used, weights(own))


@pytest.mark.parametrize("kind", LAYERS)
def test_using_a_network_of_any_kind_is_merging_it(own, tmp_path, bundled, kind):
    """To the last bit, norms and biases included, with a LoRA before it whose layers it changes again."""
    targets = {
        name: target for name, target in own.patches.targets.items() if not target.rare or len(target.shape) == 1
    }
    targets = {name: target for name, target in targets.items() if target.shape[0] % 8 == 0}
    write_lora(tmp_path, "soft", own.patches.targets, seed=1)
    write_network(tmp_path / "net.safetensors", dict([*targets.items()][::7]), kind)
    before = weights(own)
    other = merged(tmp_path, bundled, ("soft.safetensors", 0.5), ("net.safetensors", 0.75))
    library = LoraLibrary(own.patches, LoraFiles(tmp_path))
    used = library.of_prompt("<lora:soft:0.5><lora:net:0.75>")
    library.use_in_unet(unet_set(used))
    library.use_in_text_encoder(text_set(used))
    changed = {name for name, value in weights(own).items() if not torch.equal(value, before[name])}

    assert same(weights(other), weights(own))
    assert used[1].notes == []
    assert any(name.endswith("norm1.bias") for name in changed)
    library.use_in_unet(NO_LORAS)
    library.use_in_text_encoder(NO_LORAS)
    assert same(before, weights(own))


def test_no_trace_is_left(own, folders):
    """However often they come and go, the weights without them are those from before."""
    before = weights(own)
    engine = Engine(own, networks=folders)
    (plain,) = paint(own, REQUEST)
    for tags in ("<lora:soft:0.6>", "<lora:soft:0.7><lora:hard:0.1>", "<lora:words>", "<lora:hard:3>"):
        run(engine, a=REQUEST.replace(prompt=f"cat{tags}"))
        assert not same(before, weights(own))
    (after,) = run(engine, b=REQUEST)["b"].pictures

    assert same(before, weights(own))
    assert pixels(plain) == pixels(after)


def test_text_encoder_and_unet_have_multipliers_of_their_own(own, folders):
    """`te:unet` and the named forms; a multiplier of 0 changes nothing of its network."""
    engine = Engine(own, networks=folders)

    def painted(tags):
        return pixels(run(engine, a=REQUEST.replace(prompt=f"1girl, red hair{tags}"))["a"].pictures[0])

    plain = painted("")
    assert plain == painted("<lora:soft:0>")
    assert painted("<lora:soft:0.9:0>") == painted("<lora:soft:0.9:unet=0>") != plain
    assert painted("<lora:soft:0:0.9>") == painted("<lora:soft:te=0:unet=0.9>") == painted("<lora:soft:0:unet=0.9>")
    assert painted("<lora:soft:0.9>") == painted("<lora:soft:0.9:0.9>") != painted("<lora:soft:0:0.9>")
    assert plain == painted("<lora:soft:0.9:te=0>")  # without a number of its own the UNet takes the text encoder's
    assert painted("<lora:words:0.7>") == painted("<lora:words:0.7:0>") != plain


def test_jobs_in_flight_together_each_have_their_own(own, folders):
    """Each picture is as if it were painted alone."""
    jobs = {
        "plain": REQUEST,
        "soft": REQUEST.replace(prompt="1girl<lora:soft:0.8>"),
        "same": REQUEST.replace(prompt="cat<lora:soft:0.8>", seed=9),
        "hard": REQUEST.replace(prompt="1girl<lora:hard:0.5>", count=2),
    }
    alone = {name: run(Engine(own, networks=folders), a=job)["a"].pictures for name, job in jobs.items()}
    together = run(Engine(own, networks=folders), **jobs)

    for name, pictures in alone.items():
        for one, other in zip(pictures, together[name].pictures, strict=True):
            assert largest_difference(one, other) <= 1


def largest_difference(one, other):
    first, second = pixels(one), pixels(other)
    return max(abs(a - b) for a, b in zip(first, second, strict=True))


def test_hires_pass_has_the_loras_of_its_own_prompt(own, folders):
    """As in the webui; without a prompt of its own it has those of the first."""
    engine = Engine(own, networks=folders)

    def painted(prompt, hires_prompt=None):
        fix = HiresFix(width=96, height=96, steps=2, prompt=hires_prompt)
        return run(engine, a=REQUEST.replace(prompt=prompt, hires=fix))["a"].pictures[0]

    both, first = painted("1girl<lora:soft:0.8>"), painted("1girl<lora:soft:0.8>", "1girl")
    second, none = painted("1girl", "1girl<lora:hard:0.8>"), painted("1girl")

    assert len({pixels(picture) for picture in (both, first, second, none)}) == 4
    assert pixels(both) == pixels(painted("1girl<lora:soft:0.8>", "1girl<lora:soft:0.8>"))
    assert "Lora hashes" in first.infotext
    assert 'Lora hashes: "hard: ' in second.infotext
    assert "Lora hashes" not in none.infotext


def test_the_hires_prompt_can_be_read_with_the_loras_of_the_first_pass(own, folders):
    """The webui's option: the text encoder has those of the first pass, the UNet those of the hires prompt."""
    engine = Engine(own, networks=folders)

    def painted(*, first_networks, hires_prompt):
        fix = HiresFix(width=96, height=96, steps=2, prompt=hires_prompt)
        options = SamplingOptions(first_networks=first_networks)
        request = REQUEST.replace(prompt="1girl<lora:soft:0.8>", hires=fix, sampling=options)
        return pixels(run(engine, a=request)["a"].pictures[0])

    same = "1girl<lora:soft:0.8>"
    assert painted(first_networks=True, hires_prompt=same) == painted(first_networks=False, hires_prompt=same)
    assert painted(first_networks=True, hires_prompt="1girl") != painted(first_networks=False, hires_prompt="1girl")


def test_infotext_has_the_webuis_hashes(own, folders):
    """Of everything behind the metadata, or what these say; by the names of the prompt."""
    content = (folders.loras / "soft.safetensors").read_bytes()
    digest = hashlib.sha256(content[8 + int.from_bytes(content[:8], "little") :]).hexdigest()
    metadata = {"sshs_model_hash": "ab" * 32, "ss_output_name": "Stated Name"}
    write_lora(folders.loras, "stated", own.patches.targets, metadata=metadata)
    request = REQUEST.replace(prompt="a<lora:soft:0.5><lora:Stated Name:0.5><lora:SOFT:0.1>")
    painted = run(Engine(own, networks=folders), a=request)["a"]

    infotext = painted.pictures[0].infotext
    assert f'Lora hashes: "soft: {digest[:12]}, Stated Name: {"ab" * 6}, SOFT: {digest[:12]}"' in infotext
    assert 'Lora names: "SOFT: soft"' in infotext
    assert painted.notes == ("There is no LoRA 'SOFT': soft was used.",)


def test_unknown_modules_are_left_out_and_reported(own, folders):
    """The rest of the file works."""
    tensors = load_file(folders.loras / "soft.safetensors")
    for part in ("lora_down.weight", "lora_up.weight"):
        tensors[f"lora_unet_elsewhere.{part}"] = torch.zeros(2, 2)
    save_file(tensors, folders.loras / "odd.safetensors")
    engine = Engine(own, networks=folders)
    odd = run(engine, a=REQUEST.replace(prompt="a<lora:odd:0.5>"))["a"]

    assert odd.notes == ("1 modules of the LoRA odd are unknown: lora_unet_elsewhere.",)
    assert pixels(odd.pictures[0]) == pixels(run(engine, a=REQUEST.replace(prompt="a<lora:soft:0.5>"))["a"].pictures[0])


def test_changed_file_is_read_again(own, folders):
    engine, request = Engine(own, networks=folders), REQUEST.replace(prompt="a<lora:words:0.9>")
    first = run(engine, a=request)["a"].pictures[0]
    write_lora(folders.loras, "words", own.patches.targets, seed=8, part="lora_te_", rank=3)

    assert pixels(first) != pixels(run(engine, a=request)["a"].pictures[0])


def damaged(path):
    path.write_bytes(path.read_bytes()[:-100])


def for_sd2(path):
    tensors = load_file(path)
    name = next(name for name in tensors if "attn2_to_k.lora_down" in name)
    save_file(tensors | {name: torch.zeros(2, 1024)}, path)


def not_a_number(path):
    tensors = load_file(path)
    name = next(name for name in tensors if "lora_up" in name)
    save_file(tensors | {name: torch.full_like(tensors[name], torch.nan)}, path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (damaged, "soft cannot be used: soft.safetensors is cut short"),
        (for_sd2, "made for Stable Diffusion 2.x"),
        (not_a_number, "NaN"),
        (lambda path: save_file({"emb_params": torch.zeros(1, 768)}, path), "textual inversion embedding, not a LoRA"),
    ],
)
def test_file_that_cannot_be_used_fails_its_job_alone(own, folders, change, words):
    change(folders.loras / "soft.safetensors")
    engine = Engine(own, networks=folders)
    engine.admit("other", REQUEST)

    with pytest.raises(PaintingError, match=words) as caught:
        engine.admit("bad", REQUEST.replace(prompt="a<lora:soft:1>"))
    assert str(folders.loras) not in str(caught.value)
    assert "other" in run(engine)


@pytest.mark.parametrize(
    ("tags", "error", "words"),
    [
        ("<lora:unknown:1>", NotFoundError, "no LoRA 'unknown'. Known are hard, soft, words"),
        ("<lora:soft:much>", PromptError, "'much' where a number belongs"),
        ("<lora:soft:nan>", PromptError, "'nan' where a number belongs"),
        ("<lora::1>", PromptError, "names no LoRA"),
        ("<lora:soft:1:1:0>", PromptError, "'0' as its third number, dyn, which must be a whole number from 1"),
    ],
)
def test_tags_that_cannot_be_meant_are_refused(own, folders, tags, error, words):
    with pytest.raises(error, match=words):
        Engine(own, networks=folders).admit("a", REQUEST.replace(prompt=f"1girl {tags}"))


def test_kept_loras_are_bounded(own, folders):
    """The latest ones stay, whatever else was asked for; one is always kept."""
    library = LoraLibrary(own.patches, LoraFiles(folders.loras), kept_bytes=1)
    first, again = library.of_prompt("<lora:soft>")[0].lora, library.of_prompt("<lora:soft>")[0].lora
    library.of_prompt("<lora:hard>")

    assert first is again
    assert library.of_prompt("<lora:soft>")[0].lora is not first


@pytest.mark.parametrize(("name", "dtype"), [("fp16", torch.float16), ("bf16", torch.bfloat16)])
def test_half_precision_rounds_to_the_files_format_and_back(bundled, folders, name, dtype):
    """The float32 sum, as the file could hold it, and then as the network holds it."""
    half, fresh = (loading.load(str(bundled), device="cpu", precision=name) for _ in range(2))
    library = LoraLibrary(half.patches, LoraFiles(folders.loras))
    (used,) = library.of_prompt("<lora:soft:0.5>")
    key = next(key for key in used.lora.changes if key.endswith("attn1.to_q.weight"))
    library.use_in_unet(((used.lora, 0.5),))
    original, factors = fresh.patches.unet.layers[key].weight, used.lora.changes[key]
    change = 0.5 * factors.scale * (factors.tensors["up"].double() @ factors.tensors["down"].double())

    expected = (original.double() + change).to(torch.float16).to(dtype)
    torch.testing.assert_close(half.patches.unet.layers[key].weight, expected, rtol=0.01, atol=1e-4)
    library.use_in_unet(())
    assert all(torch.equal(a, b) for a, b in zip(half.unet.parameters(), fresh.unet.parameters(), strict=True))


def test_change_that_breaks_off_is_made_good(own, folders, monkeypatch):
    """Memory may run out between two layers: the next use starts from the originals."""
    patches = NetworkPatches(own.unet, own.text_encoder, {})
    library = LoraLibrary(patches, LoraFiles(folders.loras))
    before = weights(own)
    (used,) = library.of_prompt("<lora:soft:0.5>")
    calls = []

    def failing(original, changes):
        calls.append(original)
        if len(calls) == 5:
            raise MemoryError
        return add_changes(original, changes)

    monkeypatch.setattr(patches, "unet", Patch(lambda layers=patches.unet.layers: layers, add=failing))
    with pytest.raises(MemoryError):
        library.use_in_unet(((used.lora, 0.5),))
    assert not same(before, weights(own))
    library.use_in_unet(())

    assert same(before, weights(own))


@pytest.mark.parametrize("times", [1, 1000])
def test_short_memory_while_weights_change_fails_at_most_its_own_job(own, folders, monkeypatch, times):
    """Once: the job is painted all the same. Again and again: it fails alone, and the weights are the originals."""
    before = weights(own)
    jobs = {"soft": REQUEST.replace(prompt="1girl<lora:soft:0.8>"), "plain": REQUEST}
    alone = {name: run(Engine(own, networks=folders), a=job)["a"].pictures[0] for name, job in jobs.items()}
    calls = []

    def failing(original, changes):
        calls.append(original)
        if 7 < len(calls) <= 7 + times:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        return add_changes(original, changes)

    layers = own.patches.unet.layers
    monkeypatch.setattr(own.patches, "unet", Patch(lambda: layers, forget=own.unet.forget, add=failing))
    painted = run(Engine(own, networks=folders), **jobs)

    assert painted.keys() == ({"soft", "plain"} if times == 1 else {"plain"})
    for name, event in painted.items():
        assert largest_difference(alone[name], event.pictures[0]) <= 1
    run(Engine(own, networks=folders), a=REQUEST.replace(prompt="cat"))
    assert same(before, weights(own))


def test_cancelled_jobs_leave_nothing_in_the_weights(own, folders):
    """Midway through passes with several sets of LoRAs."""
    before = weights(own)
    engine = Engine(own, networks=folders)
    hires = HiresFix(width=96, height=96, steps=2, prompt="1girl<lora:hard:0.5>")
    engine.admit("one", REQUEST.replace(prompt="1girl<lora:soft:0.8>", hires=hires))
    engine.admit("other", REQUEST.replace(prompt="1girl<lora:hard:0.2:-1>"))
    for _ in range(4):
        engine.step()
    engine.cancel("one")
    engine.cancel("other")
    while not engine.idle:
        engine.step()
    run(engine, a=REQUEST.replace(prompt="dog"))

    assert same(before, weights(own))


def test_targets_are_those_of_the_workshop(own, bundled):
    """Loaded networks and files have the same layers by the same names, but for those that only painting changes."""
    from pastelbot.diffusion.lora.targets import find_targets
    from pastelbot.workshop.folders import open_folder

    entries = open_folder(bundled).source.entries

    assert own.patches.targets == find_targets(entries, rare=True)
    rare = own.patches.targets.keys() - find_targets(entries).keys()
    assert {name for name in rare if len(own.patches.targets[name].shape) > 1} == {
        "lora_unet_conv_in",
        "lora_unet_conv_out",
        "lora_unet_time_embedding_linear_1",
        "lora_unet_time_embedding_linear_2",
    }
    assert all("norm" in name for name in rare if len(own.patches.targets[name].shape) == 1)
    assert len(lora_tensors(own.patches.targets)) > 100
