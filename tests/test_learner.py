"""The Learner of any task, on rows of a table: no picture, no class."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasdl import plots
from kerasdl.batches import BatchPlan, BatchStream
from kerasdl.learner import Learner
from kerasdl.train import fit_cycles


class Houses:
    """Rows of two columns, an area and a district, and a price."""

    def __init__(self, count=24, batch_size=8, seed=1):
        rng = np.random.default_rng(seed)
        self.area = rng.normal(size=(count, 1)).astype("float32")
        self.district = rng.integers(3, size=(count, 1)).astype("int32")
        self.batch_size = batch_size
        self.plan = BatchPlan(count, batch_size, shuffle=True, seed=seed)
        self.stream = BatchStream(self._batch, self.plan.num_batches)

    def _rows(self, rows):
        x = {"area": self.area[rows], "district": self.district[rows]}
        price = 2 * self.area[rows] + self.district[rows]
        return x, price.astype("float32")

    def _batch(self, epoch, index):
        return self._rows(self.plan.rows(epoch, index))

    @property
    def train(self):
        column = tf.TensorSpec((None, 1), tf.float32)
        district = tf.TensorSpec((None, 1), tf.int32)
        return self.stream.dataset(({"area": column, "district": district}, column))

    @property
    def valid(self):
        return tf.data.Dataset.from_tensors(self._rows(slice(None)))

    def start_epoch(self, epoch):
        self.stream.next_epoch = epoch

    def batch_files(self, index):
        rows = self.plan.rows(self.stream.epoch, index)
        return [f"row {row}" for row in rows]


def network(compiled=True):
    keras.utils.set_random_seed(3)
    area = keras.Input((1,), name="area")
    district = keras.Input((1,), name="district", dtype="int32")
    embedded = keras.layers.Flatten()(keras.layers.Embedding(3, 2)(district))
    x = keras.layers.Concatenate()([area, embedded])
    x = keras.layers.Dense(4, activation="relu", name="hidden")(x)
    price = keras.layers.Dense(1, name="price")(x)
    model = keras.Model({"area": area, "district": district}, price)
    if compiled:
        model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse", metrics=["mae"])
    return model


def same(one, two):
    for ours, theirs in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_fit_is_that_of_fit_cycles():
    learn, model = Learner(network(), Houses()), network()
    learn.fit(0.05, cycles=2, cycle_mult=2)
    expected = fit_cycles(model, Houses(), 0.05, 2, cycle_mult=2)
    same(learn.model, model)
    columns = ["epoch", "loss", "mae", "val_loss", "val_mae", "learning_rate"]
    np.testing.assert_array_equal(learn.history[columns], expected[columns])
    learn.fit(0.01)
    assert learn.history["stage"].tolist() == ["fit 1"] * 3 + ["fit 2"]
    assert learn.data.stream.next_epoch == 4  # views that no `fit` has seen


def test_a_sweep_is_undone_and_its_valley_taken(capsys):
    learn, model = Learner(network(), Houses()), network()
    valley = learn.lr_find(1e-4, 1, num_steps=20).suggestions["valley"]
    same(learn.model, model)
    learn.fit()
    assert f"learning rate {valley:.2g}, the valley" in capsys.readouterr().out


class Cut(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


def test_a_cut_script_resumes_to_the_same_bits(tmp_path):
    whole = Learner(network(), Houses())
    whole.fit(0.05, cycles=2)
    with pytest.raises(KeyboardInterrupt):
        Learner(network(), Houses(), tmp_path).fit(0.05, cycles=2, callbacks=[Cut()])
    resumed = Learner(network(), Houses(), tmp_path)
    history = resumed.fit(0.05, cycles=2, resume=True)
    assert history.attrs["restored"] == 1
    same(resumed.model, whole.model)


class Stop(keras.callbacks.Callback):
    """Ctrl-C when the second epoch begins."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


@pytest.mark.parametrize("resume", [True, False])
def test_what_is_stopped_is_kept_and_gone_on_with(tmp_path, capsys, resume):
    whole = Learner(network(), Houses())
    whole.fit(0.05, cycle_len=3, verbose=0)
    learn = Learner(network(), Houses(), tmp_path if resume else None)
    with pytest.raises(KeyboardInterrupt):
        learn.fit(0.05, cycle_len=3, callbacks=[Stop()])
    assert "whole epochs in `history`: 1;" in capsys.readouterr().out
    assert learn.history["loss"].tolist() == whole.history["loss"].tolist()[:1]
    learn.fit(0.05, cycle_len=3, resume=resume, verbose=0)
    assert f"epochs      {3 if resume else 4} so far" in repr(learn)
    stages = learn.history["stage"].tolist()
    assert stages == ["fit 1"] * (3 if resume else 1) + ["fit 2"] * 3 * (not resume)
    if resume:
        expected = whole.model.get_weights()
        for ours, theirs in zip(learn.model.get_weights(), expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_what_is_frozen_stays_and_the_rest_trains(tmp_path, capsys):
    learn = Learner(network(), Houses())
    assert learn.freeze() == 4 + 1
    learn.summary()
    assert "5 of 27 parameters train" in capsys.readouterr().out
    before = learn.model.get_weights()
    learn.save(tmp_path / "a.weights.h5")
    learn.fit(0.05)
    after = learn.model.get_weights()
    moved = [not np.array_equal(*pair) for pair in zip(before, after, strict=True)]
    assert moved == [False] * 3 + [True] * 2
    assert learn.unfreeze() == learn.bn_freeze() == 27
    assert learn.freeze_to("hidden") == 27 - 3 * 2
    learn.load(tmp_path / "a.weights.h5")
    for one, two in zip(before, learn.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


class Subclass(keras.Model):
    def __init__(self):
        super().__init__(name="own")
        self.price = keras.layers.Dense(1)

    def call(self, inputs):
        return self.price(inputs["area"])


def test_a_subclass_is_shown_as_far_as_it_tells_of_itself():
    model = Subclass()
    model.compile("sgd", "mse")
    learn = Learner(model, Houses())
    assert "network     own\n  parameters  not built yet" in repr(learn)
    model(next(iter(learn.data.train))[0])
    assert "own\n  parameters  2 of 2 train\n  groups      1, frozen" in repr(learn)
    assert "own" in learn._repr_html_()


def test_other_data_is_gone_on_with(tmp_path, monkeypatch):
    learn = Learner(network(), Houses())
    learn.fit(0.05)
    learn.set_data(Houses(count=40, seed=2))
    learn.fit(0.05)
    found = learn.model.evaluate(learn.data.valid, verbose=0, return_dict=True)
    assert learn.history["val_mae"].iloc[-1] == pytest.approx(found["mae"], rel=1e-5)
    learn.plot_lr(tmp_path / "rates.png")
    learn.plot_losses(tmp_path / "losses.png")
    drawn = []
    monkeypatch.setattr(plots, "save_losses", lambda losses, _: drawn.extend(losses))
    learn.plot_losses(tmp_path / "unused.png", by="batch")
    assert len(list(tmp_path.iterdir())) == 2
    # All batches of both fits; those of an epoch have its loss as their mean.
    assert len(drawn) == 3 + 5
    means = [np.mean(drawn[:3]), np.mean(drawn[3:])]
    np.testing.assert_allclose(learn.history["loss"], means, rtol=1e-5)
    with pytest.raises(ValueError, match="`by` must be one of 'epoch', 'batch'"):
        learn.plot_losses(tmp_path / "losses.png", by="step")


def test_what_does_not_suit():
    with pytest.raises(ValueError, match="`model` must be compiled. Received: model="):
        Learner(network(compiled=False), Houses())
    with pytest.raises(ValueError, match="`data` must be as `batches.Training.* tuple"):
        Learner(network(), (Houses().train, None))
    with pytest.raises(ValueError, match="`data` must be as `batches.TrainingData`"):
        Learner(network(), Houses()).set_data(Houses().train)
