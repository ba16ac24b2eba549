"""The size that the hires fix makes of a first pass, in pixels and in latent cells."""

from dataclasses import dataclass

from pastelbot.records import HiresFix

CELL = 8  # pixels along each side of a latent cell


@dataclass(frozen=True, kw_only=True)
class HiresSize:
    """The size after upscaling in pixels, and how many latent cells are cut off of it, half on each side."""

    width: int
    height: int
    truncate_x: int = 0
    truncate_y: int = 0

    @property
    def upscaled_cells(self) -> tuple[int, int]:
        """Return the (height, width) of the upscaled latents."""
        return self.height // CELL, self.width // CELL

    @property
    def crop(self) -> tuple[int, int, int, int]:
        """Return the first and end row, first and end column of what is kept of the upscaled latents."""
        rows, columns = self.upscaled_cells
        top, left = self.truncate_y // 2, self.truncate_x // 2
        return top, rows - (self.truncate_y + 1) // 2, left, columns - (self.truncate_x + 1) // 2

    @property
    def picture(self) -> tuple[int, int]:
        """Return the finished picture's (width, height)."""
        top, bottom, left, right = self.crop
        return (right - left) * CELL, (bottom - top) * CELL


def hires_size(width: int, height: int, hires: HiresFix) -> HiresSize:
    """Return what a first pass of `width` x `height` is upscaled and cropped to.

    With both target sides given, the picture is scaled to cover them and cropped to their aspect ratio.
    """
    target_width, target_height = hires.width, hires.height
    if not target_width and not target_height:
        return HiresSize(width=int(width * hires.scale), height=int(height * hires.scale))
    by_width = target_width, target_width * height // width
    by_height = target_height * width // height, target_height
    if not target_height:
        return HiresSize(width=by_width[0], height=by_width[1])
    if not target_width:
        return HiresSize(width=by_height[0], height=by_height[1])
    upscaled = by_width if width / height < target_width / target_height else by_height
    return HiresSize(
        width=upscaled[0],
        height=upscaled[1],
        truncate_x=(upscaled[0] - target_width) // CELL,
        truncate_y=(upscaled[1] - target_height) // CELL,
    )
