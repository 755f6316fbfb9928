"""What ImageDataGenerator learns from sample images: mean, deviation, whitening."""

import numpy as np


def center(images: np.ndarray) -> np.ndarray:
    """Subtract the mean of each channel from `images` `(n, h, w, c)`, in place.

    Returns:
        The mean, `(1, 1, c)`.
    """
    mean = images.mean(axis=(0, 1, 2), keepdims=True)[0]
    images -= mean
    return mean


def divide_by_deviation(images: np.ndarray) -> np.ndarray:
    """Divide `images` `(n, h, w, c)` by the deviation of each channel, in place.

    Returns:
        The standard deviation, `(1, 1, c)`.
    """
    std = images.std(axis=(0, 1, 2), keepdims=True)[0]
    images /= std + 1e-6
    return std


def whitening_matrix(images: np.ndarray, epsilon: float) -> np.ndarray:
    """Zero-phase whitening of centred images `(n, h, w, c)`.

    Args:
        images: a few pixels each: the matrix has (h * w * c) squared entries.
        epsilon: added to the singular values, so that none divides by zero.

    Reference:
        Krizhevsky, Learning Multiple Layers of Features from Tiny Images (2009),
        appendix A.
    """
    flat = images.reshape(len(images), -1)
    axes, singular, _ = np.linalg.svd(flat.T, full_matrices=False)
    return (axes * (np.sqrt(len(flat)) / (singular + epsilon))) @ axes.T
