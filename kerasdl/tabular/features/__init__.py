"""Features of tables: pandas in, pandas out, no loop over rows."""

from .by_group import add_elapsed, rolling_by_group
from .cache import cached_table
from .dates import add_datepart
from .joins import join
from .missing import fill_missing
from .shrink import shrink

__all__ = [
    "add_datepart",
    "add_elapsed",
    "cached_table",
    "fill_missing",
    "join",
    "rolling_by_group",
    "shrink",
]
