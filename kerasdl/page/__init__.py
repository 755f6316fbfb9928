"""What every report is made of: one HTML page in sections."""

from .html import cell, heading, listing, note, numbers, save_page, table
from .pictures import chart, gallery, pair, picture, row
from .search import FIRST
from .sections import closing, settings, training

__all__ = [
    "FIRST",
    "cell",
    "chart",
    "closing",
    "gallery",
    "heading",
    "listing",
    "note",
    "numbers",
    "pair",
    "picture",
    "row",
    "save_page",
    "settings",
    "table",
    "training",
]
