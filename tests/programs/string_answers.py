"""What plain Keras and TensorFlow answer to strings, without kerasdl and jieba.

    python string_answers.py MODEL.keras SAVED_MODEL TEXTS.json

prints the probabilities of either as JSON.
"""

import json
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

sys.modules["jieba"] = None  # an import of it fails
texts = np.array(json.loads(Path(sys.argv[3]).read_text("utf-8")), dtype=object)
model = keras.saving.load_model(sys.argv[1])
loaded = tf.saved_model.load(sys.argv[2])
served = loaded.signatures["serve"](text=tf.constant(texts))["probability"]
print(json.dumps([model.predict(texts, verbose=0).tolist(), served.numpy().tolist()]))
