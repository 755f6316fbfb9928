"""Which characters the installed fonts can draw, and names for those they cannot."""

from collections.abc import Sequence
from functools import cache

# Fonts with Chinese, Japanese or Korean, as systems have them: the first is taken.
_WIDE = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "PingFang SC",
    "PingFang HK",
    "Hiragino Sans GB",
    "Heiti TC",
    "Microsoft YaHei",
    "SimHei",
    "Yu Gothic",
    "Malgun Gothic",
    "Arial Unicode MS",
)


@cache
def families() -> list[str]:
    """Fonts for text: matplotlib's, then an installed one of wide characters."""
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    return ["sans-serif", *[name for name in _WIDE if name in installed][:1]]


@cache
def _characters(family: str) -> frozenset[int]:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    found = findfont(FontProperties(family=[family]))
    return frozenset(get_font(found).get_charmap())


def is_drawn(text: str) -> bool:
    """Whether the fonts have each character of `text`: others would be boxes."""
    return all(
        character.isspace()
        or any(ord(character) in _characters(family) for family in families())
        for character in text
    )


def legible(names: Sequence[str]) -> list[str]:
    """`names`; for one that no font can draw its number in them, such as #3."""
    return [
        name if name.isascii() or is_drawn(name) else f"#{number}"
        for number, name in enumerate(names, 1)
    ]
