# %% [markdown]
# # Several labels a photo
#
# Each label has its own probability, and its own threshold, which is found on the validation photos.
# The photos here are squares of two colours; a photo has either, both or none.

# %%
import tempfile

import cv2
import kerasdl as kd
import keras
import numpy as np
import pandas as pd

folder = tempfile.mkdtemp()
draw = np.random.default_rng(1)
rows = []
for number in range(60):
    labels = draw.random(2) < 0.5
    pixels = draw.integers(60, 120, (48, 48, 3)).astype("uint8")
    for has, colour in zip(labels, ((0, 0, 230), (230, 0, 0)), strict=True):
        if has:
            x, y = draw.integers(0, 30, 2).tolist()
            cv2.rectangle(pixels, (x, y), (x + 16, y + 16), colour, -1)
    cv2.imwrite(f"{folder}/{number}.png", pixels)
    named = [name for name, has in zip(("red", "blue"), labels, strict=True) if has]
    rows.append({"id": str(number), "tags": " ".join(named)})

data = kd.ImageData.from_table(
    pd.DataFrame(rows),
    folder,
    label="tags",
    suffix=".png",
    label_delimiter=" ",
    image_size=48,
    batch_size=12,
    augment="top_down",
    seed=1,
)
data

# %% [markdown]
# The loss is one of yes and no for each label; F2 counts a label that is missed more than one too many.

# %%
model = keras.Sequential(
    [
        keras.Input((48, 48, 3)),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Conv2D(8, 3, activation="relu"),
        keras.layers.Conv2D(8, 3, strides=2, activation="relu"),
        keras.layers.GlobalMaxPooling2D(),
        keras.layers.Dense(2, activation="sigmoid"),
    ]
)
model.compile(
    "adam", "binary_crossentropy", metrics=[kd.classification.FBeta(beta=2.0)]
)
learn = kd.Learner.from_model(model, data)
learn.fit(1e-2, 1, cycle_len=6)

# %%
found = learn.predict("valid")
thresholds = kd.predict.fit_thresholds(found.probabilities, found.labels)
kd.predict.threshold_report(
    found.probabilities, found.labels, thresholds, data.class_names
)
