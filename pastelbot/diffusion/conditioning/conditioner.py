"""Conditioning: prompts through the text encoder, as the webui does it number for number.

A prompt's texts at different steps are encoded in one call, since the emphasis keeps the mean of a whole call; the
parts of an `AND` are calls of their own.
"""

from collections.abc import Sequence

import torch
from transformers import CLIPTextModel, PreTrainedTokenizerBase

from pastelbot.diffusion.conditioning.emphasis import apply_emphasis
from pastelbot.diffusion.conditioning.schedule import ConditioningSchedule, Track, WeightedConditioning, schedules
from pastelbot.diffusion.conditioning.textual_inversion import Embeddings, embeddings_placed
from pastelbot.prompt.composition import compose
from pastelbot.prompt.editing import prompt_schedule
from pastelbot.prompt.tokenization.chunks import COMMA_BACKTRACK, Chunk, EmbeddingNames, chunk_text
from pastelbot.prompt.tokenization.tokenizer import ClipTokenizer

__all__ = ["Conditioner", "ConditioningSchedule", "WeightedConditioning"]


class Conditioner:
    """Encodes prompts with one checkpoint's text encoder.

    `embeddings` are textual inversions: name -> vectors (count, dim) that a prompt calls by name.
    """

    def __init__(
        self,
        tokenizer: ClipTokenizer | PreTrainedTokenizerBase,
        text_encoder: CLIPTextModel,
        *,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
        embeddings: Embeddings | None = None,
    ) -> None:
        self.tokenizer = _as_clip_tokenizer(tokenizer)
        self._text_encoder = text_encoder.to(device=device, dtype=dtype).eval()
        self._device = torch.device(device)
        self._dtype = dtype
        self._read: dict[str, None] = {}
        self.comma_backtrack = COMMA_BACKTRACK  # of the texts that are encoded next
        self.learn(embeddings or {})

    @property
    def width(self) -> int:
        """Return the numbers in each of the text encoder's vectors."""
        return int(self._text_encoder.config.hidden_size)

    def learn(self, embeddings: Embeddings) -> None:
        """Take these textual inversions in place of the ones before."""
        self._embeddings = embeddings
        sizes = {name: vectors.shape[0] for name, vectors in embeddings.items()}
        self._names = EmbeddingNames(sizes, self.tokenizer) if sizes else None

    def take_embeddings_read(self) -> tuple[str, ...]:
        """Return the textual inversions that were read since this was last asked, in their order."""
        read, self._read = tuple(self._read), {}
        return read

    def encode(self, texts: Sequence[str], *, clip_skip: int, emphasis: str = "Original") -> torch.Tensor:
        """Encode texts in one call: (n, 77 * chunks, dim), shorter ones filled up with empty chunks.

        `clip_skip` counts as the webui does: 1 takes the text encoder's last layer, 2 the one before it.
        """
        chunks = {text: self._chunks(text, emphasis) for text in texts}
        empty = self._chunks("", emphasis)[0]
        columns = range(max(map(len, chunks.values())))
        rows = [[*chunks[text], *[empty] * (len(columns) - len(chunks[text]))] for text in texts]
        encoded = [self._encode_column([row[column] for row in rows], clip_skip, emphasis) for column in columns]
        return torch.cat(encoded, dim=1).to(self._dtype)

    def positive(
        self,
        prompts: Sequence[str],
        *,
        steps: int,
        hires_steps: int | None = None,
        clip_skip: int,
        emphasis: str = "Original",
    ) -> list[ConditioningSchedule]:
        """Encode a batch's prompts, with `AND` and prompt editing.

        `hires_steps` is None in the first pass; in the hires pass it is that pass's number of steps.
        """
        composition = compose(prompts)
        tracks = self._tracks(composition.texts, (steps, hires_steps), clip_skip, emphasis)
        return list(schedules(composition.images, tracks))

    def negative(
        self,
        prompts: Sequence[str],
        *,
        steps: int,
        hires_steps: int | None = None,
        clip_skip: int,
        emphasis: str = "Original",
    ) -> list[ConditioningSchedule]:
        """Encode a batch's negative prompts, with prompt editing; `AND` is a word like any other."""
        texts = list(dict.fromkeys(prompts))
        tracks = self._tracks(texts, (steps, hires_steps), clip_skip, emphasis)
        return list(schedules([[(texts.index(prompt), 1.0)] for prompt in prompts], tracks))

    def _tracks(
        self, texts: Sequence[str], steps: tuple[int, int | None], clip_skip: int, emphasis: str
    ) -> list[Track]:
        return [self._track(text, steps, clip_skip, emphasis) for text in texts]

    def _track(self, text: str, steps: tuple[int, int | None], clip_skip: int, emphasis: str) -> Track:
        schedule = prompt_schedule(text, *steps)
        encoded = self.encode([entry.text for entry in schedule], clip_skip=clip_skip, emphasis=emphasis)
        # A text that comes again is one tensor, not equal ones.
        tensors = {entry.text: row for entry, row in zip(schedule, encoded, strict=True)}
        return Track(tuple((entry.end, tensors[entry.text]) for entry in schedule))

    def _chunks(self, text: str, emphasis: str) -> tuple[Chunk, ...]:
        return chunk_text(
            self.tokenizer,
            text,
            emphasis=emphasis,
            embeddings=self._names,
            backtrack=self.comma_backtrack,
        ).chunks

    def _encode_column(self, chunks: Sequence[Chunk], clip_skip: int, emphasis: str) -> torch.Tensor:
        """Encode one chunk of every text: (n, 77, dim) in float32."""
        keys = [(chunk.tokens, chunk.embeddings) for chunk in chunks]
        different = {key: row for row, key in enumerate(dict.fromkeys(keys))}
        tokens = torch.tensor([tokens for tokens, _ in different], device=self._device)
        placed = [embeddings for _, embeddings in different]
        self._read.update((place.name, None) for places in placed for place in places)
        with torch.no_grad(), embeddings_placed(self._text_encoder, placed, self._embeddings):
            encoded = self._run_text_encoder(tokens, clip_skip).float()
        weights = torch.tensor([chunk.weights for chunk in chunks], device=self._device)
        return apply_emphasis(encoded[[different[key] for key in keys]], weights, emphasis)

    def _run_text_encoder(self, tokens: torch.Tensor, clip_skip: int) -> torch.Tensor:
        if clip_skip <= 1:
            last: torch.Tensor = self._text_encoder(input_ids=tokens).last_hidden_state
            return last
        layers = self._text_encoder(input_ids=tokens, output_hidden_states=True).hidden_states
        model = getattr(self._text_encoder, "text_model", self._text_encoder)
        normalised: torch.Tensor = model.final_layer_norm(layers[-min(clip_skip, len(layers))])
        return normalised


def _as_clip_tokenizer(tokenizer: ClipTokenizer | PreTrainedTokenizerBase) -> ClipTokenizer:
    """Return our tokenizer with the vocabulary of another, which alone would skip the repairs of the text."""
    if isinstance(tokenizer, ClipTokenizer):
        return tokenizer
    return ClipTokenizer.from_json(tokenizer.backend_tokenizer.to_str())
