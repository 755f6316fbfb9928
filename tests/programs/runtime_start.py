"""Starts the runtime with several precisions, and prints what it found."""

import json
import warnings

from kerasdl import runtime

runtime.cpu_flags = lambda: {"avx2", "avx512_bf16"}
found = {}
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always", UserWarning)
    runtime.start("mixed_bfloat16", deterministic=True)
    import keras
    import tensorflow as tf

    found["first policy"] = keras.config.dtype_policy().name
    found["warnings with bfloat16"] = [str(warning.message) for warning in caught]
    runtime.start("mixed_float16")
    found["warnings without float16"] = [str(warning.message) for warning in caught]
runtime.start()
found["last policy"] = keras.config.dtype_policy().name
try:
    tf.random.uniform((2,))
except RuntimeError as error:
    found["unseeded"] = str(error)
tf.get_logger().warning("a warning of TensorFlow's")  # its logger still works
print(json.dumps(found))
