from pastelbot.prompt.extra_networks import extract_batch, extract_networks


def test_tags_leave_the_prompt_and_keep_their_names():
    extracted = extract_networks("a <lora:My_LoRA v1.0 (final):0.8:te=0.5> b")

    assert extracted.prompt == "a  b"
    (tag,) = extracted.by_kind["lora"]
    assert tag.positional == ("My_LoRA v1.0 (final)", "0.8")
    assert tag.named == {"te": "0.5"}


def test_what_only_resembles_a_tag_stays():
    for text in ("<lora>", "a < b : c >", "<:x>", "<lora:x"):
        assert extract_networks(text).prompt == text


def test_the_first_prompt_of_a_batch_decides():
    prompts, tags = extract_batch(["a <lora:x:1>", "b <lora:y:1>"])

    assert prompts == ["a ", "b "]
    assert [tag.items for tag in tags] == [("x", "1")]
