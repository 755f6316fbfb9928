"""Loads a trained model with its optimizer, whose state it compares, and trains on.

python trained_optimizer.py MODEL.keras VALUES.npz
"""

import sys
import warnings

import keras
import numpy as np

warnings.simplefilter("error", UserWarning)  # Keras warns of state it leaves out
model = keras.saving.load_model(sys.argv[1])
expected = np.load(sys.argv[2])
assert type(model.optimizer) is keras.optimizers.AdamW
for i, variable in enumerate(model.optimizer.variables):
    np.testing.assert_array_equal(variable.numpy(), expected[f"v{i}"])
model.fit(expected["x"], expected["y"], verbose=0)
print(len(model.optimizer.variables))
