# %% [markdown]
# # A file for a phone
#
# A `.tflite` file takes the pixels of a picture as they are and returns probabilities. Which
# formats there are, what each weighs and what it loses on your photos is written by
# `recipes/export_model.py RUN`; here one is made and asked by hand.

# %%
import tempfile

import kerasdl as kd
import numpy as np
import tensorflow as tf

folder = tempfile.mkdtemp()
kd.data.write_sample(f"{folder}/drawings", 16, 8, 8, 64, seed=1)
data = kd.ImageData.from_folder(
    f"{folder}/drawings", image_size=64, batch_size=16, seed=1
)
learn = kd.Learner.pretrained(
    "efficientnet_lite0", data, precompute=True, cache_dir=folder, seed=1
)
learn.fit(1e-2, 3, verbose=0)
learn.export(f"{folder}/model.tflite")

# %% [markdown]
# ## As a phone does
#
# No kerasdl, no Keras: bytes of pixels in, numbers out. On Android and iOS the calls have the same names;
# `saved_models/README.md` has them in Kotlin and Swift.

# %%
interpreter = tf.lite.Interpreter(f"{folder}/model.tflite")
interpreter.allocate_tensors()
(taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
taken["dtype"], taken["shape"]

# %%
images, labels = next(iter(data.valid))
pixels = np.asarray(images[:1]).astype("uint8")
interpreter.set_tensor(taken["index"], pixels)
interpreter.invoke()
interpreter.get_tensor(given["index"])

# %%
learn.model.predict(pixels.astype("float32"), verbose=0)
