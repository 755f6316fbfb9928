"""README's lines as a newcomer runs them: in the kernel of a notebook."""

import re
from base64 import b64decode
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from PIL import Image

REPOSITORY = Path(__file__).parents[1]
# Before README's lines that take the network, or a run, of somebody.
SMALL = """
import keras
from keras import layers
keras.utils.set_random_seed(1)
pixels = keras.Input((32, 32, 3))
x = layers.Conv2D(4, 3, 2, activation="relu")(layers.Rescaling(1 / 255)(pixels))
x = layers.GlobalAveragePooling2D()(x)
small = keras.Model(pixels, layers.Dense(1, "sigmoid")(x), name="small")
"""
# After the import: most graphs run a few times, and little garbage is made.
QUICK = """
import gc
import tensorflow as tf
gc.disable()
tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
"""
MANIFEST = {"image_size": [32, 32], "resize": "crop", "task": "image_classification"}
RUN = """
import json, pathlib
run = pathlib.Path("saved_models/cats_dogs")
run.mkdir(parents=True)
learn.export(run / "model.keras")
(run / "labels.txt").write_text("cats\\ndogs\\n")
_ = (run / "manifest.json").write_text(json.dumps(MANIFEST))
"""
MORE = """
found = learn.lr_find(num_steps=8)
figure = found.plot()
figure
---
figure
---
found.plot("found.svg")
assert pathlib.Path("found.svg").read_text().startswith("<?xml")
import matplotlib.pyplot
assert matplotlib.pyplot.get_fignums() == []
---
learn.report().show()
---
data
---
learn
---
learn.fit(1e-3, verbose=0);
---
class Stop(keras.callbacks.Callback):
    def on_train_batch_begin(self, batch, logs=None):
        if len(learn.history) == before and self.model.optimizer.iterations == at + 3:
            raise KeyboardInterrupt
before, at = len(learn.history), int(learn.model.optimizer.iterations)
try:
    learn.fit(1e-3, cycle_len=3, callbacks=[Stop()])
except KeyboardInterrupt:
    print(len(learn.history) - before, "kept")
learn.fit(1e-3)
---
learn.summary()
---
heat = kd.interpret.grad_cam(learn.model, data.read("valid", 0))
---
from urllib.request import urlopen
server = learn.serve(port=0)
print(urlopen(f"{server.url}/healthz").status)
server.stop()
"""


def readme_cells():
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    section = text[text.index("## In Python") : text.index("Start here:")]
    return re.findall(r"```python\n(.*?)```", section, re.DOTALL)


def run_cells(folder):
    """What each cell of README shows, and each of `MORE`, by its code."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 8), ("valid", 4)):
        for shade, name in ((60, "cats"), (180, "dogs")):
            (folder / f"data/dogscats/{split}/{name}").mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(shade - 50, shade + 50, (40, 40, 3), "uint8")
                place = folder / f"data/dogscats/{split}/{name}/{number}.png"
                Image.fromarray(pixels).save(place)
    Image.fromarray(pixels).save(folder / "photo.jpg")
    cells = []
    for code in readme_cells():
        if "kd.fine_tune" in code:
            cells.append(SMALL)
            code = code.replace('"efficientnet_lite0"', "small")
        if "kd.load" in code:
            cells.append(RUN.replace("MANIFEST", repr(MANIFEST)))
        # A network of 224 pixels takes minutes to train; all else is README's.
        cells.append(code.replace("image_size=224", "image_size=32, batch_size=4"))
    cells.insert(1, QUICK)
    cells += MORE.split("---")
    cells = [nbformat.v4.new_code_cell(code) for code in cells]
    book = nbformat.v4.new_notebook(cells=cells)
    client = NotebookClient(
        book,
        timeout=300,
        kernel_name="python3",
        allow_errors=True,
        resources={"metadata": {"path": folder}},
    )
    client.execute()
    return {cell.source.strip(): cell.outputs for cell in book.cells}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    return run_cells(tmp_path_factory.mktemp("notebook"))


def shown(outputs, code):
    """What the cell that begins with `code` shows, without texts that are printed."""
    begun = [found for key, found in outputs.items() if key.startswith(code)]
    return [o for o in outputs.get(code, begun[0]) if "data" in o]


def pictures(outputs, code):
    found = [o["data"] for o in shown(outputs, code) if "image/png" in o["data"]]
    return [b64decode(data["image/png"]) for data in found]


def html(outputs, code):
    return "".join(o["data"].get("text/html", "") for o in shown(outputs, code))


def test_nothing_is_an_error_and_no_cell_is_long(outputs):
    for code, found in outputs.items():
        assert [output for output in found if output.output_type == "error"] == []
        kinds = [(output.output_type, output.get("name")) for output in found]
        assert ("stream", "stderr") not in kinds, (code, found)
        texts = [output.get("text", "") for output in found]
        texts += [output.get("data", {}).get("text/plain", "") for output in found]
        assert sum(text.count("\n") + 1 for text in texts if text) <= 60, code


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("import kerasdl", 1),  # show_batch
        ("learn = kd.Learner", 1),  # show_results
        ("found = learn.lr_find", 1),  # made, and the value of the same cell
        ("figure", 1),  # the value of another cell
        ("found.plot", 0),  # written
        ("learn.report().show()", 3),  # confusion, photos, calibration
        ("heat = kd", 1),  # what answers with numbers shows them too
    ],
)
def test_a_picture_is_shown_once(outputs, code, count):
    found = pictures(outputs, code)
    assert len(found) == count
    assert all(png.startswith(b"\x89PNG") for png in found)


def test_a_training_is_a_table_that_is_shown_once(outputs):
    table = html(outputs, "learn = kd.Learner")
    assert table.count("<tbody>") == 1
    assert table.count("<tr") == 1 + 3
    for name in ("epoch", "train_loss", "valid_loss", "valid_accuracy", "rate", "time"):
        assert f"<th>{name}</th>" in table
    assert "<progress" not in table  # it is over
    assert outputs["learn.fit(1e-3, verbose=0);"] == []


def test_an_answer_says_what_it_is_of(outputs):
    for code in ("learn = kd.fine_tune", "predictor = kd.load"):
        assert re.search("photo.jpg.*(cats|dogs) 0[.]", html(outputs, code))


def test_nouns_say_what_they_are(outputs):
    assert html(outputs, "data").count("<img") == 16
    assert "cats 8, dogs 8" in html(outputs, "data")
    for text in ("small, (None, 32", "frozen: none", "24 photos of 2 classes", "best"):
        assert text in html(outputs, "learn")


def test_a_learner_serves_while_one_goes_on(outputs):
    (found,) = [value for key, value in outputs.items() if "learn.serve" in key]
    printed = "".join(output.get("text", "") for output in found)
    assert re.fullmatch(
        r"model on http://127.0.0.1:\d+ \(`stop\(\)` .*\)\n200\n", printed
    )


def test_what_is_stopped_is_kept_and_goes_on(outputs):
    (found,) = [value for key, value in outputs.items() if key.startswith("class Stop")]
    printed = "".join(output.get("text", "") for output in found)
    assert "interrupted: the network is as the last batch left it" in printed
    assert "0 kept" in printed or "1 kept" in printed
