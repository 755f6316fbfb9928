"""Tensors: made, looked at, reckoned with and compared."""

import keras
import numpy as np
import tensorflow as tf


def predicates():
    """What is a tensor, and how many numbers it holds."""
    x = tf.zeros((1, 2, 3, 4, 5))
    tf.is_tensor(x)
    tf.is_tensor([1, 2])
    # PyTorch's `is_storage` has no counterpart: memory is TensorFlow's own.
    tf.size(x)
    tf.rank(x)


def make(seed):
    """Tensors from lists, by shape, by a rule, and drawn."""
    tf.constant([[1, 2], [3, 4]])
    # TensorFlow never shows memory as it found it; NumPy does.
    np.empty((2, 3)).shape
    tf.eye(3)
    tf.ones((2, 3))
    tf.zeros_like(tf.ones((2, 3)))
    tf.ones_like(tf.zeros((2, 3)))
    random = tf.random.Generator.from_seed(seed)
    random.uniform((2, 3))
    # A mean and a deviation for each place.
    random.normal((5,), mean=tf.linspace(0.0, 4.0, 5), stddev=tf.fill(5, 0.01))
    random.uniform((2, 3), -1, 1)
    tf.range(0, 10, 3)
    tf.linspace(2.0, 10.0, 4)
    tf.random.experimental.stateless_shuffle(tf.range(10), seed=(seed, 0))
    tf.cast([1.7, -1.7], tf.int32)


def numpy_and_back():
    """Arrays become tensors, tensors arrays."""
    array = np.array([1, 2, 3, 4, 5])
    x = tf.convert_to_tensor(array)
    x
    x.numpy()
    # A list of tensors takes one step, not one for each.
    tf.stack([tf.constant(1), tf.constant(2)])


def attributes():
    """Where it is and what it holds."""
    x = tf.constant([[1.0, 2.0]], dtype=tf.float32)
    x.dtype
    x.shape
    x.device


def sparse():
    """Places and values instead of all numbers."""
    x = tf.sparse.from_dense([[0.0, 5.0], [0.0, 0.0]])
    x.indices
    places = tf.transpose([[0, 1, 2], [0, 1, 2]])  # PyTorch has a row for each axis
    coordinates = tf.SparseTensor(tf.cast(places, tf.int64), [1.0, 2.0, 3.0], (4, 4))
    tf.sparse.to_dense(coordinates)
    tf.sparse.sparse_dense_matmul(coordinates, tf.ones((4, 1)))


def arithmetic():
    """Each as an operator and as a function."""
    a, b = tf.constant([[1.0, 2.0], [3.0, 4.0]]), tf.fill((2, 2), 2.0)
    a + b
    tf.add(a, b)
    a - b
    tf.subtract(a, b)
    a * b
    tf.multiply(a, b)
    a / b
    tf.divide(a, b)
    a // b
    tf.ones((2, 1)) @ tf.ones((1, 2))
    tf.matmul(tf.ones((2, 1)), tf.ones((1, 2)))
    tf.linalg.matvec(a, [1.0, 1.0])
    # The last two axes are matrices, those before them a batch.
    batched = tf.ones((1, 2, 3, 4)) @ tf.ones((1, 2, 4, 3))
    batched.shape
    batched


def powers():
    """Powers, roots, exponentials, logarithms."""
    tf.pow([1, 2], 3)
    tf.constant([1, 2]) ** 3
    tf.exp([1.0, 2.0])
    tf.sqrt([10.0, 2.0])
    tf.math.log([10.0, 2.0])
    # Only the natural one is an operation of TensorFlow.
    keras.ops.log2([8.0, 2.0])
    keras.ops.log10([10.0, 1000.0])


def in_place():
    """A tensor never changes; a variable does."""
    x = tf.Variable([1.0, 2.0])
    x.assign_add([1.0, 1.0])
    x.assign_sub([1.0, 1.0])
    x.assign(x * 3.0 / 3.0)
    x.assign(tf.exp(x))
    x.assign(tf.exp(x))


def broadcasting():
    """Shapes are aligned at the right; an axis of 1 repeats."""
    (tf.ones((2, 3)) + tf.range(3.0)).shape
    tf.ones((2, 3)) + tf.range(3.0)
    tf.broadcast_static_shape(tf.TensorShape((2, 1, 3)), tf.TensorShape((4, 1)))
    tf.reshape(tf.range(3), (3, 1)) * tf.range(4)


def rounding():
    """To whole numbers, and what is left over."""
    x = tf.constant([5.2226, 2.8359, 3.1016, 6.5535])
    tf.floor(x)
    tf.math.ceil(x)
    tf.round(x)
    keras.ops.trunc(x)
    x - keras.ops.trunc(x)
    x % 2
    # Halves go to the even neighbour.
    tf.round([0.5, 1.5, 2.5])


def compare():
    """Place by place, or as a whole."""
    a, b = tf.constant([1.0, 2.0, 3.0]), tf.constant([1.0, 3.0, 2.0])
    tf.equal(a, b)
    tf.reduce_all(a == b)
    a >= b
    a > b
    a <= b
    a < b
    a != b


def sorting():
    """Sorted, the largest, and the k-th smallest."""
    x = tf.constant([[1, 4, 4, 3, 5], [1, 4, 4, 10, 5]])
    tf.sort(x)
    tf.sort(x, direction="DESCENDING")
    tf.argsort(x, direction="DESCENDING", stable=True)
    tf.sort(x, axis=0, direction="DESCENDING")
    y = tf.constant([[1, 3, 5, 7, 9], [2, 4, 6, 8, 10]])
    # `top_k` knows the last axis alone.
    tf.transpose(tf.math.top_k(tf.transpose(y), k=2).values)
    tf.math.top_k(y, k=2).values
    tf.sort(y, axis=0)[2 - 1]
    tf.sort(y, axis=1)[:, 2 - 1]


def finite():
    """Infinity and what is no number."""
    x = tf.constant([1.0, 2.0, float("nan")])
    tf.math.is_nan(x)
    tf.math.is_finite(x)
    tf.constant([1.0, -1.0, 0.0]) / 0.0
    tf.math.is_inf(tf.constant([1.0, -1.0, 0.0]) / 0.0)
    tf.constant([float("nan")]) == tf.constant([float("nan")])


def maths():
    """Functions that networks are made of."""
    tf.cos([0.0, np.pi])
    tf.abs([-1.0, 2.0])
    tf.sign([-3.0, 0.0, 3.0])
    tf.sigmoid([-1.0, 0.0, 1.0])
    a, b = tf.constant([1.0, 0.0]), tf.constant([1.0, 1.0])
    tf.norm(a - b, ord=1)
    # The cosine of the angle between them: Keras's loss is its negative.
    tf.keras.losses.cosine_similarity(a, b)
    # AM-softmax takes a margin off the true class's cosine, then scales.
    cosines, scale, margin = tf.constant([0.8, 0.3]), 30.0, 0.35
    tf.nn.softmax(scale * (cosines - margin * tf.constant([1.0, 0.0])))
