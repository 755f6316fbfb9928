import gc
import importlib.util
import json
import os
import pickle
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import pytest

gc.disable()  # a quarter of the time of imports, which leave next to none
# TensorFlow's own kernels are ready, while oneDNN compiles one for each shape. What is
# started in a process of its own has it, as users do.
_ONEDNN = "TF_ENABLE_ONEDNN_OPTS"
os.environ[_ONEDNN] = "0"

REPOSITORY = Path(__file__).parents[1]
PROGRAMS = Path(__file__).with_name("programs")


@pytest.fixture(autouse=True)
def seeded():
    """What is drawn without a seed of its own, such as weights, repeats too."""
    if "keras" in sys.modules:
        from tensorflow.python import pywrap_tfe

        # With it TensorFlow forgets all that it has optimised, to do so again.
        with patch.object(pywrap_tfe, "TFE_ContextClearCaches", lambda context: None):
            sys.modules["keras"].utils.set_random_seed(0)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def programs():
    """The folder of programs that tests run in processes of their own."""
    return PROGRAMS


@pytest.fixture(scope="session")
def forks():
    """A function that runs programs at the same time, in processes of their own.

    Of each, which is a list of program and arguments, it returns the exit code, what it
    prints and what came on stderr. They are forked from one process, as TensorFlow
    takes long to load. `environments` is what each has more of it.
    """
    with subprocess.Popen(
        [sys.executable, PROGRAMS / "forks.py"],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def run(*commands, environments=None, folder=REPOSITORY, has_kerasdl=True):
            environments = environments or [{}] * len(commands)
            asked = [
                (str(folder), environment, [*map(str, command)], has_kerasdl)
                for command, environment in zip(commands, environments, strict=True)
            ]
            print(json.dumps(asked), file=process.stdin, flush=True)
            return json.loads(process.stdout.readline())

        yield run


@pytest.fixture(scope="session")
def elsewhere(forks):
    """A function that runs a program where kerasdl cannot be imported.

    It returns what the program prints.
    """

    def run(program, *arguments, folder=REPOSITORY):
        command = [PROGRAMS / program, *arguments]
        ((code, printed, errors),) = forks(command, folder=folder, has_kerasdl=False)
        assert code == 0, errors
        return printed

    return run


@pytest.fixture
def asked_elsewhere(elsewhere, tmp_path_factory, monkeypatch):
    """Exported files are asked by `elsewhere`, and for moments only.

    A process that begins for them, as they are asked in, is of test_export_run.py.
    """
    from kerasdl.artefacts import _bare_process, latency

    def ask(**asked):
        folder = tmp_path_factory.mktemp("asked")
        (folder / "asked").write_bytes(pickle.dumps(asked))
        files = _bare_process.__file__, folder / "asked", folder / "answer"
        elsewhere("bare_process.py", *files, folder=Path.cwd())
        return pickle.loads((folder / "answer").read_bytes())

    monkeypatch.setattr(latency, "_ask", ask)
    monkeypatch.setattr(latency, "SECONDS", 0.0)


@pytest.fixture(scope="session")
def convert_here():
    """A function by which files are converted in this process, not in one each.

    Of models that are known not to end it, though not by their operations.
    """

    def patch(monkeypatch):
        for module in ("_own_process", "tflite"):
            place = f"kerasdl.artefacts.{module}.is_known"
            monkeypatch.setattr(place, lambda *arguments: True)

    return patch


@pytest.fixture
def here(convert_here, monkeypatch):
    """Files are converted in this process, which none of these models ends."""
    convert_here(monkeypatch)


@pytest.fixture(scope="session")
def run_eagerly():
    """A context in which functions run as they stand.

    Of a few small batches that is less than a trace.
    """
    import tensorflow as tf

    @contextmanager
    def run():
        before = tf.config.functions_run_eagerly()
        tf.config.run_functions_eagerly(True)
        try:
            yield
        finally:
            tf.config.run_functions_eagerly(before)

    return run


@pytest.fixture
def eagerly(run_eagerly):
    """A test that runs eagerly."""
    with run_eagerly():
        yield


@pytest.fixture
def left_by_a_kill(monkeypatch):
    """A function that leaves half of a file, as a killed writer of `path` does."""
    from kerasdl._atomic import replacing

    child = subprocess.Popen([sys.executable, "-S", "-c", ""])
    child.wait()  # its number is nobody's now

    def leave(path):
        with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
            patch.setattr(os, "getpid", lambda: child.pid)
            patch.setattr(Path, "unlink", lambda *args, **kwargs: None)
            with replacing(path) as beside:
                beside.write_bytes(b"half")
                raise KeyboardInterrupt
        return beside

    return leave


@pytest.fixture(scope="session")
def write_photos():
    """A function that writes photos into folders of classes, and returns `root`.

    Each is `root/<folder>/<class>/<file>`: `folders` gives the number of photos of each
    class by folder, and what is called "" is no folder of its own. `pixels` is height
    and width of noise, or a function of a random generator, of the place of the class
    and of the number of the photo that draws RGB.
    """
    from PIL import Image

    def write(root, folders, classes=("",), pixels=(8, 8), *, file="{}.png", seed=0):
        rng = np.random.default_rng(seed)
        for name, count in folders.items():
            for place, class_name in enumerate(classes):
                folder = root / name / class_name
                folder.mkdir(parents=True, exist_ok=True)
                for number in range(count):
                    if callable(pixels):
                        drawn = pixels(rng, place, number)
                    else:
                        drawn = rng.integers(0, 256, (*pixels, 3), "uint8")
                    photo = Image.fromarray(np.asarray(drawn).astype("uint8"))
                    photo.save(folder / file.format(number))
        return root

    return write


@pytest.fixture(scope="session")
def draw_scenes():
    """A function that draws photos with rectangles of two colours into a folder.

    Each photo has one rectangle of each class but those whose number is divisible by 5,
    which show nothing. It returns their annotations.
    """
    import cv2

    from kerasdl.detection import Annotations

    def draw(root, count=12, size=(60, 80), splits=("train", "train", "valid"), seed=0):
        colours = {"red": (220, 20, 20), "blue": (20, 20, 220)}
        rng = np.random.default_rng(seed)
        photos, boxes = {}, []
        (root / "images").mkdir(parents=True, exist_ok=True)
        for number in range(count):
            file = f"images/{number:03}.png"
            pixels = np.full((*size, 3), 120 + number, np.uint8)
            for label, colour in colours.items() if number % 5 else ():
                x, y = rng.integers(0, (size[1] // 2, size[0] // 2))
                w, h = rng.integers(12, (size[1] // 2, size[0] // 2))
                pixels[y : y + h, x : x + w] = colour
                corners = {"x1": x, "y1": y, "x2": x + w, "y2": y + h}
                boxes.append({"file": file, "label": label, **corners})
            cv2.imwrite(str(root / file), pixels[..., ::-1])
            split = splits[number % len(splits)]
            photos[file] = {"split": split, "height": size[0], "width": size[1]}
        return Annotations.of(root, ["blue", "red"], photos, boxes)

    return draw


@pytest.fixture
def real_data():
    """The folder that holds data/ and weights/, named by KERASDL_DATA."""
    if "KERASDL_DATA" not in os.environ:
        pytest.skip("real data is found by the environment variable KERASDL_DATA")
    return Path(os.environ["KERASDL_DATA"])


@pytest.fixture(scope="session")
def colours():
    """The module `colours.py`: photos of three colours and a model that knows them."""
    return _beside("colours")


@pytest.fixture
def browser(tmp_path):
    """A page in headless Chromium, as `chromium.py` drives it."""
    chromium = _beside("chromium")
    if chromium.COMMAND is None:
        pytest.skip("needs Chromium")
    with chromium.opened(tmp_path / "profile") as page:
        yield page


def _beside(name):
    """A module of this folder."""
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def write_colours(colours, write_photos):
    """A function that writes photos of the three colours, three splits of `count`."""

    def write(root, count=8):
        splits = dict.fromkeys(("train", "valid", "test"), count)
        return write_photos(root, splits, colours.NAMES[::-1], colours.pixels)

    return write


@pytest.fixture
def tiny_backbone(monkeypatch):
    """The name of a backbone that is quick to build and to run."""
    from kerasdl.models import backbones

    row = backbones.Backbone(
        name="tiny",
        builder=_tiny_trunk,
        pixels="tf",
        middle="conv2",
        late="conv3",
        weights_file="",
        image_size=32,
        min_image_size=8,
    )
    monkeypatch.setattr(backbones, "_ROWS", (*backbones._ROWS, row))
    monkeypatch.setattr(backbones, "BACKBONES", (*backbones.BACKBONES, "tiny"))
    return "tiny"


def _tiny_trunk(include_top, weights, input_shape=None, input_tensor=None, name="tiny"):
    """Three convolutions; its only weights are those it begins with."""
    import keras
    from keras import layers

    inputs = keras.Input(input_shape) if input_tensor is None else input_tensor
    x = inputs
    for number, filters in enumerate((4, 8, 16), 1):
        init = keras.initializers.HeNormal(seed=number)
        x = layers.Conv2D(
            filters,
            3,
            2,
            "same",
            activation="relu",
            kernel_initializer=init,
            name=f"conv{number}",
        )(x)
        x = layers.BatchNormalization(name=f"bn{number}")(x)
    return keras.Model(keras.utils.get_source_inputs(inputs), x, name=name)


def pytest_configure():
    """Ctrl-C works in tests of it, also where a shell runs pytest in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """What takes longest first, recipes and strategies: so workers end together."""
    long = {"recipes", "test_strategies_fit.py"}
    items.sort(key=lambda item: long.isdisjoint(item.path.parts))


def pytest_collection_finish():
    """Garbage is looked for rarely: many objects are in a network, and few of them die.

    What is loaded stays, and a conversion to TFLite does not look for garbage. No
    iterator of tf.data that has become garbage waits for its tuner's thread, which
    TensorFlow may let sleep on for a minute; no graph is optimised, as most run a few
    times.
    """
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
    gc.enable()
    if "tensorflow" in sys.modules:
        from kerasdl.batches import without_tuner

        os.environ[_ONEDNN] = "1"  # it was read
        tf = sys.modules["tensorflow"]
        converter = sys.modules[tf.lite.TFLiteConverter.__module__]
        converter.gc = SimpleNamespace(collect=lambda: 0)
        options = {"disable_meta_optimizer": True}
        tf.config.optimizer.set_experimental_options(options)
        dataset = tf.data.Dataset
        iterate = dataset.__iter__
        dataset.__iter__ = lambda self: iterate(without_tuner(self))
