"""What users' code reads of a flow: the public attributes of the legacy class's."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tensorflow.keras.preprocessing.image import ImageDataGenerator as Legacy

from kerasdl.data.generator import ImageDataGenerator

PIXELS = np.random.default_rng(0).integers(0, 256, (7, 8, 8, 3), "uint8")
LABELS = np.arange(7) % 2
# Steps of the legacy class's own work, which nobody calls.
INNER = {"set_processing_attrs", "get_classes"}


@pytest.fixture
def photos(tmp_path):
    for number, (pixels, label) in enumerate(zip(PIXELS, LABELS, strict=True)):
        path = tmp_path / "ab"[label] / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(path)
    return tmp_path


def from_directory(generator, photos, **options):
    return generator(validation_split=0.3).flow_from_directory(
        photos, (8, 8), batch_size=3, **options
    )


def from_dataframe(generator, photos, **options):
    files = [path.relative_to(photos).as_posix() for path in photos.rglob("*.png")]
    table = pd.DataFrame({"filename": sorted(files)})
    table["class"] = [file[0] for file in table["filename"]]
    return generator(validation_split=0.3).flow_from_dataframe(
        table, str(photos), target_size=(8, 8), batch_size=3, **options
    )


def from_arrays(generator, photos, **options):
    return generator(validation_split=0.3).flow(PIXELS, LABELS, batch_size=3, **options)


FLOWS = (from_directory, from_dataframe, from_arrays)


def public(thing):
    return {name for name in dir(thing) if not name.startswith("_")} - INNER


@pytest.mark.parametrize("subset", [None, "training", "validation"])
@pytest.mark.parametrize("make", FLOWS)
def test_all_are_there_with_the_same_values(photos, make, subset):
    ours, theirs = (
        make(generator, photos, shuffle=False, seed=1, subset=subset)
        for generator in (ImageDataGenerator, Legacy)
    )
    assert public(theirs) <= public(ours)
    assert ours.image_data_generator is ours.generator
    values = public(theirs) - {"image_data_generator", "index_generator", "lock"}
    for name in values:
        found, expected = getattr(ours, name), getattr(theirs, name)
        if callable(expected):
            assert callable(found)
        elif name == "directory":
            assert str(found) == str(expected)
        else:
            np.testing.assert_array_equal(found, expected, err_msg=name)
    assert public(Legacy()) <= public(ImageDataGenerator())
    for axis in ("row_axis", "col_axis", "channel_axis"):
        assert getattr(ImageDataGenerator(), axis) == getattr(Legacy(), axis)


@pytest.mark.parametrize("make", FLOWS)
def test_places_go_on_as_in_the_legacy_class(photos, make):
    ours, theirs = (
        make(generator, photos, shuffle=False, seed=1)
        for generator in (ImageDataGenerator, Legacy)
    )
    names = ("batch_index", "total_batches_seen", "index_array")
    for step in ("next", "next", "next", "next", "reset", "next", "item", "indices"):
        for flow in (ours, theirs):
            if step == "next":
                next(flow)
            elif step == "reset":
                flow.reset()
            elif step == "item":
                flow[1]
            else:
                np.testing.assert_array_equal(next(flow.index_generator), [3, 4, 5])
        for name in names:
            np.testing.assert_array_equal(
                getattr(ours, name), getattr(theirs, name), err_msg=f"{step} {name}"
            )


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("make", FLOWS)
def test_the_images_of_a_batch_are_named(photos, make, shuffle):
    flow = make(ImageDataGenerator, photos, shuffle=shuffle, seed=3)
    plain = make(ImageDataGenerator, photos, shuffle=False)
    whole = np.concatenate([next(plain)[0] for _ in range(len(plain))])
    for step in range(7):
        images, _ = next(flow)
        start = step % 3 * 3
        assert flow.batch_index == (step + 1) % 3
        rows = flow.index_array[start : start + 3]
        np.testing.assert_array_equal(images, whole[rows])
    assert flow.total_batches_seen == 7


def test_a_batch_index_that_is_set_is_where_it_goes_on(photos):
    flow = from_arrays(ImageDataGenerator, photos, shuffle=False)
    next(flow)
    flow.batch_index = 0
    np.testing.assert_array_equal(next(flow)[0], PIXELS[:3])


def test_batches_that_keras_takes_are_counted(photos):
    flow = from_directory(ImageDataGenerator, photos, class_mode=None, shuffle=True)
    assert len([*flow.dataset()]) == 3
    assert flow.total_batches_seen == 3
    assert sorted(flow.index_array) == [*range(7)]
