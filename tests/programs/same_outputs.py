"""Holds models in `FOLDER/*.keras` to the outputs in their .npz, and prints names."""

import sys
from pathlib import Path

import keras
import numpy as np

for path in Path(sys.argv[1]).glob("*.keras"):
    expected = np.load(path.with_suffix(".npz"))
    outputs = keras.saving.load_model(path)(expected["pixels"])
    named = outputs if isinstance(outputs, dict) else {"outputs": outputs}
    for name, output in named.items():
        np.testing.assert_allclose(output, expected[name], atol=1e-5)
    print(path.stem)
