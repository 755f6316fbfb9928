"""Digests of what `image_folder` of `FOLDER SIZE` gives, deterministic and mixed."""

import json
import sys
from hashlib import sha256

import keras
import numpy as np
import tensorflow as tf

from kerasdl.data import image_folder

tf.config.experimental.enable_op_determinism()
keras.config.set_dtype_policy("mixed_bfloat16")
folder, size = sys.argv[1], int(sys.argv[2])
found = {}
for augment in ("side_on", "rand_augment"):
    dataset, _ = image_folder(folder, size, 6, augment, label_mode="int", seed=11)
    found[augment] = []
    for _ in range(2):
        arrays = [
            np.concatenate(a) for a in zip(*dataset.as_numpy_iterator(), strict=True)
        ]
        found[augment].append(sha256(b"".join(a.tobytes() for a in arrays)).hexdigest())
keras.utils.set_random_seed(0)
layers = [keras.Input((size, size, 3)), keras.layers.Flatten(), keras.layers.Dense(2)]
model = keras.Sequential(layers)
model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
history = model.fit(dataset, epochs=2, shuffle=False, verbose=0).history
found["loss"] = bool(np.isfinite(history["loss"]).all())
print(json.dumps(found))
