"""Pictures inside a page: charts with their captions, and galleries."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from html import escape
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
from PIL import Image

_SIDE = 224  # pixels of the longer side: sharp on screens of double density
_QUALITIES = (80, 60, 40, 20)  # of JPEG: the first of at most so many bytes
_BYTES = 14_000
_LETTERS = 20  # of a line below a small picture
_LEVELS = 64  # of heat: few of them make a small file
_OPACITY = 0.5  # of the hottest place
_WIDE = 700  # CSS pixels; wider charts scroll on a phone, so that one can read them


def chart(save: Callable[..., object], *args: Any, alt: str, caption: str) -> str:
    """The picture that `save(*args, path)` writes.

    Args:
        save: writes a PNG of 120 pixels an inch.
        *args: of `save`.
        alt: says what the picture shows to who does not see it.
        caption: below it.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / "chart.png"
        save(*args, path)
        png = path.read_bytes()
    # The header of a PNG holds width and height; a CSS inch has 96 pixels.
    width, height = (
        int.from_bytes(png[start : start + 4], "big") * 96 // 120 for start in (16, 20)
    )
    wide = " wide" if width > _WIDE else ""
    return (
        f'<figure class="chart{wide}"><div tabindex="0" role="region" '
        f'aria-label="{escape(caption)}"><img width="{width}" height="{height}" '
        f'alt="{escape(alt)}" src="{_data("png", png)}"></div>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def row(parts: Sequence[str]) -> str:
    """Charts beside one another, where there is room."""
    return f'<div class="row">{"".join(parts)}</div>'


def pair(left: str, right: str) -> str:
    """Two galleries beside each other, where there is room."""
    return f'<div class="pair"><div>{left}</div><div>{right}</div></div>'


def gallery(pictures: Sequence[str]) -> str:
    """What `picture` made of each, in rows."""
    return f'<div class="pictures">{"".join(pictures)}</div>'


def picture(
    pixels: np.ndarray,
    name: str,
    lines: Sequence[tuple[str, str]],
    alt: str,
    heat: tuple[str, np.ndarray] | None = None,
) -> str:
    """A small picture with its name and lines below; a click shows it large.

    Args:
        pixels: RGB `(height, width, 3)` in [0, 255].
        name: of its file.
        lines: a class of the style ("right", "wrong" or "") and a text each.
        alt: says what it is to who does not see it.
        heat: of what, and where it is seen, `(height, width)` in [0, 1], which lies
            over the large picture; None has none.
    """
    height, width = pixels.shape[:2]
    factor = min(_SIDE / max(height, width), 1)
    size = (max(round(width * factor), 1), max(round(height * factor), 1))
    pixels = np.clip(np.round(pixels), 0, 255).astype("uint8")
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    bgr = np.ascontiguousarray(small[..., ::-1])
    for quality in _QUALITIES:
        _, jpeg = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, quality))
        if len(jpeg) <= _BYTES:
            break
    spans = "".join(
        f'<span class="{style}">{escape(_held(text))}</span>' for style, text in lines
    )
    over = legend = ""
    if heat is not None:
        seen, places = heat
        words = f"Colours: where {seen} is seen (Grad-CAM)"
        legend = f'<span class="heat">{escape(words)}</span>'
        over = (
            f'<img class="heat" width="{size[0]}" height="{size[1]}" alt="Grad-CAM of '
            f'the {escape(alt)}" src="{_data("png", _png(places, size))}">'
        )
    return (
        f'<figure class="picture"><div class="view"><img width="{size[0]}" '
        f'height="{size[1]}" alt="{escape(alt)}" '
        f'src="{_data("jpeg", jpeg.tobytes())}">{over}</div>'
        f'<input type="checkbox" aria-label="{escape(alt)}, large" />'
        f"<figcaption><span>{_breakable(name)}</span>{spans}{legend}</figcaption>"
        "</figure>"
    )


def _png(heat: np.ndarray, size: tuple[int, int]) -> bytes:
    """Heat as a file in colours, the clearer the colder; `size` is (width, height)."""
    from matplotlib import colormaps

    shades = np.linspace(0, 1, _LEVELS)
    spread = cv2.resize(heat, size, interpolation=cv2.INTER_LINEAR)
    levels = np.clip(np.round(spread * (_LEVELS - 1)), 0, _LEVELS - 1).astype("uint8")
    image = Image.fromarray(levels, "P")
    image.putpalette(colormaps["turbo"](shades, bytes=True)[:, :3].tobytes())
    file = BytesIO()
    alphas = (255 * _OPACITY * shades).astype("uint8").tobytes()
    image.save(file, "PNG", transparency=alphas, optimize=True)
    return file.getvalue()


def _held(text: str) -> str:
    """`text`, whose no-break spaces are left where a line has room for what they hold.

    A browser would break the others between any two letters.
    """
    words = text.split(" ")
    return " ".join(
        word if len(word) <= _LETTERS else word.replace("\N{NO-BREAK SPACE}", " ")
        for word in words
    )


def _breakable(name: str) -> str:
    """A file's name, whose lines break after a slash if there is one."""
    return escape(name).replace("/", "/<wbr>")


def _data(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{b64encode(content).decode()}"
