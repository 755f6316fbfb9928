import pandas as pd
import pytest


@pytest.fixture
def scenes(draw_scenes, tmp_path):
    return draw_scenes(tmp_path / "scenes")


@pytest.fixture(scope="session")
def with_box():
    """A function that replaces numbers, flags or labels of one box."""
    from dataclasses import replace

    def change(annotations, row, **values):
        boxes = annotations.boxes.copy()
        for name, value in values.items():
            boxes[name] = pd.Series(
                [value if place == row else old for place, old in boxes[name].items()],
                boxes.index,
            )
        return replace(annotations, boxes=boxes)

    return change


@pytest.fixture(scope="session")
def detector_of(tiny_trunk):
    """A function that builds a small detector of any picture size; no scores equal."""
    from kerasdl.detection import fcos

    def build(classes=2, size=(64, 64)):
        model = fcos(tiny_trunk(size, seed=0), classes, (4, 8), 8, seed=0)
        last = model.get_layer("class_last")
        kernel, bias = last.get_weights()
        last.set_weights([300 * kernel, bias])
        return model

    return build


@pytest.fixture(scope="session")
def write_run(detector_of, convert_here, run_eagerly):
    """A function that writes a finished run of an untrained detector of some boxes.

    Without its page and its picture; `lite=False` is without its `.tflite` too.
    """
    import pandas as pd

    from kerasdl.detection import (
        BoxData,
        DetectionReport,
        with_answers,
        write_run_files,
    )
    from kerasdl.runs import run_folder

    def write(folder, annotations, size=64, raw=None, lite=True, **options):
        data = BoxData(annotations, size, 4, seed=0, **options)
        raw = raw or detector_of(len(data.class_names), (size, size))
        model = with_answers(raw, 20, 40)
        with run_folder(folder, {}, seed=1) as run, pytest.MonkeyPatch.context() as m:
            convert_here(m)
            m.setattr(DetectionReport, "save", lambda *arguments, **options: None)
            m.setattr(BoxData, "show_batch", lambda *arguments: None)
            if not lite:
                place = "kerasdl.detection.run_files.save_tflite"
                m.setattr(place, lambda *arguments: None)
            with run_eagerly():
                report = DetectionReport.of(model, data)
            write_run_files(run, model, data, report, pd.DataFrame(), "A detector")
        return folder

    return write


@pytest.fixture(scope="session")
def tiny_trunk():
    """A function that makes a trunk of strides 2, 4 and 8; of a seed, the same."""
    import keras
    from keras import layers

    def build(size=(64, 64), seed=None):
        inputs = x = keras.Input((*size, 3))
        x = layers.Rescaling(1 / 127.5, -1)(x)
        for number in range(3):
            own = None if seed is None else 10 * seed + number
            x = layers.Conv2D(
                8,
                3,
                2,
                "same",
                activation="relu",
                kernel_initializer=keras.initializers.GlorotUniform(seed=own),
                name=f"c{number}",
            )(x)
        return keras.Model(inputs, x, name="tiny")

    return build
