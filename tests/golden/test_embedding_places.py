"""Which places of a prompt's chunks embeddings take, and what they count for."""

import pytest
from golden_cases import cases

from pastelbot.prompt.tokenization.chunks import EmbeddingNames, chunk_text

PROMPTS = cases("embeddings.json", "prompts")
VECTORS = {each["name"]: each["vectors"] for each in cases("embeddings.json", "embeddings")}


@pytest.mark.parametrize("case", PROMPTS, ids=lambda case: case["prompt"][:40])
def test_embeddings_take_the_recorded_places(case, tokenizer):
    line = chunk_text(tokenizer, case["prompt"], embeddings=EmbeddingNames(VECTORS, tokenizer))

    assert case["token_count"] == line.token_count
    for expected, chunk in zip(case["chunks"], line.chunks, strict=True):
        placed = [[each.offset, each.name] for each in chunk.embeddings]
        taken = {each.offset + 1 + place for each in chunk.embeddings for place in range(each.vectors)}
        assert expected["fixes"] == placed
        assert expected["tokens"] == [0 if place in taken else token for place, token in enumerate(chunk.tokens)]
        assert pytest.approx(expected["multipliers"], abs=1e-6) == list(chunk.weights)
