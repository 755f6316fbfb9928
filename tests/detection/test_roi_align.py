import numpy as np
import tensorflow as tf

from kerasdl.detection.roi_align import cropped_masks, pasted_masks, roi_align


def slowly(features, box, size, stride):
    """One box by loops."""
    rows, columns, channels = features.shape
    found = np.zeros((size, size, channels))
    x1, y1, x2, y2 = box
    for i in range(size):
        for j in range(size):
            y = (y1 + (y2 - y1) * (i + 0.5) / size) / stride - 0.5
            x = (x1 + (x2 - x1) * (j + 0.5) / size) / stride - 0.5
            y, x = np.clip(y, 0, rows - 1), np.clip(x, 0, columns - 1)
            for r in {int(y), min(int(y) + 1, rows - 1)}:
                for c in {int(x), min(int(x) + 1, columns - 1)}:
                    weight = (1 - abs(y - r)) * (1 - abs(x - c))
                    found[i, j] += weight * features[r, c]
    return found


def test_it_is_what_loops_find(rng):
    features = rng.normal(size=(2, 6, 9, 3)).astype("f")
    low = rng.uniform(-8, 40, (2, 4, 2))
    boxes = np.concatenate([low, low + rng.uniform(1, 40, (2, 4, 2))], 2).astype("f")
    found = np.array(roi_align(features, boxes, 5, 8.0))
    assert found.shape == (2, 4, 5, 5, 3)
    own = np.repeat(features[:, None, ..., 0], 4, axis=1)
    np.testing.assert_allclose(
        cropped_masks(own, boxes, 5, 8.0), found[..., 0], atol=1e-5
    )
    for picture in range(2):
        for number, box in enumerate(boxes[picture]):
            expected = slowly(features[picture], box, 5, 8.0)
            np.testing.assert_allclose(found[picture, number], expected, atol=1e-5)


def test_it_is_what_tensorflow_crops(rng):
    """Its corners are middles of the first and the last square."""
    features = rng.normal(size=(1, 12, 16, 2)).astype("f")
    boxes = np.array([[[2, 1, 10, 9], [0.5, 3, 15.5, 11]]], "f")
    half = (boxes[0, :, 2:] - boxes[0, :, :2]) / 7 / 2
    corners = np.concatenate([boxes[0, :, :2] + half, boxes[0, :, 2:] - half], 1) - 0.5
    shares = corners[:, [1, 0, 3, 2]] / [11, 15, 11, 15]
    expected = tf.image.crop_and_resize(features, shares, [0, 0], (7, 7))
    np.testing.assert_allclose(roi_align(features, boxes, 7)[0], expected, atol=1e-4)


def test_what_is_pasted_is_found_again():
    """A smooth grid, put into a picture at an eighth of its size and sampled there."""
    y, x = np.mgrid[:6, :6] / 5
    grids = np.stack([x, y * (1 - x)])[None].astype("f")
    boxes = np.array([[[16, 8, 112, 104], [40, 40, 136, 120]]], "f")
    pictures = np.array(pasted_masks(grids, boxes, (16, 20), 8.0))
    assert pictures.shape == (1, 2, 16, 20)
    for number in range(2):
        picture = pictures[0, number][None, ..., None]
        again = roi_align(picture, boxes[:, number][:, None], 6, 8.0)
        np.testing.assert_allclose(
            np.array(again)[0, 0, ..., 0], grids[0, number], atol=0.06
        )
    assert np.isfinite(pasted_masks(grids, boxes * 0, (16, 20), 8.0)).all()
