"""Tensors: summed up, chosen from, joined, cut and turned."""

import numpy as np
import tensorflow as tf
from _tour import Pictures
from scipy import stats


def statistics():
    """Sums, means, places of the largest, and counts."""
    x = tf.constant([[1.0, 2.0], [3.0, 6.0]])
    tf.reduce_mean(x)
    tf.reduce_mean(x, axis=0)
    tf.reduce_sum(x)
    tf.reduce_sum(x, axis=0)
    tf.reduce_prod(x)
    tf.reduce_prod(x, axis=0)
    tf.argmax(x, axis=0)
    tf.argmin(x, axis=0)
    # Over n; PyTorch divides by n - 1, as NumPy does with ddof=1.
    tf.math.reduce_std(x)
    np.std(x, ddof=1)
    tf.math.reduce_variance(x)
    np.median(x)
    stats.mode([3, 1, 3, 2]).mode
    tf.histogram_fixed_width(tf.range(12.0), [0.0, 12.0], nbins=6)
    tf.math.bincount([6, 7, 1, 6, 8, 2, 5, 9, 7, 7])


def norms():
    """Lengths and distances of several orders."""
    a, b = tf.constant([3.0, 0.0, 4.0]), tf.constant([0.0, 0.0, 0.0])
    [tf.math.count_nonzero(a - b), *[tf.norm(a - b, ord=p) for p in (1, 2, 3)]]
    tf.norm(a)
    tf.norm(a, ord=np.inf)
    # The nuclear norm: the sum of the singular values.
    tf.reduce_sum(tf.linalg.svd([[3.0, 0.0], [0.0, 4.0]], compute_uv=False))


def clamp():
    """Values outside go to the border."""
    tf.clip_by_value([0, 1, 2, 3, 4, 5, 6], 2, 5)


def choose(seed):
    """Values by a condition or by their places."""
    a = tf.random.stateless_uniform((2, 3), seed=(seed, 0))
    a
    tf.where(a > 0.5, a, -1.0)
    x = tf.reshape(tf.range(1, 17), (4, 4))
    places = tf.constant([[0, 1, 1, 1], [0, 1, 2, 2], [0, 1, 3, 3]])
    # A row for each place, its own column: PyTorch's `gather` along axis 0.
    np.take_along_axis(x.numpy(), places.numpy(), axis=0)
    tf.gather_nd(x, tf.stack([places, tf.zeros_like(places) + tf.range(4)], -1))
    tf.gather(x, [0, 3], axis=0)
    tf.gather(x, [0, 3], axis=1)
    tf.boolean_mask(x, x > 8)
    tf.gather(tf.reshape(x, [-1]), [0, 15, 13, 10])
    tf.where(tf.constant([[0, 1, 2, 0], [2, 3, 0, 1]]) != 0)


def join():
    """Side by side, or along a new axis."""
    tf.concat([tf.zeros((2, 4)), tf.ones((2, 4))], axis=0)
    tf.concat([tf.zeros((2, 4)), tf.ones((2, 4))], axis=1)
    a, b = tf.reshape(tf.range(1, 7), (2, 3)), tf.reshape(tf.range(7, 13), (2, 3))
    tf.stack([a, b], axis=0)
    tf.stack([a, b], axis=1)
    (tf.stack([a, b], axis=0).shape, tf.stack([a, b], axis=1).shape)


def cut():
    """In equal parts, in parts of a size, in parts of given sizes."""
    x = tf.reshape(tf.range(40), (10, 4))
    [part.shape[0] for part in tf.split(x, 2, axis=0)]
    [part.shape[1] for part in tf.split(x, 2, axis=1)]
    [len(x[start : start + 2]) for start in range(0, 10, 2)]
    [len(x[start : start + 3]) for start in range(0, 10, 3)]
    [part.shape[0] for part in tf.split(x, [1, 3, 6], axis=0)]


def reshape():
    """The same numbers in another shape or order."""
    x = tf.reshape(tf.range(6), (2, 3))
    x
    tf.reshape(x, (3, 2))
    tf.transpose(x)
    y = tf.zeros((1, 2, 3))
    tf.transpose(y, (1, 0, 2)).shape
    tf.squeeze(y, 0).shape
    tf.expand_dims(y, -1).shape
    tf.unstack(x, axis=0)
    tf.reverse(x, axis=[0])
    tf.reverse(x, axis=[0, 1])
    # Anticlockwise.
    np.rot90(x)
    np.rot90(x, 2)


def fill():
    """One number everywhere."""
    tf.fill((2, 3), 10)


def save_and_load(folder):
    """Tensors to a file and back; work on several at a time."""
    file = str(folder / "x.tensor")
    tf.io.write_file(file, tf.io.serialize_tensor(tf.range(3)))
    tf.io.parse_tensor(tf.io.read_file(file), tf.int32)
    np.savez(folder / "x.npz", a=np.eye(2))
    np.load(folder / "x.npz")["a"]
    tf.vectorized_map(lambda row: tf.reduce_sum(row), tf.ones((3, 4)))


def to_a_device_and_back(photo):
    """A photo goes to the device, is flipped there, and comes back."""
    devices = tf.config.list_logical_devices()
    [device.name for device in devices]
    with tf.device(devices[-1].name):
        there = tf.constant(photo)
        flipped = tf.reverse(there, axis=[0])
    flipped.device
    # From any device: `numpy()` copies it.
    Pictures(before=photo, after=flipped.numpy())
