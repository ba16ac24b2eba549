"""Fields for an X/Y grid, which belong to the form that paints."""

from collections.abc import Sequence

import gradio

from pastelbot.i18n.languages import Translate
from pastelbot.options.reading import read_grid
from pastelbot.records import Grid
from pastelbot.rules import grids

_NONE = ""


class GridFields:
    """What changes from column to column and from row to row."""

    def __init__(self, translate: Translate) -> None:
        """Add the fields to the layout that is being built."""
        kinds = [(translate("no grid"), _NONE), *((translate(kind.title), name) for name, kind in grids.KINDS.items())]
        rows = [(translate("one row"), _NONE), *kinds[1:]]
        values = translate("5, 7, 9 or 1-5 or 20-40 (+10); for Prompt S/R the words and what takes their place")
        with gradio.Row(elem_classes="options"):
            self.components: list[gradio.components.Component] = [
                gradio.Dropdown(kinds, value=_NONE, label=translate("Columns (X)"), elem_id="grid-x"),
                gradio.Textbox(label=translate("Values of the columns"), info=values, elem_id="grid-x-values"),
                gradio.Dropdown(rows, value=_NONE, label=translate("Rows (Y)"), elem_id="grid-y"),
                gradio.Textbox(label=translate("Values of the rows"), elem_id="grid-y-values"),
            ]

    @staticmethod
    def read(values: Sequence[object]) -> Grid | None:
        """Return the grid that the fields' values mean, None where there is none; raises RequestError."""
        x, x_values, y, y_values = (str(value or "").strip() for value in values)
        if not x:
            return None
        return read_grid(x, x_values, y or None, y_values or None)

    @staticmethod
    def shown(infotext: str) -> list[object]:
        """Return what the fields show for an infotext, which is a grid's or not."""
        axes = grids.typed_axes(infotext)
        return [part for letter in "XY" for part in axes.get(letter, (_NONE, ""))]
