"""Run as a script: exported files in a process where kerasdl cannot be imported.

Reads a pickled dict with `threads`, `keras` and `saved_model` (paths or None), `order`
(names of inputs), `samples` (arrays by name), `calls` (by name: a signature of the
SavedModel and its arrays), `sizes` (of batches) and `seconds` (of each measurement)
from stdin; writes one with what the exported files answer and how long they take to
stdout.
"""

import pickle
import sys
import time
from collections.abc import Callable
from typing import Any


def milliseconds(
    call: Callable[[], object], seconds: float, most: int = 50, warm_up: int = 3
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
    """Answer and time what stdin asks for, without kerasdl; see `measurements`."""
    answer, sys.stdout = sys.stdout.buffer, sys.stderr  # whatever else prints
    asked = pickle.load(sys.stdin.buffer)
    # So Python refuses to import it; typeshed tells of modules alone.
    sys.modules["kerasdl"] = None  # pyright: ignore[reportArgumentType]
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(asked["threads"])
    tf.config.threading.set_inter_op_parallelism_threads(1)
    samples, sizes, seconds = asked["samples"], asked["sizes"], asked["seconds"]
    found: dict[str, Any] = {"times": {}, "answers": {}}
    if asked["keras"]:
        import keras

        model = keras.saving.load_model(asked["keras"])
        found["compiled"] = bool(model.compiled)
        pairs = zip(asked["order"], model.inputs, strict=True)
        floats = [
            samples[name]
            if tensor.dtype == "string"
            else samples[name].astype(tensor.dtype)
            for name, tensor in pairs
        ]

        def batch(size: int) -> object:
            part = [values[:size] for values in floats]
            return keras.tree.pack_sequence_as(model.input, part)

        outputs = keras.tree.flatten(model.predict_on_batch(batch(max(sizes))))
        found["answers"]["model.keras"] = outputs
        ways = {
            "predict_on_batch": model.predict_on_batch,
            "predict": lambda inputs: model.predict(inputs, verbose=0),
        }
        for name, predict in ways.items():
            found["times"][name] = {}
            for size in sizes:
                inputs = batch(size)
                times = milliseconds(lambda: predict(inputs), seconds)  # noqa: B023
                found["times"][name][size] = times
    if asked["saved_model"]:
        loaded = tf.saved_model.load(asked["saved_model"])

        def call(name: str, arrays: dict) -> dict:
            tensors = {key: tf.constant(values) for key, values in arrays.items()}
            return loaded.signatures[name](**tensors)

        for name, (signature, arrays) in asked["calls"].items():
            outputs = call(signature, arrays)
            found["answers"][name] = {key: t.numpy() for key, t in outputs.items()}
        times = found["times"]["saved_model"] = {}
        for size in sizes:
            part = {name: values[:size] for name, values in samples.items()}
            times[size] = milliseconds(lambda: call("serve", part), seconds)  # noqa: B023
    pickle.dump(found, answer)


if __name__ == "__main__":
    main()
