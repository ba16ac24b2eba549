"""The prompts of a plan through the text encoder, kept for the next job with the same words."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from pastelbot.diffusion.conditioning.conditioner import Conditioner
from pastelbot.diffusion.conditioning.embeddings import Embedding, EmbeddingCache
from pastelbot.diffusion.engine.picture import PassConditioning
from pastelbot.diffusion.engine.plan import Plan
from pastelbot.diffusion.lora.library import LoraLibrary, UsedLora, text_set
from pastelbot.errors import PaintingError
from pastelbot.prompt.extra_networks import extract_networks
from pastelbot.records import GenerationRequest

_KEPT = 64


class PromptCache:
    """Encodes prompts, with the LoRAs and embeddings that they name, and remembers the latest ones."""

    def __init__(self, conditioner: Conditioner, loras: LoraLibrary, cache: EmbeddingCache) -> None:
        self._conditioner = conditioner
        self._loras = loras
        self._cache = cache
        self._kept: OrderedDict[object, PassConditioning] = OrderedDict()
        self._learnt: Mapping[str, Embedding] = {}

    def encode(self, plan: Plan) -> Iterator[PassConditioning]:
        """Yield the conditioning of each pass; raises a PromptError where the webui would fail."""
        if self._cache.refresh():
            self._kept.clear()  # what was encoded before may be different now
        request = plan.request
        steps = plan.first.info.calls(request.steps)
        yield self._pass(request, request.prompt, request.negative_prompt, steps, None)
        if plan.hires is None:
            return
        fix = plan.hires.fix
        hires_steps = plan.hires.run.info.calls(fix.steps or request.steps)
        # An empty prompt means "the same", as in the webui.
        prompt = fix.prompt or request.prompt
        yield self._pass(request, prompt, fix.negative_prompt or request.negative_prompt, steps, hires_steps)

    def _pass(
        self, request: GenerationRequest, prompt: str, negative: str, steps: int, hires_steps: int | None
    ) -> PassConditioning:
        painted_with = self._loras.of_prompt(prompt)
        first = hires_steps is not None and request.sampling.first_networks
        loras = self._loras.of_prompt(request.prompt) if first else painted_with
        patched = text_set(loras)
        changed = tuple((lora.identity, multiplier) for lora, multiplier in patched)
        inside = tuple(used.lora.identity for used in loras if used.lora.embeddings)
        sampling = request.sampling.comma_backtrack, request.sampling.pad_conditionings
        key = (
            prompt,
            negative,
            steps,
            hires_steps,
            request.clip_skip,
            request.emphasis,
            sampling,
            changed,
            inside,
        )
        if key not in self._kept:
            self._loras.use_in_text_encoder(patched)
            self._learn_embeddings(loras)
            self._kept[key] = self._encode(request, prompt, negative, steps, hires_steps)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return replace(self._kept[key], loras=painted_with)

    def _learn_embeddings(self, loras: Iterable[UsedLora]) -> None:
        """Let prompts call the embeddings of the folder, and those inside the LoRAs that have no namesake there."""
        embeddings = {
            name: self._cache.bundled(used.tag.name, name, tensors)
            for used in loras
            for name, tensors in used.lora.embeddings.items()
        }
        wanted = {**embeddings, **self._cache.by_name}
        if wanted != self._learnt:
            self._learnt = wanted
            self._conditioner.learn({name: each.vectors for name, each in wanted.items()})

    def embedding_file(self, name: str) -> Embedding | None:
        """Return the embedding that has a file of its own; None for one inside a LoRA."""
        return self._cache.by_name.get(name)

    def _encode(
        self, request: GenerationRequest, prompt: str, negative: str, steps: int, hires_steps: int | None
    ) -> PassConditioning:
        clip_skip, emphasis = request.clip_skip, request.emphasis
        self._conditioner.comma_backtrack = request.sampling.comma_backtrack
        self._conditioner.take_embeddings_read()
        # Tags like <lora:name:1> are no text; in a negative prompt the webui takes them for text.
        (positive,) = self._conditioner.positive(
            [extract_networks(prompt).prompt],
            steps=steps,
            hires_steps=hires_steps,
            clip_skip=clip_skip,
            emphasis=emphasis,
        )
        (avoided,) = self._conditioner.negative(
            [negative], steps=steps, hires_steps=hires_steps, clip_skip=clip_skip, emphasis=emphasis
        )
        read = self._conditioner.take_embeddings_read()
        for name in read:
            if problem := self._learnt[name].problem if name in self._learnt else None:
                raise PaintingError(problem)
        empty = self._conditioner.encode([""], clip_skip=clip_skip, emphasis=emphasis)[0]
        return PassConditioning(
            positive=positive,
            negative=avoided,
            embeddings=read,
            empty=empty if request.sampling.pad_conditionings else None,
        )
