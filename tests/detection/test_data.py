from dataclasses import replace

import cv2
import keras
import numpy as np
import pytest

from kerasdl import batches, learner
from kerasdl.data import Augment
from kerasdl.detection import BoxBatches, BoxData, with_boxes
from kerasdl.detection.annotations import BOX
from kerasdl.detection.box_batches import CLASS, IGNORED


@pytest.fixture
def data(scenes):
    return BoxData(scenes, image_size=64, batch_size=4, seed=0)


def hull(image, colour, tolerance=60):
    """The box around the pixels of a colour: what `labels` must say, found by eye."""
    found = (abs(image.astype(int) - colour) < tolerance).all(axis=-1)
    rows, columns = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
    return [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]


@pytest.fixture
def one_square(tmp_path, draw_scenes):
    """A photo of 90 x 120 with one red rectangle, as annotations."""
    annotations = draw_scenes(tmp_path, count=2, size=(90, 120), splits=("train",))
    pixels = np.full((90, 120, 3), 128, np.uint8)
    pixels[30:70, 40:90] = (220, 20, 20)
    cv2.imwrite(str(tmp_path / "images/001.png"), pixels[..., ::-1])
    boxes = annotations.boxes.iloc[:1].assign(
        label="red", x1=40.0, y1=30.0, x2=90.0, y2=70.0
    )
    return replace(annotations, boxes=boxes).take(["images/001.png"])


AUGMENTS = {
    "plain": None,
    "turned": Augment(rotation_range=30),
    "sheared": Augment(shear_range=20),
    "mirrored": Augment(horizontal_flip=True, vertical_flip=True),
    "moved": Augment(width_shift_range=0.3, height_shift_range=0.3),
    "zoomed": Augment(zoom_range=(0.5, 2), same_zoom=False),
}


@pytest.mark.parametrize("resize", ["pad", "squash", "crop"])
@pytest.mark.parametrize("augment", AUGMENTS.values(), ids=AUGMENTS)
def test_a_box_lies_where_the_pixels_of_its_object_do(one_square, augment, resize):
    photos = BoxBatches(
        one_square, 160, 1, resize, augment=augment, max_pixels=10**6, seed=3
    )
    for epoch in range(4):
        images, labels = photos.batch(epoch, 0)
        assert labels[0, :, CLASS].tolist() == [1]
        seen = hull(images[0], (220, 20, 20))
        # Half a pixel of what bilinear sampling blends, on either side.
        np.testing.assert_allclose(labels[0, 0, :4], seen, atol=1.6)


def test_boxes_of_a_mosaic_lie_where_their_pixels_do(one_square):
    photos = BoxBatches(one_square, 160, 1, mosaic=1.0, max_pixels=10**6, seed=3)
    assert photos.max_boxes == 4
    count = 0
    for epoch in range(6):
        images, labels = photos.batch(epoch, 0)
        for box in labels[0, labels[0, :, CLASS] >= 0, :4]:
            count += 1
            x1, y1, x2, y2 = np.rint(box).astype(int)
            inside = images[0, y1 + 2 : y2 - 2, x1 + 2 : x2 - 2]
            assert (abs(inside.astype(int) - (220, 20, 20)) < 60).all()
    assert count > 6, count  # of at most 24


def test_batches_are_as_they_say(data):
    images, labels = next(iter(data.train))
    count = data.train.element_spec[1].shape[1]
    assert images.shape == (4, 64, 64, 3) and images.dtype == "float32"
    assert labels.shape == (4, count, 6)
    counts = (labels.numpy()[..., CLASS] >= 0).sum(axis=1)
    assert set(counts) <= {0, 2}
    assert (labels.numpy()[counts == 0][..., CLASS] == -1).all()


def test_validation_keeps_its_order_and_photos_without_boxes(data):
    labels = np.concatenate([part for _, part in data.valid])[..., CLASS]
    boxes = data.of_split("valid").boxes
    counts = boxes["file"].value_counts()
    expected = [counts.get(file, 0) for file in data.files("valid")]
    assert (labels >= 0).sum(axis=1).tolist() == expected
    assert 0 in expected


def test_difficult_boxes_and_crowds_are_flagged(scenes, with_box):
    first = scenes.boxes["file"][0]
    flagged = with_box(with_box(scenes, 0, difficult=True), 1, crowd=True).take([first])
    photos = BoxBatches(flagged, 64, 1, max_pixels=10**6)
    assert photos.batch(0, 0)[1][..., IGNORED].tolist() == [[1, 1]]


def test_a_view_that_would_lose_every_box_is_not_moved(one_square):
    away = Augment(width_shift_range=1, height_shift_range=1)
    photos = BoxBatches(one_square, 64, 1, augment=away, max_pixels=10**6)
    for epoch in range(8):
        assert photos.batch(epoch, 0)[1][..., CLASS].tolist() == [[1]]


def test_a_box_of_which_too_little_is_seen_is_dropped(one_square):
    two = one_square.boxes.iloc[[0, 0]].assign(x1=[0.0, 40.0], x2=[34.0, 90.0])
    crop = replace(one_square, boxes=two.reset_index(drop=True))
    photos = BoxBatches(crop, 90, 1, "crop", max_pixels=10**6)
    # The crop begins at 15 and shows 19 of 34 columns; of the mirror image 25 cut off.
    np.testing.assert_allclose(
        photos.batch(0, 0)[1][0, :, :4],
        [[0, 30, 19, 70], [25, 30, 75, 70]],
        atol=0.01,
    )
    crop.boxes["x2"] = [18.0, 90.0]
    photos = BoxBatches(crop, 90, 1, "crop", max_pixels=10**6)
    assert photos.batch(0, 0)[1][..., CLASS].tolist() == [[1, -1]]


def test_a_batch_is_a_function_of_seed_epoch_and_index(scenes):
    first, again = (
        BoxData(scenes, 64, 4, augment="scenes", mosaic=0.5, seed=5) for _ in range(2)
    )
    again.start_epoch(1)
    passes = [list(first.train), list(first.train)][1]
    for (images, labels), (images_2, labels_2) in zip(passes, again.train, strict=True):
        np.testing.assert_array_equal(images, images_2)
        np.testing.assert_array_equal(labels, labels_2)


def test_shares_of_a_batch_are_its_parts(scenes):
    data = BoxData(scenes, 64, 4, mosaic=1.0, seed=5)
    data.start_epoch(0)
    whole = list(data.train)
    data.start_epoch(0)
    parts = list(batches.shares(data.train, [0, 1], 2))
    (first, _), (second, _) = parts[:2]
    np.testing.assert_array_equal(
        np.concatenate([first[0], second[0]]), whole[0][0].numpy()
    )
    np.testing.assert_array_equal(second[1], whole[0][1][2:])


def test_it_is_training_data(data):
    assert batches.is_training_data(data)
    next(iter(data.train))
    assert set(data.batch_files(0)) <= set(data.files("train"))
    model = keras.Sequential(
        [
            keras.Input((64, 64, 3)),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(4),
        ]
    )
    model.compile("sgd", lambda true, found: keras.ops.mean(found**2, axis=-1))
    history = learner.Learner(model, data).fit(1e-6)
    assert len(history) == 1


def test_splits_are_drawn_where_none_is_said(draw_scenes, tmp_path):
    scenes = draw_scenes(tmp_path, count=20, splits=("",))
    data, again = (BoxData(scenes, 64, valid_fraction=0.25, seed=1) for _ in range(2))
    assert len(data.files("valid")) == 5
    assert data.files("valid") == again.files("valid")
    assert data.counts().loc["valid"].tolist() == [4, 4]


def test_photos_in_no_split_are_not_used(scenes, capsys):
    scenes.photos.loc["images/003.png", "split"] = ""
    data = BoxData(scenes, 64, seed=1)
    assert "images/003.png" not in data.annotations.photos.index
    assert "1 photos are in no split" in capsys.readouterr().out


def test_exclude_and_max_train(scenes):
    data = BoxData(scenes, 64, exclude=["images/001.png"], max_train=4, seed=1)
    assert len(data.files("train")) == 4
    assert "images/001.png" not in data.annotations.photos.index
    assert len(data.files("valid")) == 4


def test_facts_follow_what_decides_the_batches(data, scenes, with_box):
    assert data.facts() == BoxData(scenes, 64, 4, seed=0).facts()
    # As versions wrote it that had no other digest.
    assert data.facts()["fingerprint"] == "84a6b78732189de2"
    moved = with_box(scenes, 0, x2=scenes.boxes["x2"][0] - 1)
    others = [BoxData(moved, 64, 4, seed=0), data.with_image_size(32)]
    others.append(BoxData(with_box(scenes, 0, crowd=True), 64, 4, seed=0))
    others.append(BoxData(scenes, 64, 4, "scenes", seed=0))
    assert all(other.facts() != data.facts() for other in others)


def test_a_run_does_not_go_on_with_other_masks(data, scenes, with_box):
    x1, y1, x2, y2 = scenes.boxes[BOX].to_numpy()[0].tolist()
    polygon = [x1, y1, x2, y1, x2, y2, x1, y2]
    masks = [polygon], [[*polygon[:4], x1, y2]], [polygon[:4] + [x2, y2 - 1, x1, y2]]
    found = [with_box(scenes, 0, mask=mask) for mask in masks]
    facts = [BoxData(one, 64, 4, masks=True, seed=0).facts() for one in found]
    assert len({one["masks_fingerprint"] for one in facts}) == 3
    assert len({one["fingerprint"] for one in facts}) == 1
    # Without their use they change nothing.
    assert BoxData(found[0], 64, 4, seed=0).facts() == data.facts()


def test_another_size_keeps_photos_and_splits(data):
    assert data.with_image_size((32, 48)).files("valid") == data.files("valid")
    assert data.with_image_size((32, 48)).train.element_spec[0].shape[1:3] == (32, 48)


def test_plain_views_and_batches_can_be_seen(data, tmp_path):
    assert data.read("valid", 0).shape == (64, 64, 3)
    data.show_batch(tmp_path / "batch.png")
    assert (tmp_path / "batch.png").stat().st_size > 1000


def test_a_drawn_box_has_its_colour_on_its_edges():
    drawn = with_boxes(np.zeros((50, 60, 3)), np.array([[10, 20, 40, 45]]), ["a"], [0])
    np.testing.assert_array_equal(drawn[44, 10:40], [(230, 159, 0)] * 30)
    assert (drawn[45, :] == 0).all() and (drawn[30:40, 12:38] == 0).all()


@pytest.mark.parametrize("far", [1e12, np.inf, np.nan])
def test_what_lies_far_beyond_a_picture_is_drawn_in_it(far):
    box = np.array([[-far, 20, far, 45]])
    drawn = with_boxes(np.zeros((50, 60, 3)), box, ["a"], [0])
    assert drawn.shape == (50, 60, 3)
    if not np.isnan(far):
        np.testing.assert_array_equal(drawn[44], [(230, 159, 0)] * 60)


def test_counts_have_each_split_that_has_photos(scenes):
    train = scenes.of_split("train")
    counts = replace(scenes, boxes=train.boxes).counts()
    assert counts.index.tolist() == ["train", "valid"]
    assert counts.loc["valid"].tolist() == [0, 0]
    none = replace(scenes, boxes=scenes.boxes[:0]).counts()
    assert none.to_numpy().tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_size": 0}, "`image_size` must be one side"),
        ({"batch_size": 0}, "`batch_size` must be an integer of at least 1"),
        ({"augment": "chapter"}, "`augment` must be one of 'scenes'"),
        ({"mosaic": 2}, "`mosaic` must be from 0 to 1"),
        ({"valid_fraction": -1}, "`valid_fraction` must be from 0 to 1"),
        ({"on_error": "ignore"}, "`on_error` must be one of 'skip', 'raise'"),
        ({"max_train": 0}, "`max_train` must be an integer of at least 1"),
        ({"resize": "fit"}, "`resize` must be one of 'crop', 'squash', 'pad'"),
        ({"exclude": [f"images/{n:03}.png" for n in range(12)]}, "A photo must be le"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_arguments_are_checked(scenes, arguments, message):
    with pytest.raises(ValueError, match=message):
        BoxData(scenes, seed=0, **arguments)


def test_there_must_be_photos_for_training(scenes):
    with pytest.raises(ValueError, match="photos for training and for validation"):
        BoxData(scenes.of_split("valid"), seed=0)


@pytest.mark.parametrize(
    ("names", "message"),
    [(["red", "red"], "must have each class once"), (["red", ""], "names of one line")],
)
def test_names_of_classes_are_checked(scenes, names, message):
    with pytest.raises(ValueError, match=message):
        BoxData(replace(scenes, class_names=names), 64, seed=0)


def test_there_must_be_boxes_for_training(scenes):
    with pytest.raises(ValueError, match="boxes on training photos.*none on 8 photos"):
        BoxData(replace(scenes, boxes=scenes.boxes[:0]), 64, seed=0)


def test_the_split_must_be_there(data):
    with pytest.raises(ValueError, match="`split` must be one of 'train', 'valid'"):
        data.of_split("test")


def test_a_photo_that_is_cut_is_named_and_left_out(scenes):
    data = BoxData(scenes, 64, 4, seed=0)
    path = scenes.root / data.files("train")[0]
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.warns(UserWarning, match=r"left out .*\.png: (damaged|truncated)"):
        total = sum(len(images) for images, _ in data.train)
    assert total == 7


def test_columns_of_boxes_are_edges(scenes):
    photos = BoxBatches(scenes.of_split("valid"), (60, 80), 1, max_pixels=10**6)
    file = scenes.of_split("valid").photos.index[0]
    boxes = scenes.boxes[scenes.boxes["file"] == file]
    np.testing.assert_allclose(photos.batch(0, 0)[1][0, :, :4], boxes[BOX], atol=1e-4)
