"""What a checkpoint says about how it predicts: a scheduler's configuration in diffusers' names, from every place.

Single files say it in keys without numbers (`v_pred`, `ztsnr`), in their table `alphas_cumprod`, in their metadata, or
in a YAML file of the same name beside them, as the webui reads it. What is not said is Stable Diffusion 1.x's own.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from operator import mul
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pastelbot.errors import CheckpointError
from pastelbot.formats.json_texts import parse_json
from pastelbot.formats.layout.prediction_yaml import yaml_beside

Scheduler = Mapping[str, Any]

NOTHING_STATED: Scheduler = MappingProxyType({})
SCHEDULER_KEY = "pastelbot.scheduler"
EPSILON, V_PREDICTION = "epsilon", "v_prediction"
DEFAULTS: Scheduler = {
    "prediction_type": EPSILON,
    "rescale_betas_zero_snr": False,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "num_train_timesteps": 1000,
    "trained_betas": None,
}
_TYPES = {
    **dict.fromkeys(("eps", "epsilon", "noise"), EPSILON),
    **dict.fromkeys(("v", "v_pred", "vpred", "v_prediction", "velocity"), V_PREDICTION),
    "x0": "sample",
}
# Beginnings of the names of diffusers' schedulers.
_OTHER_FAMILIES = (
    *("FlowMatch", "EDM", "CosineDPM", "ScoreSde", "KarrasVe", "VQDiffusion", "CMStochastic", "UnCLIP", "Amused"),
    *("DDPMWuerstchen", "ConsistencyDecoder", "Helios", "LTX"),
)
_EDM_KEY = "edm_vpred.sigma_max"
_NO_WORDS = ("", "none", "null", "nil", "undefined", "n/a", "~")
_YES, _NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
_MOST_TIMESTEPS = 100_000
_AS_GOOD_AS = 2e-3  # of alphas: half precision rounds by less, and other schedules differ by more


def file_scheduler(
    path: Path,
    names: Container[str],
    metadata: Mapping[str, str],
    *,
    alphas: Sequence[float] = (),
    stated: Scheduler = NOTHING_STATED,
) -> dict[str, Any]:
    """Return what a single file, or the YAML file beside it, says; raises CheckpointError where two contradict.

    `names` are those of its tensors, `alphas` the numbers of its `alphas_cumprod`, if it has any that can be; `stated`
    is what the operator says of it, which counts before all others.
    """
    merged = dict(stated)
    for each in (_of_keys(names), *_of_metadata(path, metadata), _of_yaml(path)):
        for key, value in each.items():
            if merged.setdefault(key, value) != value and key not in stated:
                raise CheckpointError(
                    f"{path} says of {key} both {merged[key]!r} and {value!r}: mend its metadata, or the YAML file "
                    "beside it, or state the checkpoint's prediction and zero_terminal_snr in the configuration."
                )
    return merged | _of_alphas(merged, alphas)


def tidied(label: str, scheduler: Scheduler) -> dict[str, Any]:
    """Return a scheduler's configuration with its values as they are meant; null and an empty list say nothing.

    Raises CheckpointError for values that no schedule can have.
    """
    said = {key: value for key, value in scheduler.items() if not (key in DEFAULTS and value in (None, []))}
    for key, (read, wanted) in _READERS.items():
        if key in said:
            try:
                said[key] = read(said[key])
            except (TypeError, ValueError, OverflowError) as error:
                shown = repr(scheduler[key])[:60]
                raise CheckpointError(
                    f"The noise schedule of {label} cannot be read: {key} is {shown}, not {wanted}."
                ) from error
    return said


def _flag(value: object) -> bool:
    text = str(value).strip().lower()
    if text not in (*_YES, *_NO):
        raise ValueError(text)
    return text in _YES


def _number(value: object) -> float:
    if isinstance(value, bool):
        raise TypeError
    return float(str(value))


def _whole(value: object) -> int:
    number = _number(value)
    if number != int(number):
        raise ValueError(number)
    return int(number)


def _numbers(value: object) -> list[float]:
    if not isinstance(value, list):
        raise TypeError
    return [_number(each) for each in value]


_READERS: Mapping[str, tuple[Callable[[object], object], str]] = {
    "rescale_betas_zero_snr": (_flag, "true or false"),
    "beta_start": (_number, "a number"),
    "beta_end": (_number, "a number"),
    "num_train_timesteps": (_whole, "a whole number"),
    "trained_betas": (_numbers, "a list of numbers"),
}


def stated_scheduler(prediction: str | None, *, zero_terminal_snr: bool | None) -> dict[str, Any]:
    """Return what the configuration's keys of a checkpoint state; None states nothing."""
    stated = {"prediction_type": prediction, "rescale_betas_zero_snr": zero_terminal_snr}
    return {key: value for key, value in stated.items() if value is not None}


def predict_alike(one: Scheduler, other: Scheduler) -> bool:
    """Return whether two checkpoints predict the same thing on the same schedule, but for rounding."""
    keys = ("rescale_betas_zero_snr", "beta_schedule")
    alike = all(one.get(key, DEFAULTS[key]) == other.get(key, DEFAULTS[key]) for key in keys)
    return alike and _kind(one) == _kind(other) and _as_good_as(_alphas(one), _alphas(other))


def prediction_of(label: str, scheduler: Scheduler) -> str:
    """Return the type of prediction, `EPSILON` or `V_PREDICTION`.

    Raises a CheckpointError for one that is not painted, and for a noise schedule that cannot be.
    """
    name = str(scheduler.get("_class_name", ""))
    if name.startswith(_OTHER_FAMILIES):
        raise CheckpointError(f"{label} has the scheduler {name}, which is not supported: it is of another family.")
    found = _kind(scheduler)
    if found not in (EPSILON, V_PREDICTION):
        raise CheckpointError(
            f"{label} predicts {found!r}, which is not supported: only checkpoints that predict {EPSILON} or "
            f"{V_PREDICTION} can be painted with."
        )
    _check_schedule(label, scheduler)
    return found


def _check_schedule(label: str, scheduler: Scheduler) -> None:
    """Raise a CheckpointError for a noise schedule that no picture can be painted on."""
    known = {**DEFAULTS, **scheduler}
    if known["beta_schedule"] != DEFAULTS["beta_schedule"]:
        raise CheckpointError(
            f"{label} was trained on the noise schedule {known['beta_schedule']!r}, which is not supported."
        )
    try:
        betas, start, end, count = (
            [float(beta) for beta in known["trained_betas"] or ()],
            float(known["beta_start"]),
            float(known["beta_end"]),
            int(known["num_train_timesteps"]),
        )
    except (TypeError, ValueError, OverflowError) as error:
        raise CheckpointError(f"The noise schedule of {label} cannot be read: {error}.") from error
    can_be = len(betas) > 1 and all(0 <= beta <= 1 for beta in betas) and any(betas) if betas else 0 < start <= end < 1
    if not can_be or not 1 < count <= _MOST_TIMESTEPS:
        raise CheckpointError(
            f"The noise schedule of {label} cannot be: it has betas from {start:g} to {end:g} in {count} timesteps, or "
            "betas of its own out of range. Betas lie between 0 and 1, and Stable Diffusion has 1,000 timesteps."
        )


def described(scheduler: Scheduler) -> str:
    """Return the way of predicting in words: the type, and what differs from Stable Diffusion 1.x's schedule."""
    known = {key: scheduler.get(key, default) for key, default in DEFAULTS.items()}
    del known["prediction_type"]
    words = [_kind(scheduler)]
    if known.pop("rescale_betas_zero_snr"):
        words.append("zero terminal SNR")
    if known.pop("trained_betas") is not None:
        words.append("betas of its own")
    words += [f"{key} {value}" for key, value in known.items() if value != DEFAULTS[key]]
    return ", ".join(words)


def _of_alphas(said: Scheduler, alphas: Sequence[float]) -> dict[str, Any]:
    """Return the betas behind a file's own table, where that is another one than what is said, or is usual, gives."""
    if not alphas or _as_good_as(alphas, _alphas(said)):
        return {}
    betas = [1 - now / before for before, now in zip((1.0, *alphas), alphas, strict=False)]
    return {"trained_betas": betas, "num_train_timesteps": len(betas)}


def _alphas(scheduler: Scheduler) -> list[float]:
    """Return the products of what each timestep keeps; none for a configuration that cannot be read."""
    known = {**DEFAULTS, **scheduler}
    try:
        betas = known["trained_betas"] or _scaled_linear(
            float(known["beta_start"]), float(known["beta_end"]), int(known["num_train_timesteps"])
        )
        return list(accumulate((1 - beta for beta in betas), mul))
    except (TypeError, ValueError, ZeroDivisionError):
        return []


def _scaled_linear(start: float, end: float, count: int) -> Iterable[float]:
    step = (end**0.5 - start**0.5) / (count - 1)
    return ((start**0.5 + step * number) ** 2 for number in range(count))


def _as_good_as(some: Sequence[float], others: Sequence[float]) -> bool:
    return len(some) == len(others) and all(
        abs(one - other) < _AS_GOOD_AS for one, other in zip(some, others, strict=True)
    )


def _of_keys(names: Container[str]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if "v_pred" in names:
        said["prediction_type"] = V_PREDICTION
    if _EDM_KEY in names:
        said["prediction_type"] = "edm_v"
    if "ztsnr" in names:
        said["rescale_betas_zero_snr"] = True
    return said


def _of_metadata(path: Path, metadata: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield what each of a file's metadata says."""
    yield _of_onetrainer(metadata.get("ot_config", "{}"))
    for key in ("modelspec.prediction_type", "prediction_type"):
        yield _of_word(metadata.get(key, ""))
    for key in ("v_pred", "ss_v_parameterization"):
        if metadata.get(key, "").lower() in _YES:
            yield {"prediction_type": V_PREDICTION}
    for key in ("ztsnr", "ss_zero_terminal_snr", "rescale_betas_zero_snr"):
        if metadata.get(key, "").lower() in _YES:
            yield {"rescale_betas_zero_snr": True}
    if SCHEDULER_KEY in metadata:
        yield _of_our_own(path, metadata[SCHEDULER_KEY])


def _of_our_own(path: Path, text: str) -> dict[str, Any]:
    try:
        said = parse_json(text)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise CheckpointError(f"{path} has damaged metadata at {SCHEDULER_KEY}: they are no table in JSON.")
    return tidied(str(path), {key: value for key, value in said.items() if key in DEFAULTS})


def _of_onetrainer(config: str) -> dict[str, Any]:
    """Return what the settings of OneTrainer's training say, where they can be read."""
    try:
        found = parse_json(config)
    except ValueError:
        return {}
    found = found if isinstance(found, dict) else {}
    said: dict[str, Any] = {"prediction_type": V_PREDICTION} if found.get("force_v_prediction") is True else {}
    zero = found.get("rescale_noise_scheduler_to_zero_terminal_snr") is True
    return said | ({"rescale_betas_zero_snr": True} if zero else {})


def _of_yaml(path: Path) -> dict[str, Any]:
    said = yaml_beside(path)
    return said | _of_word(said.pop("prediction_type", ""))


def _of_word(text: str) -> dict[str, Any]:
    """Return what the word for a type of prediction says; `None`, as some programs write for no value, says nothing."""
    word = text.strip().strip("\"'").strip()
    return {} if word.lower() in _NO_WORDS else {"prediction_type": _type(word)}


def _type(text: str) -> str:
    """Return diffusers' name of a type of prediction; an unknown one stays as it is, and is refused by that."""
    return _TYPES.get(text.strip().lower().replace("-", "_"), text.strip())


def _kind(scheduler: Scheduler) -> str:
    return _type(str(scheduler.get("prediction_type") or EPSILON))
