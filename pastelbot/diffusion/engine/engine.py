"""The step engine: the pictures of all jobs in flight advance together, one denoiser call at a time.

Each turn collects what every picture wants denoised, asks the UNet in as few calls as possible, and hands the answers
back. Jobs join and leave between turns. A finished picture is decoded in a turn of its own, so that a large one does
not hold the others up for long.
"""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from pastelbot.diffusion.backends.compiled_unet import CompiledUnet
from pastelbot.diffusion.checkpoint.checkpoint import Checkpoint
from pastelbot.diffusion.conditioning.embeddings import EmbeddingCache
from pastelbot.diffusion.engine.active_jobs import ActiveJob, PictureTask
from pastelbot.diffusion.engine.denoiser import Denoiser, DenoiseRequest
from pastelbot.diffusion.engine.finite_checks import FiniteChecks
from pastelbot.diffusion.engine.group_sizes import GroupSizes
from pastelbot.diffusion.engine.network_metadata import network_metadata
from pastelbot.diffusion.engine.picture import PicturePipeline, Recorder
from pastelbot.diffusion.engine.plan import make_plan
from pastelbot.diffusion.engine.prompt_encoding import PromptCache
from pastelbot.diffusion.image.img2img import prepare_init
from pastelbot.diffusion.image.png import encode_png
from pastelbot.diffusion.image.preview import Previewer, load_tiny
from pastelbot.diffusion.image.upscalers import Upscalers
from pastelbot.diffusion.image.vae_cache import VaeCache
from pastelbot.diffusion.lora.library import LoraLibrary
from pastelbot.diffusion.networks.memory import free_memory, is_out_of_memory
from pastelbot.diffusion.networks.seamless import can_join_edges, edges_joined
from pastelbot.diffusion.networks.vae import to_pixels
from pastelbot.errors import LimitError, NumericalError, OutOfMemoryError, PaintingError
from pastelbot.formats.network_files import LoraFiles, NetworkFolders
from pastelbot.infotext import format_infotext
from pastelbot.records import (
    Event,
    GenerationRequest,
    Painted,
    PaintingCancelled,
    PaintingFailed,
    Picture,
    Progress,
)
from pastelbot.rules.timing.fair_shares import NextTurn

_MAX_ROWS = 16
_SMALL_UNET = 50_000_000  # parameters

JobRecorder = Callable[[str, int, str, Tensor], None]


class Engine:
    """Paints jobs with one checkpoint.

    On the CPU a small network sets torch to one thread. `max_rows` bounds the UNet's batch, and with
    `measured_rows` it has as many rows as were fastest. Every `preview_every` steps
    a job's progress carries a small picture (0: never), decoded by TAESD if it is in the folder `taesd`. `upscalers`,
    `networks` and `vaes` are the operator's upscaler models, LoRAs, embeddings and VAEs. `compiled` answers in place of
    the checkpoint's UNet, in batches of its own size. `record` is shown the intermediate results (job, picture, name,
    tensor), for tests.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        max_rows: int = _MAX_ROWS,
        measured_rows: bool = False,
        preview_every: int = 0,
        taesd: Path | None = None,
        upscalers: Upscalers | None = None,
        networks: NetworkFolders | None = None,
        vaes: VaeCache | None = None,
        compiled: CompiledUnet | None = None,
        clock: Callable[[], float] = time.monotonic,
        record: JobRecorder | None = None,
    ) -> None:
        _use_few_threads(checkpoint)
        self._checkpoint = checkpoint
        self._denoiser = Denoiser(
            compiled or checkpoint.unet, prediction_type=checkpoint.prediction_type, device=checkpoint.device
        )
        self._eager = (
            Denoiser(checkpoint.unet, prediction_type=checkpoint.prediction_type, device=checkpoint.device)
            if compiled
            else self._denoiser
        )
        folders = networks or NetworkFolders()
        self._loras = LoraLibrary(checkpoint.patches, LoraFiles(folders.loras))
        cache = EmbeddingCache(folders.embeddings, lambda: checkpoint.conditioner.width)
        self._prompts = PromptCache(checkpoint.conditioner, self._loras, cache)
        self._vaes = vaes or VaeCache.empty()
        self._previewer = Previewer(checkpoint.vae, load_tiny(taesd, checkpoint.device))
        self._upscalers = upscalers or Upscalers(None, checkpoint.device)
        self._checks = FiniteChecks()
        # Where calls return before they are done, or want one size, there is nothing to measure.
        measured = measured_rows and compiled is None and checkpoint.device.type == "cpu"
        self._sizes = GroupSizes(compiled.rows if compiled else max_rows, measured=measured, clock=clock)
        self._preview_every = preview_every
        self._clock = clock
        self._record = record
        self._jobs: dict[str, ActiveJob] = {}
        self._events: list[Event] = []
        self._largest = 0  # pixels of the largest picture painted so far

    @property
    def idle(self) -> bool:
        """Return whether nothing is in flight."""
        return not self._jobs

    def next_turns(self) -> list[NextTurn]:
        """Return what each job in flight would do in its next turn, in the order of their admission."""
        return [job.next_turn for job in self._jobs.values() if not job.cancelled]

    @torch.inference_mode()
    def admit(self, job_id: str, request: GenerationRequest, *, owner: int = 0) -> None:
        """Take a job in: check it, plan it and encode its prompts. A PastelError says why it was not taken."""
        if job_id in self._jobs:
            raise LimitError(f"The job {job_id} is being painted already.")
        models = self._upscalers.files
        plan = make_plan(request, self._checkpoint.sigmas, models)
        if plan.tiles and not can_join_edges(self._checkpoint.unet):
            raise LimitError("An exported checkpoint cannot paint pictures that tile: leave the option Tiling out.")
        job = ActiveJob(id=job_id, owner=owner, plan=plan, started=self._clock(), vae=self._checkpoint.own_vae)
        try:
            if request.vae:
                job.vae = self._vaes.get(request.vae)
            for upscaler in plan.upscalers & models.keys():
                self._upscalers.prepare(upscaler)
            for pipeline in self._painters(job):
                networks = network_metadata(pipeline.conditionings, self._prompts.embedding_file)
                task = PictureTask(job=job, pipeline=pipeline, requests=pipeline.run(), networks=networks)
                job.tasks.append(task)
            with self._edges(job):
                for task in job.tasks:
                    task.start()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise self._too_large(job) from error
        self._jobs[job_id] = job

    def _painters(self, job: ActiveJob) -> Iterator[PicturePipeline]:
        plans = [job.plan.of_picture(index) for index in range(len(job.plan.request.prompts) or 1)]
        encoded = [list(self._prompts.encode(plan)) for plan in plans]
        request = job.plan.request
        if request.init is not None:
            size = request.width, request.height
            job.init = prepare_init(request.init, size, self._upscalers.enlarge)
        for index in range(request.count):
            own = index if request.prompts else 0
            yield PicturePipeline(
                plan=plans[own],
                index=index,
                conditionings=encoded[own],
                vae=job.vae.vae,
                device=self._checkpoint.device,
                init=job.init,
                enlarge=self._upscalers.enlarge,
                shows_source=self._checkpoint.is_inpainting,
                record=self._recorder(job.id, index),
            )

    def _recorder(self, job_id: str, index: int) -> Recorder:
        def record(name: str, tensor: Tensor) -> None:
            if self._record is not None:
                self._record(job_id, index, name, tensor)

        return record

    def cancel(self, job_id: str) -> None:
        """Let a job leave at the next step; one that is not here is no error."""
        if job_id in self._jobs:
            self._jobs[job_id].cancelled = True

    @torch.inference_mode()
    def step(self, chosen: Container[str] | None = None) -> list[Event]:
        """Advance the chosen jobs, by default all, by one denoiser call, and finish at most one of their pictures."""
        self._let_cancelled_leave()
        jobs = [job for job in self._jobs.values() if chosen is None or job.id in chosen]
        self._finish_one(jobs)
        waiting = [task for job in jobs for task in job.tasks if task.request is not None]
        for tasks in self._groups(waiting):
            self._advance(tasks)
        self._fail_broken()
        self._report({task.job.id: task.job for task in waiting}.values())
        events, self._events = self._events, []
        return events

    def _let_cancelled_leave(self) -> None:
        for job in [job for job in self._jobs.values() if job.cancelled]:
            self._drop(job)
            self._events.append(PaintingCancelled(job_id=job.id))

    def _groups(self, tasks: Iterable[PictureTask]) -> list[list[PictureTask]]:
        """Group pictures that can share a call; those whose LoRAs are in the UNet already come first."""
        groups = _alike(tasks)
        return groups if len(groups) == 1 else sorted(groups, key=lambda group: group[0].loras != self._loras.in_unet)

    def _advance(self, tasks: Sequence[PictureTask]) -> None:
        """Denoise pictures of one size, in smaller groups where memory is short."""
        requests = [task.request for task in tasks if task.request is not None]
        shape = requests[0].x.shape
        answers = self._denoise(requests, shape, tiled=tasks[0].job.plan.tiles)
        if answers is None:
            self._advance_with_less_memory(tasks, shape)
            return
        for task, denoised in zip(tasks, answers, strict=True):
            self._try(task.job, partial(task.advance, denoised))
        self._checks.add(tasks, answers)

    def _edges(self, job: ActiveJob) -> AbstractContextManager[None]:
        """Let the VAE join the edges of a job's pictures, where that is wanted."""
        return edges_joined(job.vae.vae.model) if job.plan.tiles else nullcontext()

    def _denoise(self, requests: Sequence[DenoiseRequest], shape: torch.Size, *, tiled: bool) -> list[Tensor] | None:
        """Return the answers, or None where memory is short: the error, which holds tensors, ends here."""
        try:
            self._loras.use_in_unet(requests[0].loras)
            wanted = sum(request.row_count for request in requests)
            rows = self._sizes.rows(shape, wanted)
            if not tiled:
                with self._sizes.timed(shape, rows, wanted):
                    return self._denoiser.denoise(requests, max_rows=rows)
            with edges_joined(self._checkpoint.unet):
                return self._eager.denoise(requests, max_rows=rows)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return None

    def _advance_with_less_memory(self, tasks: Sequence[PictureTask], shape: torch.Size) -> None:
        free_memory(self._checkpoint.device)
        if self._sizes.shorten(shape, 2 * len(tasks)):
            self._advance(tasks)
            return
        for task in tasks:
            self._fail(task.job, self._too_large(task.job))

    def _fail_broken(self) -> None:
        for task, step in self._checks.broken():
            pipeline, steps = task.pipeline, task.job.plan.calls
            self._fail(
                task.job,
                NumericalError(
                    f"The latents of picture {pipeline.index + 1} (seed {pipeline.seed}) became invalid after "
                    f"step {step} of {steps}. Try another sampler, a lower CFG scale or full precision."
                ),
            )

    def _report(self, jobs: Iterable[ActiveJob]) -> None:
        for job in jobs:
            if self._jobs.get(job.id) is job:
                self._events.append(
                    Progress(
                        job_id=job.id,
                        step=min(job.step, job.plan.calls),  # how many it will be is not always known
                        steps=job.plan.calls,
                        preview=self._preview(job),
                    )
                )

    def _preview(self, job: ActiveJob) -> bytes | None:
        latents = job.tasks[0].denoised
        if not self._preview_every or job.step % self._preview_every or latents is None:
            return None
        return self._previewer.preview(latents)

    def _finish_one(self, jobs: Iterable[ActiveJob]) -> None:
        """Turn the longest waiting final latents of these jobs into a picture."""
        done = (task for job in jobs for task in job.tasks if task.latents is not None)
        task = next(done, None)
        if task is None or task.latents is None:
            return
        job, latents, task.latents = task.job, task.latents, None
        self._try(job, partial(self._develop, job, task, latents))
        if job.finished:
            self._drop(job)
            pictures = tuple(job.pictures[index] for index in sorted(job.pictures))
            seconds = self._clock() - job.started
            self._events.append(Painted(job_id=job.id, pictures=pictures, seconds=seconds, notes=job.notes))

    def _develop(self, job: ActiveJob, task: PictureTask, latents: Tensor) -> None:
        """Decode one picture's final latents, write its PNG, and give it to its job."""
        pipeline = task.pipeline
        image = job.vae.vae.decode(latents)
        if not bool(torch.isfinite(image).all()):
            raise NumericalError(f"Picture {pipeline.index + 1} (seed {pipeline.seed}) was decoded to invalid values.")
        pipeline.record("decoded", image)
        pixels = pipeline.finished(to_pixels(image))
        height, width = pixels.shape[:2]
        self._largest = max(self._largest, width * height)
        request = pipeline.plan.request
        infotext = format_infotext(
            request if job.init is None else request.replace(init=job.init.done),
            index=pipeline.index,
            checkpoint=self._checkpoint.name,
            checkpoint_hash=self._checkpoint.hash,
            vae=job.vae.name,
            vae_hash=job.vae.hash,
            networks=self._fields(task),
        )
        png = encode_png(pixels, infotext)
        picture = Picture(png=png, seed=pipeline.seed, width=width, height=height, infotext=infotext)
        job.pictures[pipeline.index] = picture

    def _fields(self, task: PictureTask) -> Mapping[str, str]:
        """Return the fields of a picture's infotext that depend on networks."""
        rounded = self._checkpoint.rounded_to
        return task.networks.fields if not rounded else {**task.networks.fields, "Precision": rounded}

    def _try(self, job: ActiveJob, work: Callable[[], None]) -> None:
        """Do some work of a job; an error of painting ends this job alone."""
        try:
            with self._edges(job):
                work()
        except PaintingError as error:
            self._fail(job, error)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            self._fail(job, self._too_large(job))
        if job.id not in self._jobs:
            free_memory(self._checkpoint.device)

    def _fail(self, job: ActiveJob, error: PaintingError) -> None:
        # A check that comes late must not meet a second try under the same number.
        if self._jobs.get(job.id) is job:
            self._drop(job)
            self._events.append(PaintingFailed(job_id=job.id, reason=str(error)))

    def _drop(self, job: ActiveJob) -> None:
        """Release a job and the tensors of its pictures at once instead of waiting for the garbage collector."""
        del self._jobs[job.id]
        for task in job.tasks:
            self._checks.forget(task)
            task.close()

    def _too_large(self, job: ActiveJob) -> OutOfMemoryError:
        width, height = job.plan.picture_size
        fits = self._largest if 0 < self._largest < width * height else width * height // 2
        scale = math.sqrt(fits / (width * height))
        smaller = "x".join(str(max(64, int(side * scale) // 64 * 64)) for side in (width, height))
        device = self._checkpoint.device
        if smaller == f"{width}x{height}":
            return OutOfMemoryError(f"A picture of {width}x{height} does not fit into the memory of {device}.")
        return OutOfMemoryError(
            f"A picture of {width}x{height} does not fit into the memory of {device}; try {smaller}."
        )


def _use_few_threads(checkpoint: Checkpoint) -> None:
    """Let torch use one thread where a small network runs on the CPU.

    Its layers take microseconds: sharing them out costs more, and on a busy machine the threads wait for each other.
    """
    size = sum(parameter.numel() for parameter in checkpoint.unet.parameters())
    if checkpoint.device.type == "cpu" and size < _SMALL_UNET:
        torch.set_num_threads(1)


def _alike(tasks: Iterable[PictureTask]) -> list[list[PictureTask]]:
    """Group pictures of equal LoRAs, size and edges, so that a shortage of memory for one size touches no other."""
    alike: defaultdict[object, list[PictureTask]] = defaultdict(list)
    for task in tasks:
        if task.request is not None:
            alike[task.request.loras, task.request.x.shape, task.job.plan.tiles].append(task)
    return list(alike.values())


def paint_alone(
    engine: Engine, request: GenerationRequest, on_progress: Callable[[Progress], None] | None = None
) -> Painted:
    """Paint one request with an engine that does nothing else; raises the PastelError that a worker would report."""
    engine.admit("", request)
    while True:
        for event in engine.step():
            if isinstance(event, Painted):
                return event
            if isinstance(event, PaintingFailed):
                raise PaintingError(event.reason)
            if isinstance(event, Progress) and on_progress is not None:
                on_progress(event)
