"""What attention does to a small network on CIFAR-10; it trains for minutes."""

import time

import keras
import pandas as pd
from keras import layers, ops

import kerasdl as kd


def attention_on_cifar(cifar, seed):
    """The same small network without attention and with three kinds of it."""
    x, y, test_x, test_y = cifar

    def none(x):
        return x

    squeeze_excitation = kd.models.blocks.squeeze_excitation

    def cbam(x):
        channels = x.shape[-1]
        both = keras.Sequential(
            [layers.Dense(channels // 8, activation="relu"), layers.Dense(channels)]
        )
        means = both(layers.GlobalAveragePooling2D(keepdims=True)(x))
        maxima = both(layers.GlobalMaxPooling2D(keepdims=True)(x))
        x = x * ops.sigmoid(means + maxima)
        mean, largest = ops.mean(x, -1, keepdims=True), ops.max(x, -1, keepdims=True)
        places = layers.Conv2D(1, 7, padding="same", activation="sigmoid")
        return x * places(ops.concatenate([mean, largest], -1))

    def self_attention(x):
        row = layers.Reshape((-1, x.shape[-1]))(x)
        places = ops.arange(row.shape[1])
        placed = row + layers.Embedding(row.shape[1], row.shape[-1])(places)
        answer = layers.MultiHeadAttention(num_heads=1, key_dim=32)(placed, placed)
        return x + layers.Reshape(x.shape[1:])(answer)

    def network(attend):
        keras.utils.set_random_seed(seed)
        inputs = keras.Input((32, 32, 3))
        maps = layers.Rescaling(1 / 255)(inputs)
        for filters in (16, 32, 64):
            maps = layers.Conv2D(filters, 3, padding="same", use_bias=False)(maps)
            maps = layers.ReLU()(layers.BatchNormalization()(maps))
            maps = attend(layers.MaxPooling2D(2)(maps))
        features = layers.GlobalAveragePooling2D()(maps)
        return keras.Model(inputs, layers.Dense(10, activation="softmax")(features))

    kinds = {
        "none": none,
        "SE": lambda x: squeeze_excitation(8, seed=seed)(x),
        "CBAM": cbam,
        "self-attention": self_attention,
    }
    rows, epochs = {}, 10
    for name, attend in kinds.items():
        model = network(attend)
        loss = "sparse_categorical_crossentropy"
        model.compile(keras.optimizers.Adam(2e-3), loss=loss, metrics=["accuracy"])
        began = time.monotonic()
        cosine = kd.callbacks.CosineRestarts(cycle_len=epochs)
        history = model.fit(x, y, 128, epochs, verbose=0, callbacks=[cosine]).history
        seconds = time.monotonic() - began
        rows[name] = {
            "parameters": model.count_params(),
            "train accuracy": history["accuracy"][-1],
            "test accuracy": model.evaluate(test_x, test_y, 256, verbose=0)[1],
            "seconds an epoch": seconds / epochs,
        }
    pd.DataFrame(rows).T
