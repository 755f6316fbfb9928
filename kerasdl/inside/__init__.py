"""Look inside any network of pictures: what its filters weigh, answer, look for."""

from .feature_maps import feature_maps
from .filter_patterns import filter_patterns
from .first_layer_filters import first_layer_filters
from .top_patches import top_patches

__all__ = [
    "feature_maps",
    "filter_patterns",
    "first_layer_filters",
    "top_patches",
]
