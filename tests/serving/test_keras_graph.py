import keras
import numpy as np
from keras import layers

from kerasdl.classification import Predictor
from kerasdl.serving.keras_graph import keras_graph


class Counted(layers.Layer):
    """Notes how often it is traced."""

    traced = 0

    def call(self, x):
        Counted.traced += 1
        return x


def test_keras_is_traced_once_for_all_batches():
    inputs = keras.Input((4, 4, 3))
    model = keras.Model(inputs, layers.Dense(2)(layers.Flatten()(Counted()(inputs))))
    run = keras_graph(Predictor(model, ["a", "b"], 4), 8)
    before = Counted.traced
    assert [run(np.zeros((n, 4, 4, 3), "uint8"))[0].shape for n in (1, 3, 8)] == [
        (1, 2),
        (3, 2),
        (8, 2),
    ]
    assert Counted.traced == before
