from dataclasses import replace

import keras
import numpy as np
import pytest

from kerasdl import train
from kerasdl.detection import (
    AnchorLoss,
    BoxData,
    MaskRCNNLoss,
    TwoStageLoss,
    faster_rcnn,
    mask_rcnn,
    mask_size,
    with_answers,
)
from kerasdl.detection._packed import packed, unpacked


@pytest.fixture
def small(tiny_trunk):
    return faster_rcnn(
        tiny_trunk((50, 70)), 2, (4, 8), 8, proposals=12, units=16, seed=0
    )


def test_proposals_lie_in_the_picture_and_become_boxes(small, rng):
    pixels = rng.uniform(0, 255, (2, 50, 70, 3)).astype("f")
    raw = small.predict_on_batch(pixels)
    anchors = 3 * (13 * 18 + 7 * 9)
    assert raw.shape == (2, 12 + anchors, 8 + 2)
    proposals = raw[:, :12, 4:8]
    assert proposals.min() >= 0 and proposals[..., 2].max() <= 70
    assert proposals[..., 3].max() <= 50
    # The second stage begins with what it was given.
    np.testing.assert_allclose(raw[:, :12, :4], proposals, atol=3)
    np.testing.assert_allclose(1 / (1 + np.exp(-raw[:, :12, 8:])), 0.1, atol=0.05)
    assert (raw[:, 12:, 9] == 0).all()
    found = with_answers(small, 5).predict_on_batch(pixels)
    assert found["boxes"].shape == (2, 5, 4)


@pytest.mark.slow  # beside those that learn masks too
def test_both_stages_learn(small, scenes):
    data = BoxData(scenes, (50, 70), 4, seed=0)
    loss = TwoStageLoss(12)
    assert TwoStageLoss.from_config(loss.get_config()).proposals == 12
    images, labels = next(iter(data.valid))
    raw = small.predict_on_batch(images)
    any_class = labels.numpy()
    any_class[..., 4] = np.minimum(any_class[..., 4], 0)
    first = AnchorLoss(low=0.3, high=0.7)(any_class, raw[:, 12:, :9])
    second = AnchorLoss(alpha=0.5, gamma=1.0, low=0.5)(labels, raw[:, :12])
    assert float(loss(labels, raw)) == pytest.approx(float(first + second), rel=1e-5)
    before = {v.path: v.numpy() for v in small.trainable_variables}
    small.compile(keras.optimizers.Adam(3e-3), loss)
    history = train.fit_cycles(small, data, 3e-3, 1, 3)
    assert history["val_loss"].iloc[-1] < history["val_loss"].iloc[0]
    still = [
        v.path for v in small.trainable_variables if np.allclose(v, before[v.path])
    ]
    assert still == []


@pytest.mark.parametrize("name", ["classes", "filters", "proposals", "units"])
def test_arguments_are_checked(tiny_trunk, name):
    with pytest.raises(ValueError, match=f"`{name}` must be an integer of at least 1"):
        faster_rcnn(tiny_trunk(), **{"classes": 2, "seed": 0} | {name: 0})


def test_there_are_as_many_proposals_as_anchors_at_most(tiny_trunk):
    with pytest.raises(ValueError, match="`proposals` must be at most 15, the anchors"):
        faster_rcnn(tiny_trunk((8, 8)), 2, (4, 8), 8, proposals=16, seed=0)


def test_masks_of_proposals_learn_and_lie_in_the_picture(tiny_trunk, scenes):
    model = mask_rcnn(
        tiny_trunk((64, 64)), 1, (4, 8), 8, proposals=10, units=16, seed=0
    )
    scenes = replace(
        scenes, class_names=["any"], boxes=scenes.boxes.assign(label="any")
    )
    data = BoxData(scenes, 64, 4, masks=True, seed=0)  # a box is its own mask
    images, labels = next(iter(data.valid))
    loss = MaskRCNNLoss(mask_size((64, 64)), proposals=10)
    assert MaskRCNNLoss.from_config(loss.get_config()).mask_size == (16, 16)
    raw, masks = unpacked(model.predict_on_batch(images), (10, 28 * 28))
    assert np.ptp(masks) < 1  # near 0, of either sign
    assert raw.shape[1] == 10 + 3 * (16 * 16 + 8 * 8)
    both = loss(labels, model.predict_on_batch(images))
    of_masks = (both - TwoStageLoss(10)(labels[..., :6], raw)) / 2
    assert 0 < float(of_masks) < 2  # some pictures have no proposal that counts
    model.compile(keras.optimizers.Adam(3e-3), loss)
    history = train.fit_cycles(model, data, 3e-3, 1, 3)
    assert history["val_loss"].iloc[-1] < history["val_loss"].iloc[0]
    found = with_answers(model, 5).predict_on_batch(images)
    assert found["masks"].shape == (len(images), 5, 16, 16)
    assert 0 <= found["masks"].min() and found["masks"].max() <= 1


def test_proposals_learn_the_mask_of_the_object_that_they_show(rng):
    """Of 64 x 64 pixels; the second object has no proposal of half an overlap."""
    boxes = np.array([[0, 0, 32, 32], [40, 40, 60, 60], [0, 0, 64, 64]], "f")
    masks = np.zeros((3, 16, 16), "f")
    masks[0, :8, :4] = 1  # the left half of the first
    masks[1, 10:15, 10:15] = 1
    flags = np.array([[0, 0], [0, 0], [0, 1]], "f")  # the third is a crowd
    true = np.concatenate([boxes, flags, masks.reshape(3, -1)], 1)[None]
    places = np.array(
        [[0, 0, 32, 32], [0, 0, 56, 32], [20, 16, 56, 56], [0, 0, 64, 60]], "f"
    )
    # IoU with the first: 1, 4 / 7; the third is the best of the second, at .14.
    raw = np.zeros((1, 4 + 9, 9), "f")
    raw[0, :4, :4] = raw[0, :4, 4:8] = places
    raw[0, 4:, 2:4] = raw[0, 4:, 6:8] = 8
    logits = rng.normal(size=(1, 4, 28 * 28)).astype("f")
    answers = packed(*map(keras.ops.convert_to_tensor, (raw, logits)))
    both = MaskRCNNLoss((16, 16), proposals=4)(true, answers)
    found = float(both - TwoStageLoss(4)(true[..., :6], raw)) / 2

    costs = []
    for number, width in ((0, 32), (1, 56)):
        middles = (np.arange(28) + 0.5) / 28 * width / 4 - 0.5
        row = np.interp(middles, np.arange(16), masks[0, 0])
        # All rows are alike: the mask ends where these proposals do.
        rows = np.interp(
            (np.arange(28) + 0.5) / 28 * 8 - 0.5, range(16), masks[0, :, 0]
        )
        target = np.outer(rows, row).ravel()
        p = 1 / (1 + np.exp(-logits[0, number].astype("float64")))
        crossed = -(target * np.log(p) + (1 - target) * np.log(1 - p)).mean()
        dice = (2 * (p * target).sum() + 1) / ((p**2).sum() + (target**2).sum() + 1)
        costs.append(crossed + 1 - dice)
    assert found == pytest.approx(np.mean(costs), rel=1e-4)
