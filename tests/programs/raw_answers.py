"""What plain Keras answers to the raw columns of FOLDER/valid.csv.

    python raw_answers.py MODEL.keras FOLDER

prints a number for each row as JSON. It knows no more than what the model's card says:
strings, of which "" is a hole, and float32, of which NaN is one.
"""

import json
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd

model = keras.saving.load_model(sys.argv[1])
texts = {tensor.name for tensor in model.inputs if tensor.dtype == "string"}
types = dict.fromkeys(texts, str)
file = Path(sys.argv[2]) / "valid.csv"
rows = pd.read_csv(file, dtype=types, keep_default_na=False, na_values=[""])
columns = {}
for name in (tensor.name for tensor in model.inputs):
    if name in texts:
        values = rows[name].fillna("").to_numpy(object)
    else:
        values = rows[name].to_numpy("float32", na_value=np.nan)
    columns[name] = keras.ops.convert_to_tensor(
        values[:, None], "string" if name in texts else "float32"
    )
print(json.dumps(model.predict_on_batch(columns)[:, 0].tolist()))
