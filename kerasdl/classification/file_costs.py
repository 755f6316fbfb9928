"""What a trained model costs whoever runs it: numbers to compare models by."""

from pathlib import Path

import numpy as np

from kerasdl.artefacts import latency, run_tflite, zipped_bytes
from kerasdl.models import layer_costs, load_model


def file_costs(keras_path: str | Path, tflite_path: str | Path) -> dict[str, float]:
    """Count and measure the files of a model.

    Args:
        keras_path: a `.keras` file.
        tflite_path: a `.tflite` file of the same model.

    Returns:
        `parameters` and `multiply_adds` (for one image, as `layer_costs` counts them),
        `keras_bytes`, `tflite_bytes`, `zipped_bytes` (of the `.tflite` file, see
        `zipped_bytes`), and `p50_ms`, the median time of one image on one thread with
        LiteRT.

    Raises:
        ImportError: the extra `export` is not installed.
        ValueError: there is no such file, or a model `layer_costs` cannot count.
    """
    model, zipped = load_model(keras_path), zipped_bytes(tflite_path)
    pixels = np.random.default_rng(0).integers(0, 256, (1, *model.input_shape[1:]))
    inputs = {"pixels": pixels.astype("uint8")}
    run = run_tflite(Path(tflite_path), num_threads=1)
    times = latency.milliseconds(lambda: run(inputs), latency.SECONDS)
    return {
        "parameters": model.count_params(),
        "multiply_adds": int(layer_costs(model)["multiply_adds"].sum()),
        "keras_bytes": Path(keras_path).stat().st_size,
        "tflite_bytes": Path(tflite_path).stat().st_size,
        "zipped_bytes": zipped,
        "p50_ms": round(float(np.median(times)), 3),
    }
