import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.optimizers import SGD

from kerasdl.callbacks import CosineRestarts, OneCycle, StepDecay, WarmUp
from kerasdl.train import set_layer_rates

eagerly = pytest.mark.usefixtures("eagerly")
STEPS = 5  # batches in an epoch


def batches(count=STEPS):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(count * 4, 3)).astype("float32")
    return tf.data.Dataset.from_tensor_slices((x, x[:, :1] * 2)).batch(4)


def compiled(optimizer=None, **arguments):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(optimizer=optimizer or SGD(0.5), loss="mse", **arguments)
    return model


def fit(model, callbacks, epochs=3, data=None, **arguments):
    data = batches() if data is None else data
    return model.fit(
        data, epochs=epochs, callbacks=callbacks, verbose=0, shuffle=False, **arguments
    )


class RatesOfUpdates(keras.callbacks.Callback):
    """The rate the optimizer has after each batch: the one it used."""

    def __init__(self):
        super().__init__()
        self.rates = []

    def on_train_batch_end(self, batch, logs=None):
        self.rates.append(float(self.model.optimizer.learning_rate))


def cosine(lengths, high=0.5, low=0.0):
    return np.concatenate(
        [
            low + (high - low) / 2 * (1 + np.cos(np.pi * np.arange(n) / n))
            for n in lengths
        ]
    )


CASES = [
    (CosineRestarts(), 3, cosine([5, 5, 5])),
    (CosineRestarts(cycle_len=1, cycle_mult=2), 7, cosine([5, 10, 20])),
    (CosineRestarts(2, min_learning_rate=0.1), 3, cosine([10, 10], low=0.1)[:15]),
    (
        CosineRestarts(1, 2, warm_up_steps=2),
        3,
        cosine([5, 10]) * ([0.5] + [1] * 14),
    ),
    (StepDecay(2, 0.1), 5, 0.5 * np.repeat([1, 1, 0.1, 0.1, 0.01], 5)),
    (StepDecay(warm_up_steps=2), 2, 0.5 * np.array([0.5] + [1] * 4 + [0.1] * 5)),
    (WarmUp(4), 2, 0.5 * np.array([0.25, 0.5, 0.75] + [1] * 7)),
    (
        OneCycle(max_momentum=None),  # all 4 epochs: up 9, down 9, a tail of 2
        4,
        0.5 * np.interp(range(20), [0, 9, 18, 20], [0.1, 1, 0.1, 0.001]),
    ),
    (
        OneCycle(1, 0.2, 0.2, 0.0, None),  # then it stays at its end
        2,
        0.5 * np.interp(range(10), [0, 2, 4, 5], [0.2, 1, 0.2, 0.0]),
    ),
]


@pytest.mark.parametrize(("schedule", "epochs", "expected"), CASES)
def test_each_batch_has_the_rate_of_the_curve(schedule, epochs, expected):
    model, used = compiled(), RatesOfUpdates()
    fit(model, [schedule, used], epochs)
    np.testing.assert_allclose(used.rates, expected, rtol=1e-6, atol=1e-7)
    assert schedule.rates == used.rates
    # The maximum is back, and a second fit begins a new curve from it.
    assert float(model.optimizer.learning_rate) == 0.5
    fit(model, [schedule], epochs)
    np.testing.assert_allclose(schedule.rates, expected, rtol=1e-6, atol=1e-7)


def test_one_object_after_an_exception_goes_on_with_its_curve():
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if int(self.model.optimizer.iterations) == 7:
                raise KeyboardInterrupt

    model, schedule = compiled(), CosineRestarts(3)
    with pytest.raises(KeyboardInterrupt):
        fit(model, [schedule, Stop()])
    fit(model, [schedule], 2)
    np.testing.assert_allclose(
        schedule.rates, np.tile(cosine([15]), 2)[:17], rtol=1e-6, atol=1e-7
    )


MADE = [
    lambda: CosineRestarts(1, 2, warm_up_steps=2),
    lambda: StepDecay(1, 0.1),
    lambda: WarmUp(6),
    OneCycle,
]


def interrupted(callback, batch):
    """A model whose `fit` ended by Ctrl-C after some batches."""

    def stop(number, logs):
        if int(model.optimizer.iterations) == batch:
            raise KeyboardInterrupt

    model = compiled(SGD(0.5, momentum=0.7))
    stops = keras.callbacks.LambdaCallback(on_train_batch_end=stop)
    with pytest.raises(KeyboardInterrupt):
        fit(model, [callback, stops])
    return model


@eagerly
@pytest.mark.parametrize(
    ("batch", "first", "second"),
    [(7, a, b) for a, b in zip(MADE, MADE[1:] + MADE[:1], strict=True)]
    + [(1, OneCycle, OneCycle), (7, CosineRestarts, CosineRestarts)],
)
def test_after_an_interruption_a_new_callback_finds_the_compiled_rate(
    batch, first, second
):
    model, expected = interrupted(first(), batch), second()
    fit(compiled(SGD(0.5, momentum=0.7)), [expected])
    again = second()
    fit(model, [again])
    np.testing.assert_array_equal(again.rates, expected.rates)
    assert float(model.optimizer.learning_rate) == 0.5


def test_after_an_interruption_the_momentum_is_the_compiled_one():
    """Of what is trained: the traced step reads a variable."""
    x = np.ones((20, 3), "float32")
    data = tf.data.Dataset.from_tensor_slices((x, x[:, :1] * 2)).batch(4)
    model, fresh = interrupted(OneCycle(), 7), compiled(SGD(0.5, momentum=0.7))
    fit(model, [CosineRestarts()], 1, data)
    assert type(model.optimizer.momentum) is float
    for variables in (model.variables, model.optimizer.variables):
        for variable in variables:
            if "learning_rate" not in variable.path:
                variable.assign(np.zeros(variable.shape))
    for variable in fresh.variables:
        variable.assign(np.zeros(variable.shape))
    for one in (model, fresh):
        fit(one, [CosineRestarts()], 1, data)
    for ours, wanted in zip(model.get_weights(), fresh.get_weights(), strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=1e-6)


@eagerly
@pytest.mark.parametrize("how", ["set", "set by depth", "compiled"])
def test_after_an_interruption_another_rate_may_be_asked_for(how):
    model, again = interrupted(WarmUp(9), 7), CosineRestarts()
    lowered = float(model.optimizer.learning_rate)
    if how == "set":
        model.optimizer.learning_rate = 0.25
    elif how == "set by depth":  # even the one it was left with
        set_layer_rates(model, lowered)
    else:
        model.compile(SGD(0.25), "mse")
    fit(model, [again])
    wanted = lowered if how == "set by depth" else 0.25
    np.testing.assert_allclose(again.rates[0], wanted, rtol=1e-6)


@eagerly
def test_a_second_compile_with_the_optimizer_finds_the_compiled_rate():
    model, again = interrupted(StepDecay(1, 0.1), 7), CosineRestarts()
    model.compile(model.optimizer, "mse")
    fit(model, [again])
    assert again.rates[0] == 0.5


def test_another_process_goes_on_with_the_state():
    model, first, second = compiled(), CosineRestarts(2), CosineRestarts(2)
    states = []
    keeper = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: states.append(first.get_state())
    )
    fit(model, [first, keeper], epochs=1)
    second.set_state(states[0])
    fit(model, [second], epochs=1)
    np.testing.assert_allclose(second.rates, cosine([10]), rtol=1e-6, atol=1e-7)


def test_all_callbacks_of_a_fit_share_one_dict_of_parameters():
    """The fact that one owner of the rate rests on."""
    seen = [keras.callbacks.Callback() for _ in range(3)]
    fit(compiled(), seen, 1)
    assert seen[0].params is seen[1].params is seen[2].params


@eagerly
@pytest.mark.parametrize("accumulated", [2, 3])
def test_gradient_accumulation_moves_with_the_updates(accumulated):
    optimizer = SGD(0.5, gradient_accumulation_steps=accumulated)
    schedule = CosineRestarts(3)
    fit(compiled(optimizer), [schedule])
    updates = np.arange(15) // accumulated * accumulated
    np.testing.assert_allclose(schedule.rates, cosine([15])[updates], rtol=1e-6)


def test_loss_scaling_counts_the_batches_that_train():
    optimizer = keras.optimizers.LossScaleOptimizer(SGD(0.5))
    schedule = CosineRestarts(3)
    # The third batch overflows: the optimizer leaves it out, and so does the curve.
    x = np.ones((60, 3), "float32")
    x[8:12] = 1e38
    data = tf.data.Dataset.from_tensor_slices((x, x[:, :1] * 0)).batch(4)
    model = compiled(optimizer)
    fit(model, [schedule], epochs=1, data=data)
    expected = np.array([0, 1, 2, 2, *range(3, 14)])
    np.testing.assert_allclose(
        schedule.rates, cosine([45])[expected], rtol=1e-6, atol=1e-7
    )
    assert float(model.optimizer.learning_rate) == 0.5


@eagerly
def test_plot_lr(tmp_path):
    schedule = CosineRestarts()
    fit(compiled(), [schedule])
    schedule.plot_lr(tmp_path / "lr.png")
    assert (tmp_path / "lr.png").stat().st_size > 5000


@eagerly
@pytest.mark.parametrize(
    ("callbacks", "epochs"),
    [
        ([keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)], 1),
        ([keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.5)], 2),
        ([keras.callbacks.ReduceLROnPlateau("loss", min_delta=9.0, patience=1)], 4),
    ],
)
@pytest.mark.parametrize("ours_first", [True, False])
def test_raises_at_the_first_batch_that_another_set(callbacks, epochs, ours_first):
    schedule = CosineRestarts()
    both = [schedule, *callbacks] if ours_first else [*callbacks, schedule]
    with pytest.raises(
        ValueError, match=r"alone in setting.*at batch 0.*LearningRateScheduler or Red"
    ):
        fit(compiled(), both, epochs)


@eagerly
def test_raises_at_the_batch_after_one_that_another_set():
    class SetsEachBatch(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            self.model.optimizer.learning_rate = 0.3

    with pytest.raises(ValueError, match="a rate of 0.3 at batch 1"):
        fit(compiled(), [CosineRestarts(), SetsEachBatch()])


def test_two_of_ours_refuse_each_other():
    with pytest.raises(ValueError, match="Received: StepDecay and OneCycle"):
        fit(compiled(), [StepDecay(), OneCycle()])


def test_a_refused_fit_begins_no_curve():
    schedule, model = CosineRestarts(), compiled()
    with pytest.raises(ValueError, match="one alone that sets"):
        fit(model, [schedule, WarmUp(1)])
    model.optimizer.learning_rate = 0.25
    fit(model, [schedule], epochs=1)
    np.testing.assert_allclose(schedule.rates, cosine([5], 0.25), rtol=1e-6)


def endless():
    while True:
        yield np.zeros((4, 3), "float32"), np.zeros((4, 1), "float32")


@pytest.mark.parametrize(
    ("arguments", "data", "message"),
    [
        (
            {"optimizer": lambda: SGD(keras.optimizers.schedules.CosineDecay(1.0, 9))},
            None,
            "`model` must be compiled with a float.*learning_rate=1 at present",
        ),
        (
            {"optimizer": lambda: SGD(lambda: 0.1)},
            None,
            "LearningRateSchedule or a fun",
        ),
        ({"steps_per_execution": 2}, None, "`steps_per_execution` must be 1"),
        (
            {"optimizer": lambda: keras.optimizers.MultiOptimizer(SGD(0.1))},
            None,
            "must be compiled with one optimizer",
        ),
        ({}, endless(), "needs the number of batches.*steps=None.*steps_per_epoch"),
    ],
)
def test_refused_before_training(arguments, data, message):
    make = arguments.pop("optimizer", lambda: None)
    model = compiled(make(), **arguments)
    before = model.get_weights()[0].copy()
    with pytest.raises(ValueError, match=message):
        fit(model, [CosineRestarts()], data=data)
    np.testing.assert_array_equal(model.get_weights()[0], before)


def test_steps_per_epoch_gives_a_generator_its_length():
    schedule = CosineRestarts()
    fit(compiled(), [schedule], data=endless(), steps_per_epoch=STEPS)
    np.testing.assert_allclose(schedule.rates, cosine([5, 5, 5]), rtol=1e-6, atol=1e-7)


def test_a_minimum_above_the_rate():
    with pytest.raises(ValueError, match="must not be above the optimizer's rate"):
        fit(compiled(), [CosineRestarts(min_learning_rate=0.6)])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CosineRestarts(cycle_len=0), "`cycle_len` must be"),
        (lambda: CosineRestarts(cycle_mult=1.5), "`cycle_mult` must be"),
        (
            lambda: CosineRestarts(min_learning_rate=-1),
            "`min_learning_rate` must be at",
        ),
        (lambda: CosineRestarts(warm_up_steps=-1), "`warm_up_steps` must be"),
        (lambda: WarmUp(2.5), "`warm_up_steps` must be"),
        (lambda: StepDecay(0), "`decay_len` must be"),
        (lambda: StepDecay(1, 0.0), "`factor` must be above 0"),
        (lambda: OneCycle(0), "`cycle_len` must be"),
        (lambda: OneCycle(start_fraction=0), "`start_fraction` must be above 0"),
        (lambda: OneCycle(tail_fraction=1), "`tail_fraction` must be at least 0"),
        (lambda: OneCycle(end_fraction=-1), "`end_fraction` must be in"),
        (lambda: OneCycle(max_momentum=0.8), "`min_momentum` and `max_momentum`"),
    ],
)
def test_arguments_outside_their_range(make, message):
    with pytest.raises(ValueError, match=message):
        make()
