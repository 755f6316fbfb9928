"""Callbacks for `fit`."""

from ._rate_schedule import RateSchedule, compiled_rate, forget_lowered_rate
from .batch_losses import BatchLosses
from .best_weights import BestWeights
from .cosine_restarts import CosineRestarts
from .cycle_snapshots import CycleSnapshots
from .evaluation import Evaluation
from .examples_per_second import ExamplesPerSecond
from .magnitude_pruning import MagnitudePruning
from .one_cycle import OneCycle
from .step_decay import StepDecay
from .stop_on_bad_loss import StopOnBadLoss
from .tensorboard_steps import TensorBoardSteps
from .warm_up import WarmUp
from .weight_averaging import WeightAveraging

__all__ = [
    "BatchLosses",
    "BestWeights",
    "CosineRestarts",
    "CycleSnapshots",
    "Evaluation",
    "ExamplesPerSecond",
    "MagnitudePruning",
    "OneCycle",
    "RateSchedule",
    "StepDecay",
    "StopOnBadLoss",
    "TensorBoardSteps",
    "WarmUp",
    "WeightAveraging",
    "compiled_rate",
    "forget_lowered_rate",
]
