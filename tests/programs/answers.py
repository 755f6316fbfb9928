"""What plain TensorFlow reads of pixels in two files of one model.

    python answers.py PIXELS.npy STEM

prints the answers of STEM.keras and of STEM.tflite as JSON.
"""

import json
import sys

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

pixels, stem = np.load(sys.argv[1]), sys.argv[2]
model = keras.saving.load_model(f"{stem}.keras")
by_keras = model.predict_on_batch(pixels.astype("float32"))
by_lite = [
    [run(pixels=picture[None])["probabilities"][0].tolist() for picture in pixels]
    for run in (
        library(f"{stem}.tflite").get_signature_runner()
        for library in (Interpreter, tf.lite.Interpreter)
    )
]
np.testing.assert_allclose(by_lite[0], by_lite[1], atol=1e-6)
print(json.dumps([by_keras.tolist(), by_lite[0]]))
