"""Masks from files to batches, networks, answers and measures."""

import json
from dataclasses import replace

import cv2
import keras
import numpy as np
import pandas as pd
import pytest
from faster_coco_eval.core.mask import encode

from kerasdl import train
from kerasdl.detection import (
    BoxBatches,
    BoxData,
    Detections,
    Geometry,
    MaskLoss,
    PointLoss,
    average_precision,
    detect_split,
    fcos,
    in_photos,
    read_coco,
    with_answers,
    write_coco,
)
from kerasdl.detection._copy_paste import pasted
from kerasdl.detection._packed import packed, unpacked
from kerasdl.detection.masks import (
    as_pixels,
    as_rle,
    box_of,
    in_photo,
    lowered,
    mask_size,
)
from kerasdl.detection.prototypes import COUNT, mask_logits, within
from kerasdl.detection.suppression import suppressed
from kerasdl.detection.with_answers import by_masks, widened

SQUARE = [[10, 20, 30, 20, 30, 40, 10, 40]]


def with_polygons(scenes):
    """Each box, as a polygon."""
    corners = scenes.boxes[["x1", "y1", "x2", "y2"]].to_numpy()
    masks = [[[a, b, c, b, c, d, a, d]] for a, b, c, d in corners.tolist()]
    return replace(scenes, boxes=scenes.boxes.assign(mask=pd.Series(masks)))


def test_polygons_and_both_kinds_of_rle_are_the_same_pixels():
    expected = np.zeros((50, 60), np.uint8)
    expected[20:40, 10:30] = 1
    by_polygon = as_pixels(SQUARE, (50, 60))
    np.testing.assert_array_equal(by_polygon, expected)
    rle = as_rle(expected)
    json.dumps(rle)
    np.testing.assert_array_equal(as_pixels(rle, (50, 60)), expected)
    # Down the columns, zeros first: what COCO writes where a mask is a crowd.
    flat = expected.T.ravel()
    ends = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff([0, *ends, flat.size]).tolist()
    loose = {"size": [50, 60], "counts": counts}
    np.testing.assert_array_equal(as_pixels(loose, (50, 60)), expected)
    assert box_of(expected) == (10, 20, 30, 40) and box_of(expected * 0) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    "mask",
    [
        {"size": [9, 9], "counts": [81]},
        {"size": [50, 60], "counts": "h4"},
        {"size": 5, "counts": [9]},
        {"size": [50, 60]},
        [[1, 1, 9, 9]],
        5,
    ],
    ids=str,
)
def test_what_is_no_mask_of_the_photo_is_refused(mask):
    with pytest.raises(
        ValueError, match="`mask` must be polygons or an RLE of 50 x 60"
    ):
        as_pixels(mask, (50, 60))


@pytest.mark.parametrize("share", [0, 0.2, 0.8, 1])
def test_an_rle_is_that_of_the_coco_tools(rng, share):
    for height, width in ((1, 1), (7, 1), (1, 7), (9, 12)):
        pixels = np.zeros((height + 2, width + 2), np.uint8)
        pixels[:height, 2:] = rng.random((height, width)) < share
        for part in (pixels, pixels[:height, 2:], pixels[:, 1:-1] > 0):
            rle = encode(np.asfortranarray(part, np.uint8))
            expected = {"size": [*part.shape], "counts": rle["counts"].decode()}
            assert as_rle(part) == expected


def test_lowered_masks_are_shares():
    masks = np.zeros((1, 10, 8), np.uint8)
    masks[0, :4, :6] = 255
    assert mask_size((10, 8)) == (3, 2)
    np.testing.assert_array_equal(lowered(masks)[0], [[1, 0.5], [0, 0], [0, 0]])


def test_a_mask_follows_the_warp_of_its_photo(scenes):
    """A drawn rectangle is found by its colour where its mask is."""
    data = BoxData(
        with_polygons(scenes), 64, 4, augment="scenes", mosaic=0.5, masks=True, seed=0
    )
    images, labels = data.stream.take(0, 0)
    assert labels.shape[2] == 6 + 16 * 16
    seen = 0
    for image, rows in zip(images, labels, strict=True):
        for row in rows[rows[:, 4] >= 0]:
            mask = row[6:].reshape(16, 16)
            mask = cv2.resize(mask, (64, 64), interpolation=cv2.INTER_NEAREST) > 0.99
            own = image[mask].astype(float)
            red, blue = own[:, 0] - own[:, 2], own[:, 2] - own[:, 0]
            if len(own):  # another one may lie on it
                seen += np.mean((blue if row[4] == 0 else red) > 20) > 0.5
    assert seen >= 3


def test_boxes_without_masks_are_their_own(scenes):
    data = BoxData(scenes, (60, 80), 4, masks=True, seed=0)
    _, labels = next(iter(data.valid))
    for rows in labels.numpy():
        for row in rows[rows[:, 4] >= 0]:
            area = (row[2] - row[0]) * (row[3] - row[1])
            assert row[6:].sum() * 16 == pytest.approx(area, rel=0.15)


def test_views_with_masks_are_of_the_seed(scenes):
    options = {"augment": "scenes", "masks": True, "copy_paste": 1.0, "seed": 3}
    one, two = (BoxData(with_polygons(scenes), 64, 4, **options) for _ in range(2))
    for first, second in zip(one.stream.take(1, 1), two.stream.take(1, 1), strict=True):
        np.testing.assert_array_equal(first, second)
    plain = BoxData(with_polygons(scenes), 64, 4, "scenes", masks=True, seed=3)
    assert (plain.stream.take(1, 1)[0] != one.stream.take(1, 1)[0]).any()


def test_a_pasted_object_hides_what_is_below():
    images = np.zeros((2, 20, 20, 3), np.uint8)
    images[1, 2:12, 2:12] = 200
    masks = [np.zeros((1, 20, 20), np.uint8) for _ in range(2)]
    masks[0][0, 5:15, 0:10] = 255
    masks[1][0, 2:12, 2:12] = 255
    labels = [np.array([[0, 5, 10, 15, 1, 0.0]]), np.array([[2, 2, 12, 12, 0, 0.0]])]
    # The first view gets the object of the second, at 10 * 0.5 down and across.
    draws = np.array([[0, 0.9, 0, 0.5, 0.5, 1], [0.9, 0, 0, 0, 0, 0]])
    found, shapes = pasted(images, labels, masks, [draws], share=0.5, min_visible=0.25)
    np.testing.assert_array_equal(found[0], [[0, 5, 5, 15, 1, 0], [5, 5, 15, 15, 0, 0]])
    assert (images[0, 5:15, 5:15] == 200).all() and images[0].sum() == 100 * 600
    assert shapes[0][0].sum() == 255 * 50 and shapes[0][1, 5:15, 5:15].min() == 255
    assert len(found[1]) == 1
    found, _ = pasted(images, labels, masks, [draws], share=0.5, min_visible=0.6)
    assert found[0].shape == (1, 6)
    # Four tenths of its size, at 16 * 0.5: nothing is hidden.
    draws[0, 5] = 0
    images[0] = 0
    found, _ = pasted(images, labels, masks, [draws], share=0.5, min_visible=0.6)
    np.testing.assert_array_equal(found[0][1], [8, 8, 12, 12, 0, 0])
    assert (images[0, 8:12, 8:12] == 200).all() and images[0].sum() == 16 * 600


def test_how_much_is_hidden_counts_from_the_first_paste():
    labels = [np.array([[0, 0, 8, 8, 1, 0.0]]), np.array([[0, 0, 8, 3, 0, 0.0]])]
    masks = [np.zeros((1, 8, 8), np.uint8) for _ in range(2)]
    masks[0][0] = 255
    masks[1][0, :3] = 255
    images = np.zeros((2, 8, 8, 3), np.uint8)
    rules = {"share": 0.5, "min_visible": 0.3}
    # The three uppermost rows, then the three lowest, of the first view alone.
    upper, lower = (np.array([[0, 0.9, 0, 0, y, 1]] * 2) for y in (0, 0.9))
    upper[1, 0] = lower[1, 0] = 0.9
    once, _ = pasted(images, labels, masks, [upper], **rules)
    np.testing.assert_array_equal(once[0], [[0, 3, 8, 8, 1, 0], [0, 0, 8, 3, 0, 0]])
    # A quarter is left, though two fifths of what was there between the two.
    twice, _ = pasted(images, labels, masks, [upper, lower], **rules)
    np.testing.assert_array_equal(twice[0], [[0, 0, 8, 3, 0, 0], [0, 5, 8, 8, 0, 0]])
    # What is thin vanishes when it is made smaller.
    masks[1][0] = np.diag([255] * 8)
    upper[0, 5] = 0
    found, shapes = pasted(images, labels, masks, [upper], **rules)
    assert len(found[0]) == len(shapes[0]) == 1


def test_prototypes_come_out_of_the_one_tensor(rng):
    raw = rng.normal(size=(2, 30, 10 + COUNT)).astype("f")
    maps = rng.normal(size=(2, 5, 6, COUNT)).astype("f")
    answers = packed(
        keras.ops.convert_to_tensor(raw), keras.ops.convert_to_tensor(maps)
    )
    found, flat = unpacked(np.array(answers), (30, COUNT))
    np.testing.assert_array_equal(found, raw)
    np.testing.assert_array_equal(flat, maps.reshape(2, 30, COUNT))


def test_a_mask_is_a_sum_of_prototypes_within_its_box(rng):
    maps, weights = rng.normal(size=(1, 20, COUNT)), rng.normal(size=(1, 3, COUNT))
    found = np.array(mask_logits(weights.astype("f"), maps.astype("f")))
    expected = [sum(w * maps[0, :, i] for i, w in enumerate(row)) for row in weights[0]]
    np.testing.assert_allclose(found[0], expected, rtol=1e-4, atol=1e-5)
    inside = np.array(within(np.array([[[4, 0, 12, 8]]], "f"), (3, 4)))[0, 0]
    np.testing.assert_array_equal(inside, [[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]])


def test_what_is_beside_places_goes_with_the_answers(rng):
    boxes = np.array([[[0, 0, 9, 9], [20, 20, 30, 30], [50, 0, 60, 9]]], "f")
    scores = np.array([[[0.3], [0.9], [0.6]]], "f")
    beside = rng.normal(size=(1, 3, 5)).astype("f")
    found = suppressed(boxes, scores, beside=beside)
    np.testing.assert_array_equal(found["beside"][0], beside[0, [1, 2, 0]])


def test_sure_masks_come_first():
    masks = np.zeros((1, 3, 4, 4), "f")
    masks[0, 0, :2] = 0.6
    masks[0, 0, 2:] = 0.4  # not covered
    masks[0, 1, 0] = [0.8, 1, 1, 0.8]
    masks[0, 2] = 0.5
    answers = {
        "boxes": np.arange(12, dtype="f").reshape(1, 3, 4),
        "scores": np.array([[0.9, 0.8, 0.7]], "f"),
        "labels": np.array([[1, 0, 1]]),
        "masks": masks,
    }
    found = {name: np.array(part) for name, part in by_masks(answers, 0.001).items()}
    # The third mask covers nothing: its surest pixels count.
    np.testing.assert_allclose(found["scores"], [[0.72, 0.54, 0.35]], rtol=1e-6)
    np.testing.assert_array_equal(found["labels"], [[0, 1, 1]])
    np.testing.assert_array_equal(found["boxes"][0, :, 0], [4, 0, 8])
    np.testing.assert_array_equal(found["masks"][0], masks[0, [1, 0, 2]])
    fewer = {name: np.array(part) for name, part in by_masks(answers, 0.4).items()}
    assert not fewer["masks"][0, 2].any() and fewer["count"] == 2
    np.testing.assert_array_equal(fewer["labels"], [[0, 1, -1]])


@pytest.mark.parametrize("box", [[10.5, 0, 13.5, 40], [7, 22, 7.5, 22.5]])
def test_a_mask_between_two_squares_is_in_one(box):
    (inside,) = within(widened(np.array([[box]], "f")), (10, 10))
    columns, rows = np.array(inside)[0].any(axis=0), np.array(inside)[0].any(axis=1)
    assert columns.sum() == 1 and rows.sum() == (10 if box[3] == 40 else 1)


@pytest.fixture
def masked(tiny_trunk):
    return fcos(tiny_trunk(), 2, (4, 8), 8, masks=True, seed=0)


def test_it_learns_masks_and_answers_with_them(masked, scenes):
    data = BoxData(with_polygons(scenes), 64, 4, masks=True, copy_paste=0.5, seed=0)
    loss = MaskLoss(mask_size((64, 64)))
    assert MaskLoss.from_config(loss.get_config()).mask_size == (16, 16)
    _, labels = next(iter(data.valid))
    photos, _ = next(iter(data.valid))
    raw = masked.predict_on_batch(photos)
    of_masks = loss(labels, raw) - PointLoss()(
        labels[..., :6], unpacked(raw, (256, COUNT))[0][..., :-COUNT]
    )
    assert 0 < float(of_masks) / 2 < 2  # cross-entropy of .7 and Dice of at most 1
    masked.compile(keras.optimizers.Adam(3e-3), loss)
    history = train.fit_cycles(masked, data, 3e-3, 1, 3)
    assert history["val_loss"].iloc[-1] < history["val_loss"].iloc[0]
    final = with_answers(masked, 10)
    found = final.predict_on_batch(photos)
    assert found["masks"].shape == (len(photos), 10, 16, 16)
    assert 0 <= found["masks"].min() and found["masks"].max() <= 1
    answers = detect_split(final, data).boxes
    assert {tuple(mask["size"]) for mask in answers["mask"]} == {(60, 80)}


def test_photos_without_objects_train_masks_without_nan(masked):
    empty = np.zeros((1, 3, 6 + 256), "f")
    empty[..., 4] = -1
    raw = masked.predict_on_batch(np.zeros((1, 64, 64, 3), "f"))
    assert np.isfinite(MaskLoss((16, 16))(empty, raw))


def test_masks_of_answers_are_in_the_photo():
    """A photo of 20 x 40 lies twice as large in 80 x 80, 20 rows down."""
    mask = np.zeros((20, 20), "f")
    mask[5:10, 0:10] = 1
    matrix = np.array([[2, 0, 0], [0, 2, 20], [0, 0, 1.0]])
    found = in_photo(mask, (20, 40), matrix)
    expected = np.zeros((20, 40))
    expected[:10, :20] = 1
    assert abs(found - expected).mean() < 0.05
    above = np.roll(mask, -5, axis=0)  # in the border above the photo
    assert not in_photo(above, (20, 40), matrix).any()
    assert not in_photo(mask / 2, (20, 40), matrix).any()


def test_masks_are_made_of_the_answers_that_are_wanted():
    mask = np.zeros((4, 4), "f")
    mask[:, :2] = 1
    masks = np.empty((1, 4), object)
    masks[0] = [mask, mask, None, mask]  # none can be made of None
    found = {
        "boxes": np.tile(np.array([0, 0, 8, 8.0], "f"), (1, 4, 1)),
        "scores": np.array([[0.9, 0.5, 0.4, np.nan]], "f"),
        "labels": np.zeros((1, 4), "int32"),
        "count": np.array([4]),
        "masks": masks,
    }
    geometry = Geometry((16, 16), "pad")
    (table,) = in_photos(found, [("a", (16, 16))], geometry, ["any"], threshold=0.5)
    # What is no number is not kept from who looks for it.
    np.testing.assert_array_equal(table["score"], found["scores"][0, [0, 1, 3]])
    assert as_pixels(table["mask"][2], (16, 16)).sum() == 128


def test_masks_are_measured_drawn_and_written(scenes, tmp_path):
    truth = with_polygons(scenes)
    answers = truth.boxes[["file", "label", "x1", "y1", "x2", "y2"]].assign(score=0.9)
    answers["mask"] = [
        as_rle(as_pixels(mask, (60, 80))) for mask in truth.boxes["mask"]
    ]
    table = average_precision(truth, answers, masks=True)
    assert table.loc["all", "map"] == pytest.approx(1)
    half = answers.copy()
    half["mask"] = [
        as_rle(as_pixels(mask, (60, 80)) * (np.arange(80) < 0))
        for mask in answers["mask"]
    ]
    assert average_precision(truth, half, masks=True).loc["all", "map"] == 0
    assert average_precision(truth, half).loc["all", "map"] == pytest.approx(1)
    found = Detections(scenes.root, truth.photos, answers, ["blue", "red"], {})
    found.to_json(tmp_path / "found.json")
    (row, *_) = json.loads((tmp_path / "found.json").read_text())
    assert row.keys() == {"file", "label", "box", "score", "mask"}
    np.testing.assert_array_equal(
        as_pixels(row["mask"], (60, 80)), as_pixels(answers["mask"][0], (60, 80))
    )
    found.to_csv(tmp_path / "found.csv")
    assert "mask" not in (tmp_path / "found.csv").read_text()
    photo = cv2.imread(str(scenes.root / row["file"]))[..., ::-1]
    x1, y1, x2, y2 = np.int32(row["box"])
    middle = (y1 + y2) // 2, (x1 + x2) // 2
    assert (found.drawn(row["file"], 0.5)[middle] != photo[middle]).any()
    assert found.above(0.5).boxes["mask"].notna().all()


@pytest.fixture
def bordered(scenes):
    """A photo of 60 x 80 with a square whose border of 3 pixels may be of it."""
    inner, outer = np.zeros((2, 60, 80), np.uint8)
    inner[20:40, 20:40], outer[17:43, 17:43] = 1, 1
    shapes = {"mask": as_rle(inner), "void": as_rle(outer - inner)}
    boxes = scenes.boxes.iloc[:1].assign(x1=20.0, y1=20.0, x2=40.0, y2=40.0)
    boxes = boxes.assign(**{name: [shape] for name, shape in shapes.items()})
    return replace(scenes, boxes=boxes).take([boxes["file"].iloc[0]]), inner, outer


def test_what_may_be_of_an_object_counts_in_no_measure(bordered, tmp_path):
    truth, inner, outer = bordered
    write_coco(truth, truth.root / "train.json")
    truth = read_coco(truth.root / "train.json")
    answer = truth.boxes[["file", "label", "x1", "y1", "x2", "y2"]].assign(score=0.9)

    def measured(pixels, known=truth):
        given = answer.assign(mask=[as_rle(pixels)])
        return average_precision(known, given, masks=True).loc["all", "map"]

    beyond = outer.copy()
    beyond[43:45, 17:43] = 1
    assert measured(inner) == measured(outer) == pytest.approx(1)
    # 400 of 452 pixels: up to an IoU of .85, as without the border one of 400 to 676.
    assert measured(beyond) == pytest.approx(0.8)
    plain = replace(truth, boxes=truth.boxes.assign(void=None))
    assert measured(outer, plain) == pytest.approx(0.2)


@pytest.mark.parametrize("beyond", [0, 5])
def test_what_is_all_void_is_neither_missed_nor_a_false_alarm(bordered, beyond):
    """Another object lies on the border, but for some of 83 pixels."""
    truth, inner, _ = bordered
    other = np.zeros((60, 80), np.uint8)
    other[17:20, 17:43] = 1
    other[16, 20 : 20 + beyond] = 1
    boxes = pd.concat([truth.boxes, truth.boxes.assign(mask=[as_rle(other)])])
    both = replace(truth, boxes=boxes.reset_index(drop=True))
    below = np.zeros_like(inner)
    below[40:43] = inner[39]  # an answer on the border, and no object
    answers = both.boxes[["file", "label", "x1", "y1", "x2", "y2"]].iloc[[0, 0, 0]]
    pixels = inner, other, below
    answers = answers.assign(score=[0.5, 0.9, 0.8], mask=[as_rle(p) for p in pixels])
    found = average_precision(both, answers, masks=True)
    assert found.loc["all", "map"] == pytest.approx(1)
    # Of an object of which a quarter is not void one asks it.
    other[16, 20:40] = 1
    both.boxes.at[1, "mask"] = as_rle(other)
    found = average_precision(both, answers.iloc[:1], masks=True)
    assert found.loc["all", "ap50"] == pytest.approx(51 / 101)


def test_where_void_leaves_nothing_there_is_no_measure(bordered):
    truth, _, outer = bordered
    hidden = replace(truth, boxes=truth.boxes.assign(void=[as_rle(outer)]))
    answer = truth.boxes[["file", "label", "x1", "y1", "x2", "y2", "mask"]]
    found = average_precision(hidden, answer.assign(score=0.9), masks=True)
    assert found["map"].isna().all()


@pytest.mark.parametrize("column", ["mask", "void"])
def test_shapes_of_another_size_are_not_measured(bordered, column):
    truth, inner, _ = bordered
    answers = truth.boxes[["file", "label", "x1", "y1", "x2", "y2", "mask"]]
    answers = answers.assign(score=0.9)
    small = [{"size": [9, 9], "counts": [81]}]
    name = truth.photos.index[0]
    message = f"a {column} of 9 x 9 pixels, on {name} of 80 x 60$"
    of_truth = replace(truth, boxes=truth.boxes.assign(**{column: small}))
    message = f"must have each `{column}` in the size of its photo. Received: {message}"
    with pytest.raises(ValueError, match=f"`truth` {message}"):
        average_precision(of_truth, answers, masks=True)
    if column == "mask":
        with pytest.raises(ValueError, match=f"`answers` {message}"):
            average_precision(truth, answers.assign(mask=small), masks=True)


def test_a_mask_is_taught_to_end_within_its_border(bordered):
    truth, inner, outer = bordered
    photos = BoxBatches(truth, (60, 80), 1, masks=True, max_pixels=10**6)
    target = photos.batch(0, 0)[1][0, 0, 6:].reshape(15, 20)
    expected = lowered((255 * inner + 127 * (outer - inner))[None])[0]
    np.testing.assert_allclose(target, expected, atol=1e-3)
    # An object is pasted without it.
    images = np.zeros((2, 60, 80, 3), np.uint8)
    shapes = [(255 * inner + 127 * (outer - inner))[None]] * 2
    boxes = [np.array([[20, 20, 40, 40, 0, 0.0]])] * 2
    draws = np.array([[0, 0.9, 0, 0, 0, 1]] * 2)
    _, masks = pasted(images, boxes, shapes, [draws], share=1, min_visible=0.25)
    assert set(np.unique(masks[0][1])) == {0, 255} and (masks[0][0] == 127).any()


def test_arguments_are_checked(scenes, tiny_trunk):
    with pytest.raises(ValueError, match="`copy_paste` must be 0 without `masks=True`"):
        BoxData(scenes, 64, copy_paste=0.5, seed=0)
    with pytest.raises(ValueError, match="`strides` must begin with 4 or 8 for masks"):
        fcos(tiny_trunk(), 2, (2, 4), masks=True, seed=0)
    answers = pd.DataFrame(columns=["file", "label", "score", "x1", "y1", "x2", "y2"])
    with pytest.raises(ValueError, match="`masks` must be False but for"):
        average_precision(scenes, answers, masks=True)


@pytest.mark.parametrize("value", [1, 0.4, 256, -1, True])
def test_what_is_not_zero_is_of_a_mask(value):
    pixels = np.zeros((6, 9))
    pixels[2:4, 3:8] = 1
    found = as_rle(np.where(pixels, value, np.zeros_like(value)))
    np.testing.assert_array_equal(as_pixels(found, (6, 9)), pixels)
    assert box_of(pixels * value) == (3, 2, 8, 4)
