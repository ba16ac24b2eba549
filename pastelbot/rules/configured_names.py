"""Names in the configuration that only the tables of samplers and upscalers can judge."""

from collections.abc import Iterator

from pastelbot.choices import UPSCALERS, nearest_names, upscaler_files
from pastelbot.config import Settings
from pastelbot.errors import LimitError
from pastelbot.rules.samplers import check_sampler


def unknown_names(settings: Settings) -> Iterator[str]:
    """Yield a sentence for each default that names what Pastelbot does not have."""
    try:
        check_sampler(settings.defaults.sampler)
    except LimitError as error:
        yield f"defaults.sampler is wrong: {error}"
    upscaler = settings.defaults.hires_upscaler
    known = (*UPSCALERS, *upscaler_files(settings.checkpoint.upscalers))
    if upscaler not in known:
        yield f"defaults.hires_upscaler is wrong: There is no upscaler {upscaler!r}. {nearest_names(upscaler, known)}"
