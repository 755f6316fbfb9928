import keras
import numpy as np
import pytest
from keras import layers

from kerasdl.callbacks import BestWeights, Evaluation

ARRAYS = np.ones((4, 2), "float32"), np.ones((4, 1), "float32")


def fit(callbacks, epochs=4, verbose=0):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(*ARRAYS, epochs=epochs, verbose=verbose, callbacks=callbacks)
    return model, history.history


def bias(model):
    return {"bias": model.layers[0].bias.numpy()[0], "twice": np.float64(2)}


class Sees(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.biases, self.logs = [], []

    def on_epoch_end(self, epoch, logs=None):
        self.biases.append(float(bias(self.model)["bias"]))
        self.logs.append(dict(logs))


def test_the_history_and_later_callbacks_have_it():
    sees, evaluation = Sees(), Evaluation(bias)
    _, history = fit([evaluation, sees])
    assert history["bias"] == sees.biases == [logs["bias"] for logs in sees.logs]
    assert history["twice"] == [2.0] * 4
    assert len(set(sees.biases)) == 4
    assert evaluation.found == {"bias": sees.biases[-1], "twice": 2.0}


def test_epochs_between_have_none():
    sees = Sees()
    _, history = fit([Evaluation(bias, every=2), sees], epochs=5)
    assert history["bias"] == sees.biases[1::2][:2]
    assert ["bias" in logs for logs in sees.logs] == [False, True, False, True, False]


def test_at_the_end_alone_it_is_printed(capsys):
    evaluation = Evaluation(bias, every=None)
    model, history = fit([evaluation], verbose=2)
    assert "bias" not in history
    expected = bias(model)["bias"]
    assert f"bias: {expected:.4f}, twice: 2.0000\n" in capsys.readouterr().out
    fit([evaluation])
    assert capsys.readouterr().out == ""


def test_the_best_weights_may_go_by_it(tmp_path):
    best = BestWeights(tmp_path / "best.weights.h5", "bias", mode="max")
    fit([Evaluation(bias, every=3), best], epochs=7)
    assert best.epoch in (3, 6)
    other = BestWeights(tmp_path / "other.weights.h5", "map")
    with pytest.raises(ValueError, match="`monitor` must be one of .*bias"):
        fit([Evaluation(bias, every=2), other], epochs=3)


@pytest.mark.parametrize("found", [0.5, None, {"a": "b"}, {"a": [1, 2]}, [("a", 1)]])
def test_something_else_than_numbers_is_refused(found):
    with pytest.raises(ValueError, match="`measure` must return numbers by name"):
        fit([Evaluation(lambda model: found)])


@pytest.mark.parametrize("every", [0, -1, 1.5, "2"])
def test_every_is_a_number_of_epochs(every):
    with pytest.raises(ValueError, match="`every` must be an integer of at least 1"):
        Evaluation(bias, every)
