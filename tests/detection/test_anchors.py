import keras
import numpy as np
import pytest

from kerasdl.detection.anchors import assign_anchors, decode, encode, level_anchors
from kerasdl.detection.measures import iou_matrix


def boxes_of(rng, *shape):
    low = rng.uniform(0, 60, (*shape, 2))
    return np.concatenate([low, low + rng.uniform(2, 40, (*shape, 2))], -1).astype("f")


def test_anchors_have_the_sizes_and_shapes_about_each_place():
    found = level_anchors(2, 3, 8, scales=(2, 4), ratios=(1, 4)).reshape(2, 3, 2, 2, 4)
    np.testing.assert_allclose(found[0, 0, 0, 0], [4 - 8, 4 - 8, 4 + 8, 4 + 8])
    tall = found[1, 2, 1, 1]  # 32 pixels as the root of the area, 4 times as high
    np.testing.assert_allclose(tall, [20 - 8, 12 - 32, 20 + 8, 12 + 32])


def test_codes_are_those_of_keras_and_come_back(rng):
    boxes, anchors = boxes_of(rng, 5), boxes_of(rng, 5)
    codes = np.array(encode(boxes, anchors))
    expected = keras.utils.bounding_boxes.encode_box_to_deltas(
        anchors, boxes, "xyxy", "xyxy"
    )
    # Of Keras the order is y x h w.
    theirs = np.array(expected)
    same = [np.allclose(codes, theirs[:, order], atol=1e-4) for order in ORDERS]
    assert any(same)
    np.testing.assert_allclose(decode(codes, anchors), boxes, atol=1e-3)


ORDERS = ([0, 1, 2, 3], [1, 0, 3, 2])


def test_sides_have_a_limit():
    far = np.array(
        decode(np.array([[0, 0, 99, 0]], "f"), np.array([[0, 0, 2, 2]], "f"))
    )
    np.testing.assert_allclose(far, [[1 - 62.5, 0, 1 + 62.5, 2]], rtol=1e-5)


def slowly(anchors, boxes, labels, low, high):
    """The same by loops over one picture."""
    overlaps = iou_matrix(anchors, boxes)
    overlaps[:, labels < 0] = -1
    number, answers = overlaps.argmax(1), overlaps.max(1) >= high
    between = (overlaps.max(1) >= low) & ~answers
    for thing in np.flatnonzero(labels >= 0):
        own = overlaps[:, thing]
        for anchor in np.flatnonzero((own == own.max()) & (own > 0)):
            mine = [
                other
                for other in np.flatnonzero(labels >= 0)
                if overlaps[anchor, other] == overlaps[:, other].max() > 0
            ]
            number[anchor] = max(mine, key=lambda other: overlaps[anchor, other])
            answers[anchor], between[anchor] = True, False
    return number, answers, between


def test_anchors_are_assigned_as_by_loops(rng):
    anchors, boxes = boxes_of(rng, 2, 60), boxes_of(rng, 2, 6)
    labels = np.array([[0, 1, 0, -1, 2, 1], [1, -1, -1, -1, -1, -1]])
    found = [np.array(part) for part in assign_anchors(anchors, boxes, labels)]
    for picture in range(2):
        expected = slowly(anchors[picture], boxes[picture], labels[picture], 0.4, 0.5)
        answers = expected[1]
        np.testing.assert_array_equal(found[1][picture], answers)
        np.testing.assert_array_equal(found[2][picture], expected[2])
        numbers = found[0][picture][answers], expected[0][answers]
        np.testing.assert_array_equal(*numbers)
    assert found[1][0].sum() >= 4 and found[2].any()


def test_a_picture_without_objects_has_no_answers(rng):
    anchors = boxes_of(rng, 1, 9)
    _, answers, between = assign_anchors(
        anchors, np.zeros((1, 3, 4), "f"), np.full((1, 3), -1)
    )
    assert not np.any(answers) and not np.any(between)


@pytest.mark.parametrize("name", ["retinanet", "ssd_lite"])
def test_detectors_with_anchors_are_built_trained_and_answer(name, scenes, tiny_trunk):
    from kerasdl import train
    from kerasdl.detection import MODELS, BoxData, with_answers

    kind = MODELS[name]
    strides = (4, 8) if name == "retinanet" else (8, 16)
    model = kind.build(tiny_trunk((50, 70)), 2, strides, 8, seed=0)
    raw = model.predict_on_batch(np.zeros((1, 50, 70, 3), "f"))
    sizes = [(-(-50 // stride), -(-70 // stride)) for stride in strides]
    each = 9 if name == "retinanet" else 6
    assert raw.shape == (1, each * sum(h * w for h, w in sizes), 8 + 2)
    np.testing.assert_allclose(raw[..., :4], raw[..., 4:8], atol=8)  # about anchors
    np.testing.assert_allclose(1 / (1 + np.exp(-raw[..., 8:])), 0.01, atol=0.005)
    data = BoxData(scenes, (50, 70), 4, seed=0)
    model.compile(keras.optimizers.Adam(3e-3), kind.loss())
    history = train.fit_cycles(model, data, 3e-3, 1, 3)
    assert history["val_loss"].iloc[-1] < history["val_loss"].iloc[0]
    assert with_answers(model, 20).output["boxes"].shape == (None, 20, 4)
