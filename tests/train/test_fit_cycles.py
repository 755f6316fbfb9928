import functools
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from kerasdl.callbacks import (
    BatchLosses,
    CosineRestarts,
    CycleSnapshots,
    OneCycle,
    StepDecay,
    WeightAveraging,
)
from kerasdl.classification import ActivationData
from kerasdl.data import ImageData
from kerasdl.train import fit_cycles, layer_rates, lr_find, set_layer_rates

SIDE, STEPS = 6, 3
RATE = 0.25
eagerly = pytest.mark.usefixtures("eagerly")


@pytest.fixture(scope="module")
def data(tmp_path_factory, write_photos):
    root = tmp_path_factory.mktemp("photos")
    write_photos(root, {"train": 5, "valid": 5}, "ab", (SIDE, SIDE))
    return ImageData.from_folder(
        root, image_size=SIDE, batch_size=4, augment="side_on", seed=0
    )


def compiled(optimizer=None):
    """BatchNorm and Dropout: statistics and random state must be kept too."""
    kernel = keras.initializers.RandomNormal(stddev=0.3, seed=1)
    model = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(2, 3, kernel_initializer=kernel),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(0.3, seed=2),
            layers.Dense(1, activation="sigmoid", kernel_initializer=kernel),
        ]
    )
    optimizer = optimizer or keras.optimizers.SGD(0.01, momentum=0.9)
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
    return model


@pytest.fixture
def sweep(monkeypatch):
    """`lr_find` of 20 batches, in `fit_cycles` too."""
    short = functools.partial(lr_find, num_steps=20)
    module = sys.modules["kerasdl.train.suggested_rate"]
    monkeypatch.setattr(module, "lr_find", short)
    return short


def cosine(lengths, high=RATE):
    return np.concatenate(
        [high / 2 * (1 + np.cos(np.pi * np.arange(n) / n)) for n in lengths]
    )


def test_cycles_are_as_long_and_as_high_as_asked(data):
    model = compiled()
    history = fit_cycles(model, data, RATE, cycles=3, cycle_len=1, cycle_mult=2)
    assert list(history["epoch"]) == list(range(1, 8))
    rates = history.attrs["learning_rates"]
    np.testing.assert_allclose(rates, cosine([3, 6, 12]), rtol=1e-6, atol=1e-8)
    assert list(history["learning_rate"]) == rates[STEPS - 1 :: STEPS]
    columns = {"loss", "accuracy", "val_loss", "val_accuracy", "seconds"}
    assert columns <= set(history)
    assert float(model.optimizer.learning_rate) == RATE


@eagerly
def test_a_pair_of_datasets_is_trained_like_the_data_they_come_from(data):
    models = compiled(), compiled()
    for model, given in zip(models, (data, (data.train, data.valid)), strict=True):
        data.start_epoch(0)
        fit_cycles(model, given, RATE, cycles=2)
    for ours, wanted in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_array_equal(ours, wanted)
    history = fit_cycles(compiled(), (data.train, None), RATE, cycles=1)
    assert "val_loss" not in history


@eagerly
def test_without_a_rate_the_valley_of_a_sweep_is_taken(data, sweep, capsys):
    model = compiled()
    data.start_epoch(0)
    valley = sweep(model, data).suggestions["valley"]
    for given in (data, (data.train, data.valid)):
        data.start_epoch(0)
        history = fit_cycles(compiled(), given, cycles=1)
        assert history.attrs["learning_rates"][0] == pytest.approx(valley)
        assert f"{valley:.2g}, the valley of lr_find" in capsys.readouterr().out
    with pytest.raises(ValueError, match="`cycles` must be"):
        fit_cycles(model, data, cycles=0)
    assert "lr_find" not in capsys.readouterr().out  # nothing was swept


@eagerly
def test_a_sweep_for_all_layers_forgets_rates_by_depth(data, sweep):
    valleys = []
    for by_depth in (None, [1e-4, 1e-2]):
        model = compiled()
        if by_depth:
            set_layer_rates(model, by_depth)
        data.start_epoch(0)
        fit_cycles(model, data, cycles=1)
        assert len(set(layer_rates(model))) == 1
        valleys.append(layer_rates(model)[-1])
    assert valleys[1] == pytest.approx(valleys[0])


@eagerly
def test_rates_by_depth_fall_together(data):
    model, seen = compiled(), []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(layer_rates(model))
    )
    fit_cycles(model, data, slice(0.01, 0.04), cycles=1, callbacks=[watch])
    expected = cosine([3], 1)[:, None] * [0.01, 0.04]  # two layers have weights
    np.testing.assert_allclose(seen, expected, rtol=1e-5)


@eagerly
@pytest.mark.parametrize("schedule", [StepDecay(1, 0.5), OneCycle(), CosineRestarts()])
def test_a_schedule_of_ours_takes_the_place_of_the_cosine(schedule, data):
    history = fit_cycles(compiled(), data, RATE, 2, cycle_mult=1, callbacks=schedule)
    assert history.attrs["learning_rates"] == schedule.rates
    assert len(schedule.rates) == 2 * STEPS


@eagerly
def test_a_new_run_begins_a_new_curve_after_an_exception(data):
    schedule = OneCycle()
    with pytest.raises(KeyboardInterrupt):
        fit_cycles(compiled(), data, RATE, callbacks=[schedule, StopAt(4)])
    fit_cycles(compiled(), data, RATE / 2, cycles=1, callbacks=[schedule])
    assert len(schedule.rates) == STEPS
    # Up and down in 1.35 batches each, from a tenth of the rate.
    assert schedule.rates[0] == pytest.approx(RATE / 20)
    assert schedule.rates[1] == pytest.approx(RATE / 2 * (0.1 + 0.9 / 1.35))


def test_under_a_distribution_strategy_it_resumes_too(data, tmp_path):
    """One device has the strategy's kind of variables, which `float()` refuses."""
    histories = []
    for state in (None, tmp_path / "state.npz"):
        with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
            model = compiled()
        with pytest.raises(TypeError):
            float(model.optimizer.learning_rate)
        callbacks = [OneCycle(2), BatchLosses()]
        cycles = (1, 2) if state else (2,)
        data.start_epoch(0)
        for number in cycles:
            history = fit_cycles(
                model,
                data,
                RATE,
                cycles=number,
                cycle_len=1,
                cycle_mult=1,
                callbacks=callbacks,
                state=state,
            )
        histories.append(history)
        assert len(callbacks[1].losses) == 2 * STEPS
    whole, resumed = histories
    assert resumed.attrs["learning_rates"] == whole.attrs["learning_rates"]
    np.testing.assert_allclose(resumed["loss"], whole["loss"], rtol=1e-5)


class StopAt(keras.callbacks.Callback):
    """Ctrl-C at one batch, counted from the beginning of the whole run."""

    def __init__(self, batch):
        super().__init__()
        self.batch, self.epoch = batch, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch * STEPS + batch == self.batch:
            raise KeyboardInterrupt


def everything(folder, data):
    """Callbacks that all have something to remember."""
    return [
        BatchLosses(),
        CycleSnapshots(folder / "snapshots"),
        WeightAveraging(data.valid),
    ]


def run(model, start, data, folder, callbacks, **arguments):
    """Train with the compiled model as new: one trace of its step for all runs."""
    for variable, value in start:
        variable.assign(value)
    return fit_cycles(
        model,
        data,
        RATE,
        cycles=2,
        cycle_len=1,
        cycle_mult=2,
        callbacks=callbacks,
        state=folder / "state.npz",
        **arguments,
    )


@pytest.fixture(scope="module")
def unbroken(data, tmp_path_factory):
    model, folder = compiled(), tmp_path_factory.mktemp("unbroken")
    model.optimizer.build(model.trainable_variables)
    variables = [*model.variables, *model.optimizer.variables]
    start = [(variable, variable.numpy()) for variable in variables]
    callbacks = everything(folder, data)
    history = run(model, start, data, folder, callbacks)
    end = [variable.numpy() for variable in variables]
    return model, start, history, end, callbacks[0].losses, folder / "snapshots"


@pytest.mark.parametrize("batch", range(3 * STEPS))
def test_stopped_at_any_batch_it_goes_on_with_the_old_curve(
    batch, unbroken, data, tmp_path
):
    model, start, history, end, losses, snapshots = unbroken
    with pytest.raises(KeyboardInterrupt):
        callbacks = [*everything(tmp_path, data), StopAt(batch)]
        run(model, start, data, tmp_path, callbacks)
    callbacks = everything(tmp_path, data)
    resumed = run(model, start, data, tmp_path, callbacks)
    assert resumed.attrs["restored"] == batch // STEPS
    assert resumed.attrs["learning_rates"] == history.attrs["learning_rates"]
    assert callbacks[0].losses == losses
    columns = [column for column in history if column != "seconds"]
    assert resumed[columns].equals(history[columns])
    for (variable, _), wanted in zip(start, end, strict=True):
        np.testing.assert_array_equal(variable.numpy(), wanted)
    assert [file.name for file in callbacks[1].files] == [
        "cycle_1.weights.h5",
        "cycle_2.weights.h5",
    ]
    assert len(list(snapshots.iterdir())) == len(callbacks[1].files)


@eagerly
def test_a_finished_run_is_read_back_as_it_ended(unbroken, data, tmp_path):
    model, start, history, end, _, _ = unbroken
    run(model, start, data, tmp_path, everything(tmp_path, data))
    again = run(model, start, data, tmp_path, everything(tmp_path, data))
    assert again.attrs["restored"] == 3
    for (variable, _), wanted in zip(start, end, strict=True):
        np.testing.assert_array_equal(variable.numpy(), wanted)


def test_a_bad_loss_stops_it_with_the_files_named(data):
    model = compiled(keras.optimizers.SGD(0.01))
    model.layers[-1].kernel.assign(model.layers[-1].kernel * np.nan)
    data.start_epoch(5)
    with pytest.raises(FloatingPointError) as error:
        fit_cycles(model, data, RATE)
    files = ", ".join(data.batch_files(0, epoch=0))
    assert f"nan at batch 0 of epoch 1, of {files}." in str(error.value)


def test_a_bad_loss_on_activations_names_the_photos_too(data):
    views = {split: [data_of(data, split)] for split in ("train", "valid")}
    activations = ActivationData(data, views)
    model = keras.Sequential([keras.layers.Dense(1, activation="sigmoid")])
    model.build(views["train"][0].shape)
    model.compile(keras.optimizers.SGD(RATE), loss="binary_crossentropy")
    model.layers[-1].kernel.assign(model.layers[-1].kernel * np.nan)
    with pytest.raises(FloatingPointError) as error:
        fit_cycles(model, activations, RATE)
    files = ", ".join(data.batch_files(0, epoch=0))
    assert f"nan at batch 0 of epoch 1, of {files}." in str(error.value)


def data_of(data, split):
    """A feature for each photo of a split."""
    return np.ones((len(data.files(split)), 2), "float32")


SETTERS = {
    "LearningRateScheduler": keras.callbacks.LearningRateScheduler(lambda e, r: r),
    "ReduceLROnPlateau": keras.callbacks.ReduceLROnPlateau(),
    "StepDecay, OneCycle": [StepDecay(), OneCycle()],
}


@pytest.mark.parametrize("names", SETTERS)
def test_two_that_set_the_rate_are_refused_before_training(names, data):
    callbacks = SETTERS[names]
    model = compiled()
    with pytest.raises(ValueError, match=f"at most one that sets.*Received: {names}"):
        callbacks = callbacks if isinstance(callbacks, list) else [callbacks]
        fit_cycles(model, data, RATE, callbacks=callbacks)
    assert not model.optimizer.built  # not even that


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cycles": 0}, "`cycles` must be"),
        ({"cycle_len": 0}, "`cycle_len` must be"),
        ({"cycle_mult": 0}, "`cycle_mult` must be"),
        ({"learning_rate": 0.0}, "`learning_rate` must be a number above 0"),
        ({"data": "photos"}, "`data` must be an ImageData, or a pair.*a str"),
        ({"callbacks": [CosineRestarts(2)]}, "CosineRestarts of the same cycles"),
        ({"callbacks": [OneCycle]}, r"must be Keras callbacks.*Make one: OneCycle\(\)"),
        ({"callbacks": "OneCycle"}, "must be Keras callbacks. Received: 'OneCycle'"),
    ],
)
def test_arguments_outside_their_range(arguments, message, data):
    arguments = {"data": data, "learning_rate": RATE, **arguments}
    with pytest.raises(ValueError, match=message):
        fit_cycles(compiled(), **arguments)


def test_a_model_that_cannot_be_trained_so(data):
    decay = keras.optimizers.schedules.CosineDecay(0.1, 9)
    with pytest.raises(ValueError, match="`model` must be compiled with a float"):
        fit_cycles(compiled(keras.optimizers.SGD(decay)), data, RATE)
    model = compiled()
    model.compiled = False
    with pytest.raises(ValueError, match="`model` must be compiled"):
        fit_cycles(model, data, RATE)
