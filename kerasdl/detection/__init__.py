"""Photos with boxes: data, detectors, measures and what leaves."""

from .anchor_models import retinanet, ssd_lite
from .annotations import Annotations
from .box_batches import BoxBatches
from .check_boxes import BoxCheck, check_boxes
from .choices import MINUTES, MINUTES_OF_MASKS, Choices, choose
from .data import SCENES, BoxData
from .detections import Detections, make_pictures_folder, picture_paths
from .detector import Detector
from .drawing import with_boxes, with_masks
from .evaluation import detect_split, validation_map
from .export_report import DetectionExportReport
from .export_run import DETECTION_FORMATS, export_run
from .faster_rcnn import TwoStageLoss, faster_rcnn
from .faults import without_faults
from .fcos import fcos
from .files import save_onnx, save_saved_model, save_tflite
from .fingerprints import FINGERPRINTS
from .formats.coco import read_coco, write_coco
from .formats.find import read_annotations
from .formats.table import read_table
from .formats.voc import read_voc, write_voc
from .formats.yolo import read_yolo, write_yolo
from .limits import limits
from .losses import AnchorLoss, PointLoss
from .mask_loss import MaskLoss
from .mask_rcnn import MaskRCNNLoss, mask_rcnn
from .masks import as_pixels, as_rle, box_of, mask_size
from .measures import average_precision, best_threshold, curves
from .mediapipe import save_mediapipe
from .mistakes import confusion, missed, mistakes, outcomes
from .models import MODELS
from .pyramid import STRIDES
from .report import DetectionReport
from .run_files import write_run_files
from .suppression import suppressed
from .views import Geometry, View, in_photos, joined, view_of, views
from .with_answers import with_answers

__all__ = [
    "DETECTION_FORMATS",
    "FINGERPRINTS",
    "MINUTES",
    "MINUTES_OF_MASKS",
    "MODELS",
    "SCENES",
    "STRIDES",
    "AnchorLoss",
    "Annotations",
    "BoxBatches",
    "BoxCheck",
    "BoxData",
    "Choices",
    "DetectionExportReport",
    "DetectionReport",
    "Detections",
    "Detector",
    "Geometry",
    "MaskLoss",
    "MaskRCNNLoss",
    "PointLoss",
    "TwoStageLoss",
    "View",
    "as_pixels",
    "as_rle",
    "average_precision",
    "best_threshold",
    "box_of",
    "check_boxes",
    "choose",
    "confusion",
    "curves",
    "detect_split",
    "export_run",
    "faster_rcnn",
    "fcos",
    "in_photos",
    "joined",
    "limits",
    "make_pictures_folder",
    "mask_rcnn",
    "mask_size",
    "missed",
    "mistakes",
    "outcomes",
    "picture_paths",
    "read_annotations",
    "read_coco",
    "read_table",
    "read_voc",
    "read_yolo",
    "retinanet",
    "save_mediapipe",
    "save_onnx",
    "save_saved_model",
    "save_tflite",
    "ssd_lite",
    "suppressed",
    "validation_map",
    "view_of",
    "views",
    "with_answers",
    "with_boxes",
    "with_masks",
    "without_faults",
    "write_coco",
    "write_run_files",
    "write_voc",
    "write_yolo",
]
