"""Look at what a model does."""

from .feature_maps import feature_maps
from .filter_patterns import filter_patterns
from .first_layer_filters import first_layer_filters
from .grad_cam import grad_cam
from .occlusion_map import occlusion_map
