"""Textual inversions against vectors put in by hand: new rows of the token table, called by new token numbers."""

import copy

import pytest
import torch
from torch import nn

from pastelbot.diffusion.conditioning.conditioner import Conditioner

SIZES = {"mood": 1, "mood ring": 3, "moo": 2, "wide": 75, "dark.v2": 4}
CLIP_SKIP = 2


@pytest.fixture(scope="module")
def vectors(small):
    generator = torch.Generator().manual_seed(3)
    width = small.conditioner.width
    return {name: torch.randn(count, width, generator=generator) for name, count in SIZES.items()}


@pytest.fixture(scope="module")
def conditioner(small, vectors):
    return Conditioner(small.tokenizer, copy.deepcopy(small.text_encoder), embeddings=vectors)


@pytest.fixture(scope="module")
def by_hand(small, vectors):
    """Return a function from tokens, names and weights to what the text encoder says; a list for each chunk."""
    encoder = copy.deepcopy(small.text_encoder)
    inner = getattr(encoder, "text_model", encoder)
    table = inner.embeddings.token_embedding.weight
    first = {}
    for name, rows in vectors.items():
        first[name] = len(table)
        table = torch.cat([table, rows])
    inner.embeddings.token_embedding = nn.Embedding.from_pretrained(table)
    tokenizer = small.tokenizer

    def numbers(item):
        if item in first:
            return range(first[item], first[item] + SIZES[item])
        return tokenizer.encode(item)

    def encode(*chunks):
        encoded = []
        for chunk in chunks:
            tokens, weights = [tokenizer.start], [1.0]
            for item in chunk:
                text, weight = item if isinstance(item, tuple) else (item, 1.0)
                tokens += numbers(text)
                weights += [weight] * len(numbers(text))
            missing = 77 - len(tokens)
            assert missing > 0
            tokens, weights = tokens + [tokenizer.end] * missing, weights + [1.0] * missing
            with torch.no_grad():
                layers = encoder(input_ids=torch.tensor([tokens]), output_hidden_states=True).hidden_states
                found = inner.final_layer_norm(layers[-CLIP_SKIP])
            weighted = found * torch.tensor([weights]).unsqueeze(-1)
            encoded.append(weighted * (found.mean() / weighted.mean()))
        return torch.cat(encoded, dim=1)

    return encode


CAT = "cat"
CASES = {
    "alone": ("mood", [["mood"]]),
    "case makes no difference": ("MOOD, Mood", [["mood", ",", "mood"]]),
    "several vectors": ("a mood ring here", [["a", "mood ring", "here"]]),
    "the longest of names that begin alike": ("moo, mood, mood ring", [["moo", ",", "mood", ",", "mood ring"]]),
    "a name inside another word is none": ("moody", [["moody"]]),
    "two adjacent": ("mood moo", [["mood", "moo"]]),
    "the same one twice": ("mood ring mood ring", [["mood ring", "mood ring"]]),
    "signs in the name": ("dark.v2, cat", [["dark.v2", ",", CAT]]),
    "emphasis": ("(mood ring:1.3), cat", [[("mood ring", 1.3), (",", 1.0), CAT]]),
    "emphasis by brackets": ("((moo)) [mood]", [[("moo", 1.1 * 1.1), ("mood", 1 / 1.1)]]),
    "emphasis on a part": ("mood (ring:1.2)", [["mood", ("ring", 1.2)]]),
    "up to the border": ("cat " * 74 + "mood", [[CAT] * 74 + ["mood"]]),
    "on the border": ("cat " * 75 + "mood", [[CAT] * 75, ["mood"]]),
    "behind the border": ("cat " * 76 + "mood", [[CAT] * 75, [CAT, "mood"]]),
    "just fits": ("cat " * 72 + "mood ring", [[CAT] * 72 + ["mood ring"]]),
    "whole into the next chunk": ("cat " * 73 + "mood ring cat", [[CAT] * 73, ["mood ring", CAT]]),
    "whole into the next with the one before": ("cat " * 74 + "mood moo", [[CAT] * 74 + ["mood"], ["moo"]]),
    "not torn from its tag": (
        "cat " * 60 + ", " + "cat " * 13 + "mood moo",
        [[CAT] * 60 + [","], [CAT] * 13 + ["mood", "moo"]],
    ),
    "a whole chunk": ("cat wide cat", [[CAT], ["wide"], [CAT]]),
    "BREAK between": ("mood BREAK moo", [["mood"], ["moo"]]),
}


@pytest.mark.parametrize("case", CASES)
def test_prompt_is_what_the_vectors_by_hand_are(conditioner, by_hand, case):
    prompt, chunks = CASES[case]
    actual = conditioner.encode([prompt], clip_skip=CLIP_SKIP)

    torch.testing.assert_close(actual, by_hand(*chunks), rtol=0, atol=2e-5)


def test_positive_and_negative_prompts_read_them_alike(conditioner, by_hand):
    """In the negative prompt as in the other, and at the step where prompt editing brings them in."""
    (positive,) = conditioner.positive(["cat, [mood:mood ring:0.5]"], steps=4, clip_skip=CLIP_SKIP)
    (negative,) = conditioner.negative(["cat, mood ring"], steps=4, clip_skip=CLIP_SKIP)
    last = positive.at(4)[0][0]

    torch.testing.assert_close(last[None], by_hand(["cat", ",", "mood ring"]), rtol=0, atol=2e-3)
    torch.testing.assert_close(negative.at(0)[0][0][None], by_hand(["cat", ",", "mood ring"]), rtol=0, atol=2e-5)
    assert not torch.equal(positive.at(0)[0][0], last)
