"""A WD14-type tagger, which gives the probabilities of tags and of four ratings for a picture.

The interface is that of the public wd14 and wd-v3 taggers: one input (batch, height, width, 3) of float32 in BGR, 0 to
255, and one output (batch, tags) of probabilities in the order of `selected_tags.csv`.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pastelbot.errors import TaggerError
from pastelbot.formats import pictures
from pastelbot.records import Description, ScoredTag
from pastelbot.tagging.files import TaggerOptions, check_installed, locate
from pastelbot.tagging.labels import Labels, read_labels

_SLACK = 1e-3  # tolerance of a probability for rounding


class _Place(Protocol):
    """An input or an output of a model."""

    name: str
    type: str
    shape: Sequence[object]


class _Session(Protocol):
    """The used part of ONNX Runtime's session, which is untyped."""

    def get_inputs(self) -> Sequence[_Place]: ...

    def get_outputs(self) -> Sequence[_Place]: ...

    def run(self, outputs: None, inputs: Mapping[str, NDArray[np.float32]]) -> Sequence[object]: ...


class Tagger:
    """A loaded model and its list of tags."""

    def __init__(
        self,
        model: Path,
        labels: Path,
        *,
        general_threshold: float = 0.35,
        character_threshold: float = 0.85,
        threads: int = 0,
    ) -> None:
        self._labels = read_labels(labels)
        self._general_threshold = general_threshold
        self._character_threshold = character_threshold
        self._session = _open(model, threads)
        self._input, self._side = _input_of(self._session, model)
        self._check_output(model)

    @classmethod
    def load(cls, options: TaggerOptions, on_progress: Callable[[str], None] | None = None) -> "Tagger":
        """Load the model and labels that the options name; raises TaggerError."""
        check_installed()
        model, labels = locate(options, on_progress)
        return cls(
            model,
            labels,
            general_threshold=options.general_threshold,
            character_threshold=options.character_threshold,
            threads=options.threads,
        )

    def describe(self, content: bytes) -> Description:
        """Describe a picture file; raises RequestError where it is not a picture.

        The size is not limited here: finished pictures have any size, and uploads were checked before.
        """
        image = pictures.flattened(content, what="The picture")
        scores = self._run(_prepared(image, self._side))
        labels = self._labels
        rating = max(labels.ratings, key=lambda index: scores[index])
        return Description(
            rating=labels.names[rating],
            rating_score=float(scores[rating]),
            tags=_above(scores, labels, labels.general, self._general_threshold),
            characters=_above(scores, labels, labels.characters, self._character_threshold),
        )

    def _run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return one probability for each tag."""
        try:
            (output,) = self._session.run(None, {self._input: batch})
        except Exception as error:  # ONNX Runtime raises a separate class for each kind of failure
            raise TaggerError(f"The tagger's model failed: {error}") from error
        scores: NDArray[np.float32] = np.asarray(output, dtype=np.float32).reshape(-1)
        if len(scores) != len(self._labels.names):
            raise TaggerError(f"The tagger's model returned {len(scores)} numbers for {len(self._labels.names)} tags.")
        if not bool(np.all((scores >= -_SLACK) & (scores <= 1 + _SLACK))):  # false for NaN too
            raise TaggerError("The tagger's model returned values that are not probabilities between 0 and 1.")
        return scores

    def _check_output(self, model: Path) -> None:
        """Run once on white, so that a model of another kind is refused when loaded, not at the first picture."""
        outputs = self._session.get_outputs()
        if len(outputs) != 1:
            raise TaggerError(f"The tagger's model {model} has {len(outputs)} outputs; it must have one.")
        self._run(np.full((1, self._side, self._side, 3), 255, dtype=np.float32))


def _prepared(image: Image.Image, side: int) -> NDArray[np.float32]:
    """Return an RGB picture as model input: centred on a white square, (1, side, side, 3) in BGR.

    It is resized before it is padded: a picture of 1 x 1,000,000 pixels must not become a square of that side.
    """
    scale = side / max(image.size)
    width, height = (max(1, round(length * scale)) for length in image.size)
    fitted = image.resize((width, height), Image.Resampling.BICUBIC)
    square = Image.new("RGB", (side, side), "white")
    square.paste(fitted, ((side - width) // 2, (side - height) // 2))
    pixels = np.asarray(square, dtype=np.float32)[:, :, ::-1]
    return np.ascontiguousarray(pixels)[None]


def _open(model: Path, threads: int) -> _Session:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # errors are raised here
    try:
        # Only the CPU: the accelerator is for painting.
        session: _Session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the same as above
        raise TaggerError(f"The tagger's model {model} cannot be loaded: {error}") from error
    return session


def _input_of(session: _Session, model: Path) -> tuple[str, int]:
    """Return the input's name and the side of its square in pixels."""
    inputs = session.get_inputs()
    shape: Sequence[object] = inputs[0].shape if len(inputs) == 1 else ()
    match shape:
        case [_, int(height), int(width), 3] if height == width and inputs[0].type == "tensor(float)":
            return inputs[0].name, height
    raise TaggerError(
        f"The tagger's model {model} is not a WD14 tagger: it must have one float input of (batch, side, side, 3), "
        f"and has {', '.join(f'{one.type} {one.shape}' for one in inputs) or 'none'}."
    )


def _above(
    scores: NDArray[np.float32], labels: Labels, indices: Sequence[int], threshold: float
) -> tuple[ScoredTag, ...]:
    """Return the tags above the threshold, most likely first."""
    likely = sorted((index for index in indices if scores[index] > threshold), key=lambda index: -scores[index])
    return tuple(ScoredTag(name=labels.names[index], score=min(1.0, float(scores[index]))) for index in likely)
