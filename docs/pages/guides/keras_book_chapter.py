# %% [markdown]
# # The Keras book's chapter
#
# Deep Learning with Python, the chapter on computer vision: a small network from nothing, then a
# pretrained one, first its features alone, then fine-tuned. The book takes VGG16 and 2,000 cats and dogs;
# here the trunk is EfficientNet-Lite0, whose weights are installed with kerasdl, and the photos are drawings.

# %%
import tempfile

import kerasdl as kd
import keras

folder = tempfile.mkdtemp()
kd.data.write_sample(f"{folder}/drawings", 24, 12, 12, 96, seed=1)

# %% [markdown]
# ## A generator, as the chapter has it
#
# `kd.data.ImageDataGenerator` has the arguments of Keras's class and gives its pixels.

# %%
generator = kd.data.ImageDataGenerator(
    rotation_range=40, zoom_range=0.2, horizontal_flip=True
)
flow = generator.flow_from_directory(
    f"{folder}/drawings/train", target_size=(96, 96), batch_size=16, class_mode="binary"
)
images, labels = next(flow)
images.shape, labels.shape

# %% [markdown]
# The same as tf.data, several times as fast, with the chapter's augmentation:

# %%
data = kd.ImageData.from_folder(
    f"{folder}/drawings",
    image_size=96,
    batch_size=16,
    augment="chapter",
    seed=1,
)

# %% [markdown]
# ## A convnet from nothing
#
# For two classes it ends in one sigmoid, as the book's does.

# %%
model = kd.models.convnet(input_shape=(96, 96, 3), classes=2, seed=1)
model.compile("rmsprop", "binary_crossentropy", metrics=["accuracy"])
_ = model.fit(
    data.train, validation_data=data.valid, epochs=2, shuffle=False, verbose=2
)

# %% [markdown]
# ## Features of a pretrained trunk
#
# The frozen trunk runs once over all photos; a dense layer is trained on what it gives.

# %%
trunk = kd.models.build_trunk("efficientnet_lite0", image_size=96)
model = kd.models.classifier(trunk, classes=2, seed=1)
kd.train.freeze(model)
learn = kd.Learner.from_model(model, data, precompute=True, cache_dir=folder)
learn.fit(1e-2, 4)

# %% [markdown]
# ## Fine-tuning
#
# The last layers thaw, at a small rate, with augmentation.

# %%
learn.precompute = False
learn.freeze_to(-2)
learn.bn_freeze()
learn.fit(1e-4, 1)

# %%
learn.export(f"{folder}/cats_dogs.keras")
keras.saving.load_model(f"{folder}/cats_dogs.keras").predict(images[:4], verbose=0)
