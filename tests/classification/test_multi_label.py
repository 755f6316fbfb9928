"""From a table of tags to a submission, with several labels a photo."""

import keras
import numpy as np
import pandas as pd
from PIL import Image
from sklearn.metrics import fbeta_score

from kerasdl.classification import FBeta, Submission, fit_thresholds, threshold_report
from kerasdl.data import ImageData
from kerasdl.models.heads import predictions

COLOURS = ("red", "green", "blue")


def tags_of(number):
    """Each of the seven mixtures in turn."""
    return [name for bit, name in enumerate(COLOURS) if (number % 7 + 1) >> bit & 1]


def test_tags_are_learned_and_written(tmp_path):
    folders = {"train": range(70), "test": range(70, 77)}
    for folder, numbers in folders.items():
        (tmp_path / folder).mkdir()
        for number in numbers:
            pixels = [200 if name in tags_of(number) else 50 for name in COLOURS]
            photo = Image.new("RGB", (4, 4), tuple(pixels))
            photo.save(tmp_path / folder / f"{number}.png")
    table = pd.DataFrame({"id": folders["train"]})
    table["tags"] = [" ".join(tags_of(number)) for number in table.id]
    data = ImageData.from_table(
        *(table, tmp_path / "train", "id", "tags", ".png"),
        test=tmp_path / "test",
        label_delimiter=" ",
        image_size=4,
        batch_size=16,
        seed=1,
    )
    inputs = keras.Input((4, 4, 3))
    x = keras.layers.Rescaling(1 / 75, -1.6)(inputs)
    x = keras.layers.GlobalAveragePooling2D()(x)
    outputs = predictions(x, 3, "tags", multi_label=True, seed=1)
    model = keras.Model(inputs, outputs)
    optimizer = keras.optimizers.Adam(0.1)
    model.compile(optimizer=optimizer, loss="binary_crossentropy", metrics=[FBeta()])
    model.fit(data.train, epochs=15, verbose=0, shuffle=False)
    found = model.evaluate(data.valid, verbose=0, return_dict=True)
    valid = model.predict(data.valid, verbose=0)
    truth = data.labels("valid")
    expected = fbeta_score(truth, valid > 0.5, beta=2, average="samples")
    assert found["fbeta"] == np.float32(expected) == 1

    thresholds = fit_thresholds(valid, truth)
    report = threshold_report(valid, truth, thresholds, data.class_names)
    assert (report.fitted == 1).all()
    submission = Submission(data, model.predict(data.test, verbose=0))
    submission.write(tmp_path / "out.csv", "tags", "gzip", thresholds=thresholds)
    answers = pd.read_csv(tmp_path / "out.csv", compression="gzip")
    assert answers.id.tolist() == list(folders["test"])
    for number, tags in zip(answers.id, answers.label, strict=True):
        assert tags.split() == sorted(tags_of(number))
