import pytest

from pastelbot.prompt.tokenization.chunks import chunk_text


def test_chunks_and_counts_are_the_recorded_ones(recorded, tokenizer):
    for case in recorded("tokens.json"):
        backtrack = case.get("comma_padding_backtrack", 20)
        line = chunk_text(tokenizer, case["prompt"], backtrack=backtrack)

        assert (case["token_count"], case["target"]) == (line.token_count, line.limit), case["prompt"]
        assert [chunk["tokens"] for chunk in case["chunks"]] == [list(chunk.tokens) for chunk in line.chunks]
        for expected, chunk in zip(case["chunks"], line.chunks, strict=True):
            assert pytest.approx(expected["multipliers"], abs=1e-9) == list(chunk.weights), case["prompt"]
