"""More LoRA tags that people have in their texts: kind G of the cases from the field."""

import pytest
from helpers.small_checkpoints import make_lora, save

from pastelbot.errors import PromptError
from pastelbot.formats.network_files import LoraFiles
from pastelbot.infotext import read_request, with_loras_here
from pastelbot.prompt.lora_tags import read_lora_tags

SETTINGS = "Steps: 12, Sampler: Euler a, CFG scale: 6, Seed: 77, Size: 128x192"

# What extensions of the webui put behind the first number, and what is followed: te, unet, and the parts that are not.
READ = {
    "<lora:soft:1:IN02>": (1.0, 1.0, ("IN02",)),
    "<lora:soft:0.5:0,0,1,1>": (0.5, 0.5, ("0,0,1,1",)),
    "<lora:soft:0.5:0.7:MIDD>": (0.5, 0.7, ("MIDD",)),
    "<lora:soft:0.5:lbw=OUTALL:start=3>": (0.5, 0.5, ("lbw=OUTALL", "start=3")),
    "<lora:soft:1:>": (1.0, 1.0, ()),
    "<lora:soft: 0.8 >": (0.8, 0.8, ()),
}


@pytest.mark.parametrize("tag", READ)
def test_what_extensions_have_in_tags_is_named_and_not_followed(tag):
    (read,) = read_lora_tags(f"1girl {tag}")

    assert READ[tag] == (read.te, read.unet, read.ignored)


BROKEN = ["<lora:soft:abc>", "<lora:soft:1@0.2>", "<lora:soft:0,8>", "<lora:soft:80%>", "<lora:soft:[0.5:1:0.3]>"]


@pytest.fixture
def loras(tmp_path):
    save(make_lora(), tmp_path / "soft.safetensors")
    return LoraFiles(tmp_path)


@pytest.mark.parametrize("tag", BROKEN)
def test_a_tag_that_cannot_be_read_is_refused_where_it_is_typed_and_left_out_of_an_infotext(tag, loras):
    with pytest.raises(PromptError, match="where a number belongs"):
        read_lora_tags(tag)
    request, notes = with_loras_here(read_request(f"1girl {tag}\n{SETTINGS}"), loras)

    assert request.prompt.strip() == "1girl"
    assert len(notes) == 1
    assert notes[0].startswith(f"A LoRA is left out. `{tag}` has ")


@pytest.mark.parametrize("tag", ["<locon:soft:1>", "<embedding:easy>", "<wlr:foo>"])
def test_a_tag_of_an_unknown_kind_is_said(tag, loras):
    """It is no text of the prompt either, as in the webui."""
    _request, notes = with_loras_here(read_request(f"1girl {tag}\n{SETTINGS}"), loras)

    assert [f"The tag {tag} is of no known kind: it is left out."] == notes


@pytest.mark.parametrize("name", ["soft.safetensors", "soft.SAFETENSORS", "soft.Safetensors"])
def test_a_lora_is_found_by_its_files_whole_name(name, loras):
    request, notes = with_loras_here(read_request(f"1girl <lora:{name}:1>\n{SETTINGS}"), loras)

    assert notes == []
    assert request.prompt == f"1girl <lora:{name}:1>"
