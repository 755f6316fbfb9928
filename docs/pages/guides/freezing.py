# %% [markdown]
# # Freezing, and rates by depth
#
# A pretrained trunk is worth more than a small set of photos can teach it, and is easily lost. So the
# head is trained first, then all layers, the first ones at a hundredth of the last one's rate.

# %%
import tempfile

import kerasdl as kd
import keras

folder = tempfile.mkdtemp()
kd.data.write_sample(f"{folder}/drawings", 16, 8, 8, 64, seed=1)
data = kd.ImageData.from_folder(
    f"{folder}/drawings", image_size=64, batch_size=16, seed=1
)
trunk = kd.models.build_trunk("efficientnet_lite0", image_size=64)
model = kd.models.classifier(trunk, classes=2, seed=1)
kd.train.freeze(model)
model.compile(
    keras.optimizers.SGD(1e-2, momentum=0.9),
    "binary_crossentropy",
    metrics=["accuracy"],
)

# %% [markdown]
# Which layers train, and in which group of depth they are:

# %%
kd.train.layer_table(model).tail(6)

# %% [markdown]
# ## Frozen means frozen
#
# A BatchNorm layer keeps its moving statistics too. In released Keras 3, `trunk(x, training=False)` does
# not protect them once layers are thawed; `bn_freeze` does.

# %%
kd.train.unfreeze(model)
kd.train.bn_freeze(model)

# %% [markdown]
# ## Rates by depth
#
# Any Keras optimizer takes them, and the saved model knows nothing of them.

# %%
kd.train.set_layer_rates(model, [1e-4, 1e-3, 1e-2])
kd.train.layer_rates(model)

# %%
kd.train.fit_cycles(model, data, [1e-4, 1e-3, 1e-2], cycles=1)
