"""The embedded sample: cats and dogs drawn by code, so that nothing is downloaded."""

from ._write_sample import DRAWING, write_sample
from ._write_scenes import write_scenes

__all__ = [
    "DRAWING",
    "write_sample",
    "write_scenes",
]
