"""What trainers write into a network's file: its trigger words, what it was trained on, and for which models."""

from collections import Counter
from collections.abc import Iterator, Mapping

from pastelbot.formats.json_texts import parse_json

# Models by the width of what their text encoders give.
WIDTHS = {768: "Stable Diffusion 1.x", 1024: "Stable Diffusion 2.x", 2048: "SDXL"}
_WORD_WIDTHS = {**WIDTHS, 1280: "SDXL", 4096: "Flux or Stable Diffusion 3 (T5)"}
_WORDS = 10


def model_of_words(width: int) -> str:
    """Return the models whose text encoder takes vectors of a width, which is that of an embedding."""
    return _WORD_WIDTHS.get(width, "another kind of model")


def trigger_words(metadata: Mapping[str, str]) -> Iterator[str]:
    """Yield the trigger words that the trainer states, else the most frequent tags of the training."""
    if metadata.get("modelspec.trigger_phrase"):
        yield metadata["modelspec.trigger_phrase"]
        return
    counts: Counter[str] = Counter()
    try:
        folders = parse_json(metadata.get("ss_tag_frequency") or "{}")
        for tags in folders.values():
            counts.update({str(tag).strip(): int(count) for tag, count in tags.items()})
    except (ValueError, AttributeError, TypeError):
        return
    yield from (word for word, _count in counts.most_common(_WORDS))


def base_model(metadata: Mapping[str, str], shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Return the models that a LoRA is for, by its shapes, else as the trainer says; "" where neither tells."""
    for name, shape in shapes.items():
        if "attn2_to_k" in name and "down" in name and len(shape) > 1 and shape[1] in WIDTHS:
            return WIDTHS[shape[1]]
    return str(metadata.get("ss_base_model_version") or metadata.get("modelspec.architecture") or "").strip()
