import keras
import numpy as np
import pytest

from kerasdl import models
from kerasdl.callbacks import BestWeights, MagnitudePruning
from kerasdl.classification import distiller
from kerasdl.train import fit_cycles, resumable_fit

RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 12)).astype("float32")
Y = (X[:, :1] * X[:, 1:2] > 0).astype("float32")


def network(optimizer=None):
    initializer = keras.initializers.GlorotUniform(seed=1)
    units = (16, 20, 16, 1)
    stack = [
        keras.layers.Dense(
            unit,
            activation="sigmoid" if unit == 1 else "relu",
            kernel_initializer=initializer,
            name=f"dense{number}",
        )
        for number, unit in enumerate(units)
    ]
    model = keras.Sequential([keras.Input((12,)), *stack])
    model.compile(optimizer or keras.optimizers.Adam(0.01), "binary_crossentropy")
    return model


def zeros(model):
    table = models.sparsity_table(model)
    return dict(zip(table["layer"], table["zeros"], strict=True))


class Watch(keras.callbacks.Callback):
    """The number of zeros after each batch, and where they are."""

    def __init__(self):
        super().__init__()
        self.counts, self.places = [], []

    def on_train_batch_end(self, batch, logs=None):
        kernel = self.model.get_layer("dense1").kernel.numpy()
        self.counts.append(int((kernel == 0).sum()))
        self.places.append(kernel == 0)


def fit(model, *callbacks, epochs=6, **more):
    return model.fit(
        *(X, Y),
        batch_size=8,
        epochs=epochs,
        shuffle=False,
        verbose=0,
        callbacks=list(callbacks),
        **more,
    )


def test_sparsity_follows_the_curve_and_stays():
    """Eight batches an epoch: begin at 8, end at 32; a pruning every 8."""
    model, watch = network(), Watch()
    history = fit(model, MagnitudePruning(0.75, 1, 4, frequency=8), watch)
    # 0.75 (1 - (1 - k/3)^3) of 320 weights, for k = 0, 1, 2, 3.
    expected = [0] * 15 + [169] * 8 + [231] * 8 + [240] * 17
    assert watch.counts == expected
    for before, after in zip(watch.places, watch.places[1:], strict=False):
        assert (after | ~before).all()  # what is 0 stays 0
    assert history.history["sparsity"] == pytest.approx(
        [0, 169 / 320, 231 / 320, 0.75, 0.75, 0.75], abs=0.5 / 320
    )
    assert zeros(model) == {"dense0": 0, "dense1": 240, "dense2": 240, "dense3": 0}


def test_the_initial_share_goes_first():
    model, watch = network(), Watch()
    pruning = MagnitudePruning(0.8, 1, 3, frequency=100, initial_sparsity=0.5)
    fit(model, pruning, watch, epochs=3)
    assert watch.counts == [0] * 8 + [160] * 15 + [256]


def test_the_smallest_weights_go():
    model = network(keras.optimizers.SGD(0.0))
    before = np.abs(model.get_layer("dense1").kernel.numpy())
    fit(model, MagnitudePruning(0.5, 0, 1), epochs=1)
    gone = model.get_layer("dense1").kernel.numpy() == 0
    assert gone.sum() == 160
    assert before[gone].max() <= before[~gone].min()


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
        lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
        lambda: keras.optimizers.AdamW(0.01, use_ema=True, ema_momentum=0.9),
    ],
)
def test_zeros_hold_under_what_moves_weights_without_gradients(optimizer):
    model, watch = network(optimizer()), Watch()
    fit(model, MagnitudePruning(0.8, 0, 2, frequency=4), watch)
    assert watch.counts[-32:] == [256] * 32
    assert zeros(model)["dense1"] == 256


def test_averages_are_sparse_while_they_validate():
    """SwapEMAWeights puts the averages in at the end of an epoch."""
    optimizer = keras.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.9)
    model, found = network(optimizer), []
    look = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: found.append(zeros(model)["dense1"])
    )
    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    fit(model, MagnitudePruning(0.8, 0, 2, frequency=4), swap, look)
    assert found[2:] == [256] * 4


def test_loss_still_falls():
    history = fit(network(), MagnitudePruning(0.6, 2, 10), epochs=30).history["loss"]
    assert history[-1] < 0.5 * history[0]


def test_a_resumed_training_ends_like_an_unbroken_one(tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 3:
                raise KeyboardInterrupt

    def train(state, *callbacks):
        import tensorflow as tf

        model = network(keras.optimizers.AdamW(0.01, use_ema=True))
        best = BestWeights(tmp_path / "best.weights.h5", "loss", "min")
        data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(8)
        pruning = MagnitudePruning(0.75, 1, 5, frequency=3)
        resumable_fit(model, data, 7, state, callbacks=[pruning, best, *callbacks])
        return model

    whole = train(tmp_path / "whole.npz")
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "broken.npz", Stop())
    resumed = train(tmp_path / "broken.npz")
    for expected, found in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert zeros(resumed)["dense1"] == 240


def test_in_cycles():
    import tensorflow as tf

    model = network()
    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(8)
    history = fit_cycles(
        model, (data, None), 0.01, 2, callbacks=[MagnitudePruning(0.5, 1, 2)]
    )
    assert history["sparsity"].tolist() == [0, 0.5, 0.5]


def test_convolutions_and_on_demand_depthwise_filters():
    for depthwise in (False, True):
        model = keras.Sequential(
            [
                keras.Input((4, 4, 2)),
                keras.layers.Conv2D(4, 3, name="first"),
                keras.layers.DepthwiseConv2D(2, name="depthwise"),
                keras.layers.Conv2D(6, 1, name="inner"),
                keras.layers.DepthwiseConv2D(1, name="last"),
            ]
        )
        model.compile(loss="mse")
        pruning = MagnitudePruning(0.5, 0, 1, depthwise=depthwise)
        photos, truth = np.zeros((2, 4, 4, 2)), np.zeros((2, 1, 1, 6))
        model.fit(photos, truth, verbose=0, callbacks=[pruning])
        depthwise_zeros = 8 if depthwise else 0
        expected = {"first": 0, "depthwise": depthwise_zeros, "inner": 12, "last": 0}
        assert zeros(model) == expected


def test_first_and_last_on_demand():
    model = network()
    fit(model, MagnitudePruning(0.5, 0, 1, all_layers=True), epochs=1)
    assert zeros(model) == {"dense0": 96, "dense1": 160, "dense2": 160, "dense3": 8}


def test_first_and_last_where_models_are_nested():
    layers = keras.layers
    trunk = keras.Sequential(
        [keras.Input((12,)), layers.Dense(8, name="a"), layers.Dense(8, name="b")]
    )
    model = keras.Sequential([keras.Input((12,)), trunk, layers.Dense(1, name="c")])
    model.compile("adam", "mse")
    fit(model, MagnitudePruning(0.5, 0, 1), epochs=1)
    assert zeros(model) == {"a": 0, "b": 32, "c": 0}


def test_frozen_layers_are_left_alone():
    model = network()
    model.get_layer("dense1").trainable = False
    model.compile("adam", "binary_crossentropy")
    fit(model, MagnitudePruning(0.5, 0, 1), epochs=1)
    assert zeros(model)["dense1"] == 0
    assert zeros(model)["dense2"] == 160


def test_the_student_of_a_distiller():
    photos = keras.Input((4, 4, 3))
    x = keras.layers.Conv2D(4, 3, name="first")(photos)
    x = keras.layers.Conv2D(10, 1, name="inner")(x)
    x = keras.layers.Dense(2, activation="softmax", name="last")(
        keras.layers.Flatten()(x)
    )
    student = keras.Model(photos, x)
    model = distiller(student)
    model.compile(loss="sparse_categorical_crossentropy")
    inputs = (np.zeros((4, 4, 4, 3)), np.full((4, 2), 0.5))
    pruning = MagnitudePruning(0.5, 0, 1)
    model.fit(inputs, np.array([0, 1, 0, 1]), verbose=0, callbacks=[pruning])
    table = models.sparsity_table(student)
    assert table["layer"].tolist() == ["first", "inner", "last"]
    assert table["parameters"].tolist() == [108, 40, 80]
    assert table["zeros"].tolist() == [0, 20, 0]
    assert table["sparsity"].tolist() == [0, 0.5, 0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"final_sparsity": 0.0}, r"`final_sparsity` must be in \(0, 1\)"),
        ({"final_sparsity": 80}, r"`final_sparsity` must be in \(0, 1\)"),
        ({"initial_sparsity": 0.9}, r"`initial_sparsity` must be in \[0, final"),
        ({"begin_epoch": -1}, "`begin_epoch` must be an integer of at least 0"),
        ({"end_epoch": 0}, "`end_epoch` must be an integer of at least 1"),
        ({"begin_epoch": 2}, "`end_epoch` must be after `begin_epoch`"),
        ({"frequency": 0}, "`frequency` must be an integer of at least 1"),
    ],
)
def test_wrong_arguments(arguments, message):
    given = {"final_sparsity": 0.5, "begin_epoch": 0, "end_epoch": 2} | arguments
    with pytest.raises(ValueError, match=message):
        MagnitudePruning(**given)


def test_what_fit_refuses():
    with pytest.raises(ValueError, match="`end_epoch` must be at most the epochs"):
        fit(network(), MagnitudePruning(0.5, 0, 3), epochs=2)
    steps = network()
    steps.compile("adam", "binary_crossentropy", steps_per_execution=2)
    with pytest.raises(ValueError, match="`steps_per_execution` must be 1"):
        fit(steps, MagnitudePruning(0.5, 0, 1))
    endless = ((X[:8], Y[:8]) for _ in range(3))
    with pytest.raises(ValueError, match="needs the number of batches"):
        network().fit(endless, verbose=0, callbacks=[MagnitudePruning(0.5, 0, 1)])
    small = keras.Sequential([keras.Input((12,)), keras.layers.Dense(1)])
    small.compile("adam", "mse")
    with pytest.raises(ValueError, match="beside the first and the last"):
        fit(small, MagnitudePruning(0.5, 0, 1))
