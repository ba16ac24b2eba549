"""Paint the sheets of the model card: eight prompts by four seeds, native and with hires fix."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from PIL import Image, ImageDraw

from training.sampling import POSITIVE, Painter, Settings
from training.workspace import Pixels

PROMPTS = (
    "1girl, red hair, glasses, smile, pink background",
    "1girl, long hair, blue hair, yellow eyes, blush, white background",
    "1boy, short hair, black hair, green eyes, grin, yellow background, blue shirt",
    "1girl, blonde hair, ponytail, blue eyes, open mouth, smile, green background",
    "1girl, purple hair, double bun, closed eyes, smile, blue background, earrings",
    "1girl, pink hair, hair flower, bob cut, bangs, mksks style, purple background",
    "1girl, white hair, sunglasses, frown, black background, red shirt",
    "1girl, brown hair, dark skin, bangs, brown eyes, freckles, orange background",
)
CAPTION = 14


def sheet(pictures: Pixels, captions: tuple[str, ...], columns: int) -> Image.Image:
    """Lay `pictures` out in rows with a caption under each."""
    height, width = pictures.shape[1:3]
    image = Image.new("RGB", (width * columns, (height + CAPTION) * len(captions)), "white")
    draw = ImageDraw.Draw(image)
    for i, picture in enumerate(pictures):
        image.paste(Image.fromarray(picture), (i % columns * width, i // columns * (height + CAPTION)))
    for i, caption in enumerate(captions):
        draw.text((3, (i + 1) * (height + CAPTION) - CAPTION + 1), caption, fill="black")
    return image


def save(image: Image.Image, path: Path) -> None:
    """Write a small PNG of 256 colours."""
    image.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


def main() -> None:
    """Write native.png and hires.png."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--cfg", type=float, default=7.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--native-only", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    painter, settings = Painter(given.folder), Settings(cfg=given.cfg)
    prompts = [POSITIVE + prompt for prompt in PROMPTS for _ in range(given.seeds)]
    seeds = [100 + n for _ in PROMPTS for n in range(given.seeds)]
    given.out.mkdir(parents=True, exist_ok=True)
    save(
        sheet(painter.paint(prompts, seeds, settings), PROMPTS, given.seeds),
        given.out / "bundled-checkpoint-native.png",
    )
    if not given.native_only:
        save(
            sheet(painter.paint_hires(prompts, seeds, settings), PROMPTS, given.seeds),
            given.out / "bundled-checkpoint-hires.png",
        )


if __name__ == "__main__":
    main()
