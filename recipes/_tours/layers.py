"""From tensors to layers: what PyTorch calls nn, in Keras; and its tools."""

import keras
import tensorflow as tf
from keras import layers, ops
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def parameters(seed):
    """A layer owns its weights, and a model those of its layers."""
    dense = layers.Dense(2, kernel_initializer=keras.initializers.HeNormal(seed))
    dense.build((None, 3))
    {weight.path: tuple(weight.shape) for weight in dense.weights}

    class Scale(layers.Layer):
        def build(self, input_shape):
            self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones")

        def call(self, x):
            return x * self.factor

    scale = Scale()
    scale(tf.constant([[1.0, 2.0]]))
    len(scale.trainable_weights)


def a_convolution_layer():
    """PyTorch's Conv2d(3, 8, 3, padding=1): channels come last, and of themselves."""
    layer = layers.Conv2D(
        filters=8,
        kernel_size=3,
        strides=1,
        padding="same",
        dilation_rate=1,
        groups=1,
        use_bias=True,
    )
    x = tf.ones((1, 5, 5, 3))
    layer(x).shape
    layer.count_params()
    # The same as a function of input and kernel, as F.conv2d.
    y = ops.conv(x, layer.kernel, padding="same") + layer.bias
    tf.reduce_max(tf.abs(y - layer(x)))


def models():
    """In a row, by name, or as a class."""
    row = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(2)])
    row.count_params()
    parts = {"first": layers.Dense(3), "second": layers.Dense(2)}
    inputs = keras.Input((4,))
    graph = keras.Model(inputs, parts["second"](parts["first"](inputs)))
    graph.count_params()

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.steps = [layers.Dense(3), layers.Dense(2)]  # tracked as they are

        def call(self, x):
            for step in self.steps:
                x = step(x)
            return x

    net = Net()
    net(tf.ones((1, 4))).shape
    net.count_params()


def tensorboard(folder):
    """Two curves of 100 steps; `tensorboard --logdir` shows them."""
    log = folder / "log"
    with tf.summary.create_file_writer(str(log)).as_default():
        for i in range(100):
            tf.summary.scalar("a", i, step=i)
            tf.summary.scalar("b", i**2, step=i)
    read = EventAccumulator(str(log), size_guidance={"tensors": 0}).Reload()
    {tag: len(read.Tensors(tag)) for tag in ("a", "b")}
    [tf.make_ndarray(read.Tensors("b")[i].tensor_proto).item() for i in (0, 3, 99)]
