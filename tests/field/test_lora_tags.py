"""LoRA tags with the parts that people bring from the webui and its extensions: followed, or ignored with a note."""

import pytest
import torch
from helpers.lora_files import write_lora
from helpers.small_checkpoints import make_checkpoint

from pastelbot.diffusion.lora.changes import Change, add_changes
from pastelbot.diffusion.lora.library import LoraLibrary
from pastelbot.diffusion.lora.patch import Patch
from pastelbot.diffusion.lora.targets import find_targets
from pastelbot.diffusion.weights.tensor_sources import MemorySource
from pastelbot.errors import PromptError
from pastelbot.formats.layout.network_kinds import LORA
from pastelbot.formats.network_files import LoraFiles
from pastelbot.prompt.lora_tags import LoraTag, read_lora_tags


class NoPatches:
    """Layers to load LoRAs for, which no weights stand behind."""

    unet = Patch(dict)
    text = Patch(dict)
    targets = find_targets(MemorySource(make_checkpoint(), "it").entries)


@pytest.fixture
def library(tmp_path):
    write_lora(tmp_path, "soft", NoPatches.targets, seed=1, rank=4, alpha=2.0)
    return LoraLibrary(NoPatches(), LoraFiles(tmp_path))


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (":0.8:lbw=OUTALL", {"te": 0.8, "unet": 0.8, "ignored": ("lbw=OUTALL",)}),
        (":0.8:lbw=OUTALL:stop=10", {"te": 0.8, "unet": 0.8, "ignored": ("lbw=OUTALL", "stop=10")}),
        (":lbw=1,0,0:0.8", {"te": 0.8, "unet": 0.8, "ignored": ("lbw=1,0,0",)}),
        (":1:uent=2", {"ignored": ("uent=2",)}),
        (":TE=0.5", {"ignored": ("TE=0.5",)}),
        (":0.5:0.6:8", {"te": 0.5, "unet": 0.6, "rank": 8}),
        (":0.5:dyn=8", {"te": 0.5, "unet": 0.5, "rank": 8}),
        (":0.5:0.6:8:dyn=4", {"te": 0.5, "unet": 0.6, "rank": 4}),
        (":0.5:0.6: 8 :more:9", {"te": 0.5, "unet": 0.6, "rank": 8, "ignored": ("more", "9")}),
    ],
)
def test_parts_are_read_as_the_webui_reads_them(parts, expected):
    assert read_lora_tags(f"1girl <lora:soft{parts}>") == (LoraTag(name="soft", **expected),)


@pytest.mark.parametrize("rank", ["0", "-1", "0.5", "٣", "1e3"])
def test_a_rank_is_a_whole_number(rank):
    """A word in its place is an extension's, which `test_more_lora_tags.py` tries."""
    with pytest.raises(PromptError, match="which must be a whole number from 1"):
        read_lora_tags(f"1girl <lora:soft:1:1:{rank}>")


def test_what_is_ignored_is_said_once_with_its_lora(library):
    (used,) = library.of_prompt("1girl <lora:soft:0.8:lbw=OUTALL:stop=10>")
    (plain,) = library.of_prompt("1girl <lora:soft:0.8>")

    assert used.notes == ["The tag of the LoRA soft has parts that are not followed: lbw=OUTALL, stop=10."]
    assert used.lora is plain.lora
    assert plain.notes == []


def test_many_long_parts_make_a_short_note(library):
    (used,) = library.of_prompt("<lora:soft:" + ":".join(f"{letter}={'1,' * 500}" for letter in "abcdef") + ">")

    assert len(used.notes[0]) < 250


def test_ranks_are_the_first_ones_at_the_whole_files_scale(library):
    whole, two, again = (library.of_prompt(f"<lora:soft:1:1{dyn}>")[0].lora for dyn in ("", ":2", ":dyn=2"))

    assert again is two
    assert two.identity != whole.identity
    for key, change in whole.changes.items():
        up, down = change.tensors["up"], change.tensors["down"]
        weight = torch.zeros(up.shape[0], down.shape[1:].numel())
        expected = 0.5 * (up.flatten(1)[:, :2] @ down.flatten(1)[:2])
        torch.testing.assert_close(add_changes(weight, [(two.changes[key], 1.0)]), expected)


@pytest.mark.parametrize("rank", [4, 5, 999_999_999])
def test_more_ranks_than_there_are_change_nothing(library, rank):
    whole, cut = (library.of_prompt(f"<lora:soft:1:1{dyn}>")[0].lora for dyn in ("", f":{rank}"))

    for key, change in whole.changes.items():
        assert torch.equal(change.tensors["down"], cut.changes[key].tensors["down"])
        assert change.scale == cut.changes[key].scale


def test_layers_with_a_middle_factor_keep_all_ranks():
    """As in the webui."""
    tensors = {"down": torch.ones(4, 8, 1, 1), "up": torch.ones(8, 4, 1, 1), "mid": torch.ones(4, 4, 3, 3)}
    change = Change(kind=LORA, tensors=tensors, numbers={"alpha": 2.0})

    assert change.first(2) is change
