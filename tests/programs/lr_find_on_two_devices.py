"""Looks for a rate, and trains with rates by depth, on two devices as on one."""

import keras
import numpy as np
import tensorflow as tf

from kerasdl.train import freeze, layer_rates, lr_find, set_layer_rates, unfreeze


def build():
    inits = [keras.initializers.GlorotUniform(seed=i) for i in range(3)]
    dense = keras.layers.Dense
    model = keras.Sequential(
        [
            keras.Input((5,)),
            dense(6, "relu", kernel_initializer=inits[0], name="early"),
            keras.layers.BatchNormalization(),
            dense(6, "relu", kernel_initializer=inits[1], name="middle"),
            dense(1, "sigmoid", kernel_initializer=inits[2], name="late"),
        ]
    )
    optimizer = keras.optimizers.AdamW(1e-3, weight_decay=0.1)
    model.compile(optimizer=optimizer, loss="binary_crossentropy", metrics=["accuracy"])
    return model


def state(model):
    variables = (*model.variables, *model.optimizer.variables)
    values = [v.value for v in (*variables, *model.metrics_variables)]
    parts = [getattr(value, "values", [value]) for value in values]
    assert any(len(part) == 2 for part in parts)
    return [variable.numpy() for part in parts for variable in part]


cpu = tf.config.list_physical_devices("CPU")[0]
two = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, two)
rng = np.random.default_rng(0)
x = rng.normal(size=(32, 5)).astype("float32")
y = rng.integers(0, 2, (32, 1)).astype("float32")
dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(8)

strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    model = build()

model.fit(dataset, verbose=0)
before = state(model)
found = lr_find(model, dataset, 1e-4, 1e-1, num_steps=10)
assert len(found.rates) == 10
for old, new in zip(before, state(model), strict=True):
    np.testing.assert_array_equal(new, old)

# Frozen layers stay, and steps with rates by depth are those of one device.
freeze(model)
early = model.get_layer("early").kernel.numpy()
model.fit(dataset, verbose=0)
np.testing.assert_array_equal(model.get_layer("early").kernel.numpy(), early)
unfreeze(model)
alone = build()
alone.fit(dataset, verbose=0)
unfreeze(alone)  # its BatchNorm does not train: each device has half a batch
model.set_weights(model.get_weights())  # BatchNorm differed between the devices
alone.set_weights(model.get_weights())
for mine, theirs in zip(
    alone.optimizer.variables, model.optimizer.variables, strict=True
):
    mine.assign(theirs.numpy())
for one in (model, alone):
    set_layer_rates(one, [1e-4, 1e-3, 1e-2])
    one.fit(dataset, verbose=0, epochs=2)
for mine, theirs in zip(alone.weights, model.weights, strict=True):
    np.testing.assert_allclose(theirs.numpy(), mine.numpy(), atol=1e-6)
print("same", np.round(layer_rates(model), 6).tolist())
