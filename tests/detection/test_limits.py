from dataclasses import replace

import numpy as np
import pandas as pd

from kerasdl.detection import BoxData, limits
from kerasdl.detection.annotations import BOX


def test_what_can_be_found_needs_no_words(scenes):
    assert limits(BoxData(scenes, 64, seed=0)) == []


def found_in(dataset):
    """Boxes of each photo."""
    every = [labels[..., 4] >= 0 for _, labels in dataset.as_numpy_iterator()]
    return np.concatenate([rows.sum(axis=1) for rows in every]).tolist()


def test_boxes_that_vanish_are_counted(scenes, with_box):
    """A photo of 80 x 60 lies at half its size in a picture of 40 x 40."""
    small = with_box(scenes, 3, x1=10.0, x2=11.5, y1=9.0, y2=12.0)
    small = with_box(small, 4, x1=10.0, x2=13.0, y1=9.0, y2=12.0)
    data = BoxData(small, 40, seed=0)
    gone = (
        "1 of 18 boxes show less than a pixel in pictures of 40 x 40: they are not "
        "trained on"
    )
    assert limits(data) == [gone]
    # The other has 1.5 pixels: between points 2 apart .73 of what holds one as well, 4
    # apart .3.
    assert limits(data, stride=2)[:1] == [gone]
    assert limits(data, stride=4) == [
        gone,
        "1 of 18 boxes are too small in pictures of 40 x 40 for a stride of 4: between "
        "its points they are neither trained on nor found",
    ]
    assert sum(found_in(data.train)) + sum(found_in(data.valid)) == 17


def test_boxes_that_a_crop_cuts_are_counted(scenes, with_box):
    """Of a photo of 80 x 60 a square crop shows the columns from 10 to 70."""
    middle = replace(scenes, boxes=scenes.boxes.assign(x1=20.0, x2=40.0))
    cut = with_box(middle, 3, x1=0.0, x2=13.0)  # .23 of it
    cut = with_box(cut, 4, x1=0.0, x2=14.0)  # .29
    data = BoxData(cut, 60, resize="crop", seed=0)
    assert limits(data) == [
        "1 of 18 boxes show less than a pixel or a quarter of themselves in pictures "
        "of 60 x 60: they are not trained on"
    ]
    assert sum(found_in(data.train)) + sum(found_in(data.valid)) == 17


def test_batches_have_all_of_many_boxes(scenes):
    corners = [[x, y, x + 4, y + 4] for y in (0, 9) for x in range(60)]
    file = scenes.photos.index[2]
    many = pd.DataFrame(corners, columns=BOX).assign(file=file, label="red")
    rows = [*scenes.boxes.to_dict("records"), *many.to_dict("records")]
    photos = scenes.photos.to_dict("index")
    crowded = scenes.of(scenes.root, ["blue", "red"], photos, rows)
    data = BoxData(crowded, (60, 80), seed=0)
    assert limits(data) == [
        "photos of more than 100 objects: 1, of up to 122; all are trained on, 100 a "
        "photo found at most"
    ]
    assert max(found_in(data.valid)) == 122


def test_boxes_that_stand_for_masks_are_counted(scenes):
    data = BoxData(scenes, 64, masks=True, seed=0)
    assert limits(data) == ["no masks: boxes stand for them"]
    x1, y1, x2, y2 = scenes.boxes[BOX].iloc[0]
    masks = [[[x1, y1, x2, y1, x2, y2]]] + [None] * 17
    one = replace(scenes, boxes=scenes.boxes.assign(mask=pd.Series(masks)))
    assert limits(BoxData(one, 64, masks=True, seed=0)) == [
        "17 of 18 boxes have no mask, and stand for it"
    ]
