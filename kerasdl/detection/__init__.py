"""Photos with boxes: data, detectors, measures and what leaves."""

from .annotations import Annotations
from .box_batches import BoxBatches
from .check_boxes import BoxCheck, check_boxes
from .data import SCENES, BoxData
from .detections import Detections, make_pictures_folder
from .detector import Detector
from .drawing import with_boxes
from .evaluation import detect_split, validation_map
from .fcos import fcos
from .files import save_onnx, save_tflite
from .formats.coco import read_coco, write_coco
from .formats.find import read_annotations
from .formats.table import read_table
from .formats.voc import read_voc, write_voc
from .formats.yolo import read_yolo, write_yolo
from .losses import PointLoss
from .measures import average_precision, best_threshold, curves
from .mistakes import confusion, missed, mistakes, outcomes
from .pyramid import STRIDES
from .report import DetectionReport
from .run_files import write_run_files
from .suppression import suppressed
from .with_answers import with_answers

__all__ = [
    "Annotations",
    "BoxBatches",
    "BoxCheck",
    "BoxData",
    "DetectionReport",
    "Detections",
    "Detector",
    "PointLoss",
    "SCENES",
    "STRIDES",
    "average_precision",
    "best_threshold",
    "check_boxes",
    "confusion",
    "curves",
    "detect_split",
    "fcos",
    "make_pictures_folder",
    "missed",
    "mistakes",
    "outcomes",
    "read_annotations",
    "read_coco",
    "read_table",
    "read_voc",
    "read_yolo",
    "save_onnx",
    "save_tflite",
    "suppressed",
    "validation_map",
    "with_answers",
    "with_boxes",
    "write_coco",
    "write_run_files",
    "write_voc",
    "write_yolo",
]
