"""A file that cannot be written is an error before any work, at every door."""

import pytest

from kerasdl import export, interpret, plots

DOORS = {
    "crop_to_heat": (
        "x.png",
        lambda path: interpret.crop_to_heat(None, None, path=path),
    ),
    "top_patches": (
        "x.png",
        lambda path: interpret.top_patches(None, None, None, 0, path=path),
    ),
    "grad_cam": ("x.png", lambda path: interpret.grad_cam(None, None, path=path)),
    "occlusion_map": (
        "x.png",
        lambda path: interpret.occlusion_map(None, None, path=path),
    ),
    "feature_maps": (
        "x.png",
        lambda path: interpret.feature_maps(None, None, "a", path=path),
    ),
    "filter_patterns": (
        "x.png",
        lambda path: interpret.filter_patterns(None, "a", path=path),
    ),
    "save_report": ("x.html", lambda path: interpret.save_report(None, path)),
    "save_inference_model": (
        "x.keras",
        lambda path: export.save_inference_model(None, path),
    ),
    "save_tflite": ("x.tflite", lambda path: export.save_tflite(None, path)),
    "save_onnx": ("x.onnx", lambda path: export.save_onnx(None, path)),
    "save_curves": ("x.png", lambda path: plots.save_curves({"loss": [2, 1]}, path)),
    "save_losses": ("x.png", lambda path: plots.save_losses([2, 1], path)),
}


@pytest.mark.parametrize("door", DOORS)
def test_paths_are_checked(door, tmp_path):
    name, write = DOORS[door]
    with pytest.raises(ValueError, match="`path` must be in a folder that exists"):
        write(tmp_path / "missing" / name)
    (tmp_path / name).mkdir()
    with pytest.raises(ValueError, match="`path` must be a file.*which is a folder"):
        write(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]
