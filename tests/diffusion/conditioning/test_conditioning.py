import pytest
import torch
from helpers.support import cpu_seconds
from transformers import CLIPTextConfig, CLIPTextModel

from pastelbot.diffusion.conditioning.conditioner import Conditioner
from pastelbot.diffusion.conditioning.emphasis import apply_emphasis
from pastelbot.errors import PromptError
from pastelbot.prompt.tokenization.tokenizer import ClipTokenizer
from pastelbot.prompt.tokenization.tokens import token_count

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789,.:()[]|-_<>"
NAMES = [*LETTERS, *(letter + "</w>" for letter in LETTERS), "<|startoftext|>", "<|endoftext|>"]
DIM = 8


@pytest.fixture(scope="module")
def letters():
    """Return a tokenizer that spells everything."""
    return ClipTokenizer({name: index for index, name in enumerate(NAMES)}, [])


@pytest.fixture(scope="module")
def encoder():
    """Return a text encoder with three layers of random weights."""
    torch.manual_seed(0)
    config = CLIPTextConfig(
        vocab_size=len(NAMES),
        hidden_size=DIM,
        intermediate_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        max_position_embeddings=77,
        eos_token_id=len(NAMES) - 1,
        bos_token_id=len(NAMES) - 2,
    )
    model = CLIPTextModel(config).eval()
    torch.nn.init.normal_(model.get_submodule("final_layer_norm").bias)  # or its output's mean is 0
    return model


@pytest.fixture(scope="module")
def conditioner(letters, encoder):
    """Return a conditioner of both."""
    return Conditioner(letters, encoder)


def test_texts_of_a_call_are_filled_up_to_the_longest(conditioner):
    encoded = conditioner.encode(["a", "b BREAK c"], clip_skip=2)

    assert encoded.shape == (2, 154, DIM)
    torch.testing.assert_close(encoded[0, 77:], conditioner.encode([""], clip_skip=2)[0], rtol=0, atol=1e-6)


def test_clip_skip_leaves_out_the_last_layers(conditioner):
    one, two, three, many = (conditioner.encode(["a"], clip_skip=skip) for skip in (1, 2, 3, 99))

    assert not torch.allclose(one, two)
    assert not torch.allclose(two, three)
    assert torch.isfinite(many).all()


def test_original_emphasis_keeps_the_mean_of_the_call():
    torch.manual_seed(1)
    encoded, weights = torch.randn(2, 77, DIM), torch.rand(2, 77) + 0.5
    original = apply_emphasis(encoded, weights, "Original")
    plain = apply_emphasis(encoded, weights, "No norm")

    assert original.mean().item() == pytest.approx(encoded.mean().item(), abs=1e-6)
    assert torch.equal(plain, encoded * weights.unsqueeze(-1))
    assert apply_emphasis(encoded, weights, "Ignore") is encoded


def test_a_schedule_switches_after_its_step(conditioner):
    (schedule,) = conditioner.positive(["[a:b:0.5]"], steps=20, clip_skip=2)
    tensors = [schedule.at(call)[0][0] for call in range(20)]

    assert all(tensor is tensors[0] for tensor in tensors[:11])
    assert all(tensor is tensors[11] for tensor in tensors[11:])
    assert not torch.equal(tensors[0], tensors[11])


def test_alternating_texts_are_one_tensor_each(conditioner):
    (schedule,) = conditioner.positive(["[a|b]"], steps=20, clip_skip=2)

    assert len({id(schedule.at(call)[0][0]) for call in range(20)}) == 2


def test_the_hires_pass_has_its_own_schedule(conditioner):
    (first,) = conditioner.positive(["[a:b:1.5]"], steps=20, clip_skip=2)
    (second,) = conditioner.positive(["[a:b:1.5]"], steps=20, hires_steps=10, clip_skip=2)
    a, b = (conditioner.encode([text], clip_skip=2)[0] for text in "ab")

    assert torch.equal(first.at(19)[0][0], a)
    assert torch.allclose(second.at(9)[0][0], b, atol=1e-6)


def test_parts_of_a_composition_are_equally_long(conditioner):
    (schedule,) = conditioner.positive(["a AND b BREAK c :0.5"], steps=20, clip_skip=2)
    (short, one), (long, half) = schedule.at(0)

    assert (one, half) == (1.0, 0.5)
    assert short.shape == long.shape == (154, DIM)
    assert torch.equal(short[77:], short[76:77].expand(77, -1))
    assert schedule.at(0)[0][0] is short


def test_a_batch_is_as_long_as_its_longest_prompt_at_each_step(conditioner):
    short, changing = conditioner.positive(["a", "[b:c BREAK d:0.5] AND e"], steps=20, clip_skip=2)

    assert short.at(0)[0][0].shape == short.at(19)[0][0].shape == (154, DIM)
    assert changing.at(0)[0][0].shape == (154, DIM)


def test_and_is_a_word_in_a_negative_prompt(conditioner):
    (schedule,) = conditioner.negative(["a AND b"], steps=20, clip_skip=2)
    ((tensor, weight),) = schedule.at(0)

    assert weight == 1.0
    assert torch.equal(tensor, conditioner.encode(["a AND b"], clip_skip=2)[0])


def test_a_prompt_is_encoded_alike_in_any_batch(conditioner):
    (alone,) = conditioner.positive(["(a:1.5)"], steps=20, clip_skip=2)
    among = conditioner.positive(["b", "(a:1.5)", "[c]"], steps=20, clip_skip=2)[1]

    assert torch.equal(alone.at(0)[0][0], among.at(0)[0][0])


def test_learnt_vectors_take_the_place_of_their_name(letters, encoder):
    vectors = torch.randn(2, DIM)
    conditioner = Conditioner(letters, encoder, embeddings={"xyz": vectors})
    plain = Conditioner(letters, encoder)

    assert not torch.allclose(conditioner.encode(["xyz"], clip_skip=1), plain.encode(["xyz"], clip_skip=1))
    assert torch.equal(conditioner.encode(["abc"], clip_skip=1), plain.encode(["abc"], clip_skip=1))


def test_errors_come_through(conditioner):
    with pytest.raises(PromptError):
        conditioner.positive(["(a:1.2.3)"], steps=20, clip_skip=2)
    assert token_count(conditioner.tokenizer, "(a:1.2.3)")[1] == 75


def test_two_hundred_tags_cost_next_to_nothing_besides_the_text_encoder(conditioner):
    prompt = ", ".join(f"(long tag {number}:1.{number % 9})" for number in range(200))

    assert cpu_seconds(lambda: token_count(conditioner.tokenizer, prompt)) < 0.5
