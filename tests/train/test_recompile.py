"""What the user compiled with is kept: other sizes, activations, freezing, copies."""

import keras
import numpy as np
import pytest
from keras import layers, ops

import kerasdl
from kerasdl.callbacks import StepDecay
from kerasdl.classification import precompute
from kerasdl.data import ImageData
from kerasdl.models import fold_batch_norm, with_input_size, with_rgb_input
from kerasdl.train import compile_like, freeze, unfreeze


def focal(y_true, y_pred):
    p = ops.where(y_true > 0.5, y_pred, 1 - y_pred)
    return ops.mean(-((1 - p) ** 2) * ops.log(p + 1e-7), axis=-1)


class Focal(keras.losses.Loss):
    def __init__(self, power):
        super().__init__(name="focal")
        self.power = power

    def call(self, y_true, y_pred):
        return focal(y_true, y_pred) * self.power


class Share(keras.metrics.Mean):
    def __init__(self, factor):
        super().__init__(name="share")
        self.factor = factor

    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(self.factor * y_pred)


def share(y_true, y_pred):
    return ops.mean(y_pred)


class Signs(keras.optimizers.SGD):
    def update_step(self, gradient, variable, learning_rate):
        super().update_step(ops.sign(gradient), variable, learning_rate)


class Halving(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        return 0.1 / 2 ** ops.cast(step, "float32")

    def get_config(self):
        return {}


class Fixed(keras.optimizers.SGD):
    """Cannot be made again: its configuration lacks what it needs."""

    def __init__(self, needed, learning_rate=0.1, name="fixed"):
        super().__init__(learning_rate, name=name)

    def get_config(self):
        return {"name": self.name}


def network(size=8):
    pixels = keras.Input((size, size, 3))
    x = layers.Rescaling(1 / 255)(pixels)
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3)(x))
    return keras.Model(pixels, layers.Dense(1, activation="sigmoid", name="top")(x))


@pytest.fixture
def data(rng):
    images = rng.integers(0, 256, (8, 8, 8, 3), "uint8")
    return ImageData.from_arrays(images, np.arange(8) % 2, 0.5, batch_size=4, seed=0)


SETTINGS = {
    "loss": {"loss": focal},
    "lambda": {"loss": lambda y_true, y_pred: focal(y_true, y_pred)},
    "loss class": {"loss": Focal(2.0)},
    "losses": {"loss": [focal], "loss_weights": [0.5]},
    "losses by name": {"loss": {"top": focal}, "metrics": {"top": [share]}},
    "metric": {"metrics": [share, "accuracy"]},
    "metric class": {"metrics": [Share(2.0)]},
    "weighted": {"weighted_metrics": [share], "run_eagerly": True},
    "optimizer": {"optimizer": Signs(0.1, momentum=0.5)},
    "switches": {"jit_compile": False, "run_eagerly": True},
}


def compiled(name, model=None):
    model = model or network()
    model.compile(
        **{"optimizer": "adam", "loss": "binary_crossentropy"} | SETTINGS[name]
    )
    return model


def assert_kept(name, model):
    kept = model._compile_config.config
    for key, value in SETTINGS[name].items():
        if key == "optimizer":
            assert type(model.optimizer) is Signs and model.optimizer.momentum == 0.5
        else:
            assert kept[key] == value


@pytest.mark.parametrize("name", SETTINGS)
def test_larger_images_keep_it(name, data, tmp_path):
    learn = kerasdl.Learner.from_model(compiled(name), data)
    optimizer = learn.model.optimizer
    learn.set_data(data.with_image_size(10))
    assert learn.model.input_shape == (None, 10, 10, 3)
    assert_kept(name, learn.model)
    assert learn.model.optimizer is not optimizer
    assert np.isfinite(learn.fit(1e-3)["loss"]).all()


@pytest.mark.parametrize("name", SETTINGS)
def test_activations_keep_it(name, data, tmp_path):
    model = compiled(name)
    model.get_layer("top").trainable = True
    freeze(model)
    options = {"precompute": True, "cache_dir": tmp_path}
    learn = kerasdl.Learner.from_model(model, data, **options)
    assert_kept(name, learn._trained()[0])
    cached = learn.fit(1e-3)
    unfreeze(model)
    assert_kept(name, model)
    assert np.isfinite(cached["loss"]).all()


def test_the_loss_is_that_of_the_user(data):
    """Focal loss of two networks of the same weights, at two sizes."""
    learn = kerasdl.Learner.from_model(compiled("loss"), data)
    expected = learn.model.evaluate(data.valid, verbose=0)
    learn.set_data(data.with_image_size(10))
    learn.set_data(data)
    assert learn.model.evaluate(data.valid, verbose=0) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["lambda", "metric class", "optimizer"])
def test_copies_that_are_not_compiled(name):
    model = compiled(name)
    assert not with_input_size(model, 12).compiled
    assert fold_batch_norm(model) is not None
    gray = keras.Input((8, 8, 1))
    x = layers.GlobalMaxPooling2D()(layers.Conv2D(3, 3)(gray))
    assert not with_rgb_input(compiled(name, keras.Model(gray, x))).compiled
    assert model.compiled


def test_schedules_and_loss_scaling_are_made_again():
    source, target = network(), network()
    scaled = keras.optimizers.LossScaleOptimizer(Signs(Halving()), initial_scale=8.0)
    source.compile(scaled, "mse")
    compile_like(source, target)
    assert isinstance(target.optimizer, keras.optimizers.LossScaleOptimizer)
    inner = target.optimizer.inner_optimizer
    assert target.optimizer.initial_scale == 8 and type(inner) is Signs
    assert isinstance(inner._learning_rate, Halving)
    assert inner is not source.optimizer.inner_optimizer


def test_an_optimizer_that_cannot_be_made_again_is_named():
    source = network()
    source.compile(Fixed(3), "mse")
    with pytest.raises(ValueError, match="whose `get_config` holds.*a Fixed"):
        compile_like(source, network())


class Own(keras.Model):
    """A `train_step` of its own, and an `__init__` that Keras cannot repeat."""

    def __init__(self, inputs, outputs, factor):
        super().__init__(inputs, outputs)
        self.factor = factor

    def train_step(self, data):
        return {"loss": self.factor * super().train_step(data)["loss"]}


class Repeatable(keras.Model):
    def train_step(self, data):
        return {**super().train_step(data), "mine": 1.0}


def test_a_train_step_that_would_be_lost_is_refused(data, tmp_path):
    plain = network()
    model = Own(plain.input, plain.output, 2.0)
    model.compile("adam", "binary_crossentropy")
    freeze(model)
    learn = kerasdl.Learner.from_model(model, data, cache_dir=tmp_path)
    message = "must have Keras's own `train_step`.*a Own"
    with pytest.raises(ValueError, match=message):
        learn.set_data(data.with_image_size(10))
    learn.precompute = True
    with pytest.raises(ValueError, match=message):
        learn.fit(1e-3)
    assert not list(tmp_path.iterdir())
    learn.precompute = False
    assert len(learn.fit(1e-3)) == 1  # it survives the freezing


def test_a_train_step_that_keras_copies_is_kept(data):
    plain = network()
    model = Repeatable(plain.input, plain.output)
    model.compile("adam", "binary_crossentropy")
    learn = kerasdl.Learner.from_model(model, data)
    learn.set_data(data.with_image_size(10))
    assert type(learn.model) is Repeatable
    assert learn.fit(1e-3)["mine"].tolist() == [1]


def test_precompute_refuses_it_before_any_work(data, tmp_path):
    plain = network()
    model = Repeatable(plain.input, plain.output)
    freeze(model)
    with pytest.raises(ValueError, match="must have Keras's own `train_step`"):
        precompute(model, data, cache_dir=tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("scaled", [False, True])
def test_a_copy_has_the_compiled_rate_after_an_interruption(scaled):
    def fail(epoch, logs):
        if epoch:
            raise KeyboardInterrupt

    models = [keras.Sequential([keras.Input((2,)), layers.Dense(1)]) for _ in "ab"]
    optimizer = keras.optimizers.SGD(0.5)
    if scaled:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    models[0].compile(optimizer, "mse")
    ends = keras.callbacks.LambdaCallback(on_epoch_end=fail)
    with pytest.raises(KeyboardInterrupt):
        models[0].fit(
            *(np.ones((4, 2)), np.ones((4, 1))),
            epochs=3,
            verbose=0,
            callbacks=[StepDecay(1, 0.1), ends],
        )
    assert float(optimizer.learning_rate) < 0.1
    compile_like(*models)
    assert float(models[1].optimizer.learning_rate) == 0.5
