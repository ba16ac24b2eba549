import pytest

from pastelbot.errors import PromptError
from pastelbot.prompt.attention import parse_attention


def test_fragments_and_weights_are_the_recorded_ones(recorded):
    for case in recorded("prompt_attention.json"):
        prompt = case["prompt"]
        if "error" in case:
            with pytest.raises(PromptError) as caught:
                parse_attention(prompt)

            assert caught.value.position is not None, prompt
            continue
        fragments = parse_attention(prompt)

        assert [text for text, _ in case["result"]] == [fragment.text for fragment in fragments], prompt
        assert pytest.approx([weight for _, weight in case["result"]], abs=1e-9) == [
            fragment.weight for fragment in fragments
        ], prompt
