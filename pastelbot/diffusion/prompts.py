"""The prompts of a plan through the text encoder, kept for the next job with the same words."""

from collections import OrderedDict
from collections.abc import Iterator

from pastelbot.diffusion.conditioning import Conditioner
from pastelbot.diffusion.picture import PassConditioning, Plan
from pastelbot.prompt.extra_networks import extract_networks
from pastelbot.records import GenerationRequest

KEPT = 64


class PromptCache:
    """Encodes prompts and remembers the latest ones."""

    def __init__(self, conditioner: Conditioner) -> None:
        self._conditioner = conditioner
        self._kept: OrderedDict[object, PassConditioning] = OrderedDict()

    def encode(self, plan: Plan) -> Iterator[PassConditioning]:
        """Yield the conditioning of each pass; raises a PromptError where the webui would fail."""
        request = plan.request
        steps = plan.first.spec.prompt_steps(request.steps)
        yield self._pass(request, request.prompt, request.negative_prompt, steps, None)
        if plan.hires is None:
            return
        fix = plan.hires.fix
        hires_steps = plan.hires.run.spec.prompt_steps(fix.steps or request.steps)
        # An empty prompt means "the same", as in the webui.
        prompt = fix.prompt or request.prompt
        yield self._pass(request, prompt, fix.negative_prompt or request.negative_prompt, steps, hires_steps)

    def _pass(
        self, request: GenerationRequest, prompt: str, negative: str, steps: int, hires_steps: int | None
    ) -> PassConditioning:
        key = (prompt, negative, steps, hires_steps, request.clip_skip, request.emphasis)
        if key not in self._kept:
            self._kept[key] = self._encode(request, prompt, negative, steps, hires_steps)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def _encode(
        self, request: GenerationRequest, prompt: str, negative: str, steps: int, hires_steps: int | None
    ) -> PassConditioning:
        clip_skip, emphasis = request.clip_skip, request.emphasis
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
        return PassConditioning(positive=positive, negative=avoided)
