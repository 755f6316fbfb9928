"""Nouns that say in a few lines what they are, in a console and in a notebook."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from textwrap import shorten
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

_WIDE = 100  # letters of a fact
_SIDE = 96  # pixels of a small picture
_NAMED = 8  # of many


class Described:
    """What `repr` and a notebook show of an object: a headline, and a line a fact.

    A subclass gives `_headline` and `_facts`, and `_pictures` if it has some. As a
    dataclass it is made with `repr=False`.
    """

    def _headline(self) -> str:
        return type(self).__name__

    def _facts(self) -> Mapping[str, str]:
        """Short texts by name; those that are empty are left out."""
        raise NotImplementedError

    def _pictures(self) -> Sequence["tuple[np.ndarray, str]"]:
        """RGB pixels in [0, 255], and a word on each."""
        return ()

    def _told(self) -> dict[str, str]:
        found = {name: shorten(text, _WIDE) for name, text in self._facts().items()}
        return {name: text for name, text in found.items() if text}

    def __repr__(self) -> str:
        told = self._told()
        width = max(map(len, told), default=0)
        lines = [f"  {name:<{width}}  {text}" for name, text in told.items()]
        return "\n".join([self._headline(), *lines])

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><th style="text-align:left">{escape(name)}</th>'
            f'<td style="text-align:left">{escape(text)}</td></tr>'
            for name, text in self._told().items()
        )
        pictures = "".join(
            f'<img alt="{escape(word)}" title="{escape(word)}" style="margin:2px" '
            f'src="data:image/jpeg;base64,{_jpeg(pixels)}">'
            for pixels, word in self._pictures()
        )
        return (
            f"<b>{escape(self._headline())}</b><table>{rows}</table>"
            f'<div style="max-width:52rem">{pictures}</div>'
        )


def some(names: Sequence[object], limit: int = _NAMED) -> str:
    """The first of `names`, and how many more there are."""
    shown = ", ".join(map(str, names[:limit]))
    more = len(names) - limit
    return f"{shown} and {more:,} more" if more > 0 else shown


def named_network(model: Any) -> str:
    """The name and the size of a Keras model, as a fact."""
    return f"{model.name}, {model.count_params():,} parameters"


def _jpeg(pixels: "np.ndarray") -> str:
    import cv2  # late: what says in one line what it is stays light

    factor = _SIDE / max(pixels.shape[:2])
    size = [max(round(side * factor), 1) for side in pixels.shape[1::-1]]
    small = cv2.resize(pixels.astype("uint8"), size, interpolation=cv2.INTER_AREA)
    _, jpeg = cv2.imencode(".jpg", small[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, 80))
    return b64encode(jpeg.tobytes()).decode()
