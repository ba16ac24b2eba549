"""The UNet with nothing computed twice: the numbers of diffusers' own, in fewer operations."""

import copy
from collections import Counter

import pytest
import torch
from helpers.small_unets import SMALL
from torch.utils._python_dispatch import TorchDispatchMode

from pastelbot.diffusion.lora.patch import NetworkPatches
from pastelbot.diffusion.networks.lean_unet import LeanUnet
from pastelbot.diffusion.networks.unet import UNet2DConditionModel, prepare_unet

CPU = torch.device("cpu")
STABLE_DIFFUSION = {"sample_size": 64, "cross_attention_dim": 768, "attention_head_dim": 8}


class Operations(TorchDispatchMode):
    """Counts the operations that compute something."""

    def __init__(self):
        super().__init__()
        self.counts = Counter()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if not function.is_view:
            self.counts[str(function)] += 1
        return function(*args, **(kwargs or {}))


def unet(**config):
    torch.manual_seed(0)
    return prepare_unet(LeanUnet(**SMALL | config), CPU, torch.float32)


def inputs(rows=2, size=(8, 8), tokens=77):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn((rows, 4, *size), generator=generator).to(memory_format=torch.channels_last)
    return x, torch.full((rows,), 321.5), torch.randn((rows, tokens, 16), generator=generator)


def operations(network, *given):
    with torch.inference_mode(), Operations() as counted:
        network(*given, return_dict=False)
    return counted.counts


def lean(network, *given):
    with torch.inference_mode():
        return network(*given, return_dict=False)[0]


def stock(network, *given):
    with torch.inference_mode():
        return UNet2DConditionModel.forward(network, *given, return_dict=False)[0]


@pytest.mark.parametrize("size", [(8, 8), (7, 11)])
@pytest.mark.parametrize("config", [{}, {"use_linear_projection": True}, {"transformer_layers_per_block": 2}])
def test_it_answers_as_the_unet_of_diffusers_does(config, size):
    network = unet(**config)

    torch.testing.assert_close(lean(network, *inputs(size=size)), stock(network, *inputs(size=size)), atol=2e-6, rtol=0)


def test_rows_may_be_at_different_times():
    network, (x, _, context) = unet(), inputs(rows=3)
    times = torch.tensor([10.0, 700.25, 10.0])

    torch.testing.assert_close(lean(network, x, times, context), stock(network, x, times, context), atol=2e-6, rtol=0)


def test_a_call_of_stable_diffusions_unet_has_at_most_600_operations():
    """Its keys, values and times are computed in the first step; diffusers takes over 700 each time."""
    with torch.inference_mode(), torch.device("meta"):
        network = LeanUnet(**STABLE_DIFFUSION).eval()
        given = torch.empty(2, 4, 8, 8), torch.empty(2, 77, 768)
        prepared = network.inputs([1.0, 1.0], given[1])
    with torch.inference_mode(), Operations() as counted:
        network.predict(given[0], prepared)

    assert 400 < counted.counts.total() <= 600


def test_keys_values_and_times_are_computed_once():
    network, given = unet(), inputs()
    first, again = operations(network, *given), operations(network, *given)
    linear = "aten.linear.default"
    other = operations(network, given[0], given[1] + 1, given[2])

    # Two of each cross-attention: one down, one in the middle, two up.
    assert first[linear] - again[linear] == 2 * 4 + (2 + 8)
    assert other[linear] - again[linear] == 2 + 8
    assert operations(network, given[0], given[1], given[2].clone())[linear] - again[linear] == 2 * 4


def test_what_changes_the_weights_is_seen():
    """A LoRA writes into them; keys, values and the joined matrix follow."""
    network, given = unet(), inputs()
    patch = NetworkPatches(network, torch.nn.Module(), {}).unet
    held = dict(network.named_parameters())
    lean(network, *given)
    with torch.no_grad():
        for name, weight in held.items():
            if any(part in name for part in ("to_q", "to_k", "to_v", "time_emb_proj")):
                weight.mul_(1.5)
    patch.use(((NoChange(), 1.0),))

    torch.testing.assert_close(lean(network, *given), stock(network, *given), atol=2e-6, rtol=0)


class NoChange:
    """Stands for a LoRA that changes no layer."""

    identity, changes = "none", {}


def test_a_copy_has_weights_of_its_own():
    network, given = unet(), inputs()
    before = lean(network, *given)
    other = copy.deepcopy(network)
    with torch.no_grad():
        for weight in other.parameters():
            weight.mul_(0.5)
    other.forget()

    torch.testing.assert_close(lean(other, *given), stock(other, *given), atol=2e-6, rtol=0)
    assert torch.equal(lean(network, *given), before)


def test_a_unet_built_otherwise_is_left_to_diffusers():
    network, given = unet(resnet_time_scale_shift="scale_shift"), inputs()

    assert torch.equal(lean(network, *given), stock(network, *given))


def test_other_number_formats_are_taken():
    network, (x, times, context) = unet(), inputs()
    network.to(torch.bfloat16)
    given = x.bfloat16(), times, context.bfloat16()

    torch.testing.assert_close(lean(network, *given), stock(network, *given), atol=2e-2, rtol=0)


def test_a_step_is_one_graph_without_breaks():
    """What reads a number or decides by one would break it; nothing is compiled here."""
    network, (x, times, context) = unet(), inputs()
    prepared = network.inputs(times.tolist(), context)
    graphs = []

    def kept(graph, _inputs):
        graphs.append(graph)
        return graph.forward

    with torch.no_grad():
        compiled = torch.compile(network.predict, fullgraph=True, backend=kept)(x, prepared)

    assert len(graphs) == 1
    torch.testing.assert_close(compiled, lean(network, x, times, context), atol=2e-6, rtol=0)
