import zipfile

import keras
import numpy as np
import pytest
from keras import layers

from kerasdl import export


def test_zipped_as_a_zip_archive_does(tmp_path, rng):
    """Python's zip writes the same deflate stream, and its size beside it."""
    path = tmp_path / "file"
    values = rng.normal(size=50_000).astype("float32")
    values[::2] = 0
    path.write_bytes(values.tobytes())
    with zipfile.ZipFile(tmp_path / "zip", "w", zipfile.ZIP_DEFLATED, True, 9) as out:
        out.write(path)
    found = export.zipped_bytes(path)
    assert found == zipfile.ZipFile(tmp_path / "zip").infolist()[0].compress_size
    assert found < 0.65 * path.stat().st_size


def test_zipped_needs_a_file(tmp_path):
    with pytest.raises(ValueError, match="`path` must be a file"):
        export.zipped_bytes(tmp_path)


@pytest.fixture
def files(tmp_path):
    """10 filters of 3x3x3 on 8x8 pixels and 10x2 weights, most of them 0."""
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(10, 3, padding="same"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.layers[0].kernel.assign(np.zeros((3, 3, 3, 10)))
    paths = tmp_path / "model.keras", tmp_path / "model.tflite"
    export.save_inference_model(model, paths[0])
    export.save_tflite(model, paths[1])
    return paths


def test_costs_of_a_model(files):
    found = export.file_costs(*files)
    assert found["parameters"] == 27 * 10 + 10 + 10 * 2 + 2
    assert found["multiply_adds"] == 8 * 8 * 27 * 10 + 10 * 2
    assert found["keras_bytes"] == files[0].stat().st_size
    assert found["tflite_bytes"] == files[1].stat().st_size
    assert found["zipped_bytes"] < found["tflite_bytes"] - 900  # of 1080 zeros
    assert found["p50_ms"] > 0


def test_costs_need_both_files(files, tmp_path):
    with pytest.raises(ValueError, match="`path` must be an existing .keras file"):
        export.file_costs(tmp_path / "other.keras", files[1])
    with pytest.raises(ValueError, match="`path` must be a file"):
        export.file_costs(files[0], tmp_path / "other.tflite")
