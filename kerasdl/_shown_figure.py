"""A figure that a notebook shows where it is made, and once in a cell."""

import io
from typing import Any

from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from matplotlib.text import Text

from kerasdl import _fonts
from kerasdl._notebook import notebook


class ShownFigure(Figure):
    """A figure outside pyplot, which knows the cell that shows it.

    `show` puts it under the cell that runs, whenever it is called. As the value of a
    cell it is shown too, unless that cell has shown it before: what made it may have.
    """

    _cell: int | None = None

    def draw(self, renderer: RendererBase) -> None:
        """Draw it, names in other scripts by a font that has them."""
        for text in self.findobj(Text):
            if isinstance(text, Text) and not text.get_text().isascii():
                text.set_fontfamily(_fonts.families())
        super().draw(renderer)

    def show(self, warn: bool = True) -> None:
        """Show it as it is now; nothing happens outside a notebook."""
        shell = notebook()
        if shell is None:
            return
        from IPython.display import Image, display

        self._cell = shell.execution_count
        png = io.BytesIO()
        self.savefig(png, format="png")
        display(Image(png.getvalue()))

    def _ipython_display_(self, **_: Any) -> None:
        shell = notebook()
        if shell is None:
            raise NotImplementedError  # IPython takes `repr`
        if self._cell != shell.execution_count:
            self.show()
