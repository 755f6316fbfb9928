import itertools
import os
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kerasdl.classification import ActivationData
from kerasdl.data import ImageData, ImageDataGenerator
from kerasdl.train import ActivationBatches, layer_rates, lr_find, set_layer_rates

eagerly = pytest.mark.usefixtures("eagerly")


def network(optimizer="adam", **options):
    """Dropout and BatchNorm: random state and statistics must be put back too."""
    inits = [keras.initializers.GlorotUniform(seed=i) for i in range(3)]
    model = keras.Sequential(
        [
            keras.Input((5,)),
            keras.layers.Dense(8, kernel_initializer=inits[0]),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5, seed=2),
            keras.layers.Dense(8, "relu", kernel_initializer=inits[1]),
            keras.layers.Dense(1, "sigmoid", kernel_initializer=inits[2]),
        ]
    )
    model.compile(
        optimizer=optimizer,
        loss="binary_crossentropy",
        metrics=["accuracy"],
        **options,
    )
    return model


@pytest.fixture
def arrays(rng):
    x = rng.normal(size=(40, 5)).astype("float32")
    return x, (x.sum(axis=1, keepdims=True) > 0).astype("float32")


@pytest.fixture
def dataset(arrays):
    return tf.data.Dataset.from_tensor_slices(arrays).batch(8)


def state(model):
    variables = (*model.variables, *model.optimizer.variables)
    return [variable.numpy() for variable in (*variables, *model.metrics_variables)]


def assert_same(before, after):
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(new, old)


def test_puts_everything_back_to_the_bit(dataset):
    model = network(keras.optimizers.Adam(1e-3, use_ema=True))
    model.fit(dataset, epochs=2, verbose=0)
    before, history = state(model), model.history
    found = lr_find(model, dataset)
    assert len(found.rates) > 20
    assert_same(before, state(model))
    assert model.history is history


def test_training_after_it_is_as_if_it_had_not_been(dataset):
    models = [network(), network()]
    lr_find(models[0], dataset)
    assert int(models[0].optimizer.iterations) == 0
    for model in models:
        model.fit(dataset, epochs=2, verbose=0)
    assert_same(state(models[1]), state(models[0]))


@eagerly
def test_losses_are_those_of_single_batches_at_rising_rates(arrays, dataset):
    """Recomputed with `train_on_batch`, which returns the loss of its batch."""
    found = lr_find(network("sgd"), dataset, 1e-4, 1e-1, num_steps=12)
    np.testing.assert_allclose(found.rates, np.geomspace(1e-4, 1e-1, 12))
    model, losses = network("sgd"), []
    for rate, (x, y) in zip(found.rates, dataset.repeat(), strict=False):
        model.optimizer.learning_rate = rate
        model.reset_metrics()
        losses.append(model.train_on_batch(x, y)[0])
    np.testing.assert_allclose(found.losses, losses, rtol=1e-6)
    # The exponential mean with its weights written out.
    for count, smoothed in enumerate(found.smoothed, start=1):
        weights = 0.9 ** np.arange(count)[::-1]
        expected = np.average(losses[:count], weights=weights)
        assert smoothed == pytest.approx(expected, rel=1e-6)
    assert found.mode == "exponential"


@eagerly
def test_takes_a_pydataset_in_its_order(arrays, dataset):
    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 5

        def __getitem__(self, index):
            rows = slice(8 * index, 8 * index + 8)
            return tuple(array[rows] for array in arrays)

    found = lr_find(network(), Batches(), 1e-4, 1e-1, num_steps=7)
    expected = lr_find(network(), dataset, 1e-4, 1e-1, num_steps=7)
    np.testing.assert_array_equal(found.losses, expected.losses)


def generated(dataset, passes):
    """`dataset` of unknown length, which has so many passes."""
    left = iter(range(passes))
    spec = dataset.element_spec
    return tf.data.Dataset.from_generator(
        lambda: iter(dataset if next(left, None) is not None else ()),
        output_signature=spec,
    )


@eagerly
def test_data_of_unknown_length_has_each_rate(dataset):
    count = int(dataset.cardinality())
    steps = 3 * count
    options = {"start_lr": 1e-3, "end_lr": 0.5, "num_steps": steps}

    def plain():  # a batch that is not there still draws Dropout's mask
        init = keras.initializers.GlorotUniform(seed=1)
        layer = keras.layers.Dense(1, "sigmoid", kernel_initializer=init)
        model = keras.Sequential([keras.Input((5,)), layer])
        model.compile("sgd", "binary_crossentropy")
        return model

    known = lr_find(plain(), dataset, **options)
    found = lr_find(plain(), generated(dataset, 4), **options)
    np.testing.assert_array_equal(found.rates, known.rates)
    np.testing.assert_array_equal(found.losses, known.losses)
    with pytest.raises(ValueError, match="`dataset` must have batches.*none in an ep"):
        lr_find(network(), generated(dataset, 1), **options)


@eagerly
def test_linear_mode(dataset):
    found = lr_find(network(), dataset, 0.001, 0.01, num_steps=10, mode="linear")
    np.testing.assert_allclose(found.rates, np.linspace(0.001, 0.01, 10))


def test_stops_where_the_smoothed_loss_is_four_times_its_lowest(arrays):
    """Least squares under SGD: past 2 / (largest eigenvalue) every step grows."""
    x = arrays[0]
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    y = x @ np.ones((5, 1), "float32") + 1
    data = tf.data.Dataset.from_tensors((x, y)).repeat()  # endless: no pass ends
    found = lr_find(model, data, 1e-4, 1e4, num_steps=200)
    assert len(found.rates) < 200
    lowest = np.minimum.accumulate(found.smoothed)
    exploded = found.smoothed > np.maximum(4 * lowest, found.losses[:20].max())
    assert exploded[-1] and not exploded[:-1].any()
    design = np.c_[x, np.ones(len(x))]
    limit = 2 / (2 * np.linalg.eigvalsh(design.T @ design / len(x)).max())
    assert found.rates[-1] > limit
    assert found.rates[found.losses.argmin()] < 2 * limit
    assert all(rate < limit for rate in found.suggestions.values())


def test_does_not_stop_for_the_noise_of_a_model_that_is_nearly_right():
    """Every fifth batch has a hundred times the loss of the others."""
    x = np.ones((60, 5), "float32")
    y = np.where(np.arange(60) % 5 == 4, 1.0, 0.1).astype("float32")[:, None]
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(1)])
    model.layers[0].set_weights([np.zeros((5, 1)), np.zeros(1)])
    model.compile(optimizer="sgd", loss="mse")
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(1)
    found = lr_find(model, data, 1e-9, 1e-6, num_steps=60)
    assert len(found.rates) == 60
    assert found.smoothed.max() > 4 * found.smoothed.min()


def test_stops_where_the_loss_is_not_finite(dataset):
    model = network("sgd")
    before = state(model)
    found = lr_find(model, dataset, 1e-3, 1e38, num_steps=20)
    assert len(found.rates) < 20
    assert np.isfinite(found.losses).all()
    assert_same(before, state(model)[: len(before)])
    assert all(np.isfinite(value).all() for value in state(model))


@eagerly
def test_small_data_is_read_again_which_is_said(dataset, capsys):
    lr_find(network(), dataset, 1e-6, 1e-3, num_steps=13)
    out = capsys.readouterr().out
    assert out == (
        "lr_find: the data has 5 batches; it is read again until 13 are done\n"
    )
    lr_find(network(), dataset, 1e-6, 1e-3, num_steps=5)
    assert capsys.readouterr().out == ""


@eagerly
def test_shows_how_far_it_is(dataset, capsys):
    lr_find(network(), dataset, 1e-6, 1e-3, num_steps=20)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "lr_find: 2 of 20"
    assert lines[-1] == "lr_find: 20 of 20"


@eagerly
def test_the_last_groups_rate_is_the_axis(dataset):
    model = network()
    set_layer_rates(model, [1e-5, 1e-4, 1e-3])
    found = lr_find(model, dataset, 1e-3, 1e-1, num_steps=10)
    assert found.rates[[0, -1]].tolist() == pytest.approx([1e-3, 1e-1])
    assert layer_rates(model) == pytest.approx([1e-5, 1e-4, 1e-3])
    whole = lr_find(network(), dataset, 1e-3, 1e-1, num_steps=10)
    assert not np.allclose(found.losses[3:], whole.losses[3:])


def breaking(arrays, at, what):
    """Batches, of which number `at` comes with an exception or a Ctrl-C."""
    taken = itertools.count()

    def batches():
        for rows in np.split(np.arange(40), 5):
            if next(taken) == at:
                what()
            yield tuple(array[rows] for array in arrays)

    signature = tuple(
        tf.TensorSpec((8, array.shape[1]), array.dtype) for array in arrays
    )
    return tf.data.Dataset.from_generator(batches, output_signature=signature)


def fail():
    raise OSError("the disk is gone")


def press_ctrl_c():
    os.kill(os.getpid(), signal.SIGINT)


@eagerly
@pytest.mark.parametrize(
    ("what", "error", "message"),
    [
        (fail, tf.errors.UnknownError, "the disk is gone"),
        (press_ctrl_c, KeyboardInterrupt, "^$"),
    ],
)
def test_puts_everything_back_after_an_interruption(
    what, error, message, arrays, dataset
):
    model = network()
    model.fit(dataset, verbose=0)
    before = state(model)
    with pytest.raises(error, match=message):
        lr_find(model, breaking(arrays, 12, what), num_steps=20)
    assert_same(before, state(model))
    again = network()
    again.fit(dataset, verbose=0)
    for one in (model, again):
        one.fit(dataset, verbose=0)
    assert_same(state(again), state(model))


@pytest.fixture
def photos(tmp_path, write_photos):
    return write_photos(tmp_path / "photos", {"train": 5, "valid": 5}, "ab")


def image_network():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Flatten(),
            keras.layers.Dense(1, "sigmoid"),
        ]
    )
    model.compile(optimizer="sgd", loss="binary_crossentropy")
    return model


def image_data(photos):
    return ImageData.from_folder(photos, image_size=8, batch_size=4, seed=1)


def flow(photos):
    generator = ImageDataGenerator(horizontal_flip=True)
    return generator.flow_from_directory(
        photos / "train", (8, 8), batch_size=4, class_mode="binary", seed=1
    )


def activations(photos):
    x = np.random.default_rng(0).uniform(0, 255, (10, 8, 8, 3)).astype("float32")
    return ActivationBatches([x], np.arange(10.0) % 2, 4, shuffle=True, seed=1)


def activation_data(photos):
    x = np.random.default_rng(0).uniform(0, 255, (10, 8, 8, 3)).astype("float32")
    return ActivationData(image_data(photos), {"train": [x], "valid": [x]})


@eagerly
@pytest.mark.parametrize("make", [image_data, flow, activations, activation_data])
def test_the_epoch_of_seeded_data_is_put_back(make, photos):
    data = make(photos)
    data.stream.next_epoch = 3
    found = lr_find(image_network(), data, 1e-6, 1e-3, num_steps=10)
    assert len(found.losses) == 10  # three batches a pass
    assert data.stream.next_epoch == 3
    again = lr_find(image_network(), data, 1e-6, 1e-3, num_steps=2)
    assert data.stream.next_epoch == 3
    assert len(again.losses) == 2


def test_plot_shows_losses_and_suggestions(dataset, tmp_path):
    found = lr_find(network(), dataset)
    found.plot(tmp_path / "lr.png")
    assert [path.name for path in tmp_path.iterdir()] == ["lr.png"]
    picture = np.asarray(Image.open(tmp_path / "lr.png").convert("RGB"))
    for colour in ("2a6f97", "d1495b"):
        assert (picture == tuple(bytes.fromhex(colour))).all(axis=-1).any()


@pytest.mark.slow  # beside the search of tests/train/test_strategies_fit.py
def test_two_devices(programs):
    result = subprocess.run(
        [sys.executable, programs / "lr_find_on_two_devices.py"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "same [0.0001, 0.001, 0.01]"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "cosine"}, "`mode` must be one of 'exponential', 'linear'"),
        ({"num_steps": 0}, "`num_steps` must be an integer of at least 1"),
        ({"num_steps": 1}, "`num_steps` must be at least 2. Received: num_steps=1"),
        ({"start_lr": 0}, "`start_lr` must be a number above 0 and below `end_lr`"),
        ({"start_lr": 1, "end_lr": 1}, "`start_lr` must be a number above 0 and below"),
        ({"end_lr": float("inf")}, "`start_lr` must be a number above 0 and below `en"),
        ({"start_lr": "1e-7"}, "`start_lr` must be a number .*start_lr='1e-7'"),
        ({"end_lr": None}, "`start_lr` must be a number .*end_lr=None"),
    ],
)
def test_arguments_that_do_not_work(options, message, dataset):
    with pytest.raises(ValueError, match=message):
        lr_find(network(), dataset, **options)


@eagerly
def test_models_and_data_that_do_not_work(arrays, dataset):
    model = network()
    with pytest.raises(
        ValueError, match="`dataset` must be an ImageData.*Received: a tuple"
    ):
        lr_find(model, arrays)
    with pytest.raises(ValueError, match="`model` must be compiled. Received"):
        lr_find(keras.Sequential([keras.Input((5,)), keras.layers.Dense(1)]), dataset)
    unbuilt = keras.Sequential([keras.layers.Dense(1)])
    unbuilt.compile(loss="mse")
    with pytest.raises(ValueError, match="`model` must be built"):
        lr_find(unbuilt, dataset)
    with pytest.raises(ValueError, match="`steps_per_execution=1`.*execution=2"):
        lr_find(network(steps_per_execution=2), dataset)
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    with pytest.raises(ValueError, match="with a float as its learning rate"):
        lr_find(network(keras.optimizers.SGD(schedule)), dataset)
    nothing = dataset.map(lambda x, y: (x, y * float("nan")))
    before = model.get_weights()
    with pytest.raises(ValueError, match="`dataset` must give a finite loss at `start"):
        lr_find(model, nothing)
    assert_same(before, model.get_weights())


class Filtered(keras.utils.PyDataset):
    """Says that it has no batches."""

    def __len__(self):
        return 0

    def __getitem__(self, index):
        raise IndexError


@eagerly
@pytest.mark.parametrize("kind", ["none", "unknown", "PyDataset"])
def test_data_without_batches(kind, dataset):
    empty = {
        "none": dataset.take(0),
        "unknown": dataset.filter(lambda x, y: False),
        "PyDataset": Filtered(),
    }
    model = network()
    before = state(model)
    with pytest.raises(ValueError, match="`dataset` must have batches. Received: none"):
        lr_find(model, empty[kind])
    for now, then in zip(state(model), before, strict=False):
        np.testing.assert_array_equal(now, then)


@eagerly
def test_one_batch_is_enough(dataset):
    assert len(lr_find(network(), dataset.take(1), end_lr=1e-3, num_steps=12).rates) > 9


def test_data_without_targets(dataset):
    with pytest.raises(ValueError, match="`dataset` must give inputs and targets"):
        lr_find(network(), dataset.map(lambda x, y: x))


@eagerly
def test_a_second_loss_that_is_not_finite(arrays):
    x, y = arrays
    y[8:16] = np.nan
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(8)
    with pytest.raises(
        ValueError, match="and after it. Received: a second loss of nan"
    ):
        lr_find(network(), dataset)


def test_nothing_that_trains(dataset):
    model = network()
    model.trainable = False
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="`model` must have weights that train"):
        lr_find(model, dataset)


@pytest.mark.parametrize("logs", [{"g_loss": 1.0}, {"loss": [1.0, 2.0]}])
def test_a_step_that_gives_no_loss(logs, dataset):
    class Own(keras.Model):
        def train_step(self, data):
            return logs

    plain = network()
    model = Own(plain.inputs, plain.outputs)
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="must give its loss, one number.*a Own"):
        lr_find(model, dataset)
