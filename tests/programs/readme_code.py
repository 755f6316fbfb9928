"""What a stranger does with the files of two runs, in the folder that holds them."""

import contextlib
import io
import json
import os
import re

import keras
import numpy as np
import tensorflow as tf

found = {}
pixels = np.load("pixels.npy")
for name in ("three", "two"):
    os.chdir(name)
    model = keras.saving.load_model("model.keras")
    lite = tf.lite.Interpreter("model.tflite")
    lite.allocate_tensors()
    (taken,), (given,) = lite.get_input_details(), lite.get_output_details()
    by_lite = []
    for picture in pixels:
        lite.set_tensor(taken["index"], picture[None])
        lite.invoke()
        by_lite.append(lite.get_tensor(given["index"])[0].tolist())
    (code,) = re.findall(r"```python\n(.*?)```", open("README.md").read(), re.DOTALL)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(code, {})
    found[name] = {
        "by_keras": model.predict_on_batch(pixels.astype("float32")).tolist(),
        "compiled": model.compiled,
        "by_lite": by_lite,
        "lite_takes": [np.dtype(taken["dtype"]).name, taken["shape"].tolist()],
        "lite_gives": [np.dtype(given["dtype"]).name, given["shape"].tolist()],
        "readme_code": code,
        "readme_prints": printed.getvalue(),
    }
    os.chdir("..")
print(json.dumps(found))
