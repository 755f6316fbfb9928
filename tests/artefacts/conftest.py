import keras
import numpy as np
import pytest
from keras import layers

from kerasdl.artefacts import Input, Signature

KINDS = 3


@pytest.fixture(scope="session")
def houses():
    """A model of a price and a doubt, its signature, and both by NumPy.

    It takes the sizes of a house's two floors, and which of three kinds it is.
    """
    rng = np.random.default_rng(0)
    sizes = keras.Input((2,), name="sizes")
    kind = keras.Input((), dtype="int32", name="kind")
    table = layers.Embedding(KINDS, 4, name="table")
    both = layers.Concatenate()([sizes, table(kind)])
    price = layers.Dense(1, name="price")(both)
    doubt = layers.Dense(2, activation="softmax", name="doubt")(both)
    model = keras.Model([sizes, kind], {"price": price, "doubt": doubt})
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    weights = {layer.name: layer.get_weights() for layer in model.layers}

    def by_hand(inputs):
        rows = np.hstack([inputs["sizes"], weights["table"][0][inputs["kind"]]])
        kernel, bias = weights["price"]
        logits = rows @ weights["doubt"][0] + weights["doubt"][1]
        shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        return {"price": rows @ kernel + bias, "doubt": shares}

    signature = Signature(
        {"sizes": Input((2,), "float32"), "kind": Input((), "int32")},
        ("doubt", "price"),  # the sorted keys of the model's outputs
    )
    return model, signature, by_hand


@pytest.fixture(scope="session")
def streets():
    """Sizes and kinds of 20 houses."""
    rng = np.random.default_rng(1)
    sizes = rng.uniform(-1, 1, (20, 2)).astype("float32")
    return {"sizes": sizes, "kind": rng.integers(0, KINDS, 20, "int32")}
