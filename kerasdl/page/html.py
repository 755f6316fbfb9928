"""A page that stands alone: named sections, numbers and tables."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from kerasdl._atomic import write_text
from kerasdl._numbers import number
from kerasdl.tables import column_texts

from .search import script_of, search_box
from .style import STYLE

_SHORT = 6  # letters of a number that needs no rounding
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'{policy}">
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
{script}</body>
</html>
"""


def save_page(
    path: str | Path, title: str, intro: str, sections: Sequence[tuple[str, str]]
) -> None:
    """Write a page, whole or not at all.

    Args:
        path: the `.html` file.
        title: its headline.
        intro: HTML below it.
        sections: name and HTML of each, in order.
    """
    links, parts = [], []
    for place, (name, body) in enumerate(sections, 1):
        links.append(f'<li><a href="#section-{place}">{escape(name)}</a></li>')
        parts.append(
            f'<section id="section-{place}" aria-labelledby="name-{place}">\n'
            f'<h2 id="name-{place}">{escape(name)}</h2>\n{body}\n</section>'
        )
    script, policy = script_of("".join(parts))
    page = _PAGE.format(
        script=script,
        policy=policy,
        title=escape(title),
        style=STYLE,
        intro=intro,
        links="".join(links),
        sections="\n".join(parts),
    )
    write_text(path, page)


def heading(text: str) -> str:
    """A headline inside a section."""
    return f"<h3>{escape(text)}</h3>"


def note(text: str) -> str:
    """A line of explanation."""
    return f'<p class="note">{escape(text)}</p>'


def listing(code: str, result: str = "") -> str:
    """Lines of code, and beside them, where there is room, what they gave."""
    given = f'<pre class="result">{escape(result)}</pre>' if result else ""
    return (
        f'<div class="listing"><pre tabindex="0"><code>{escape(code)}</code></pre>'
        f"{given}</div>"
    )


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
    frame: pd.DataFrame,
    caption: str,
    formats: Mapping[str, str] | None = None,
    search: str = "",
) -> str:
    """A table that scrolls in its own box; the index names the rows.

    Args:
        frame: names of columns lose their underscores.
        caption: says what it is.
        formats: of columns, such as ".3f"; others take `as_texts` and `cell`.
        search: what a row is, for a box that finds rows by name: of more than 20 the
            first 20 are shown until then. "" has none.
    """
    formats = formats or {}
    numeric = {name: pd.api.types.is_numeric_dtype(frame[name].dtype) for name in frame}
    align = {name: ' class="number"' if numeric[name] else "" for name in frame}
    head = "".join(
        f'<th scope="col"{align[name]}>{escape(str(name).replace("_", " "))}</th>'
        for name in frame
    )
    columns = [_texts(frame[name], formats.get(name)) for name in frame]
    rows = []
    for place, key in enumerate(frame.index):
        cells = "".join(
            f"<td{align[name]}>{escape(texts[place])}</td>"
            for name, texts in zip(frame, columns, strict=True)
        )
        rows.append(f'<tr><th scope="row">{escape(str(key))}</th>{cells}</tr>')
    corner = escape(str(frame.index.name or ""))
    first = f'<th scope="col">{corner}</th>' if corner else "<td></td>"
    caption = escape(caption)
    return (
        f"{search_box(len(frame), search) if search else ''}"
        f'<div class="scroll" role="region" tabindex="0" aria-label="{caption}">'
        f"<table><caption>{caption}</caption>"
        f"<thead><tr>{first}{head}</tr></thead><tbody>{''.join(rows)}</tbody>"
        "</table></div>"
    )


def _texts(values: pd.Series, form: str | None) -> list[str]:
    """The cells of a column."""
    if form is None and pd.api.types.is_float_dtype(values.dtype):
        return column_texts(values)
    return [cell(value, form) for value in values]


def cell(value: Any, form: str | None = None) -> str:
    """A value as text, a short number as it was written; what is missing is a dash."""
    if isinstance(value, (list, tuple)):
        return ", ".join(cell(item) for item in value) or "–"
    if value is None or value is pd.NA or (isinstance(value, float) and value != value):
        return "–"
    if form:
        return format(value, form)
    text = str(value)
    return number(value) if isinstance(value, float) and len(text) > _SHORT else text
