"""Paint on this machine without Discord: the command line's `imagine`."""

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

from pastelbot.choices import upscaler_files
from pastelbot.cli.progress import progress_bar
from pastelbot.config import Settings, WorkerOptions, checkpoint_location
from pastelbot.errors import RequestError, StartupError
from pastelbot.formats import pictures
from pastelbot.formats.network_files import LoraFiles, ModelNames
from pastelbot.formats.precheck import check_reference
from pastelbot.infotext import completed, painted_over, read_request, with_loras_here
from pastelbot.options import GenerationOptions, amend, draft
from pastelbot.records import GenerationRequest, Painted, Picture
from pastelbot.rules import limits


class RandomSeed:
    """Draws random seeds, and remembers which."""

    def __init__(self) -> None:
        self.drawn: list[int] = []

    def __call__(self) -> int:
        """Return a seed."""
        self.drawn.append(secrets.randbelow(limits.MAX_SEED + 1))
        return self.drawn[-1]


def request_of(
    options: GenerationOptions, settings: Settings, source: Path | None, random_seed: Callable[[], int] | None = None
) -> tuple[GenerationRequest, Sequence[str]]:
    """Return what to paint, and notes on what of the source's infotext was not understood; raises RequestError."""
    random_seed = random_seed or RandomSeed()
    notes: Sequence[str] = ()
    if options.hires is False and options.hires_upscaler is not None:
        raise RequestError("--hires-upscaler belongs to the second pass: leave it out, or --no-hires.")
    loras = LoraFiles(settings.checkpoint.loras)
    if source is None:
        request = draft(options, settings, random_seed=random_seed)
    else:
        read = completed(read_request(pictures.read_infotext(source)), random_seed=random_seed)
        if options.init is not None and read.init is not None:
            read = painted_over(read, options.init, options.mask)
            size = options.size or f"{read.request.width}x{read.request.height}"
            options = options.replace(init=None, mask=None, size=size)
        base, missing = with_loras_here(read, loras)
        request, notes = amend(base, options, settings, random_seed=random_seed), (*read.notes, *missing)
    models = ModelNames(loras=loras, checkpoints=settings.checkpoint_names, vaes=tuple(settings.vaes))
    upscalers = upscaler_files(settings.checkpoint.upscalers)
    limits.check_request(request, settings.limits, upscaler_models=upscalers, models=models)
    return request, notes


def with_files(settings: Settings, *, vae: str | None, loras: Path | None, embeddings: Path | None) -> Settings:
    """Return settings with other folders of LoRAs and embeddings, and with a VAE that is named by its file."""
    folders = {"loras": loras, "embeddings": embeddings}
    checkpoint = settings.checkpoint.model_copy(update={key: path for key, path in folders.items() if path is not None})
    vaes = {**settings.vaes, vae: vae} if vae is not None and vae not in settings.vaes else settings.vaes
    return settings.model_copy(update={"checkpoint": checkpoint, "vaes": vaes})


def read_init(path: Path) -> bytes:
    """Return the content of a picture file to start from, or of a mask; raises RequestError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror}.") from error


def paint(
    request: GenerationRequest,
    settings: Settings,
    out: Path,
    *,
    with_sheet: bool = False,
    seed_drawn: bool = True,
    on_note: Callable[[str], None] = lambda _note: None,
) -> list[Path]:
    """Paint a request with a progress bar; return the files written, the sheet last.

    `on_note` receives what the user may not expect, such as the seed where it was drawn. Raises CheckpointError or
    PaintingError, and StartupError where nothing can be written.
    """
    event = _paint(request, settings)
    painted = event.pictures
    for note in event.notes:
        on_note(note)
    if seed_drawn and len(painted) == 1 and out.suffix.lower() == ".png":  # else its name says it
        on_note(f"the seed is {painted[0].seed}")
    files = dict(zip(_paths(painted, out), (picture.png for picture in painted), strict=True))
    if with_sheet:
        folder = out.parent if out.suffix.lower() == ".png" else out
        files[folder / f"grid-{painted[0].seed}.png"] = pictures.make_sheet([picture.png for picture in painted])
    try:
        for path, png in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(png)
    except OSError as error:
        raise StartupError(f"The picture cannot be written to {out}: {error.strerror}.") from error
    return list(files)


def _paint(request: GenerationRequest, settings: Settings) -> Painted:
    options = WorkerOptions.of(settings)
    named = options.checkpoints.get(request.checkpoint)
    chosen = settings.checkpoint if named is None else named
    check_reference(checkpoint_location(chosen.path), has_vae=bool(chosen.vae or request.vae))
    with progress_bar("Loading the checkpoint") as show:
        from pastelbot.diffusion.engine import engine, factory

        # Its own VAE may be missing where the request names one.
        loaded = factory.load_checkpoint(
            options, request.checkpoint, vae=request.vae, on_progress=lambda text: show(text, 0, 0)
        )
        return engine.paint_alone(
            factory.make_engine(options, loaded),
            request,
            on_progress=lambda event: show("Painting", event.step, event.steps),
        )


def _paths(painted: Sequence[Picture], out: Path) -> list[Path]:
    if out.suffix.lower() != ".png":
        return [out / f"{picture.seed}.png" for picture in painted]
    if len(painted) == 1:
        return [out]
    return [out.with_stem(f"{out.stem}-{picture.seed}") for picture in painted]
