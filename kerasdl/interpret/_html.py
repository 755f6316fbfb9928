"""HTML that stands alone: tables, pictures and photos in one file without script."""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import pandas as pd

from ._page_style import STYLE

_PHOTO_SIDE = 224  # pixels of the longer side: sharp on screens of double density
_PHOTO_QUALITIES = (80, 60, 40, 20)  # of JPEG: the first of at most so many bytes
_PHOTO_BYTES = 14_000
_WIDE = 700  # CSS pixels; wider pictures scroll on a phone, so that one can read them
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
{intro}
<nav aria-label="Sections"><ul>{links}</ul></nav>
</header>
<main>
{sections}
</main>
</body>
</html>
"""


def page(title: str, intro: str, sections: Sequence[tuple[str, str]]) -> str:
    """A whole page of named sections; `intro` and the sections' bodies are HTML."""
    links, parts = [], []
    for number, (name, body) in enumerate(sections, 1):
        links.append(f'<li><a href="#section-{number}">{escape(name)}</a></li>')
        parts.append(
            f'<section id="section-{number}" aria-labelledby="name-{number}">\n'
            f'<h2 id="name-{number}">{escape(name)}</h2>\n{body}\n</section>'
        )
    return _PAGE.format(
        title=escape(title),
        style=STYLE,
        intro=intro,
        links="".join(links),
        sections="\n".join(parts),
    )


def note(text: str) -> str:
    """A line of explanation."""
    return f'<p class="note">{escape(text)}</p>'


def numbers(values: Mapping[str, tuple[str, str]]) -> str:
    """Large numbers: name to text and a remark, which may be empty."""
    parts = []
    for name, (value, remark) in values.items():
        small = f"<small>{escape(remark)}</small>" if remark else ""
        parts.append(
            f"<div><dt>{escape(name)}</dt><dd>{escape(value)}{small}</dd></div>"
        )
    return f'<dl class="numbers">{"".join(parts)}</dl>'


def table(
    frame: pd.DataFrame, caption: str, formats: Mapping[str, str] | None = None
) -> str:
    """A table that scrolls in its own box; the index names the rows.

    Args:
        frame: names of columns lose their underscores.
        caption: says what it is.
        formats: of columns, such as ".3f"; others take `cell`.
    """
    formats = formats or {}
    numeric = {name: pd.api.types.is_numeric_dtype(frame[name].dtype) for name in frame}
    align = {name: ' class="number"' if numeric[name] else "" for name in frame}
    head = "".join(
        f'<th scope="col"{align[name]}>{escape(str(name).replace("_", " "))}</th>'
        for name in frame
    )
    rows = []
    for label, row in zip(frame.index, frame.itertuples(index=False), strict=True):
        cells = "".join(
            f"<td{align[name]}>{escape(cell(value, formats.get(name)))}</td>"
            for name, value in zip(frame, row, strict=True)
        )
        rows.append(f'<tr><th scope="row">{escape(str(label))}</th>{cells}</tr>')
    corner = escape(str(frame.index.name or ""))
    first = f'<th scope="col">{corner}</th>' if corner else "<td></td>"
    caption = escape(caption)
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{caption}">'
        f"<table><caption>{caption}</caption>"
        f"<thead><tr>{first}{head}</tr></thead><tbody>{''.join(rows)}</tbody>"
        "</table></div>"
    )


def cell(value: Any, form: str | None = None) -> str:
    """A value as text; what is missing is a dash."""
    if isinstance(value, (list, tuple)):
        return ", ".join(cell(item) for item in value) or "–"
    if value is None or value is pd.NA or (isinstance(value, float) and value != value):
        return "–"
    if form:
        return format(value, form)
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def chart(save: Callable[..., None], *args: Any, alt: str, caption: str) -> str:
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


def photo(pixels: np.ndarray, name: str, lines: Sequence[tuple[str, str]]) -> str:
    """A small photo with its name and lines of (class of the style, text)."""
    height, width = pixels.shape[:2]
    factor = min(_PHOTO_SIDE / max(height, width), 1)
    size = (max(round(width * factor), 1), max(round(height * factor), 1))
    pixels = np.clip(np.round(pixels), 0, 255).astype("uint8")
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    bgr = np.ascontiguousarray(small[..., ::-1])
    for quality in _PHOTO_QUALITIES:
        _, jpeg = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, quality))
        if len(jpeg) <= _PHOTO_BYTES:
            break
    spans = "".join(
        f'<span class="{style}">{escape(text)}</span>' for style, text in lines
    )
    return (
        f'<figure class="photo"><img width="{size[0]}" height="{size[1]}" '
        f'alt="photo {escape(name)}" src="{_data("jpeg", jpeg.tobytes())}">'
        f"<figcaption><span>{_breakable(name)}</span>{spans}</figcaption></figure>"
    )


def _breakable(name: str) -> str:
    """A file's name, whose lines break after a slash if there is one."""
    return escape(name).replace("/", "/<wbr>")


def _data(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{b64encode(content).decode()}"
