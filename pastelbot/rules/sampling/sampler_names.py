"""Names that other programs have for the webui's samplers and schedules, such as ComfyUI, diffusers and AI Horde."""

import re
import unicodedata

from pastelbot.rules.samplers import (
    AUTOMATIC,
    SAMPLERS,
    SCHEDULES,
    SamplerChoice,
    is_known,
    is_known_schedule,
    normalise,
)

_SIGNS = re.compile(r"[^a-z0-9]+")
_ENDINGS = re.compile(r"(?:scheduler|sampler|discrete|gpu)+$")
_LONGEST = 60  # characters of any name
_OTHER_SAMPLERS = {
    "dpmsolver": "DPM++ 2M",
    "dpmsolverpp": "DPM++ 2M",
    "dpmsolverpp2m": "DPM++ 2M",
    "dpmsolverpp2s": "DPM++ 2S a",
    "dpmsolvermultistep": "DPM++ 2M",
    "dpmsolversinglestep": "DPM++ 2S a",
    "dpmsolversde": "DPM++ SDE",
    "dpmpp2mk": "DPM++ 2M Karras",
    "dpmppsdek": "DPM++ SDE Karras",
    "dpmpp2msdek": "DPM++ 2M SDE Karras",
    "dpmpp2sk": "DPM++ 2S a Karras",
    "dpmpp2s": "DPM++ 2S a",
    "dpmpp3m": "DPM++ 3M SDE",
    "dpmpp3mk": "DPM++ 3M SDE Karras",
    "eulerk": "Euler Karras",
    "eulerak": "Euler a Karras",
    "heunk": "Heun Karras",
    "lmsk": "LMS Karras",
    "dpm2k": "DPM2 Karras",
    "dpm2ak": "DPM2 a Karras",
    "dpma": "DPM adaptive",
    "kdpm2": "DPM2",
    "kdpm2a": "DPM2 a",
    "pndm": "PLMS",
    **dict.fromkeys(("unipcbh2", "unipcmultistep", "unipck", "unipcsnr", "unipcsnr2"), "UniPC"),
    **dict.fromkeys(("unipctu", "unipctu2", "unipctq", "unipctq2"), "UniPC"),
    "dpmsolverstability": "DPM++ 2M",
    "dpmpp2": "DPM++ 2M",
    "dpmpp2a": "DPM++ 2S a",
    "lmsd": "LMS",
    "ddimv3": "DDIM",
}
_OTHER_SCHEDULES = {
    "ddimuniform": "DDIM",
    "ays": "Align Your Steps",
    "trailing": "SGM Uniform",  # evenly spaced from the last timestep on
    **dict.fromkeys(("native", "default", "none", "substep", "comfy"), AUTOMATIC),
}


def recognised_sampler(name: str) -> SamplerChoice | None:
    """Return the sampler, and the schedule at its name's end, that other programs mean by a name; None if unknown."""
    if is_known(name):
        return normalise(name, None)
    if len(name) > _LONGEST:
        return None
    plain = _ENDINGS.sub("", _plain(name).replace("ancestral", "a").replace("gpu", ""))
    for spelled in (plain, plain.removeprefix("k")):
        if spelled in _SAMPLERS:
            return normalise(_SAMPLERS[spelled], None)
        for ending, schedule in _SCHEDULES.items():
            if spelled.endswith(ending) and spelled[: -len(ending)] in _SAMPLERS:
                return SamplerChoice(normalise(_SAMPLERS[spelled[: -len(ending)]], None).sampler, schedule)
    return None


def recognised_schedule(name: str) -> str | None:
    """Return the schedule that other programs mean by a name; None if it is unknown."""
    return normalise(None, name).schedule if is_known_schedule(name) else _SCHEDULES.get(_plain(name))


def _plain(name: str) -> str:
    return _SIGNS.sub("", unicodedata.normalize("NFKC", name).casefold().replace("++", "pp"))


_SAMPLERS = {_plain(name): name for name in SAMPLERS} | _OTHER_SAMPLERS
_SCHEDULES = {_plain(name): name for name in SCHEDULES} | _OTHER_SCHEDULES
