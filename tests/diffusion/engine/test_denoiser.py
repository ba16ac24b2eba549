"""From predictions to guided, denoised latents."""

import math
from dataclasses import replace

import pytest
import torch

from pastelbot.diffusion.engine.denoiser import Denoiser, DenoiseRequest, Guidance
from pastelbot.diffusion.sampling.schedules import ModelSigmas

MODEL = ModelSigmas.scaled_linear()
MEAN = 0.3


class IdealUnet:
    """Predicts perfectly for data that is always the mean of the conditioning."""

    dtype = torch.float32

    def __init__(self, velocity):
        self.velocity = velocity
        self.calls = []

    def __call__(self, scaled, timesteps, context, return_dict):
        assert not return_dict
        self.calls.append((scaled.shape[0], context.shape[1], timesteps.tolist()))
        sigma = torch.stack([MODEL.at(timestep) for timestep in timesteps]).view(-1, 1, 1, 1)
        alpha = 1 / (1 + sigma**2).sqrt()
        clean = context.mean((1, 2)).view(-1, 1, 1, 1)
        noise = (scaled - alpha * clean) / (alpha * sigma)
        return (alpha * noise - alpha * sigma * clean if self.velocity else noise,)


def request(parts, *, negative=0.0, cfg_scale=1.0, sigma=2.0, tokens=77, negative_tokens=77, size=(4, 3, 5)):
    """Return a request whose conditionings are constant."""
    positive = tuple((torch.full((tokens, 8), value), weight) for value, weight in parts)
    x = torch.randn(size, generator=torch.Generator().manual_seed(0)) * sigma
    return DenoiseRequest(
        x=x,
        sigma=sigma,
        levels=MODEL,
        guidance=Guidance(positive=positive, negative=torch.full((negative_tokens, 8), negative), cfg_scale=cfg_scale),
    )


def denoiser(prediction_type):
    """Return a denoiser around the ideal network, and that network."""
    unet = IdealUnet(prediction_type == "v_prediction")
    return Denoiser(unet, prediction_type=prediction_type, device=torch.device("cpu")), unet


@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("sigma", [14.6, 2.0, 0.05])
def test_both_kinds_of_prediction_give_the_clean_latents(prediction_type, sigma):
    """The noise level's fractional timestep and the scaling are right at every level."""
    (denoised,) = denoiser(prediction_type)[0].denoise([request([(MEAN, 1.0)], sigma=sigma)], max_rows=4)

    torch.testing.assert_close(denoised, torch.full((4, 3, 5), MEAN), atol=2e-3, rtol=0)


def test_guidance_adds_up_the_weighted_parts():
    """The answer is u + the sum of w (c - u) scale."""
    requests = [request([(0.5, 1.0), (0.2, -0.4)], negative=0.1, cfg_scale=7.0)]
    (denoised,) = denoiser("epsilon")[0].denoise(requests, max_rows=4)

    expected = 0.1 + 7 * (0.5 - 0.1) - 7 * 0.4 * (0.2 - 0.1)
    torch.testing.assert_close(denoised, torch.full((4, 3, 5), expected), atol=1e-2, rtol=0)


def test_pictures_at_different_noise_levels_share_a_call():
    """Rows with equally long conditionings go together, others apart; each picture gets its own answer."""
    wrapped, unet = denoiser("epsilon")
    requests = [
        request([(0.5, 1.0)], cfg_scale=3.0, sigma=9.0, negative_tokens=154),
        request([(0.1, 1.0)], cfg_scale=2.0, sigma=0.5),
    ]
    together = wrapped.denoise(requests, max_rows=8)

    assert sorted(call[:2] for call in unet.calls) == [(1, 154), (3, 77)]
    for one, mine in zip(requests, together, strict=True):
        torch.testing.assert_close(wrapped.denoise([one], max_rows=8)[0], mine, atol=1e-5, rtol=0)


def test_parts_of_unequal_length_repeat_their_last_vector():
    """They are one stack in the webui, as long as the longest."""
    wrapped, unet = denoiser("epsilon")
    short, long = torch.full((77, 8), 0.1), torch.full((154, 8), 0.2)
    wrapped.denoise(
        [
            DenoiseRequest(
                x=torch.zeros(4, 1, 1),
                sigma=1.0,
                levels=MODEL,
                guidance=Guidance(positive=((short, 1.0), (long, 1.0)), negative=short, cfg_scale=2.0),
            )
        ],
        max_rows=8,
    )

    assert sorted(call[:2] for call in unet.calls) == [(1, 77), (2, 154)]


def test_timesteps_are_fractional():
    """The level between two of the model's is passed to the network as such."""
    wrapped, unet = denoiser("epsilon")
    sigma = math.sqrt(float(MODEL.sigmas[500]) * float(MODEL.sigmas[501]))
    wrapped.denoise([request([(0.1, 1.0)], sigma=sigma)], max_rows=8)

    assert unet.calls[0][2] == [pytest.approx(500.5, abs=1e-3)]


@pytest.mark.parametrize(("sigma", "timestep"), [(14.6, 999), (2.0, 559), (0.03, 19)])
def test_a_distilled_model_is_asked_at_the_nearest_of_its_timesteps(sigma, timestep):
    wrapped, unet = denoiser("epsilon")
    wrapped.denoise([replace(request([(0.1, 1.0)], sigma=sigma), levels=MODEL.every(20))], max_rows=8)

    assert unet.calls[0][2] == [timestep]


def test_a_distilled_model_mixes_its_answer_with_its_input():
    """By the scaled timestep t: t / sqrt(t^2 + 1/4) of the answer, 1/4 / (t^2 + 1/4) of the input."""
    wrapped, _ = denoiser("epsilon")
    levels = MODEL.every(20)
    plain = request([(MEAN, 1.0)], sigma=float(levels.sigmas[0]))
    expected = wrapped.denoise([plain], max_rows=4)[0] * (190 / math.sqrt(190**2 + 0.25)) + plain.x * (
        0.25 / (190**2 + 0.25)
    )

    (mixed,) = wrapped.denoise([replace(plain, levels=levels)], max_rows=4)

    torch.testing.assert_close(mixed, expected, atol=1e-7, rtol=0)


def test_what_a_call_needs_besides_latents_is_made_once():
    """Two steps, and a step of another size with the same guidance between them."""
    contexts, sizes = [], []

    def unet(scaled, _timesteps, context, return_dict):
        assert not return_dict
        contexts.append(context)
        sizes.append(tuple(scaled.shape))
        return (torch.zeros_like(scaled),)

    unet.dtype = torch.float32
    wrapped = Denoiser(unet, prediction_type="epsilon", device=torch.device("cpu"))
    small = request([(0.5, 1.0)], cfg_scale=3.0)
    large = replace(small, x=torch.ones(4, 6, 10))

    answers = [wrapped.denoise([each], max_rows=4)[0] for each in (small, large, replace(small, sigma=1.0))]

    assert sizes == [(2, 4, 3, 5), (2, 4, 6, 10), (2, 4, 3, 5)]
    assert contexts[0] is contexts[1] is contexts[2]
    assert [torch.equal(answer, each.x) for answer, each in zip(answers, (small, large, small), strict=True)] == [
        True
    ] * 3
