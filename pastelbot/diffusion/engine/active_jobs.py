"""Jobs in flight: what the step engine keeps between two turns."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from torch import Tensor

from pastelbot.diffusion.engine.blending import DenoiseRequests
from pastelbot.diffusion.engine.denoiser import DenoiseRequest
from pastelbot.diffusion.engine.network_metadata import NetworkMetadata
from pastelbot.diffusion.engine.picture import PicturePipeline
from pastelbot.diffusion.engine.plan import Plan
from pastelbot.diffusion.image.img2img import InitPicture
from pastelbot.diffusion.lora.patch import NO_LORAS, LoraSet
from pastelbot.diffusion.networks.vae import NamedVae
from pastelbot.records import Picture
from pastelbot.rules.hires import CELL
from pastelbot.rules.timing.fair_shares import NextTurn, decoding_effort, denoising_effort


@dataclass(kw_only=True, eq=False)
class PictureTask:
    """One picture in flight: what it wants denoised now, or its final latents, and the networks in its prompts."""

    job: "ActiveJob"
    pipeline: PicturePipeline
    requests: DenoiseRequests
    networks: NetworkMetadata
    request: DenoiseRequest | None = None
    denoised: Tensor | None = None
    latents: Tensor | None = None
    calls: int = 0

    @property
    def loras(self) -> LoraSet:
        """Return the LoRAs that the UNet needs next."""
        return NO_LORAS if self.request is None else self.request.loras

    def start(self) -> None:
        """Take the first request, or the final latents where there is nothing to denoise."""
        self._take(partial(next, self.requests))

    def advance(self, denoised: Tensor) -> None:
        """Hand the answer in and take the next request, or the final latents."""
        self.calls += 1
        self.denoised = denoised if self.request is None else self.request.guidance.shown(denoised)
        self._take(partial(self.requests.send, denoised))

    def _take(self, ask: Callable[[], DenoiseRequest]) -> None:
        try:
            self.request = ask()
        except StopIteration as stop:
            self.request, self.latents = None, stop.value

    def close(self) -> None:
        """Release every tensor."""
        self.requests.close()
        self.request = self.denoised = self.latents = None


@dataclass(kw_only=True, eq=False)
class ActiveJob:
    """One job in flight."""

    id: str
    owner: int
    plan: Plan
    started: float
    vae: NamedVae
    init: InitPicture | None = None
    tasks: list[PictureTask] = field(default_factory=list)
    pictures: dict[int, Picture] = field(default_factory=dict)
    cancelled: bool = False

    @property
    def notes(self) -> tuple[str, ...]:
        """Return sentences about what the user may not expect."""
        notes = [note for task in self.tasks for note in task.networks.notes]
        return tuple(dict.fromkeys([*notes, *(self.init.notes if self.init is not None else ())]))

    @property
    def step(self) -> int:
        """Return the steps that all of the job's pictures have done."""
        return min(task.calls for task in self.tasks)

    @property
    def effort(self) -> int:
        """Return the effort of the next turn: the requests of all pictures, and the decoding of one that is final."""
        requests = [task.request for task in self.tasks if task.request is not None]
        denoising = sum(denoising_effort(_pixels(request.x), request.row_count) for request in requests)
        final = next((task.latents for task in self.tasks if task.latents is not None), None)
        return denoising if final is None else denoising + decoding_effort(_pixels(final))

    @property
    def next_turn(self) -> NextTurn:
        """Return what the job would do in its next turn."""
        decodes = any(task.latents is not None for task in self.tasks)
        return NextTurn(job_id=self.id, owner=self.owner, effort=self.effort, decodes=decodes)

    @property
    def finished(self) -> bool:
        """Return whether every picture is there."""
        return len(self.pictures) == len(self.tasks)


def _pixels(latents: Tensor) -> int:
    """Return the pixels of the picture that latents (channels, height, width) stand for."""
    return latents.shape[1] * latents.shape[2] * CELL * CELL
