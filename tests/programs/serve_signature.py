"""What a server does with a SavedModel: no Keras, no kerasdl.

    python serve_signature.py SAVED_MODEL PIXELS.npy

puts the answers in place of the pixels.
"""

import sys

sys.modules["kerasdl"] = sys.modules["keras"] = None  # an import of them fails
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

served = tf.saved_model.load(sys.argv[1])
pixels = np.load(sys.argv[2])
np.save(sys.argv[2], served.signatures["serve"](pixels=pixels)["probabilities"])
