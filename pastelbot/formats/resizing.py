"""Resizing pictures, to the same levels with every version of Pillow."""

from PIL import Image

Size = tuple[int, int]  # width, height


def resized(image: Image.Image, size: Size, resampling: Image.Resampling = Image.Resampling.LANCZOS) -> Image.Image:
    """Return the picture at a size: first its width is changed, and then its height.

    That is what Pillow does by itself up to 12, and the webui's pictures are made so. Pillow 13 begins with the height
    where one side grows and the other one shrinks, which rounds to other levels.
    """
    return image.resize((size[0], image.height), resampling).resize(size, resampling)
