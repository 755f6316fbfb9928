"""Tensors taken apart: LU, QR, eigenvalues, singular values, frequencies."""

import numpy as np
import tensorflow as tf
from _tour import Pictures
from _tours.drawings import lines, points
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis


def lu():
    """A matrix as lower and upper triangle."""
    a = tf.constant([[4.0, 3.0], [8.0, 5.0]])
    both, order = tf.linalg.lu(a)
    lower = tf.linalg.band_part(both, -1, 0) - tf.linalg.diag(tf.linalg.diag_part(both))
    lower += tf.eye(2)
    upper = tf.linalg.band_part(both, 0, -1)
    lower
    upper
    order
    # `order` says which row of a each row of the product is.
    tf.gather(lower @ upper, tf.math.invert_permutation(order))


def qr():
    """A matrix as a rotation and an upper triangle."""
    a = tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    q, r = tf.linalg.qr(a)
    tf.transpose(q) @ q
    r
    q @ r


def eigenvalues_and_pca():
    """Eigenvectors of the covariance are the principal components."""
    x, kinds = load_iris(return_X_y=True)
    centred = tf.constant(x - x.mean(axis=0))
    covariance = tf.transpose(centred) @ centred / (len(x) - 1)
    values, vectors = tf.linalg.eigh(covariance)
    tf.reverse(values, axis=[0])
    PCA().fit(x).explained_variance_
    tf.reverse(values, axis=[0]) / tf.reduce_sum(values)
    two = centred @ tf.reverse(vectors, axis=[1])[:, :2]
    # A component may point either way.
    np.abs(np.abs(two) - np.abs(PCA(2).fit_transform(x))).max()
    names = load_iris().target_names
    points(
        "Iris, four measures in two principal components",
        {name: two[kinds == number] for number, name in enumerate(names)},
        "first component",
        "second component",
    )


def svd_of_a_photo(photo):
    """A grey photo by its first singular values."""
    grey = tf.image.rgb_to_grayscale(tf.cast(photo, tf.float32))[..., 0]
    s, u, v = tf.linalg.svd(grey)
    [s.shape, u.shape, v.shape]

    def rank(k):
        return (u[:, :k] * s[:k]) @ tf.transpose(v[:, :k])

    numbers = {k: k * (1 + sum(grey.shape)) / np.prod(grey.shape) for k in (5, 20, 50)}
    # Of the photo's numbers, so many are kept ...
    numbers
    # ... and so far is the rest from it: by the singular values left out.
    {k: tf.norm(grey - rank(k)) / tf.norm(grey) for k in (5, 20, 50)}
    {k: tf.norm(s[k:]) / tf.norm(s) for k in (5, 20, 50)}
    ranks = {f"rank {k}": rank(k) for k in (5, 20, 50)}
    Pictures({**ranks, f"whole, rank {len(s)}": grey})
    values = {"singular": s}
    lines("Singular values of the photo", None, values, "place", "value", logy=True)


def lda():
    """The directions that tell classes apart, by scikit-learn; SVD alone does not."""
    x, kinds = load_iris(return_X_y=True)
    model = LinearDiscriminantAnalysis(n_components=2).fit(x, kinds)
    model.explained_variance_ratio_
    model.score(x, kinds)
    # They are eigenvectors of (scatter within)^-1 (scatter between).
    means = np.array([x[kinds == k].mean(axis=0) for k in range(3)])
    within = sum(
        (x[kinds == k] - means[k]).T @ (x[kinds == k] - means[k]) for k in range(3)
    )
    between = 50 * (means - x.mean(axis=0)).T @ (means - x.mean(axis=0))
    values = np.sort(np.linalg.eigvals(np.linalg.solve(within, between)).real)[::-1]
    values[:2] / values[:2].sum()
    two = model.transform(x)
    names = load_iris().target_names
    points(
        "Iris, four measures in the two directions that part the classes best",
        {name: two[kinds == number] for number, name in enumerate(names)},
        "first direction",
        "second direction",
    )


def fourier(photo):
    """A photo's frequencies: the low ones are its areas, the high ones its edges."""
    grey = tf.image.rgb_to_grayscale(tf.cast(photo, tf.float32))[..., 0]
    spectrum = tf.signal.fftshift(tf.signal.fft2d(tf.cast(grey, tf.complex64)))
    back = tf.signal.ifft2d(tf.signal.ifftshift(spectrum))
    tf.reduce_max(tf.abs(tf.math.real(back) - grey))
    # The frequency 0 is the sum of all pixels.
    height, width = grey.shape
    tf.abs(spectrum[height // 2, width // 2]) / tf.reduce_sum(grey)
    y, x = np.ogrid[:height, :width]
    is_low = np.hypot(y - height // 2, x - width // 2) <= 20

    def passed(mask):
        kept = tf.where(mask, spectrum, tf.zeros_like(spectrum))
        return tf.math.real(tf.signal.ifft2d(tf.signal.ifftshift(kept)))

    low, high = passed(is_low), passed(~is_low)
    tf.reduce_max(tf.abs(low + high - grey))
    strength = tf.math.log1p(tf.abs(spectrum))
    Pictures(
        {
            "photo": grey,
            "spectrum, logarithm": 255 * strength / tf.reduce_max(strength),
            "low pass, 20 around 0": low,
            "high pass, 128 is none": 128 + high,
        }
    )
