"""Noise levels: the model's own table, and the lists of sigmas that samplers walk down.

Sigma is the standard deviation of the noise on latents whose clean part is not scaled down (the "variance exploding"
form of Karras et al. 2022). Lists are computed in float32 like the webui's and handed out as Python floats, so that
no sampler waits for the device.
"""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pastelbot.diffusion.sampling.beta_quantiles import beta_quantile
from pastelbot.errors import CheckpointError, LimitError
from pastelbot.records import SamplingOptions
from pastelbot.rules.sampling.options import ZERO_TERMINAL

_KARRAS_RHO = 7.0
_SMALLEST_ALPHA = 4.8973451890853435e-08
_AS_NEAR = 1e-5  # of a logarithm: above float32's rounding, so that no processor decides
_OLD_LEAST, _OLD_MOST = 0.1, 10.0  # of the webui's first Karras schedule
_REMEMBERED = 4096  # timesteps
_USUAL = SamplingOptions()


@dataclass(frozen=True, eq=False)
class ModelSigmas:
    """The noise levels that a model was trained on, ascending, one for each of its timesteps (float32, CPU).

    A distilled model knows every `stride`-th timestep alone. It, and any `quantized` one, is asked at the nearest of
    its timesteps. `whole` has the levels between those that it knows. The answer of one that `mixes` is mixed with its
    input, as LCM's is.
    """

    alphas_cumprod: Tensor
    stride: int = 1
    quantized: bool = False
    whole: "ModelSigmas | None" = None
    mixes: bool = False

    @classmethod
    def scaled_linear(cls, start: float = 0.00085, end: float = 0.012, count: int = 1000) -> "ModelSigmas":
        """Return Stable Diffusion's levels: betas linear in their square root."""
        betas = torch.linspace(start**0.5, end**0.5, count, dtype=torch.float64) ** 2
        return cls(torch.cumprod(1.0 - betas, 0).float())

    def every(self, stride: int, *, mixes: bool = True) -> "ModelSigmas":
        """Return the levels of each `stride`-th timestep, the last one among them."""
        if stride == 1:
            return self
        return ModelSigmas(self.alphas_cumprod[stride - 1 :: stride], stride, quantized=True, whole=self, mixes=mixes)

    def changed(self, options: SamplingOptions) -> "ModelSigmas":
        """Return the levels as the options have them."""
        if not options.downcast_alphas and options.noise_schedule != ZERO_TERMINAL and not options.quantized:
            return self
        alphas = self.alphas_cumprod
        if options.downcast_alphas:
            alphas = alphas.half()  # and so is what is computed of them
        if options.noise_schedule == ZERO_TERMINAL:
            alphas = _zero_terminal_snr(alphas)
        return ModelSigmas(alphas, self.stride, quantized=options.quantized or self.quantized)

    @functools.cached_property
    def sigmas(self) -> Tensor:
        """Return the sigma of each timestep."""
        return self._computed.float()

    @functools.cached_property
    def log_sigmas(self) -> Tensor:
        """Return the natural logarithm of each timestep's sigma."""
        return self._computed.log().float()

    @property
    def _computed(self) -> Tensor:
        """Return the sigmas in the number format of the alphas."""
        return ((1 - self.alphas_cumprod) / self.alphas_cumprod) ** 0.5

    @property
    def smallest(self) -> float:
        """Return the sigma of the first timestep."""
        return float(self.sigmas[0])

    @property
    def largest(self) -> float:
        """Return the sigma of the last timestep."""
        return float(self.sigmas[-1])

    def timestep(self, sigma: float) -> float:
        """Return the fractional timestep of a sigma, interpolated in its logarithm and clamped to the table.

        Of a quantized model it is the nearest one, in the logarithm too, and the later one of two that are as near.
        """
        if sigma not in self._timesteps:
            if len(self._timesteps) >= _REMEMBERED:
                self._timesteps.clear()
            self._timesteps[sigma] = self._timestep(sigma)
        return self._timesteps[sigma]

    @functools.cached_property
    def _timesteps(self) -> dict[float, float]:
        """Return timesteps by sigma: every picture of the same settings asks for the same."""
        return {}

    def _timestep(self, sigma: float) -> float:
        log_sigma = torch.tensor(sigma).log()
        if self.quantized:
            distances = (log_sigma - self.log_sigmas).abs()
            nearest = (distances <= distances.min() + _AS_NEAR).nonzero().max()
            return float(nearest * self.stride + self.stride - 1)
        low = int((log_sigma >= self.log_sigmas).sum()) - 1
        low = min(max(low, 0), len(self.log_sigmas) - 2)
        below, above = self.log_sigmas[low], self.log_sigmas[low + 1]
        share = ((below - log_sigma) / (below - above)).clamp(0, 1)
        return float((1 - share) * low + share * (low + 1))

    def known(self, sigma: float) -> float:
        """Return the level of the nearest timestep that the model knows; 0 stays 0."""
        return float(self.sigmas[round(self.timestep(sigma) + 1) // self.stride - 1]) if sigma else 0.0

    def earlier(self, sigma: float, share: float) -> float:
        """Return the level of the timestep that is a share of the time before a sigma's; 0 stays 0."""
        whole = self.whole or self
        return float(whole.sigmas[int((1 - share) * self.timestep(sigma))]) if sigma else 0.0

    def at(self, timesteps: Tensor) -> Tensor:
        """Return the sigmas of fractional timesteps, interpolated in their logarithm."""
        places = (timesteps - (self.stride - 1)) / self.stride
        low, share = places.floor().long(), places.frac()
        return ((1 - share) * self.log_sigmas[low] + share * self.log_sigmas[places.ceil().long()]).exp()

    def at_linear_alpha(self, timesteps: Tensor) -> Tensor:
        """Return the sigmas of fractional timesteps, interpolated in the logarithm of alpha."""
        logs = self.alphas_cumprod.double().log()
        low = timesteps.floor().long()
        share = timesteps.double().frac()
        return (-((1 - share) * logs[low] + share * logs[timesteps.ceil().long()])).expm1().sqrt()


def _zero_terminal_snr(alphas: Tensor) -> Tensor:
    """Shift and scale the square roots so that the last one is zero, but for a trace (Lin et al. 2024, algorithm 1).

    The trace is the webui's: with none, the largest sigma would be infinite. It computes in the alphas' number format.
    """
    roots = alphas.sqrt()
    changed = ((roots - roots[-1]) * (roots[0] / (roots[0] - roots[-1]))).square()
    changed[-1] = _SMALLEST_ALPHA
    return changed


def sigmas_of(name: str, scheduler: Mapping[str, Any]) -> ModelSigmas:
    """Return the noise levels of a scheduler's configuration; raises a CheckpointError that names the checkpoint."""
    if scheduler.get("beta_schedule", "scaled_linear") != "scaled_linear":
        raise CheckpointError(f"{name} was trained on the noise schedule {scheduler['beta_schedule']!r}.")
    try:
        if scheduler.get("trained_betas"):
            betas = torch.tensor(scheduler["trained_betas"], dtype=torch.float64)
            # The last one is 0 where terminal SNR was zero in training.
            levels = ModelSigmas(torch.cumprod(1.0 - betas, 0).clamp(min=_SMALLEST_ALPHA).float())
        else:
            levels = ModelSigmas.scaled_linear(
                start=float(scheduler.get("beta_start", 0.00085)),
                end=float(scheduler.get("beta_end", 0.012)),
                count=int(scheduler.get("num_train_timesteps", 1000)),
            )
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"The noise schedule of {name} cannot be read: {error}.") from error
    if scheduler.get("rescale_betas_zero_snr"):
        return ModelSigmas(_zero_terminal_snr(levels.alphas_cumprod.double()).float())
    return levels


@dataclass(frozen=True, eq=False)
class _Span:
    """What a schedule spaces: the model's levels, or what the options leave of them."""

    model: ModelSigmas
    options: SamplingOptions = _USUAL

    @property
    def smallest(self) -> float:
        """Return the last level above zero."""
        return self.options.sigma_least or (_OLD_LEAST if self.options.old_karras else self.model.smallest)

    @property
    def largest(self) -> float:
        """Return the first level."""
        return self.options.sigma_most or (_OLD_MOST if self.options.old_karras else self.model.largest)

    @property
    def ends(self) -> tuple[float, float]:
        """Return the timesteps of the largest and of the smallest level."""
        return self.model.timestep(self.largest), self.model.timestep(self.smallest)


Schedule = Callable[[_Span, int], Sequence[float]]


def _ended(sigmas: Tensor) -> list[float]:
    """Append the noiseless end."""
    return [*sigmas.tolist(), 0.0]


def _karras(span: _Span, steps: int) -> list[float]:
    """Space sigma ** (1/7) evenly (Karras et al. 2022, equation 5)."""
    return [*karras_between(span.largest, span.smallest, steps, span.options.rho or _KARRAS_RHO), 0.0]


def karras_between(largest: float, smallest: float, count: int, rho: float = _KARRAS_RHO) -> list[float]:
    """Return `count` levels from `largest` to `smallest`, evenly spaced in sigma ** (1 / rho)."""
    first, last = largest ** (1 / rho), smallest ** (1 / rho)
    levels: list[float] = ((first + torch.linspace(0, 1, count) * (last - first)) ** rho).tolist()
    return levels


def _exponential(span: _Span, steps: int) -> list[float]:
    """Space the logarithm of sigma evenly."""
    return _ended(torch.linspace(math.log(span.largest), math.log(span.smallest), steps).exp())


def _polyexponential(span: _Span, steps: int) -> list[float]:
    """Space the logarithm of sigma along a power of the step, of which the webui uses the first."""
    last = math.log(span.smallest)
    ramp = torch.linspace(1, 0, steps) ** (span.options.rho or 1.0)
    return _ended((ramp * (math.log(span.largest) - last) + last).exp())


def _uniform(span: _Span, steps: int) -> list[float]:
    """Space the timesteps evenly, both ends included."""
    model = span.model
    last = len(model.sigmas) * model.stride - 1
    return _ended(model.at(torch.linspace(last, model.stride - 1, steps)))


def _normal(span: _Span, steps: int) -> list[float]:
    """Space the timesteps evenly between those of the largest and the smallest sigma."""
    return _ended(span.model.at(torch.linspace(*span.ends, steps)))


def _sgm_uniform(span: _Span, steps: int) -> list[float]:
    """Space the timesteps evenly, the last one left out."""
    return _ended(span.model.at(torch.linspace(*span.ends, steps + 1)[:-1]))


def _simple(span: _Span, steps: int) -> list[float]:
    """Pick whole timesteps evenly, counted from the noisiest."""
    sigmas = span.model.sigmas
    stride = len(sigmas) / steps
    return _ended(torch.stack([sigmas[-(1 + int(step * stride))] for step in range(steps)]))


def _ddim(span: _Span, steps: int) -> list[float]:
    """Pick timesteps 1, 1 + stride, ... with a whole stride, so there may be more of them than `steps`."""
    sigmas = span.model.sigmas
    return _ended(sigmas[1 :: max(len(sigmas) // steps, 1)].flip(0))


def _beta(span: _Span, steps: int) -> list[float]:
    """Place sigmas at the quantiles of a beta distribution (Lee et al. 2024, "Beta sampling is all you need")."""
    a, b = span.options.beta_alpha, span.options.beta_beta
    shares = [beta_quantile(float(share), a, b) for share in 1.0 - torch.linspace(0, 1, steps, dtype=torch.float64)]
    return [*(span.smallest + share * (span.largest - span.smallest) for share in shares), 0.0]


def _kl_optimal(span: _Span, steps: int) -> list[float]:
    """Space the arctangent of sigma evenly ("Align Your Steps", Sabour et al. 2024, theorem 3.1); ends above zero."""
    share = torch.arange(steps + 1) / steps
    angles = share * math.atan(span.smallest) + (1.0 - share) * math.atan(span.largest)
    return [float(sigma) for sigma in angles.tan()]


# The ten steps that Sabour et al. 2024 publish for Stable Diffusion 1.5.
_ALIGNED_SIGMAS = (14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029)


def _align_your_steps(_span: _Span, steps: int) -> list[float]:
    """Interpolate the published optimal steps in the logarithm of sigma (Sabour et al. 2024).

    A single step is the last one of them, because the webui interpolates backwards.
    """
    if steps == 1:
        return [_ALIGNED_SIGMAS[-1], 0.0]
    logs = [math.log(sigma) for sigma in _ALIGNED_SIGMAS]
    sigmas = []
    for step in range(steps):
        place = step * (len(logs) - 1) / (steps - 1)
        low = min(int(place), len(logs) - 2)
        sigmas.append(math.exp(logs[low] + (place - low) * (logs[low + 1] - logs[low])))
    return [*sigmas, 0.0]


SCHEDULES: Mapping[str, Schedule] = {
    "Uniform": _uniform,
    "Karras": _karras,
    "Exponential": _exponential,
    "Polyexponential": _polyexponential,
    "SGM Uniform": _sgm_uniform,
    "KL Optimal": _kl_optimal,
    "Align Your Steps": _align_your_steps,
    "Simple": _simple,
    "Normal": _normal,
    "DDIM": _ddim,
    "Beta": _beta,
}


def make_sigmas(
    name: str,
    model: ModelSigmas,
    steps: int,
    *,
    discard_next_to_last: bool = False,
    options: SamplingOptions = _USUAL,
) -> list[float]:
    """Return the sigmas of `steps` steps, descending, `steps + 1` of them for most schedules.

    Samplers that look ahead into the last step leave out the next to last sigma; their list has one more to begin with.
    """
    if name not in SCHEDULES:
        raise LimitError(f"The sigma schedule {name!r} is unknown; the known ones are {', '.join(SCHEDULES)}.")
    discard = discard_next_to_last or options.discard_next_to_last
    sigmas = list(SCHEDULES[name](_Span(model, options), steps + discard))
    return [*sigmas[:-2], sigmas[-1]] if discard else sigmas


def img2img_steps(steps: int, denoising_strength: float) -> int:
    """Return the length of the schedule whose last `steps` steps a pass at this strength runs."""
    return int(steps / min(denoising_strength, 0.999))
