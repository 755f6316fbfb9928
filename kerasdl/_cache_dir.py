"""Where what can be made again is kept between runs."""

import os
from pathlib import Path


def default_cache_dir() -> Path:
    """The user's cache folder: `$XDG_CACHE_HOME/kerasdl` or `~/.cache/kerasdl`."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "kerasdl"
