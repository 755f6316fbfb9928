"""Tables: features of columns, data, networks, measures and what leaves."""

from . import explain, features
from .columns import Category, Columns, Number
from .data import TableData
from .embedded import embed_features
from .export_run import FORMATS, export_run
from .files import (
    read_tables,
    save_inference_model,
    save_onnx,
    save_saved_model,
    save_tables,
    save_tflite,
)
from .guess import guess_columns
from .learner import Learner
from .losses import MeanSquaredRelativeError
from .measures import MEASURES, exp_rmspe, mae, mape, measures, r2, rmse
from .networks import entity_embeddings, linear, mlp, tabular_resnet
from .peers import PEERS, installed_peers, peer_answers, peer_scores
from .predictor import Predictor, frame_of_rows, plain_rows, read_rows
from .raw_model import with_own_unit, with_raw_columns
from .report import answer_scores, predict, save_report, scores
from .run_files import write_run_files
from .target import Target

__all__ = [
    "Category",
    "Columns",
    "FORMATS",
    "Learner",
    "MEASURES",
    "MeanSquaredRelativeError",
    "Number",
    "PEERS",
    "Predictor",
    "TableData",
    "Target",
    "answer_scores",
    "embed_features",
    "entity_embeddings",
    "exp_rmspe",
    "explain",
    "export_run",
    "features",
    "frame_of_rows",
    "guess_columns",
    "installed_peers",
    "linear",
    "mae",
    "mape",
    "measures",
    "mlp",
    "peer_answers",
    "peer_scores",
    "plain_rows",
    "predict",
    "r2",
    "read_rows",
    "read_tables",
    "rmse",
    "save_inference_model",
    "save_onnx",
    "save_report",
    "save_saved_model",
    "save_tables",
    "save_tflite",
    "scores",
    "tabular_resnet",
    "with_own_unit",
    "with_raw_columns",
    "write_run_files",
]
