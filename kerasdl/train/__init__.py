"""Training: cached activations, freezing, `fit` that resumes, the chapter's stages."""

from .activation_batches import ActivationBatches
from .features import (
    CachedActivations,
    cache_size,
    cached_activations,
    clear_cache,
    default_cache_dir,
)
from .freezing import count_trainable, freeze_to
from .precompute import ActivationData, precompute
from .resumable_fit import resumable_fit
from .stages import STAGES, Stage, Stages, accuracy, check_stages
