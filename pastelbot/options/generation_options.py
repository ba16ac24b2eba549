"""Generation options: what flags, presets and settings say before the defaults complete them."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from pastelbot.options.catalogue import BY_NAME

_PROMPT_PLACE = "{prompt}"


@dataclass(frozen=True, kw_only=True)
class GenerationOptions:
    """What was typed; None leaves an option to the next level. A seed of -1 is a random one.

    `avoid` is added to the negative prompt, whatever that is otherwise; `aspect` is width to height. With a picture to
    start from (`init`), `denoise` is its strength, and only what is white in `mask` is painted.
    """

    prompt: str | None = None
    negative: str | None = None
    avoid: str | None = None
    size: str | None = None
    aspect: str | None = None
    seed: int | None = None
    steps: int | None = None
    cfg: float | None = None
    sampler: str | None = None
    schedule: str | None = None
    clip_skip: int | None = None
    sampling: str | None = None
    hires: bool | None = None
    hires_scale: float | None = None
    hires_size: str | None = None
    hires_steps: int | None = None
    hires_upscaler: str | None = None
    denoise: float | None = None
    init: bytes | None = None
    mask: bytes | None = None
    resize_mode: str | None = None
    count: int | None = None
    lora: str | None = None
    checkpoint: str | None = None
    vae: str | None = None
    style: bool | None = None
    preset: str | None = None
    spoiler: bool | None = None
    private: bool | None = None

    def merged_over(self, lower: "GenerationOptions") -> "GenerationOptions":
        """Return these options, completed by some of lower precedence.

        A prompt below with `{prompt}` in it takes the prompt above in there.
        """
        hidden = {name for upper in self.set_fields() for name in BY_NAME[upper].supersedes}
        left = {name: value for name, value in lower.set_fields().items() if name not in hidden}
        merged = {**left, **self.set_fields()}
        if self.prompt is not None and lower.prompt is not None and _PROMPT_PLACE in lower.prompt:
            merged["prompt"] = lower.prompt.replace(_PROMPT_PLACE, self.prompt)
        return GenerationOptions(**merged)  # type: ignore[arg-type]  # the fields' own values

    def set_fields(self) -> dict[str, object]:
        """Return the options that are set, by name."""
        names = (field.name for field in dataclasses.fields(self))
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    def replace(self, **changes: object) -> "GenerationOptions":
        """Return a copy with the named fields changed."""
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]

    @classmethod
    def typed(cls, values: Mapping[str, object]) -> "GenerationOptions":
        """Return the options of a command's values, which are given by the options' names; None was left out."""
        fields: dict[str, object] = {}
        for name, value in values.items():
            if value is not None:
                fields |= BY_NAME[name].fields(value)
        return cls(**fields)  # type: ignore[arg-type]  # the options' own values

    @classmethod
    def of(cls, values: Mapping[str, object]) -> "GenerationOptions":
        """Return the options of stored values; unknown names are left out."""
        set_fields = {field.name for field in dataclasses.fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in set_fields})  # type: ignore[arg-type]
