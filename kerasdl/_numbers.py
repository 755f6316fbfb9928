"""Numbers as a person reads them."""

from math import floor, log10
from numbers import Integral, Real
from typing import Any

EXACT = 2.0**53  # below it floats hold each whole number


def number(value: Any) -> str:
    """A number with what of it counts: 1,234,567, 0.9230, 12.35, 0.03125 or 3.162e-05.

    Anything else is its own text, but for what is missing, which is "–".
    """
    if value is None or value != value:
        return "–"
    if isinstance(value, Integral) and not isinstance(value, bool):
        return f"{value:,}"
    if not isinstance(value, Real) or isinstance(value, bool):
        return str(value)
    size = abs(float(value))
    if 0 < size < 1e-3 or size >= EXACT:
        return f"{value:.3e}"
    if size < 10:
        # Four digits that count, as of a rate of 0.03125.
        zeros = -floor(log10(size)) - 1 if 0 < size < 1 else 0
        return f"{value:.{4 + zeros}f}"
    return f"{value:,.{2 if size < 1000 else 0}f}"
