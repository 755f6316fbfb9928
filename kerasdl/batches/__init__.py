"""Batches of anything: seeded plans, streams, shares, splits, and their contract."""

from ._multi_hot_split import multi_hot_parts
from ._shares import share_of, shared_stream, shares, with_shares
from ._stream import Batch, BatchStream, aligned_empty, without_tuner
from .epoch_order import epoch_length, epoch_order
from .plan import BatchPlan
from .split import stratified_folds, stratified_split
from .training_data import (
    Pair,
    TrainingData,
    as_training_data,
    is_training_data,
    train_batches,
)

__all__ = [
    "Batch",
    "BatchPlan",
    "BatchStream",
    "Pair",
    "TrainingData",
    "aligned_empty",
    "as_training_data",
    "epoch_length",
    "epoch_order",
    "is_training_data",
    "multi_hot_parts",
    "share_of",
    "shared_stream",
    "shares",
    "stratified_folds",
    "stratified_split",
    "train_batches",
    "with_shares",
    "without_tuner",
]
