"""Training: layer groups and their rates, lr_find, activations, `fit` that resumes."""

from ._recompile import check_same_step, compile_like
from .activation_batches import ActivationBatches
from .default_optimizer import default_optimizer
from .depth_groups import depth_groups
from .distributed import distributed, on_one_device, without_strategy
from .fast_convolutions import fast_convolutions
from .fast_projections import fast_projections
from .faster_steps import faster_steps
from .features import (
    CachedActivations,
    cache_size,
    cached_activations,
    clear_cache,
    default_cache_dir,
)
from .fit_cycles import fit_cycles
from .fit_state import fit_state
from .freezing import bn_freeze, count_trainable, freeze, freeze_to, unfreeze
from .fused_batch_norm import fused_batch_norm
from .history_table import history_table
from .layer_rates import layer_rates, rate_ratios, set_layer_rates
from .layer_table import layer_table, summary
from .lr_find import LRFind, lr_find
from .resumable_fit import resumable_fit

__all__ = [
    "ActivationBatches",
    "CachedActivations",
    "LRFind",
    "bn_freeze",
    "cache_size",
    "cached_activations",
    "check_same_step",
    "clear_cache",
    "compile_like",
    "count_trainable",
    "default_cache_dir",
    "default_optimizer",
    "depth_groups",
    "distributed",
    "fast_convolutions",
    "fast_projections",
    "faster_steps",
    "fit_cycles",
    "fit_state",
    "freeze",
    "freeze_to",
    "fused_batch_norm",
    "history_table",
    "layer_rates",
    "layer_table",
    "lr_find",
    "on_one_device",
    "rate_ratios",
    "resumable_fit",
    "set_layer_rates",
    "summary",
    "unfreeze",
    "without_strategy",
]
