import importlib.util
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasdl.callbacks import CosineRestarts, OneCycle, StepDecay, WarmUp
from kerasdl.train import fit_cycles, lr_find, resumable_fit, set_layer_rates

PROGRAM = Path(__file__).parents[1] / "programs" / "several_optimizers.py"


@pytest.fixture(scope="module")
def toy():
    spec = importlib.util.spec_from_file_location("several_optimizers", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def interrupt():
    raise KeyboardInterrupt


def all_variables(model):
    optimizers = model.optimizers
    parts = optimizers.values() if isinstance(optimizers, dict) else optimizers
    return [*model.variables, *(v for part in parts for v in part.variables)]


def assert_equal(one, other):
    for ours, wanted in zip(all_variables(one), all_variables(other), strict=True):
        np.testing.assert_array_equal(ours.numpy(), wanted.numpy())


@pytest.fixture(scope="module")
def unbroken(toy):
    model = toy.compiled()
    return model, resumable_fit(model, toy.data(), 4, callbacks=toy.schedules(model))


@pytest.mark.parametrize("batches", [4, 8])
def test_a_killed_training_ends_like_an_unbroken_one(batches, unbroken, toy, tmp_path):
    (whole, expected), state = unbroken, tmp_path / "state.npz"
    killed = toy.compiled()
    callbacks = [*toy.schedules(killed), toy.KillAfter(batches, interrupt)]
    with pytest.raises(KeyboardInterrupt):
        resumable_fit(killed, toy.data(), 4, state, callbacks=callbacks)
    model = toy.compiled()
    found = resumable_fit(model, toy.data(), 4, state, callbacks=toy.schedules(model))
    assert found.attrs["restored"] == batches // 3
    columns = [column for column in expected if column != "seconds"]
    np.testing.assert_array_equal(found[columns], expected[columns])
    assert_equal(model, whole)


def eager(toy):
    """A few of its batches take less time than to trace them."""
    return toy.compiled(run_eagerly=True)


def test_each_schedule_sets_the_optimizer_that_it_was_given(toy):
    model = eager(toy)
    cosine, steps = toy.schedules(model)
    history = resumable_fit(model, toy.data(), 2, callbacks=[cosine, steps])
    curve = (1 + np.cos(np.pi * np.array([*range(3), *np.arange(3) / 2]) / 3)) / 2
    np.testing.assert_allclose(cosine.rates, 0.05 * curve, rtol=1e-5)
    np.testing.assert_allclose(steps.rates, [0.1] * 3 + [0.05] * 3, rtol=1e-6)
    np.testing.assert_allclose(
        history["learning_rate_discriminator"], [0.1, 0.05], rtol=1e-6
    )
    assert "learning_rate" not in history
    rates = [float(one.learning_rate) for one in model.optimizers.values()]
    np.testing.assert_allclose(rates, [0.05, 0.1], rtol=1e-6)  # put back


def test_the_momentum_is_that_of_the_optimizer_that_was_given(toy):
    model = eager(toy)
    cycle = OneCycle(1, optimizer=model.optimizers["discriminator"])
    seen = []
    look = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs=None: seen.append(
            [float(model.optimizers["generator"].beta_1), cycle.momentums[-1]]
        )
    )
    resumable_fit(model, toy.data(), 1, callbacks=[cycle, look])
    assert {first for first, _ in seen} == {0.9}
    assert len({second for _, second in seen}) > 1
    assert model.optimizers["discriminator"].momentum == 0.9


def test_a_schedule_of_another_optimizer_is_not_the_same_training(toy, tmp_path):
    model, state = eager(toy), tmp_path / "state.npz"
    generator, discriminator = model.optimizers.values()
    arguments = (model, toy.data(), 1, state)
    resumable_fit(*arguments, callbacks=[WarmUp(2, optimizer=generator)])
    with pytest.raises(ValueError, match="callbacks.0.optimizer='discriminator' .rec"):
        resumable_fit(*arguments, callbacks=[WarmUp(2, optimizer=discriminator)])


def test_a_list_of_optimizers_goes_on_too(toy, tmp_path):
    def compiled():
        model = toy.Against()
        both = [keras.optimizers.Adam(0.05), keras.optimizers.Adam(0.1)]
        model.compile(both, run_eagerly=True)
        return model

    whole, model, state = compiled(), compiled(), tmp_path / "state.npz"
    history = resumable_fit(whole, toy.data(), 2)
    assert {"learning_rate_0", "learning_rate_1"} <= set(history)
    resumable_fit(compiled(), toy.data(), 1, state)
    resumable_fit(model, toy.data(), 2, state)
    assert_equal(model, whole)


class Own(keras.Model):
    """Trains by `optimizer` alone, if it is told of no other."""

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self(x) - y) ** 2)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return {"loss": loss}


def own(optimizer=None, **attributes):
    inputs = keras.Input((2,))
    model = Own(inputs, keras.layers.Dense(1, kernel_initializer="ones")(inputs))
    given = {} if optimizer is None else {"optimizer": optimizer}
    model.compile(run_eagerly=True, **given)
    for name, value in attributes.items():
        setattr(model, name, value)
    return model


def test_one_that_is_compiled_is_kept(toy, tmp_path):
    whole, model, state = own("adam"), own("adam"), tmp_path / "state.npz"
    history = resumable_fit(whole, toy.data(), 2)
    assert "learning_rate" in history
    resumable_fit(own("adam"), toy.data(), 1, state)
    resumable_fit(model, toy.data(), 2, state)
    wanted = [*whole.variables, *whole.optimizer.variables]
    found = [*model.variables, *model.optimizer.variables]
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    assert int(model.optimizer.iterations) == 6


def test_the_default_optimizer_may_be_named(toy):
    model = own()
    model.optimizers = [model.optimizer]
    assert "learning_rate" in resumable_fit(model, toy.data(), 1)
    assert len(lr_find(model, toy.data(), num_steps=3).rates) <= 3


FORGOTTEN = "must name the optimizers of that, so that none is forgotten.*a "


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (own, f"{FORGOTTEN}Own compiled without an optimizer"),
        (lambda: own("adam", other=keras.optimizers.SGD()), f"{FORGOTTEN}Own with 1"),
        (lambda: own(mine=[keras.optimizers.SGD()]), f"{FORGOTTEN}Own compiled with"),
        (
            lambda: own("sgd", optimizers=[keras.optimizers.Adam()]),
            f"{FORGOTTEN}Own with 1 that it does not name .SGD",
        ),
        (lambda: own(optimizers=[]), "`optimizers` of a model must be a list or a di"),
        (lambda: own(optimizers=["adam"]), "must be a list or a dict of different"),
        (lambda: own(optimizers=[keras.optimizers.SGD()] * 2), "of different optimiz"),
    ],
)
@pytest.mark.parametrize("train", [resumable_fit, fit_cycles, lr_find])
def test_what_would_be_forgotten_is_refused(make, message, train, toy):
    model = make()
    more = {resumable_fit: [2], fit_cycles: [0.1], lr_find: []}[train]
    data = (toy.data(), None) if train is fit_cycles else toy.data()
    with pytest.raises(ValueError, match=message):
        train(model, data, *more)
    np.testing.assert_array_equal(model.get_weights()[0], np.ones((2, 1)))


@pytest.mark.parametrize(
    "train",
    [
        lambda model, data: fit_cycles(model, (data, None), 0.1),
        lambda model, data: lr_find(model, data),
        lambda model, data: set_layer_rates(model, 0.1),
        lambda model, data: model.fit(data, callbacks=[StepDecay()], shuffle=False),
    ],
)
def test_what_takes_one_optimizer_alone_refuses_several(train, toy):
    with pytest.raises(ValueError, match="one optimizer alone.*generator, discrimin"):
        train(eager(toy), toy.data())


def test_an_optimizer_of_another_model_is_refused(toy):
    schedule = CosineRestarts(optimizer=keras.optimizers.SGD(0.1))
    with pytest.raises(ValueError, match="`optimizer` must be one of the model that"):
        eager(toy).fit(toy.data(), callbacks=[schedule], shuffle=False)


def test_two_schedules_of_one_optimizer_refuse_each_other(toy):
    model = eager(toy)
    pair = [WarmUp(2, optimizer=model.optimizers["generator"]) for _ in "ab"]
    with pytest.raises(ValueError, match="rate of an optimizer. Received: WarmUp and"):
        model.fit(toy.data(), callbacks=pair, shuffle=False)


def test_a_network_that_is_not_of_the_model_is_named(toy, tmp_path):
    stray = toy.network(3, 2, 1)
    model = eager(toy)
    model.optimizers["generator"].build(stray.trainable_variables)
    model.train_step = lambda data: {"loss": 0.0}
    with pytest.raises(ValueError, match="must hold all that its optimizers train"):
        resumable_fit(model, toy.data(), 1, tmp_path / "state.npz")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_real_kill(tmp_path):
    def run(folder, *arguments):
        folder.mkdir(exist_ok=True)
        command = [sys.executable, PROGRAM, folder, *arguments]
        return subprocess.run(command, capture_output=True, check=False).returncode

    assert run(tmp_path / "whole", "4") == 0
    assert run(tmp_path / "killed", "4", "8") == -signal.SIGKILL
    assert not (tmp_path / "killed" / "weights.npz").exists()
    assert run(tmp_path / "killed", "4") == 0
    found, wanted = (
        np.load(tmp_path / name / "weights.npz") for name in ("killed", "whole")
    )
    for name in wanted.files:
        np.testing.assert_array_equal(found[name], wanted[name])
