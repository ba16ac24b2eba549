"""Options of sampling: one row each, for limits, infotexts and what people type.

The names are those that the webui writes into infotexts; the few that it does not write have the names of its settings
page. An option is written where it differs from its default and the sampler, or the schedule, looks at it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pastelbot.choices import nearest_names
from pastelbot.errors import LimitError
from pastelbot.records import GenerationRequest, SamplingOptions
from pastelbot.rules.number_texts import number_text
from pastelbot.rules.samplers import SamplerInfo, effective_schedule, sampler_info

ZERO_TERMINAL = "Zero Terminal SNR"
_USUAL = SamplingOptions()


def _samplers_of(request: GenerationRequest) -> list[SamplerInfo]:
    """Return the samplers of a request's passes."""
    named = [request.sampler, *([request.hires.sampler] if request.hires and request.hires.sampler else [])]
    return [sampler_info(name) for name in named]


def _always(_request: GenerationRequest) -> bool:
    return True


def _over_a_picture(request: GenerationRequest) -> bool:
    return request.init is not None


def _over_latents(request: GenerationRequest) -> bool:
    return request.init is not None or request.hires is not None


def _by(looks_at: Callable[[SamplerInfo], bool]) -> Callable[[GenerationRequest], bool]:
    return lambda request: any(looks_at(info) for info in _samplers_of(request))


def _on_beta(request: GenerationRequest) -> bool:
    return effective_schedule(request.sampler, request.schedule) == "Beta"


@dataclass(frozen=True, kw_only=True)
class SamplingOption:
    """An option: its field of SamplingOptions, its name in infotexts and its limits.

    `choices` are those of a text. `applies` says whether a request's samplers and schedules look at it. `written` ones
    are in infotexts, `early` ones before those of the hires fix; `usual_too` ones also where they are at their default.
    """

    field: str
    title: str
    least: float = 0.0
    most: float = 1.0
    choices: tuple[str, ...] = ()
    applies: Callable[[GenerationRequest], bool] = _always
    written: bool = True
    usual_too: bool = False
    early: bool = False

    @property
    def usual(self) -> float | bool | str:
        """Return the default."""
        value: float | bool | str = getattr(_USUAL, self.field)
        return value

    def value(self, request: GenerationRequest) -> float | bool | str:
        """Return the request's value."""
        value: float | bool | str = getattr(request.sampling, self.field)
        return value

    def read(self, text: str) -> float | bool | str | None:
        """Return the value that a text means, None where it is none."""
        if isinstance(self.usual, bool):
            return {"true": True, "false": False}.get(text.strip().casefold())
        if isinstance(self.usual, str):
            return next((choice for choice in self.choices if choice.casefold() == text.strip().casefold()), None)
        try:
            number = float(text)
        except ValueError:
            return None
        if not self.least <= number <= self.most:
            return None
        return int(number) if isinstance(self.usual, int) else number

    def check(self, text: str) -> float | bool | str:
        """Return the value that a text means; raises LimitError with what is allowed."""
        value = self.read(text)
        if value is None:
            raise LimitError(
                f"{self.title} {text.strip()[:40]!r} does not work: ask for {self._allowed}; {self.usual} is usual."
            )
        return value

    @property
    def _allowed(self) -> str:
        if isinstance(self.usual, bool):
            return "True or False"
        return " or ".join(self.choices) or f"{number_text(self.least)} to {number_text(self.most)}"


SAMPLING_OPTIONS = (
    SamplingOption(field="downcast_alphas", title="Downcast alphas_cumprod"),
    SamplingOption(field="noise_schedule", title="Noise Schedule", choices=("Default", ZERO_TERMINAL)),
    SamplingOption(field="first_noise", title="Noise multiplier", most=1.5, applies=_over_a_picture),
    SamplingOption(field="discard_next_to_last", title="Discard penultimate sigma"),
    SamplingOption(field="sigma_least", title="Schedule min sigma", most=100.0),
    SamplingOption(field="sigma_most", title="Schedule max sigma", most=100.0),
    SamplingOption(field="rho", title="Schedule rho", most=100.0),
    SamplingOption(field="beta_alpha", title="Beta schedule alpha", least=0.01, applies=_on_beta, usual_too=True),
    SamplingOption(field="beta_beta", title="Beta schedule beta", least=0.01, applies=_on_beta, usual_too=True),
    SamplingOption(field="extra_noise", title="Extra noise", applies=_over_latents),
    SamplingOption(field="sgm_noise", title="SGM noise multiplier"),
    SamplingOption(field="skip_early", title="Skip Early CFG"),
    SamplingOption(field="guided_from", title="NGMS", most=15.0),
    SamplingOption(field="guided_from_all", title="NGMS all steps"),
    SamplingOption(field="pad_conditionings", title="Pad conds"),
    SamplingOption(field="pad_conditionings_v0", title="Pad conds v0"),
    SamplingOption(field="eta", title="Eta", applies=_by(lambda info: info.eta)),
    SamplingOption(field="eta_ddim", title="Eta DDIM", applies=_by(lambda info: info.eta_ddim)),
    SamplingOption(field="gamma", title="TCD gamma", applies=_by(lambda info: info.gamma)),
    SamplingOption(field="churn", title="Sigma churn", most=100.0, applies=_by(lambda info: info.churn)),
    SamplingOption(field="churn_least", title="Sigma tmin", most=10.0, applies=_by(lambda info: info.churn)),
    SamplingOption(field="churn_most", title="Sigma tmax", most=999.0, applies=_by(lambda info: info.churn)),
    SamplingOption(field="noise", title="Sigma noise", most=1.1, applies=_by(lambda info: info.noise)),
    SamplingOption(field="old_karras", title="Old Karras sigmas", written=False),
    SamplingOption(field="comma_backtrack", title="Prompt word wrap length limit", most=74, written=False),
    SamplingOption(field="quantized", title="Quantization in K samplers", written=False),
    SamplingOption(field="unipc_variant", title="UniPC variant", choices=("bh1", "bh2"), written=False),
    SamplingOption(
        field="unipc_spacing",
        title="UniPC skip type",
        choices=("time_uniform", "time_quadratic", "logSNR"),
        written=False,
    ),
    SamplingOption(field="unipc_order", title="UniPC order", least=1, most=50, written=False),
    SamplingOption(field="tiling", title="Tiling", early=True),
    SamplingOption(field="first_networks", title="Hires conditionings with first networks", written=False),
)
_BY_TITLE: Mapping[str, SamplingOption] = {option.title.casefold(): option for option in SAMPLING_OPTIONS}


def read_sampling(text: str) -> dict[str, float | bool | str]:
    """Return the fields of SamplingOptions that a text such as "Eta: 0.5, NGMS: 2" sets; raises LimitError."""
    found = {}
    for part in filter(str.strip, text.split(",")):
        title, _colon, value = part.partition(":")
        option = _BY_TITLE.get(" ".join(title.split()).casefold())
        if option is None:
            near = nearest_names(title.strip()[:60], [option.title for option in SAMPLING_OPTIONS])
            raise LimitError(f"There is no option of sampling {title.strip()[:60]!r}. {near}")
        found[option.field] = option.check(value)
    return found


def sampling_text(request: GenerationRequest) -> str | None:
    """Return the text that sets a request's options of sampling, None where they are the usual ones."""
    changed = [option for option in SAMPLING_OPTIONS if option.value(request) != option.usual]
    return ", ".join(f"{option.title}: {option.value(request)}" for option in changed) or None
