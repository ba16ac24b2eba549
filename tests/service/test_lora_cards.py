"""The LoRA browser's cards: what files say of themselves, found by their words."""

import json

import pytest
import torch
from safetensors.torch import save_file

from pastelbot.formats.network_files import LoraFiles
from pastelbot.service.models.lora_cards import LoraCard, LoraCards

NAME = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight"


@pytest.fixture
def folder(tmp_path):
    tags = json.dumps({"10_soft": {"1girl": 9, "soft light": 20}})
    metadata = {"ss_tag_frequency": tags, "ss_output_name": "Soft Light", "ss_base_model_version": "sd_v1"}
    save_file({NAME: torch.zeros(4, 768)}, tmp_path / "soft.safetensors", metadata=metadata)
    save_file({"a": torch.zeros(1)}, tmp_path / "Plain.safetensors")
    (tmp_path / "damaged.safetensors").write_bytes(b"\xff" * 40)
    return tmp_path


SOFT = LoraCard(name="soft", words=("soft light", "1girl"), base="Stable Diffusion 1.x", title="Soft Light")


@pytest.mark.parametrize(
    ("text", "names"),
    [("", ["damaged", "Plain", "soft"]), ("LIGHT diffusion", ["soft"]), ("1girl", ["soft"]), ("none", [])],
)
async def test_loras_are_found_by_all_words_of_a_text(folder, text, names):
    found, count = await LoraCards(LoraFiles(folder)).find(text, start=0, most=9)

    assert names == [card.name for card in found]
    assert count == len(names)


async def test_a_card_says_what_the_file_says_of_itself_until_it_changes(folder):
    cards = LoraCards(LoraFiles(folder))
    assert await cards.find("soft", start=0, most=9) == ([SOFT], 1)

    metadata = {"modelspec.trigger_phrase": "softly"}
    save_file({"a": torch.zeros(9)}, folder / "soft.safetensors", metadata=metadata)

    assert await cards.find("softly", start=0, most=9) == ([LoraCard(name="soft", words=("softly",))], 1)


async def test_a_page_has_some_of_them_and_says_how_many_there_are(folder):
    found, count = await LoraCards(LoraFiles(folder)).find("", start=1, most=1)

    assert (["Plain"], 3) == ([card.name for card in found], count)
