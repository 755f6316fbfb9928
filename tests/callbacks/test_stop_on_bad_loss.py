import keras
import pytest
import tensorflow as tf
from keras import layers

from kerasdl.callbacks import StopOnBadLoss
from kerasdl.data import ImageData

SIDE = 4


def compiled(**arguments):
    model = keras.Sequential(
        [keras.Input((SIDE, SIDE, 3)), layers.Flatten(), layers.Dense(1)]
    )
    model.compile(keras.optimizers.SGD(0.0), loss, **arguments)
    return model


def loss(labels, outputs):
    """1 for a photo of class a, `BAD` for one of class b."""
    return tf.reduce_mean(tf.where(labels > 0, BAD, 1.0) + 0 * outputs, axis=-1)


BAD = tf.Variable(1.0)


@pytest.fixture
def data(tmp_path, write_photos):
    """Nineteen photos of class a, one of class b."""
    for label, count in (("a", 19), ("b", 1)):
        write_photos(tmp_path, {"train": count, "valid": count}, label, (SIDE, SIDE))
    BAD.assign(1.0)
    return ImageData.from_folder(tmp_path, image_size=SIDE, batch_size=3, seed=4)


def batch_of_b(data, epoch):
    """Where the photo of class b comes, by looking at every batch of a pass."""
    data.start_epoch(epoch)
    return next(i for i, (_, y) in enumerate(data.train) if float(tf.reduce_max(y)))


class TurnsBad(keras.callbacks.Callback):
    def __init__(self, epoch, value):
        super().__init__()
        self.at, self.value = epoch, value

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.at:
            BAD.assign(self.value)


@pytest.mark.parametrize("value", ["nan", "inf"])
@pytest.mark.parametrize("passes_before", [0, 3])
def test_the_batch_and_its_files_are_named(data, value, passes_before):
    bad_batch = batch_of_b(data, passes_before + 1)
    data.start_epoch(passes_before)
    with pytest.raises(FloatingPointError) as error:
        compiled().fit(
            data.train,
            epochs=3,
            callbacks=[TurnsBad(1, float(value)), StopOnBadLoss(data)],
            verbose=0,
            shuffle=False,
        )
    files = data.batch_files(bad_batch, passes_before + 1)
    assert "b/0.png" in " ".join(files) and len(files) in (2, 3)
    expected = f"loss is {value} at batch {bad_batch} of epoch 2, of {', '.join(files)}"
    assert expected in str(error.value)


def test_without_data_the_batch_alone_is_named(data):
    BAD.assign(float("nan"))
    bad_batch = batch_of_b(data, 0)
    data.start_epoch(0)
    with pytest.raises(FloatingPointError, match=f"at batch {bad_batch} of epoch 1. A"):
        compiled().fit(
            data.train, callbacks=[StopOnBadLoss()], verbose=0, shuffle=False
        )


def test_several_batches_a_step_are_all_named(data):
    BAD.assign(float("nan"))
    first = batch_of_b(data, 0) // 2 * 2
    data.start_epoch(0)
    model = compiled(steps_per_execution=2)
    with pytest.raises(FloatingPointError, match=rf"batches {first} to") as error:
        model.fit(data.train, callbacks=[StopOnBadLoss(data)], verbose=0, shuffle=False)
    assert "b/0.png" in str(error.value)


def test_a_finite_loss_trains_to_the_end(data):
    model = compiled()
    model.fit(
        data.train, epochs=2, callbacks=[StopOnBadLoss(data)], verbose=0, shuffle=False
    )
    assert int(model.optimizer.iterations) == 14


def test_damaged_files_are_not_among_a_batchs(data):
    file = data.batch_files(0, epoch=0)[1]
    (data.root / file).write_bytes(b"no photo")
    data.start_epoch(0)
    with pytest.warns(UserWarning, match="left out"):
        sizes = [len(y) for _, y in data.train]
    found = [data.batch_files(index) for index in range(7)]
    assert [len(files) for files in found] == sizes
    assert file not in sum(found, [])
