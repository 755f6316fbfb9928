"""Two networks against each other, each with its own optimizer, and what is kept.

    python several_optimizers.py FOLDER EPOCHS [BATCH]

trains up to EPOCHS with its state in FOLDER, and writes the weights there. With BATCH,
the process kills itself (SIGKILL) after so many batches.
"""

import os
import signal
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from kerasdl.callbacks import CosineRestarts, StepDecay
from kerasdl.train import resumable_fit


class Against(keras.Model):
    """A generator and a discriminator, as Keras's guides write them."""

    def __init__(self, seed=1):
        super().__init__()
        self.generator = network(3, 2, seed)
        self.discriminator = network(2, 1, seed + 1)
        self.noise = keras.random.SeedGenerator(5)

    def compile(self, optimizers, **arguments):
        super().compile(loss=keras.losses.BinaryCrossentropy(), **arguments)
        self.optimizers = optimizers

    def train_step(self, data):
        real, losses = data[0], {}
        for name, true in (("discriminator", 0.0), ("generator", 1.0)):
            part = getattr(self, name)
            with tf.GradientTape() as tape:
                noise = keras.random.normal((tf.shape(real)[0], 3), seed=self.noise)
                found = self.discriminator(self.generator(noise, training=True))
                loss = self.loss(tf.fill(tf.shape(found), true), found)
                if name == "discriminator":
                    answers = self.discriminator(real, training=True)
                    loss += self.loss(tf.ones_like(answers), answers)
            weights = part.trainable_variables
            gradients = tape.gradient(loss, weights)
            self.optimizer_of(name).apply_gradients(
                zip(gradients, weights, strict=True)
            )
            losses[f"{name}_loss"] = loss
        return losses

    def optimizer_of(self, name):
        if isinstance(self.optimizers, dict):
            return self.optimizers[name]
        return self.optimizers[("generator", "discriminator").index(name)]


def network(width, outputs, seed):
    def dense(units, activation):
        init = keras.initializers.GlorotUniform(seed=seed)
        return keras.layers.Dense(units, activation, kernel_initializer=init)

    layers = [dense(4, "relu"), dense(outputs, "sigmoid")]
    return keras.Sequential([keras.Input((width,)), *layers])


def compiled(**arguments):
    model = Against()
    model.compile(
        {
            "generator": keras.optimizers.Adam(0.05),
            "discriminator": keras.optimizers.SGD(0.1, momentum=0.9),
        },
        **arguments,
    )
    return model


def schedules(model):
    return [
        CosineRestarts(1, 2, optimizer=model.optimizers["generator"]),
        StepDecay(1, 0.5, optimizer=model.optimizers["discriminator"]),
    ]


def data():
    x = np.random.default_rng(0).random((12, 2)).astype("float32")
    return tf.data.Dataset.from_tensor_slices((x, x[:, :1])).batch(4)


class KillAfter(keras.callbacks.Callback):
    def __init__(self, batches, kill):
        super().__init__()
        self.left, self.kill = batches, kill

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if not self.left:
            self.kill()


def main(folder, epochs, batch=None):
    folder, model = Path(folder), compiled()
    callbacks = schedules(model)
    if batch is not None:
        kill = lambda: os.kill(os.getpid(), signal.SIGKILL)  # noqa: E731
        callbacks.append(KillAfter(int(batch), kill))
    resumable_fit(model, data(), int(epochs), folder / "state.npz", callbacks=callbacks)
    np.savez(folder / "weights.npz", *model.get_weights())


if __name__ == "__main__":
    main(*sys.argv[1:])
