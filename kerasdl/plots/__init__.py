"""Arrays and names in, PNG out."""

from .bars import save_bars
from .batches import save_learning_rate, save_losses, save_lr_find
from .confusion import save_confusion
from .curves import SMOOTHING, save_curves, smooth
from .gallery import save_gallery, save_grid, tile
from .lines import save_lines
from .photo_statistics import save_photo_statistics
from .scatter import save_scatter

__all__ = [
    "SMOOTHING",
    "save_bars",
    "save_confusion",
    "save_curves",
    "save_gallery",
    "save_grid",
    "save_learning_rate",
    "save_lines",
    "save_losses",
    "save_lr_find",
    "save_photo_statistics",
    "save_scatter",
    "smooth",
    "tile",
]
