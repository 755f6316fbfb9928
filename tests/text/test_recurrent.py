import keras
import numpy as np
import pytest
from keras import layers

from kerasdl.text import recurrent


@pytest.fixture
def series(rng):
    return rng.normal(size=(2, 5, 3)).astype("float32")


def weights_of(layer, series, rng):
    """Keras's answer, and its weights, biases among them drawn too."""
    layer.build(series.shape)
    layer.set_weights([rng.normal(size=w.shape) * 0.5 for w in layer.get_weights()])
    return layer(series), [keras.ops.convert_to_tensor(w) for w in layer.get_weights()]


@pytest.mark.parametrize(
    ("kind", "formula"),
    [
        (layers.SimpleRNN, recurrent.simple_rnn),
        (layers.LSTM, recurrent.lstm),
        (layers.GRU, recurrent.gru),
    ],
)
def test_the_formulas_answer_as_keras(series, rng, kind, formula):
    one = kind(4, return_sequences=True)
    expected, weights = weights_of(one, series, rng)
    np.testing.assert_allclose(formula(series, *weights), expected, atol=1e-5)
    both = layers.Bidirectional(kind(4, return_sequences=True))
    expected, weights = weights_of(both, series, rng)
    half = len(weights) // 2
    found = recurrent.bidirectional(formula, series, weights[:half], weights[half:])
    np.testing.assert_allclose(found, expected, atol=1e-5)
