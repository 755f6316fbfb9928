# %% [markdown]
# # A network of your own
#
# A plain `keras.Model`. Two rules make its file useful elsewhere: it takes pixels in [0, 255] and scales
# them inside, and it is made of Keras's own layers.

# %%
import tempfile

import kerasdl as kd
import keras
from keras import layers

folder = tempfile.mkdtemp()
kd.data.write_sample(f"{folder}/drawings", 24, 12, 12, 64, seed=1)
data = kd.ImageData.from_folder(
    f"{folder}/drawings",
    image_size=64,
    batch_size=16,
    augment="side_on",
    label_mode="categorical",
    seed=1,
)

# %%
TABLE = ((16, 1), (32, 2), (64, 2))  # filters and stride of each stage


def network(classes, seed):
    """Residual stages on a stem, global average pooling, softmax."""
    pixels = keras.Input((64, 64, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1)(pixels)
    x = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(x)
    for filters, strides in TABLE:
        x = kd.models.blocks.residual(filters, strides=strides, seed=seed)(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(pixels, layers.Dense(classes, activation="softmax")(x))


model = network(len(data.class_names), seed=1)
kd.models.layer_costs(model).tail(3)

# %% [markdown]
# It trains with everything here, and leaves as plain Keras.

# %%
learn = kd.Learner.from_model(model, data, optimizer="adam")
learn.fit(1e-3, cycle_len=2)

# %%
learn.export(f"{folder}/own.keras")
keras.saving.load_model(f"{folder}/own.keras").count_params()

# %% [markdown]
# ## With a training step of its own
#
# A model with its own `train_step` and several optimizers names them as `model.optimizers`;
# `kd.train.resumable_fit` then keeps the state of all, so that a killed GAN goes on too.
