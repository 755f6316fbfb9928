import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from kerasdl.callbacks import CosineRestarts, CycleSnapshots, StepDecay

X = np.random.default_rng(0).normal(size=(20, 6)).astype("float32")
DATA = tf.data.Dataset.from_tensor_slices((X, X[:, :1] * 2)).batch(4)


def compiled(**arguments):
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(4),
            layers.BatchNormalization(),
            layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.SGD(0.1, **arguments), "mse")
    return model


class Trace(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.weights = []

    def on_epoch_end(self, epoch, logs=None):
        self.weights.append(self.model.get_weights())


def fit(model, callbacks, epochs=7):
    model.fit(DATA, epochs=epochs, callbacks=callbacks, verbose=0, shuffle=False)


@pytest.mark.parametrize("accumulated", [None, 2, 4, 7])  # of 5 batches an epoch
@pytest.mark.parametrize(
    ("cycles", "ends"), [((1, 1), range(7)), ((1, 2), (0, 2, 6)), ((2, 1), (1, 3, 5))]
)
def test_the_weights_at_each_cycles_end(cycles, ends, accumulated, tmp_path):
    model, trace = compiled(gradient_accumulation_steps=accumulated), Trace()
    snapshots = CycleSnapshots(tmp_path / "a" / "snapshots")
    fit(model, [snapshots, CosineRestarts(*cycles), trace])
    names = [f"cycle_{number}.weights.h5" for number in range(1, len(ends) + 1)]
    assert [file.name for file in snapshots.files] == names
    assert sorted(file.name for file in snapshots.directory.iterdir()) == sorted(names)
    for file, epoch in zip(snapshots.files, ends, strict=True):
        model.load_weights(file)
        for ours, wanted in zip(model.get_weights(), trace.weights[epoch], strict=True):
            np.testing.assert_array_equal(ours, wanted)


def test_a_second_fit_replaces_the_files_and_counts_anew(tmp_path):
    model, snapshots = compiled(), CycleSnapshots(tmp_path)
    fit(model, [CosineRestarts(), snapshots], 3)
    first = snapshots.files[0].read_bytes()
    fit(model, [CosineRestarts(), snapshots], 2)
    assert [file.name[:7] for file in snapshots.files] == ["cycle_1", "cycle_2"]
    assert snapshots.files[0].read_bytes() != first


def test_another_process_knows_the_files(tmp_path):
    snapshots, other = CycleSnapshots(tmp_path), CycleSnapshots(tmp_path)
    fit(compiled(), [CosineRestarts(), snapshots], 2)
    other.set_state(snapshots.get_state())
    assert other.files == snapshots.files


@pytest.mark.parametrize("schedules", [[], [StepDecay()]])
def test_no_cycles(schedules, tmp_path):
    model = compiled()
    with pytest.raises(ValueError, match="must hold a CosineRestarts beside"):
        fit(model, [CycleSnapshots(tmp_path), *schedules])
    assert int(model.optimizer.iterations) == 0


def test_a_directory_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    model = compiled()
    with pytest.raises(ValueError, match="`directory` must be a folder that can be"):
        fit(model, [CosineRestarts(), CycleSnapshots(tmp_path / "file" / "snapshots")])
    assert int(model.optimizer.iterations) == 0
