import gc
import json
import sys
import tracemalloc
import warnings
from hashlib import sha256

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kerasdl.batches._stream import BatchStream
from kerasdl.data import Augment, ImageError, PhotoBatches, image_folder, shares
from kerasdl.data._label_modes import encode_labels
from kerasdl.data.augment import side_on

SIZE = 20
COUNTS = {"ants": 13, "bees": 8}
FILES = [f"{name}/{i:02}.png" for name, count in COUNTS.items() for i in range(count)]
LABELS = np.repeat([0, 1], [13, 8])


def save_photo(path, seed, side=SIZE):
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC).save(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """PNG files of `SIZE`, so that a plain view is the file's own pixels."""
    folder = tmp_path_factory.mktemp("photos")
    for name in COUNTS:
        (folder / name).mkdir()
    for seed, file in enumerate(FILES):
        save_photo(folder / file, seed)
    return folder


@pytest.fixture(scope="module")
def pixels(folder):
    return np.stack([np.asarray(Image.open(folder / file)) for file in FILES])


@pytest.fixture
def photos(folder):
    """A function that builds PhotoBatches of all files."""

    def build(batch_size=6, labels=LABELS, size=SIZE, **options):
        paths = [folder / file for file in FILES]
        return PhotoBatches(paths, labels, size, batch_size, **options)

    return build


@pytest.fixture
def damaged_folder(tmp_path):
    """Ten files of two classes, two of them damaged."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(5):
            save_photo(tmp_path / name / f"{i}.png", i)
    (tmp_path / "a" / "1.png").write_bytes(b"")
    whole = (tmp_path / "b" / "2.png").read_bytes()
    (tmp_path / "b" / "2.png").write_bytes(whole[:60])
    return tmp_path


def epoch_of(batches, epoch):
    """Images and labels of a whole epoch."""
    taken = [batches.batch(epoch, i) for i in range(batches.stream.num_batches)]
    return tuple(np.concatenate(arrays) for arrays in zip(*taken, strict=True))


def one_pass(dataset):
    return tuple(
        np.concatenate(a) for a in zip(*dataset.as_numpy_iterator(), strict=True)
    )


def digest(*arrays):
    return sha256(
        b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)
    ).hexdigest()


# What is read


def test_pixels_and_labels_come_in_file_order(folder, pixels, capsys):
    dataset, class_names = image_folder(folder, SIZE, 4, shuffle=False, seed=1)
    assert class_names == ["ants", "bees"]
    assert "2 classes: ants, bees" in capsys.readouterr().out
    assert dataset.element_spec == (
        tf.TensorSpec((None, SIZE, SIZE, 3), tf.float32),
        tf.TensorSpec((None, 1), tf.float32),
    )
    assert dataset.cardinality() == 6
    sizes = [len(labels) for _, labels in dataset]
    assert sizes == [4, 4, 4, 4, 4, 1]
    gc.collect()  # nothing but the dataset holds on to what it needs
    for _ in range(2):
        images, labels = one_pass(dataset)
        np.testing.assert_array_equal(images, pixels)
        np.testing.assert_array_equal(labels, LABELS[:, None])


def test_every_format_becomes_rgb(tmp_path):
    photo = Image.fromarray(np.full((30, 30, 3), (200, 100, 50), np.uint8))
    for name, mode in [
        ("jpeg.jpg", "RGB"),
        ("gray.jpg", "L"),
        ("cmyk.jpg", "CMYK"),
        ("palette.png", "P"),
        ("alpha.png", "RGBA"),
        ("photo.bmp", "RGB"),
        ("photo.gif", "RGB"),
        ("photo.webp", "RGB"),
    ]:
        for class_name in ("a", "b"):
            (tmp_path / class_name).mkdir(exist_ok=True)
            photo.convert(mode).save(tmp_path / class_name / name)
    dataset, _ = image_folder(
        tmp_path, (10, 14), resize="squash", shuffle=False, seed=0
    )
    images, _ = one_pass(dataset)
    assert images.shape == (16, 10, 14, 3)
    gray = np.asarray(photo.convert("L"))[0, 0]
    for image, name in zip(images, sorted((tmp_path / "a").iterdir()), strict=False):
        expected = (gray, gray, gray) if "gray" in name.name else (200, 100, 50)
        np.testing.assert_allclose(image.mean((0, 1)), expected, atol=4)


def test_rotated_by_exif(tmp_path):
    upright = np.zeros((40, 40, 3), np.uint8)
    upright[:20] = 255  # bright above
    exif = Image.Exif()
    exif[0x0112] = 3  # stored upside down
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        path = tmp_path / name / "photo.jpg"
        Image.fromarray(upright[::-1]).save(path, exif=exif, quality=95)
    images, _ = one_pass(image_folder(tmp_path, SIZE, seed=0)[0])
    assert images[:, : SIZE // 2 - 1].min() > 200
    assert images[:, SIZE // 2 + 1 :].max() < 55


def test_labels_in_every_mode():
    labels = np.array([0, 1, 1])
    binary = encode_labels(labels, 2, "binary")
    np.testing.assert_array_equal(binary, [[0.0], [1.0], [1.0]])
    np.testing.assert_array_equal(encode_labels(labels, 2, None), binary)
    one_hot = encode_labels(labels, 3, "categorical")
    np.testing.assert_array_equal(one_hot, keras.utils.to_categorical(labels, 3))
    np.testing.assert_array_equal(encode_labels(labels, 3, None), one_hot)
    np.testing.assert_array_equal(encode_labels(labels, 3, "int"), labels)
    types = [encode_labels(labels, 2, mode).dtype for mode in ("int", "binary")]
    assert types == [np.int32, np.float32]


def test_order_and_labels_stay_together_when_shuffled(photos, pixels):
    labels = np.arange(len(FILES))
    images, numbers = epoch_of(photos(labels=labels, shuffle=True, seed=3), 0)
    assert sorted(numbers) == list(range(len(FILES)))
    assert list(numbers) != sorted(numbers)
    np.testing.assert_array_equal(images, pixels[numbers])


def test_an_order_is_drawn_for_each_epoch_and_seed(photos):
    orders = {
        tuple(photos(shuffle=True, seed=seed).plan.order(epoch))
        for seed in (0, 1)
        for epoch in range(3)
    }
    assert len(orders) == 6


@pytest.mark.parametrize("augment", [None, "none", "side_on"])
def test_shuffled_unless_asked_for_file_order(folder, augment):
    options = {"augment": augment, "label_mode": "int", "seed": 5}
    dataset, _ = image_folder(folder, SIZE, **options)
    passes = [one_pass(dataset)[1] for _ in range(2)]
    for labels in passes:
        assert (labels != LABELS).any()
        np.testing.assert_array_equal(np.sort(labels), LABELS)
    assert (passes[0] != passes[1]).any()
    dataset, _ = image_folder(folder, SIZE, shuffle=False, **options)
    np.testing.assert_array_equal(one_pass(dataset)[1], LABELS)


# Draws


def test_a_draw_is_a_function_of_seed_epoch_and_position(photos):
    whole = photos(augment=side_on(), shuffle=True, seed=8)
    first, later = epoch_of(whole, 0), epoch_of(whole, 3)
    assert digest(*first) != digest(*later)
    again = photos(augment=side_on(), shuffle=True, seed=8)
    assert digest(*epoch_of(again, 3)) == digest(*later)
    assert digest(*epoch_of(again, 0)) == digest(*first)
    other = photos(augment=side_on(), shuffle=True, seed=9)
    assert digest(*epoch_of(other, 0)) != digest(*first)


@pytest.mark.parametrize("batch_size", [1, 5, 64])
def test_the_batch_size_does_not_change_the_draws(photos, batch_size):
    few = photos(batch_size, augment="top_down", shuffle=True, seed=2)
    expected = epoch_of(photos(augment="top_down", shuffle=True, seed=2), 1)
    assert digest(*epoch_of(few, 1)) == digest(*expected)


@pytest.mark.parametrize("workers", [1, 5])
def test_the_number_of_workers_does_not_change_the_draws(photos, workers):
    batches = photos(augment="chapter", shuffle=True, seed=2)
    expected = epoch_of(batches, 0)
    batches.stream = BatchStream(batches.batch, batches.stream.num_batches, workers)
    assert digest(*one_pass(batches.dataset())) == digest(
        expected[0].astype("float32"), expected[1]
    )


def test_a_resumed_pass_is_the_one_it_would_have_been(photos):
    options = {"augment": "side_on", "shuffle": True, "seed": 4}
    dataset = photos(**options).dataset()
    passes = [one_pass(dataset) for _ in range(3)]
    resumed = photos(**options)
    resumed.stream.next_epoch = 2
    assert digest(*one_pass(resumed.dataset())) == digest(*passes[2])
    assert len({digest(*one) for one in passes}) == 3


def test_two_passes_over_plain_photos_are_equal_also_at_once(photos):
    dataset = photos().dataset()
    for (a, x), (b, y) in zip(dataset, dataset, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(x, y)


def test_augmented_images_differ_and_stay_pixels(photos, pixels):
    for augment in ("side_on", "top_down", "chapter"):
        images, _ = epoch_of(photos(augment=augment, seed=1), 0)
        assert images.dtype == np.uint8
        assert all((a != b).any() for a, b in zip(images, pixels, strict=True))


def test_brightness_of_a_whole_batch_is_drawn_image_by_image(photos, pixels):
    images, _ = epoch_of(photos(augment=Augment(brightness=0.2), seed=1), 0)
    change = images.astype(int) - pixels
    inside = (images > 0) & (images < 255)
    added = [one[mask] for one, mask in zip(change, inside, strict=True)]
    assert max(np.ptp(one) for one in added) <= 2
    assert len({int(np.median(one)) for one in added}) > 10


def test_another_process_sees_the_same_also_deterministic_and_mixed(
    folder, forks, programs
):
    command = [programs / "digests_of_batches.py", folder, SIZE]
    ((code, printed, errors),) = forks(command)
    assert code == 0, errors
    theirs = json.loads(printed.splitlines()[-1])
    assert theirs.pop("loss")
    for augment, digests in theirs.items():
        dataset, _ = image_folder(folder, SIZE, 6, augment, label_mode="int", seed=11)
        assert digests == [digest(*one_pass(dataset)) for _ in range(2)], augment
        assert len(set(digests)) == 2


# RandAugment


def test_rand_augment_repeats_and_stays_pixels(photos, pixels):
    batches = photos(augment="rand_augment", shuffle=False, seed=6)
    images, labels = epoch_of(batches, 1)
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(labels, LABELS)
    assert sum((a != b).any() for a, b in zip(images, pixels, strict=True)) > 15
    again, _ = batches.batch(1, 2)
    np.testing.assert_array_equal(again, images[12:18])
    other, _ = batches.batch(2, 2)
    assert (other != again).any()
    (floats, _) = next(iter(batches.dataset()))
    assert floats.dtype == tf.float32
    assert 0 <= floats.numpy().min() <= floats.numpy().max() <= 255


def test_rand_augment_draws_image_by_image(folder):
    batches = PhotoBatches(
        [folder / FILES[0]] * 40, LABELS[[0] * 40], SIZE, 40, augment="rand_augment"
    )
    images, _ = batches.batch(0, 0)
    assert len({image.tobytes() for image in images}) > 35


def test_rand_augment_without_keras_cv(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_cv", None)
    with pytest.raises(ImportError, match=r"'keras_cv'.*pip install 'kerasdl\[cv\]'"):
        image_folder(folder, SIZE + 1, augment="rand_augment", seed=0)


# Damaged files


def test_damaged_files_are_named_once_and_left_out(damaged_folder):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        options = {"label_mode": "int", "shuffle": False, "seed": 0}
        dataset, _ = image_folder(damaged_folder, SIZE, 4, **options)
        for _ in range(3):
            images, labels = one_pass(dataset)
            assert len(images) == 8
            np.testing.assert_array_equal(labels, [0] * 4 + [1] * 4)
    messages = [str(w.message) for w in caught if "left out" in str(w.message)]
    assert len(messages) == 2
    assert any("1.png: empty file (" in message for message in messages)
    assert any("2.png: truncated (" in message for message in messages)
    assert {message[-10:] for message in messages} == {"(1 so far)", "(2 so far)"}
    assert dataset.cardinality() == 3


def test_the_others_keep_their_draws(damaged_folder, tmp_path_factory):
    paths = [damaged_folder / "b" / f"{i}.png" for i in range(5)]
    labels = np.arange(5)
    options = {"augment": "side_on", "seed": 3}
    with pytest.warns(UserWarning, match=r"left out .*2\.png"):
        images, kept = PhotoBatches(paths, labels, SIZE, 5, **options).batch(0, 0)
    assert list(kept) == [0, 1, 3, 4]
    save_photo(paths[2], 2)
    whole, _ = PhotoBatches(paths, labels, SIZE, 5, **options).batch(0, 0)
    np.testing.assert_array_equal(images, whole[kept])


def test_damaged_files_are_counted_by_name(damaged_folder):
    paths = sorted(damaged_folder.glob("*/*.png"))
    batches = PhotoBatches(paths, np.zeros(10), SIZE, 10)
    with pytest.warns(UserWarning, match="left out"):
        batches.batch(0, 0)
    assert batches.damaged == {
        str(damaged_folder / "a" / "1.png"): "empty file",
        str(damaged_folder / "b" / "2.png"): "truncated",
    }


def test_a_damaged_file_stops_the_pass_by_name(damaged_folder):
    dataset, _ = image_folder(
        damaged_folder, SIZE, 2, shuffle=False, on_error="raise", seed=0
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"a/1\.png: empty file"):
        one_pass(dataset)


def test_a_damaged_batch_is_replaced_where_order_does_not_matter(damaged_folder):
    paths = sorted(damaged_folder.glob("*/*.png"))
    shuffled = PhotoBatches(paths, np.arange(10), SIZE, 1, shuffle=True, seed=1)
    with pytest.warns(UserWarning, match="left out"):
        _, labels = one_pass(shuffled.dataset())
    assert len(labels) == 10  # so many batches were promised
    assert set(labels) == {0, 2, 3, 4, 5, 6, 8, 9}
    _, again = epoch_of(shuffled, 0)
    np.testing.assert_array_equal(again, labels)


@pytest.mark.parametrize("batch_size", [1, 2])
@pytest.mark.parametrize("damaged", [(0, 1), (4, 5), (8, 9), (1, 4, 5, 6, 7, 9)])
def test_a_damaged_batch_in_file_order_is_left_out(tmp_path, batch_size, damaged):
    paths = [tmp_path / f"{number}.png" for number in range(10)]
    for number, path in enumerate(paths):
        save_photo(path, number)
    for number in damaged:
        paths[number].write_bytes(b"")
    good = [number for number in range(10) if number not in damaged]
    model = keras.Sequential(
        [keras.Input((SIZE, SIZE, 3)), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    model.compile("sgd", "mse", metrics=["mae"])
    expected = model.predict(np.stack([np.array(Image.open(paths[i])) for i in good]))
    for labels in (np.arange(10, dtype="float32"), None):
        batches = PhotoBatches(paths, labels, SIZE, batch_size)
        with pytest.warns(UserWarning, match="left out"):
            dataset = batches.dataset()
            taken = list(dataset)
        assert (
            len(taken) == dataset.cardinality() == len({i // batch_size for i in good})
        )
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of Keras, if there were fewer batches
            outputs = model.predict(dataset, verbose=0)
        np.testing.assert_allclose(outputs, expected, rtol=1e-4)
        if labels is None:
            continue
        np.testing.assert_array_equal(np.concatenate([y for _, y in taken]), good)
        found = model.evaluate(dataset, return_dict=True, verbose=0)
        np.testing.assert_allclose(
            found["mae"], abs(expected[:, 0] - good).mean(), 1e-4
        )
        shared = shares(dataset, [0, 1], 2)
        assert sum(int(rows) for _, rows in shared) == len(good)


def test_a_damaged_batch_in_file_order_is_an_error_by_itself(damaged_folder):
    paths = sorted(damaged_folder.glob("*/*.png"))
    batches = PhotoBatches(paths, np.arange(10), SIZE, 1)
    with (
        pytest.warns(UserWarning, match="left out"),
        pytest.raises(ImageError, match=r"a/1\.png: every image of a batch is damaged"),
    ):
        batches.batch(0, 1)


def test_nothing_but_damaged_files_is_an_error(damaged_folder):
    path = damaged_folder / "a" / "1.png"
    batches = PhotoBatches([path] * 3, np.zeros(3), SIZE, 1, shuffle=True)
    with pytest.warns(UserWarning), pytest.raises(ImageError, match="every image"):
        batches.batch(0, 0)
    batches = PhotoBatches([path] * 3, np.zeros(3), SIZE, 1)
    with pytest.warns(UserWarning), pytest.raises(ImageError, match="every image is"):
        batches.dataset()


# Training


def test_fit_needs_nothing_else(folder):
    dataset, _ = image_folder(folder, SIZE, 5, augment="side_on", seed=0)
    model = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Flatten(),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        history = model.fit(dataset, epochs=3, shuffle=False, verbose=0).history
    assert len(history["loss"]) == 3


def test_memory_does_not_grow_with_the_number_of_files(folder):
    def peak(copies):
        paths = [str(folder / file) for file in FILES] * copies
        labels = np.tile(LABELS, copies)
        tracemalloc.start()
        batches = PhotoBatches(
            paths, labels, SIZE, 16, augment="side_on", shuffle=True, seed=0
        )
        before = tracemalloc.get_traced_memory()[0]
        for epoch in range(2):
            for index in range(4):
                batches.stream.take(epoch, index)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most - before

    peak(4)
    # Apart from eight bytes a file for the order of an epoch.
    assert peak(2000) - peak(4) < 4 * 8 * 2000 * len(FILES)


# Arguments


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 0}, "`image_size` must be one side or"),
        ({"image_size": (10, 10, 3)}, "`image_size` must be one side or"),
        ({"batch_size": 0}, "`batch_size` must be an integer of at least 1"),
        ({"augment": "sideways"}, "`augment` must be one of 'none', 'side_on'"),
        ({"shuffle": None}, "`shuffle` must be one of True, False"),
        ({"augment": 3}, "`augment` must be a preset's name, an Augment, or None"),
        ({"augment": "top_down", "image_size": (8, 9)}, "`image_size` must be square"),
        ({"resize": "stretch"}, "`resize` must be one of 'crop', 'squash', 'pad'"),
        ({"label_mode": "one_hot"}, "`label_mode` must be one of 'int', 'binary'"),
        ({"on_error": "ignore"}, "`on_error` must be one of 'skip', 'raise'"),
        ({"seed": -1}, "`seed` must be None or an integer"),
    ],
)
def test_wrong_arguments(folder, options, message):
    with pytest.raises(ValueError, match=message):
        image_folder(folder, **{"seed": 0, "image_size": SIZE, **options})


def test_binary_is_for_two_classes():
    with pytest.raises(ValueError, match="`label_mode` must be 'int' or 'categorical'"):
        encode_labels(np.array([0, 1, 2]), 3, "binary")


def test_a_folder_without_classes(tmp_path):
    with pytest.raises(ValueError, match="`directory` must hold at least two folders"):
        image_folder(tmp_path)
    with pytest.raises(ValueError, match="`directory` must be an existing directory"):
        image_folder(tmp_path / "missing")
