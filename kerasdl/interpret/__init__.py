"""Look at what a model does."""

from .calibration import expected_calibration_error, reliability
from .classification import ClassificationReport
from .confusion import confused_part, most_confused, similarity_order
from .curves import save_calibration, save_precision_recall, save_roc
from .feature_maps import feature_maps
from .filter_patterns import filter_patterns
from .first_layer_filters import first_layer_filters
from .gallery import gallery, save_gallery
from .grad_cam import grad_cam
from .occlusion_map import occlusion_map
from .report_page import save_report
