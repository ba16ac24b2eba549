"""Source of an export: a checkpoint's weights, read where the loader reads them."""

from pathlib import Path

from pastelbot.config import CheckpointSettings, bundled_checkpoint
from pastelbot.diffusion.weights.files import Weights, read_file, read_folder
from pastelbot.errors import WorkshopError
from pastelbot.formats.exported import read_manifest
from pastelbot.formats.hub import locate, locate_tokenizer, reference_path
from pastelbot.workshop.writing import Progress


def read_source(reference: str, settings: CheckpointSettings, progress: Progress) -> Weights:
    """Read a checkpoint; raises CheckpointError, and WorkshopError for what is an export already."""
    place = locate(
        reference,
        key="the checkpoint",
        revision=settings.revision if reference == settings.path else None,
        offline=settings.offline,
        cache_dir=settings.cache_dir,
        on_progress=lambda text: progress(text, 0, 0),
    )
    if read_manifest(place) is not None:
        raise WorkshopError(f"{place} is an export already; export the checkpoint that it was made from.")
    progress(f"Reading {place.name}", 0, 0)
    name = None if reference_path(reference).exists() else reference.rpartition("/")[2]
    weights = read_folder(place, name) if place.is_dir() else read_file(place)
    if weights.unet.config.get("in_channels", 4) != 4:
        raise WorkshopError(
            f"{place} is an inpainting model, which cannot be exported; Pastelbot paints with it as it is."
        )
    return weights


def tokenizer_of(weights: Weights, settings: CheckpointSettings) -> Path:
    """Return the folder with the vocabulary of a checkpoint's prompts."""
    return weights.tokenizer or locate_tokenizer(
        bundled_checkpoint() / "tokenizer", offline=settings.offline, cache_dir=settings.cache_dir
    )
