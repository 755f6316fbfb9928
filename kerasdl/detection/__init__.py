"""Photos with boxes: data, detectors, measures and what leaves."""

from .annotations import Annotations
from .box_batches import BoxBatches
from .check_boxes import BoxCheck, check_boxes
from .data import SCENES, BoxData
from .drawing import with_boxes
from .formats.coco import read_coco, write_coco
from .formats.find import read_annotations
from .formats.table import read_table
from .formats.voc import read_voc, write_voc
from .formats.yolo import read_yolo, write_yolo
from .measures import average_precision, curves
