"""How far a saved translator is off what it answered before; no kerasdl."""

import keras
import numpy as np

model = keras.saving.load_model("model.keras")
asked = np.load("asked.npz")
found = model.predict_on_batch({"source": asked["source"], "target": asked["target"]})
print(abs(found - asked["y"]).max())
