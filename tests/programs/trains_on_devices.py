"""Trains one thing and another on one device, on two, or as one of two processes.

    python trains_on_devices.py HOW FOLDER DIE_AT [few]

HOW is `none`, `mirrored` or `multi_worker`; at step DIE_AT, unless 0, the process that
is not the chief kills itself. With `few`, two networks train and nothing else. What was
found is printed as JSON. An epoch has 31 photos in batches of 8: two devices share the
last, of 7, unevenly.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

import cv2
import keras
import numpy as np
import tensorflow as tf

import kerasdl
from kerasdl import classification, detection, strategies, train
from kerasdl import data as kdata

CROSSENTROPY = "binary_crossentropy"
WEIGHTS = {0: 1.0, 1: 3.0}


def two_devices():
    cpu = tf.config.list_physical_devices("CPU")[0]
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, two)


def draw():
    rng = np.random.default_rng(0)
    labels = np.resize(np.arange(2), 45)
    noise = rng.integers(0, 120, (45, 8, 8, 3))
    return (labels[:, None, None, None] * 60 + noise).astype("uint8"), labels


def read(images, labels):
    augment = kdata.Augment(horizontal_flip=True, rotation_range=20)
    return kdata.ImageData.from_arrays(
        images, labels, 0.3, batch_size=8, augment=augment, seed=3
    )


def build(*norms):
    he = keras.initializers.HeNormal
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3, activation="relu", kernel_initializer=he(1)),
            *norms,
            layers.GlobalAveragePooling2D(),
            layers.Dense(
                1, "sigmoid", kernel_initializer=he(2), kernel_regularizer="l2"
            ),
        ]
    )


def listed(model):
    return [weight.tolist() for weight in model.get_weights()]


def dataset(batch_size, *arrays):
    return tf.data.Dataset.from_tensor_slices(arrays).batch(batch_size)


class Die(keras.callbacks.Callback):
    def __init__(self, step):
        super().__init__()
        self.step = step

    def on_train_batch_end(self, batch, logs=None):
        step = int(keras.ops.convert_to_numpy(self.model.optimizer.iterations))
        if step == self.step and not strategies.is_chief():
            os.kill(os.getpid(), 9)


def fit_cycles(model, data, state, die_at=0, class_weight=None):
    return train.fit_cycles(
        model,
        data,
        [0.005, 0.05],
        cycles=1,
        cycle_len=2,
        callbacks=[Die(die_at)] if die_at else [],
        state=state,
        class_weight=class_weight,
    )


def trained(model, data, history):
    return {
        "history": history.drop(columns="seconds").to_dict("list"),
        "rates": history.attrs["learning_rates"],
        "restored": history.attrs["restored"],
        "weights": listed(model),
        "predictions": model.predict(data.valid, verbose=0).tolist(),
    }


def compiled(model):
    metrics = ["accuracy", keras.metrics.AUC(name="auc")]
    model.compile(keras.optimizers.Adam(0.05), CROSSENTROPY, metrics=metrics)
    return model


def plain(data, folder, die_at, is_sought, is_resumed):
    """A network without BatchNorm: its rate is looked for, it trains, and resumes."""
    found, model = {}, compiled(build())
    if is_sought:
        found["lr_find"] = train.lr_find(model, data, 1e-4, 1, 6).losses.tolist()
        found["restored epoch"] = data.stream.next_epoch
    state = folder / "plain.npz"
    history = fit_cycles(model, data, state, die_at, WEIGHTS)
    found["plain"] = trained(model, data, history)
    if is_resumed:
        again = build()
        again.compile(keras.optimizers.Adam(0.05), CROSSENTROPY)
        history = fit_cycles(again, data, state, die_at, WEIGHTS)
        restored = history.attrs["restored"]
        found["again"] = {"restored": restored, "weights": listed(again)}
    return model, found


def evaluated(model, images, labels):
    """A second pass over the same photos, of a dataset that is not ours."""
    whole = dataset(11, images.astype("float32"), labels[:, None].astype("float32"))
    return {"evaluate": model.evaluate(whole, verbose=0, return_dict=True)}


def normed(data, folder, synchronized):
    """BatchNorm that trains, and one that is frozen."""
    frozen = keras.layers.BatchNormalization(trainable=False)
    norm = keras.layers.BatchNormalization(synchronized=synchronized)
    model = compiled(build(norm, frozen))
    drawn = np.linspace(0.7, 1.3, 4).astype("float32")
    frozen.set_weights([drawn] * 4)
    history = fit_cycles(model, data, folder / "norm.npz")
    found = trained(model, data, history)
    still = [np.array_equal(weight, drawn) for weight in frozen.get_weights()]
    return {"norm": found, "still": still}


def moving_statistics():
    """Of four values on all devices."""
    four = np.array([0, 2, 10, 14], "float32").reshape(4, 1, 1, 1)
    small = keras.Sequential(
        [
            keras.Input((1, 1, 1)),
            keras.layers.BatchNormalization(momentum=0.5),
            keras.layers.Flatten(),
            keras.layers.Dense(1),
        ]
    )
    small.compile("sgd", "mse")
    batches = dataset(4, four, np.zeros((4, 1)))
    train.distributed(train.fused_batch_norm(small)).fit(batches, verbose=0)
    moving = small.layers[0].non_trainable_variables
    return {"moving": [variable.numpy().tolist() for variable in moving]}


def clipped_as_a_whole(synchronized):
    """The last batch, of one example, is the whole of both devices."""
    x = np.linspace(-3, 3, 5, dtype="float32").reshape(5, 1)
    model = keras.Sequential(
        [
            keras.Input((1,)),
            keras.layers.BatchNormalization(synchronized=synchronized),
            keras.layers.Dense(1, kernel_initializer="ones"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.5, global_clipnorm=0.05), "mse")
    lines = dataset(2, x, 3 * x + 1)
    history = train.distributed(model).fit(lines, epochs=3, shuffle=False, verbose=0)
    kernel = model.layers[1].kernel.numpy().item()
    return {"clipped": [history.history["loss"], kernel]}


def infinite_on_one_device():
    """Infinite on the second device alone: no step is taken."""
    model = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")]
    )
    sgd = keras.optimizers.SGD(0.1)
    model.compile(keras.optimizers.LossScaleOptimizer(sgd), "mse")
    large = np.array([[0], [0], [1e25], [1e25]], "float32")
    one = dataset(4, large, np.zeros((4, 1)))
    train.distributed(model).fit(one, verbose=0)
    return {"scaled": model.layers[0].kernel.numpy().item()}


def learner(data, folder):
    """It predicts before it trains, and goes on where another may have begun."""
    learn = kerasdl.Learner.from_model(build(), data, folder=folder / "learner")
    found = {"learner": learn.predict("valid").probabilities.tolist()}
    learn.fit(0.05, resume=True)
    return found | {"learned": listed(learn.model)}


def taught_by_a_model(data):
    with train.without_strategy(), tempfile.TemporaryDirectory() as answers:
        teacher = build()
        teacher.set_weights([3 * weight for weight in teacher.get_weights()])
        taught = classification.TaughtPhotos(data, 8, teacher, 1, answers, seed=5)
    student = train.distributed(build())
    distiller = classification.distiller(student)
    distiller.compile(keras.optimizers.SGD(0.05), keras.losses.BinaryCrossentropy())
    history = train.resumable_fit(
        distiller,
        taught.train,
        epochs=3,
        callbacks=[classification.SplitEvaluation(student, data)],
        start_epoch=taught.start_epoch,
    )
    names = ["loss", "val_loss", "val_accuracy"]
    return {
        "taught": {
            "history": history[names].to_dict("list"),
            "weights": listed(student),
        }
    }


def boxes(folder):
    """A detector of squares, whose rate is looked for before."""
    photos, rows = {}, []
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(10):
        file = f"{number}.png"
        pixels = np.full((32, 32, 3), 90 + number, np.uint8)
        pixels[number : number + 12, 5:20] = 255
        cv2.imwrite(str(folder / file), pixels)
        photos[file] = {"split": "valid" if number > 6 else "train"}
        corners = {"x1": 5, "y1": number, "x2": 20, "y2": number + 12}
        rows.append({"file": file, "label": "square", **corners})
    annotations = detection.Annotations.of(folder, None, photos, rows)
    data = detection.BoxData(annotations, 32, 4, augment="scenes", seed=0)
    inputs = keras.Input((32, 32, 3))
    init = keras.initializers.HeNormal(1)
    x = keras.layers.Rescaling(1 / 255)(inputs)
    x = keras.layers.Conv2D(
        4, 3, 4, "same", activation="relu", kernel_initializer=init
    )(x)
    model = detection.fcos(keras.Model(inputs, x), 1, (4, 8), 4, seed=0)
    model.compile(keras.optimizers.Adam(0.01), detection.PointLoss())
    found = train.lr_find(model, data, 1e-4, 1, 4).losses.tolist()
    history = train.fit_cycles(model, data, 0.01, cycles=1, cycle_len=2)
    losses = history[["loss", "val_loss"]].to_numpy().tolist()
    return {"boxes": {"lr_find": found, "losses": losses, "weights": listed(model)}}


class Own(keras.Model):
    def train_step(self, data):
        return {}


def message(call):
    try:
        call()
    except ValueError as error:
        return str(error)


def refused(model, data, images, labels):
    inputs = keras.Input((8, 8, 3))
    errors = [
        message(lambda: train.distributed(Own(inputs, inputs))),
        message(lambda: model.fit(images, labels)),
        message(lambda: data._with(batch_size=7)),
    ]
    accumulating = keras.optimizers.SGD(gradient_accumulation_steps=2)
    model.compile(accumulating, CROSSENTROPY)
    errors.append(message(lambda: model.fit(data.train)))
    model.compile("sgd", "mse", steps_per_execution=2)
    errors.append(message(lambda: model.fit(data.train)))
    return {"errors": errors}


def train_all(how, folder, die_at=0, few=False):
    if how == "mirrored":
        two_devices()
    strategies.use(how)
    images, labels = draw()
    data, several = read(images, labels), how != "none"
    is_sought = not die_at and (how == "mirrored" or not few)
    model, found = plain(data, folder, die_at, is_sought, is_resumed=not few)
    if not die_at:
        found |= normed(data, folder, several)
        found |= moving_statistics()
    if not (die_at or few):
        found |= evaluated(model, images, labels)
        found |= clipped_as_a_whole(several)
        found |= infinite_on_one_device()
        found |= learner(data, folder)
        found |= taught_by_a_model(data)
    if not (die_at or few) and how != "multi_worker":
        found |= boxes(folder / "boxes")
    if how == "mirrored":
        found |= refused(model, data, images, labels)
    return found


if __name__ == "__main__":
    how, folder, die_at, *few = sys.argv[1:]
    found = train_all(how, Path(folder), int(die_at), few == ["few"])
    print(json.dumps(found), flush=True)
