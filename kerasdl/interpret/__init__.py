"""Look at what a model does."""

from kerasdl.classification import (
    ClassificationReport,
    confused_part,
    crop_to_heat,
    expected_calibration_error,
    gallery,
    grad_cam,
    most_confused,
    occlusion_map,
    reliability,
    save_calibration,
    save_gallery,
    save_precision_recall,
    save_report,
    save_roc,
    similarity_order,
)
from kerasdl.inside import (
    feature_maps,
    filter_patterns,
    first_layer_filters,
    top_patches,
)

__all__ = [
    "ClassificationReport",
    "confused_part",
    "crop_to_heat",
    "expected_calibration_error",
    "feature_maps",
    "filter_patterns",
    "first_layer_filters",
    "gallery",
    "grad_cam",
    "most_confused",
    "occlusion_map",
    "reliability",
    "save_calibration",
    "save_gallery",
    "save_precision_recall",
    "save_report",
    "save_roc",
    "similarity_order",
    "top_patches",
]
