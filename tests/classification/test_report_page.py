import base64
import io
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from kerasdl.classification import ClassificationReport, gallery, save_report

VOID = {"meta", "img", "wbr"}
NASTY = '<b>&"x"'


class Page(HTMLParser):
    """What a browser would see of a page; fails on tags that do not match."""

    def __init__(self, path):
        super().__init__()
        self.open, self.tags, self.images, self.text, self.ids = [], [], [], [], set()
        self.links, self.tables = [], []
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append((tag, attrs))
        if tag not in VOID:
            self.open.append(tag)
        if "id" in attrs:
            self.ids.add(attrs["id"])
        if tag == "a":
            self.links.append(attrs["href"])
        if tag == "img":
            self.images.append(attrs)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text.append(data)
        if {"td", "th"} & set(self.open):
            self.tables[-1][-1][-1] += data

    @property
    def words(self):
        return "".join(self.text)

    def table(self, corner):
        """The rows of the first table whose first heading is `corner`."""
        return next(table for table in self.tables if table[0][0] == corner)


def decoded(image):
    kind, content = image["src"].split(";base64,")
    picture = Image.open(io.BytesIO(base64.b64decode(content, validate=True)))
    assert kind == f"data:image/{picture.format.lower()}"
    return np.asarray(picture.convert("RGB"))


def photo(row):
    return np.full((300, 200, 3), (20 * (row % 12), 90, 200), "uint8")


def make_report(rng, names, count=60, images=photo, files=None):
    labels = np.arange(count) % len(names)
    logits = rng.normal(size=(count, len(names)))
    logits[np.arange(count), labels] += 1.5
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    files = files or [f"{names[label]}/{row}.jpg" for row, label in enumerate(labels)]
    return ClassificationReport.from_predictions(
        probabilities, labels, names, files, images
    )


def multi_label(rng):
    labels = rng.random((80, 3)) < 0.4
    probabilities = 0.3 * labels + 0.7 * rng.random((80, 3))
    return ClassificationReport.from_predictions(
        probabilities, labels.astype(int), ["clear", "road", "water"], images=photo
    )


HISTORY = pd.DataFrame(
    {"epoch": [1, 2], "loss": [0.7, 0.4], "accuracy": [0.5, 0.75], "stage": "head"}
)
SETTINGS = {
    "seed": 7,
    "arguments": {"data": "photos & more", "weights": None, "sizes": [64, 128]},
    "results": {"stages": [{"stage": "head", "valid": 0.75, "test": None}]},
}


@pytest.fixture
def page(tmp_path, rng):
    report = make_report(rng, ["cat", "dog", "fox"])
    path = tmp_path / "report.html"
    save_report(report, path, "Animals", SETTINGS, HISTORY, seed=1)
    return report, Page(path)


def test_the_page_needs_nothing_besides(page):
    _, shown = page
    tags = {tag for tag, _ in shown.tags}
    assert not tags & {"script", "link", "iframe", "object", "base"}
    assert "://" not in shown.source
    assert "url(" not in shown.source and "@import" not in shown.source
    sources = [v for _, attrs in shown.tags for k, v in attrs.items() if k == "src"]
    assert all(source.startswith("data:image/") for source in sources)
    assert not any(key.startswith("on") for _, attrs in shown.tags for key in attrs)


def test_every_picture_decodes_and_has_a_text(page):
    _, shown = page
    assert len(shown.images) > 20
    for image in shown.images:
        pixels = decoded(image)
        assert image["alt"]
        if image["alt"].startswith("photo"):
            assert pixels.shape == (224, 149, 3)
            assert (int(image["height"]), int(image["width"])) == pixels.shape[:2]


def test_photos_stand_with_their_names(page):
    report, shown = page
    files = [image["alt"].removeprefix("photo ") for image in shown.images]
    worst = gallery(report, "most_incorrect", 12)["file"].tolist()
    assert worst == files[1 : 1 + len(worst)]  # after the confusion matrix
    for image, file in zip(shown.images, files, strict=True):
        if image["alt"].startswith("photo"):
            expected = photo(report.files.index(file))[0, 0].astype(int)
            found = decoded(image).astype(int)
            assert np.abs(found - expected).max() <= 6  # JPEG
    for kind in ("random_correct", "random_incorrect"):
        assert set(gallery(report, kind, 12, seed=1)["file"]) <= set(files)


def test_headline_and_tables_hold_the_numbers_of_the_report(page):
    report, shown = page
    for text in (
        "Animals",
        "60 photos, 3 classes",
        f"{report.summary['accuracy']:.1%}",
        f"{report.summary['log_loss']:.4f}",
        f"{report.summary['calibration_error']:.3f}",
    ):
        assert text in shown.words
    table = shown.table("class")
    assert table[0][1:5] == ["photos", "found", "missed", "false alarms"]
    for row, (name, values) in zip(table[1:], report.per_class.iterrows(), strict=True):
        assert row[0] == name
        assert [float(cell) for cell in row[1:]] == pytest.approx(values, abs=5.1e-4)
    pairs = shown.table("true")
    mistakes = report.confusion.to_numpy() - np.diag(np.diag(report.confusion))
    assert sum(int(row[2]) for row in pairs[1:]) == mistakes.sum()


def test_settings_and_history_are_tables(page):
    _, shown = page
    assert shown.table("stage") == [["stage", "valid", "test"], ["head", "0.7500", "–"]]
    assert shown.table("name")[1:] == [
        ["seed", "7"],
        ["arguments.data", "photos & more"],
        ["arguments.weights", "–"],
        ["arguments.sizes", "64, 128"],
    ]
    assert shown.table("row")[2] == ["2", "2", "0.4000", "0.7500", "head"]


def test_headings_links_and_scrolling_boxes_are_accessible(page):
    _, shown = page
    assert len(shown.links) == 7
    assert {link.removeprefix("#") for link in shown.links} <= shown.ids
    assert dict(shown.tags)["html"]["lang"] == "en"
    assert [tag for tag, _ in shown.tags if tag in ("h1", "h2")].count("h1") == 1
    scopes = [attrs.get("scope") for tag, attrs in shown.tags if tag == "th"]
    assert set(scopes) == {"row", "col"}
    boxes = [attrs for _, attrs in shown.tags if attrs.get("class") == "scroll"]
    assert all(box["tabindex"] == "0" and box["aria-label"] for box in boxes)


def test_names_are_text_and_no_markup(tmp_path, rng):
    report = make_report(
        rng,
        [NASTY, "<script>alert(1)</script>", "$x_1$"],
        files=[NASTY + "/1.jpg"] * 60,
    )
    report.left_out.append(NASTY)
    settings = {NASTY: NASTY, "list": [{NASTY: NASTY}]}
    history = HISTORY.assign(stage=NASTY)
    save_report(report, tmp_path / "a.html", NASTY, settings, history, seed=1)
    shown = Page(tmp_path / "a.html")
    assert not {tag for tag, _ in shown.tags} & {"b", "script"}
    assert shown.table("class")[1][0] == NASTY
    assert shown.table("name")[1] == [NASTY, NASTY]
    assert f"photo {NASTY}/1.jpg" in [image["alt"] for image in shown.images]
    assert f"as they are damaged: {NASTY}" in shown.words
    assert shown.words.count("alert(1)") > 3


def test_names_that_are_no_text_are_shown_escaped(tmp_path, rng):
    """Of a file system whose names are bytes, not UTF-8."""
    names = ["caf\udce9", "cat", "dog"]
    files = [f"caf\udce9/{row}.jpg" for row in range(60)]
    report = make_report(rng, names, files=files)
    save_report(report, tmp_path / "a.html", "caf\udce9", seed=1)
    shown = Page(tmp_path / "a.html")
    assert shown.table("class")[1][0] == r"caf\udce9"
    alts = [image["alt"] for image in shown.images]
    assert any(alt.startswith(r"photo caf\udce9/") for alt in alts)


def test_settings_of_a_thousand_values_are_one_row(tmp_path, rng):
    counts = {f"class {number}": number for number in range(1000)}
    report = make_report(rng, ["ape", "bee", "cat"])
    save_report(report, tmp_path / "a.html", settings={"data": {"train": counts}})
    assert Page(tmp_path / "a.html").table("name")[1:] == [
        ["data.train", "1,000 values, such as class 0 0, class 1 1, class 2 2"]
    ]


def test_many_classes_make_a_page_of_bounded_size(tmp_path, rng):
    noise = rng.integers(0, 256, (400, 64, 64, 3), "uint8")

    def detailed(row):  # JPEG's worst case, but for photos of noise
        return noise[row].repeat(4, axis=0).repeat(4, axis=1)

    names = [f"class {number}" for number in range(120)]
    report = make_report(rng, names, 400, detailed)
    save_report(report, tmp_path / "many.html", seed=1)
    shown = Page(tmp_path / "many.html")
    assert (tmp_path / "many.html").stat().st_size < 3e6
    photos = [image for image in shown.images if image["alt"].startswith("photo")]
    assert 60 < len(photos) <= 120
    assert len(shown.images) - len(photos) == 5  # two matrices and three curves
    assert len(shown.table("class")) == 121
    f1 = [float(row[7]) for row in shown.table("class")[1:] if row[7] != "–"]
    assert f1 == sorted(f1)
    assert len(shown.table("true")) == 21


def test_several_classes_a_photo_have_no_confusion_matrix(tmp_path, rng):
    report = multi_label(rng)
    save_report(report, tmp_path / "several.html", seed=1)
    shown = Page(tmp_path / "several.html")
    assert "Confusion" not in shown.words
    assert "80 photos, 3 classes, several a photo" in shown.words
    assert f"{report.summary['label_accuracy']:.1%}" in shown.words
    assert [row[0] for row in shown.table("average")[1:]] == [
        "macro",
        "weighted",
        "micro",
        "samples",
    ]
    row = gallery(report, "most_incorrect", 1).index[0]
    missed = np.flatnonzero(report.truth[row] & ~report.answers[row])
    for column in missed:
        text = f"{report.class_names[column]} {report.probabilities[row, column]:.2f}"
        assert text in shown.words


def test_without_photos_galleries_are_tables(tmp_path, rng):
    report = make_report(rng, ["cat", "dog"], images=None)
    save_report(report, tmp_path / "plain.html", seed=1)
    shown = Page(tmp_path / "plain.html")
    assert not any(image["alt"].startswith("photo") for image in shown.images)
    worst = gallery(report, "most_incorrect", 12)["file"].tolist()
    assert [row[0] for row in shown.table("file")[1:]] == worst


def test_a_perfect_classifier_has_a_page(tmp_path):
    probabilities = np.eye(2)[[0, 1, 1]]
    report = ClassificationReport.from_predictions(
        probabilities, [0, 1, 1], ["cat", "dog"], images=photo
    )
    save_report(report, tmp_path / "right.html", seed=1, history=pd.DataFrame())
    shown = Page(tmp_path / "right.html")
    assert "100.0%" in shown.words and "No mistakes." in shown.words
    assert "Training" not in shown.words


def test_a_split_of_one_class_has_a_page_without_its_curves(tmp_path):
    report = ClassificationReport.from_predictions(
        np.array([[0.9, 0.1], [0.6, 0.4]]), [0, 0], ["cat", "dog"], split="test"
    )
    save_report(report, tmp_path / "one.html", seed=1)
    shown = Page(tmp_path / "one.html")
    assert "2 photos of the split test, 2 classes" in shown.words
    assert len(shown.images) == 2  # confusion and calibration
    assert shown.table("class")[2][5:] == ["–"] * 5


def test_history_may_be_without_stages_or_accuracy(tmp_path, rng):
    report = make_report(rng, ["cat", "dog"], images=None)
    for number, history in enumerate(
        ([{"loss": 0.5, "lr": 0.1}], [{"epoch": 1, "seconds": 3}])
    ):
        save_report(report, tmp_path / f"{number}.html", history=history, seed=1)
        assert "Training" in Page(tmp_path / f"{number}.html").words


def test_the_same_seed_writes_the_same_page(tmp_path, rng):
    report = make_report(rng, ["cat", "dog"])
    for name in ("a.html", "b.html"):
        save_report(report, tmp_path / name, seed=3)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_a_photo_that_is_gone_leaves_no_half_page(tmp_path, rng):
    def gone(row):
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        save_report(
            make_report(rng, ["cat", "dog"], images=gone), tmp_path / "a.html", seed=1
        )
    assert list(tmp_path.iterdir()) == []


def test_bad_arguments(tmp_path, rng):
    report = make_report(rng, ["cat", "dog"])
    with pytest.raises(ValueError, match="`path` must be in a folder that exists"):
        save_report(report, tmp_path / "none" / "report.html", seed=1)
    with pytest.raises(ValueError, match="`seed` must be None or an integer"):
        save_report(report, tmp_path / "report.html", seed=-1)
