import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from kerasdl.classification import TTAEvaluation, tta
from kerasdl.data import ImageData

SIDE = 8


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for split in ("train", "valid"):
        for label in ("a", "b"):
            (root / split / label).mkdir(parents=True)
            for number in range(5):
                pixels = rng.integers(0, 256, (SIDE, SIDE, 3), dtype="uint8")
                Image.fromarray(pixels).save(root / split / label / f"{number}.png")
    return ImageData.from_folder(
        root, image_size=SIDE, batch_size=4, augment="side_on", seed=0
    )


def compiled_model(outputs=1):
    model = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 3)),
            layers.Rescaling(1 / 127.5, offset=-1),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(0.5, seed=2),
            layers.Dense(outputs, activation="sigmoid"),
        ]
    )
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if hasattr(layer, "kernel"):
            layer.kernel.assign(rng.normal(0, 0.2, layer.kernel.shape))
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    return model


def fit(data, callbacks, epochs=4, verbose=0):
    model = compiled_model()
    data.start_epoch(0)
    history = model.fit(
        data.train,
        validation_data=data.valid,
        epochs=epochs,
        callbacks=callbacks,
        verbose=verbose,
    )
    return model, history.history


class AccuracyNow(keras.callbacks.Callback):
    """What `tta` itself says at the end of each epoch, and what the logs then hold."""

    def __init__(self, data, **arguments):
        super().__init__()
        self.data, self.arguments = data, arguments
        self.found, self.logged = [], []

    def on_epoch_end(self, epoch, logs=None):
        result = tta(self.model, self.data, verbose=0, **self.arguments)
        self.found.append(result.accuracy)
        self.logged.append(logs.get("val_tta_accuracy"))


@pytest.mark.parametrize("augment", [None, "flip"])
def test_history_and_later_callbacks_hold_what_tta_says(data, augment):
    now = AccuracyNow(data, n_aug=2, augment=augment, seed=5)
    evaluation = TTAEvaluation(data, 2, augment, every=1, seed=5)
    _, history = fit(data, [evaluation, now])
    assert history["val_tta_accuracy"] == now.found == now.logged
    assert len(set(now.found)) > 1
    assert evaluation.accuracy == now.found[-1]


def test_every_second_epoch_reports(data):
    now = AccuracyNow(data, seed=5)
    _, history = fit(data, [TTAEvaluation(data, every=2, seed=5), now], epochs=5)
    assert history["val_tta_accuracy"] == now.found[1::2]
    assert now.logged[::2] == [None] * 3


def test_the_end_of_training_reports_the_weights_that_are_kept(data, capsys):
    stop = keras.callbacks.EarlyStopping(
        "val_loss", patience=9, restore_best_weights=True
    )
    evaluation = TTAEvaluation(data, 3, beta=0.4, seed=5)
    capsys.readouterr()
    model, history = fit(data, [stop, evaluation], verbose=2)
    assert "val_tta_accuracy" not in history
    expected = tta(model, data, 3, beta=0.4, verbose=0, seed=5).accuracy
    assert evaluation.accuracy == expected
    assert f"val_tta_accuracy: {expected:.4f}\n" in capsys.readouterr().out


def test_training_goes_on_as_if_nobody_had_looked(data):
    plain_model, plain = fit(data, [])
    model, history = fit(data, [TTAEvaluation(data, every=1, seed=5)])
    assert {key: history[key] for key in plain} == plain
    for ours, expected in zip(model.variables, plain_model.variables, strict=True):
        np.testing.assert_array_equal(ours.numpy(), expected.numpy())


def test_a_silent_fit_stays_silent(data, capfd):
    evaluation = TTAEvaluation(data, 1, seed=5)
    capfd.readouterr()
    fit(data, [evaluation], epochs=1)
    assert capfd.readouterr().out == ""
    assert 0 <= evaluation.accuracy <= 1


def test_a_seed_is_drawn_and_printed_where_it_is_used(data, capsys):
    capsys.readouterr()
    TTAEvaluation(data, augment="flip")
    assert capsys.readouterr().out == ""
    TTAEvaluation(data)
    assert "seed=" in capsys.readouterr().out


def test_bad_arguments_are_refused_before_training(data):
    with pytest.raises(ValueError, match="`every` must be an integer of at least 1"):
        TTAEvaluation(data, every=0)
    with pytest.raises(ValueError, match="`n_aug` must be an integer of at least 1"):
        TTAEvaluation(data, n_aug=0)
    with pytest.raises(ValueError, match=r"`beta` must be None or in \[0, 1\]"):
        TTAEvaluation(data, beta=-1)
    with pytest.raises(ValueError, match="`augment` must be given"):
        TTAEvaluation(data.with_augment(None))
    model = compiled_model(outputs=3)
    with pytest.raises(ValueError, match=r"`class_names` must be as many.*3 outputs"):
        model.fit(
            np.zeros((2, SIDE, SIDE, 3)),
            np.zeros((2, 3)),
            callbacks=[TTAEvaluation(data, seed=0)],
            verbose=0,
        )
