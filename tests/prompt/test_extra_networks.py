import pytest

from pastelbot.prompt.extra_networks import extract_networks
from pastelbot.prompt.lora_tags import LoraTag, read_lora_tags, rename_loras


def test_tags_leave_the_prompt_and_keep_their_names():
    extracted = extract_networks("a <lora:My_LoRA v1.0 (final):0.8:te=0.5> b")

    assert extracted.prompt == "a  b"
    (tag,) = extracted.tags
    assert tag.kind == "lora"
    assert tag.positional == ("My_LoRA v1.0 (final)", "0.8")
    assert tag.named == {"te": "0.5"}


def test_what_only_resembles_a_tag_stays():
    for text in ("<lora>", "a < b : c >", "<:x>", "<lora:x"):
        assert extract_networks(text).prompt == text


@pytest.mark.parametrize(
    ("text", "te", "unet"),
    [
        ("<lora:soft>", 1, 1),
        ("<lora:soft:0.6>", 0.6, 0.6),
        ("<lyco:soft:0.6:0.2>", 0.6, 0.2),
        ("<LORA:soft:-1:unet=0.5>", -1, 0.5),
        ("<lora:soft:te=0.1:unet=0.5>", 0.1, 0.5),
        ("<lora:te=0.1:soft>", 0.1, 0.1),
        ("<lora:soft:0.6:0.2:te=0.9>", 0.9, 0.2),
        ("<lora:soft: .5 >", 0.5, 0.5),
    ],
)
def test_multipliers_are_read_as_the_webui_reads_them(text, te, unet):
    assert (LoraTag(name="soft", te=te, unet=unet),) == read_lora_tags(f"a, {text} b")


def test_other_tags_are_no_loras():
    assert () == read_lora_tags("a <note:x> <hypernet:soft:1> < lora:x>")


def test_loras_are_renamed_and_taken_out_and_all_else_stays():
    names = {"old": "new name", "1": "one", "keep": "keep"}
    text = "a<lora:old:0.5:te=1>, <note:old> <lyco:1:1> <lora:gone:1>(b:1.2) <lora:keep> <lora:te=1>"

    renamed = rename_loras(text, names.get)
    assert renamed == "a<lora:new name:0.5:te=1>, <note:old> <lyco:one:1> (b:1.2) <lora:keep> <lora:te=1>"
