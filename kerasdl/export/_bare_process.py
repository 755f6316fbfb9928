"""Run as a script: exported files in a process where kerasdl cannot be imported.

Reads a JSON object with `threads`, `keras` and `saved_model` (paths or null), `pixels`
(a `.npy` file), `files` (images) and `sizes` (of batches) from stdin; writes one with
what the exported files answer and how long they take to stdout.
"""

import json
import sys
import time
from collections.abc import Callable


def milliseconds(
    call: Callable[[], object], seconds: float = 2.0, most: int = 50, warm_up: int = 3
) -> list[float]:
    """Duration of each of up to `most` calls within about `seconds`, at least five."""
    for _ in range(warm_up):
        call()
    found, end = [], time.perf_counter() + seconds
    while len(found) < 5 or (len(found) < most and time.perf_counter() < end):
        began = time.perf_counter()
        call()
        found.append(1000 * (time.perf_counter() - began))
    return found


def main() -> None:
    answer, sys.stdout = sys.stdout, sys.stderr  # whatever else prints
    asked = json.load(sys.stdin)
    sys.modules["kerasdl"] = None
    import numpy as np
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(asked["threads"])
    tf.config.threading.set_inter_op_parallelism_threads(1)
    pixels = np.load(asked["pixels"])
    floats = pixels.astype("float32")
    found = {"times": {}, "answers": {}}
    if asked["keras"]:
        import keras

        model = keras.saving.load_model(asked["keras"])
        found["compiled"] = bool(model.compiled)
        found["answers"]["model.keras"] = model.predict_on_batch(floats).tolist()
        ways = {
            "predict_on_batch": model.predict_on_batch,
            "predict": lambda batch: model.predict(batch, verbose=0),
        }
        for name, predict in ways.items():
            found["times"][name] = {
                size: milliseconds(lambda: predict(floats[:size]))  # noqa: B023
                for size in asked["sizes"]
            }
    if asked["saved_model"]:
        signatures = tf.saved_model.load(asked["saved_model"]).signatures
        serve, serve_bytes = signatures["serve"], signatures["serve_bytes"]
        images = {"serve_bytes": [tf.io.encode_png(picture) for picture in pixels]}
        images["files"] = [tf.io.read_file(path) for path in asked["files"]]
        for name, encoded in images.items():
            if encoded:
                outputs = serve_bytes(images=tf.stack(encoded))["probabilities"]
                found["answers"][name] = outputs.numpy().tolist()
        found["times"]["saved_model"] = {
            size: milliseconds(
                lambda: serve(pixels=tf.constant(pixels[:size]))  # noqa: B023
            )
            for size in asked["sizes"]
        }
    json.dump(found, answer)


if __name__ == "__main__":
    main()
