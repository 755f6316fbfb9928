"""Flows in use: in `fit`, by `next`, as tf.data; order, draws and damaged files."""

import threading
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kerasdl.data.generator import ImageDataGenerator

AUGMENTED = {"rotation_range": 40, "zoom_range": 0.2, "horizontal_flip": True}


@pytest.fixture(scope="module")
def cats_and_dogs(tmp_path_factory, write_photos):
    """`train` with 13 and `validation` with 7 photos of each class."""

    def pixels(rng, place, _):
        return rng.integers(0, 128, (40, 50, 3), dtype=np.uint8) + 127 * place

    root = tmp_path_factory.mktemp("cats_and_dogs_small")
    splits = {"train": 13, "validation": 7}
    return write_photos(root, splits, ("cats", "dogs"), pixels, file="{}.jpg")


def small_model():
    model = keras.Sequential(
        [
            keras.Input((24, 24, 3)),
            keras.layers.AveragePooling2D(8),
            keras.layers.Flatten(),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        loss="binary_crossentropy",
        optimizer=keras.optimizers.RMSprop(learning_rate=1e-3),
        metrics=["acc"],
        jit_compile=False,
    )
    return model


def array_flow(n=10, batch_size=4, **kwargs):
    images = np.arange(n, dtype="float32").reshape(n, 1, 1, 1) * np.ones((1, 6, 6, 3))
    return ImageDataGenerator().flow(images, np.arange(n), batch_size, **kwargs)


def test_code_of_the_chapter_runs_after_changing_one_import(cats_and_dogs, capsys):
    train_dir = str(cats_and_dogs / "train")
    validation_dir = str(cats_and_dogs / "validation")
    model = small_model()

    train_datagen = ImageDataGenerator(
        rescale=1.0 / 255,
        rotation_range=40,
        width_shift_range=0.2,
        height_shift_range=0.2,
        shear_range=0.2,
        zoom_range=0.2,
        horizontal_flip=True,
        fill_mode="nearest",
    )
    test_datagen = ImageDataGenerator(rescale=1.0 / 255)
    train_generator = train_datagen.flow_from_directory(
        train_dir, target_size=(24, 24), batch_size=5, class_mode="binary"
    )
    validation_generator = test_datagen.flow_from_directory(
        validation_dir, target_size=(24, 24), batch_size=5, class_mode="binary"
    )
    assert "Found 26 images belonging to 2 classes." in capsys.readouterr().out
    for data_batch, labels_batch in train_generator:
        assert data_batch.shape == (5, 24, 24, 3)
        assert labels_batch.shape == (5,)
        break
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # "Your input ran out of data"
        history = model.fit(
            train_generator,
            steps_per_epoch=20,
            epochs=2,
            validation_data=validation_generator,
            validation_steps=9,
            verbose=0,
        )
    assert [*history.history] == ["acc", "loss", "val_acc", "val_loss"]
    assert int(model.optimizer.iterations) == 40

    features = np.zeros((14, 24, 24, 3))
    i = 0
    for inputs_batch, _ in validation_generator:
        features[i * 5 : (i + 1) * 5] = inputs_batch
        i += 1
        if i * 5 >= 14:
            break
    assert features.min() > 0

    img = keras.utils.load_img(f"{train_dir}/cats/3.jpg", target_size=(24, 24))
    x = keras.utils.img_to_array(img).reshape((1, 24, 24, 3))
    shown = 0
    for batch in train_datagen.flow(x, batch_size=1):
        keras.utils.array_to_img(batch[0])
        shown += 1
        if shown % 4 == 0:
            break


def test_fit_without_steps_takes_one_pass_an_epoch(cats_and_dogs):
    flow = ImageDataGenerator(**AUGMENTED).flow_from_directory(
        cats_and_dogs / "train", (24, 24), class_mode="binary", batch_size=5
    )
    model = small_model()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(flow, epochs=3, verbose=0, validation_data=flow)
    assert int(model.optimizer.iterations) == 3 * len(flow) == 18


def test_steps_of_fit_go_on_where_the_last_epoch_of_the_flow_stopped():
    seen = []

    class Watch(keras.Model):
        def train_step(self, data):
            tf.py_function(lambda y: seen.extend(y.numpy()), [data[1]], [])
            return {"loss": 0.0}

    model = Watch()
    model.compile(jit_compile=False)
    flow = array_flow(n=10, batch_size=4, seed=3)
    model.fit(flow, steps_per_epoch=2, epochs=4, verbose=0)
    order = np.concatenate([y for epoch in range(3) for _, y in array_epoch(3, epoch)])
    assert seen == order[: len(seen)].tolist()
    assert len(seen) == 4 + 4 + 2 + 4 + 4 + 2 + 4 + 4
    # The next `fit` begins an epoch nobody has seen: three were begun.
    assert flow.stream.next_epoch == 3


def array_epoch(seed, epoch):
    flow = array_flow(n=10, batch_size=4, seed=seed)
    flow.stream.next_epoch = epoch
    return [next(flow) for _ in range(len(flow))]


def test_predict_and_evaluate_follow_the_order_of_the_files(cats_and_dogs):
    flow = ImageDataGenerator().flow_from_directory(
        cats_and_dogs / "validation",
        (40, 50),
        batch_size=4,
        class_mode="binary",
        color_mode="grayscale",
        shuffle=False,
    )
    next(flow)  # a pass of its own does not begin in the middle
    model = keras.Sequential(
        [keras.Input((40, 50, 1)), keras.layers.GlobalAveragePooling2D()]
    )
    model.compile(loss="mse", jit_compile=False)
    means = [np.mean(Image.open(path).convert("L")) for path in flow.filepaths]
    for kwargs in ({}, {"steps": len(flow)}):
        predicted = model.predict(flow, verbose=0, **kwargs)
        assert predicted.shape == (14, 1)
        np.testing.assert_allclose(predicted[:, 0], means, rtol=0, atol=0.5)
    expected = np.mean((predicted[:, 0] - flow.classes) ** 2)
    assert model.evaluate(flow, verbose=0) == pytest.approx(expected, rel=1e-4)


def test_several_steps_an_execution_predict_each_image_once():
    model = keras.Sequential([keras.Input((6, 6, 3)), keras.layers.Flatten()])
    model.compile(steps_per_execution=2, jit_compile=False)
    flow = array_flow(n=10, batch_size=4, shuffle=False)
    np.testing.assert_array_equal(model.predict(flow, verbose=0)[:, 0], np.arange(10))


@pytest.mark.parametrize("name", ["class_weight", "sample_weight", "y"])
def test_what_keras_would_ignore_beside_a_flow_is_refused(name):
    model = small_model()
    flow = ImageDataGenerator().flow(np.zeros((4, 24, 24, 3)), np.zeros(4))
    value = {0: 1.0, 1: 2.0} if name == "class_weight" else np.ones(4)
    with pytest.raises(ValueError, match=f"`{name}` must be None.*flow.dataset()"):
        model.fit(flow, verbose=0, **{name: value})


def test_class_weights_work_with_the_dataset():
    flow = ImageDataGenerator().flow(np.ones((4, 24, 24, 3)), np.array([0, 0, 1, 1]))
    model = small_model()
    plain = model.evaluate(flow, verbose=0)[0]
    weights = {0: 2.0, 1: 2.0}
    model.compile(
        loss="binary_crossentropy",
        optimizer=keras.optimizers.SGD(0.0),
        jit_compile=False,
    )
    history = model.fit(
        flow.dataset(), class_weight=weights, shuffle=False, epochs=1, verbose=0
    )
    assert history.history["loss"][0] == pytest.approx(2 * plain, rel=1e-5)


def test_next_is_endless_and_iter_is_the_flow_itself():
    flow = array_flow(shuffle=False)
    labels = [next(iter(flow))[1].tolist() for _ in range(5)]
    epoch = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert labels == epoch + epoch[:2]
    flow.reset()
    assert next(flow)[1].tolist() == [0, 1, 2, 3]
    assert len(flow) == 3
    images, _ = next(flow)
    assert images.dtype == np.float32
    assert type(images) is np.ndarray


def test_batches_by_index():
    flow = array_flow(seed=1)
    epoch = [next(flow)[1].tolist() for _ in range(3)]
    assert [flow[i][1].tolist() for i in range(3)] == epoch
    with pytest.raises(IndexError, match=r"`index` must be in \[0, 3\)"):
        flow[3]


def augmented_flow(**kwargs):
    images = np.random.default_rng(0).uniform(0, 255, (10, 8, 8, 3))
    return ImageDataGenerator(**AUGMENTED).flow(images, batch_size=4, **kwargs)


def epochs_of(flow, count=2):
    batches = [[next(flow) for _ in range(len(flow))] for _ in range(count)]
    return np.stack([np.concatenate(epoch) for epoch in batches])


def test_order_and_draws_follow_the_seed():
    np.testing.assert_array_equal(
        epochs_of(augmented_flow(seed=7)), epochs_of(augmented_flow(seed=7))
    )
    first, second = epochs_of(augmented_flow(seed=7))
    assert not np.allclose(first, second)
    assert not np.allclose(first, epochs_of(augmented_flow(seed=8))[0])
    # Without shuffling only the draws differ from epoch to epoch.
    first, second = epochs_of(augmented_flow(seed=7, shuffle=False))
    assert not np.allclose(first, second)
    assert [y.tolist() for _, y in array_epoch(7, 0)] != [
        y.tolist() for _, y in array_epoch(7, 1)
    ]


def test_a_flow_that_starts_at_an_epoch_repeats_it():
    whole = epochs_of(augmented_flow(seed=7), 3)
    resumed = augmented_flow(seed=7)
    resumed.stream.next_epoch = 2
    np.testing.assert_array_equal(epochs_of(resumed, 1)[0], whole[2])


def test_a_missing_seed_is_drawn_and_readable(capsys):
    flow = augmented_flow()
    assert capsys.readouterr().out == ""
    np.testing.assert_array_equal(
        epochs_of(flow, 1), epochs_of(augmented_flow(seed=flow.seed), 1)
    )
    assert augmented_flow().seed != flow.seed


def test_the_dataset_is_one_epoch_a_pass_and_agrees_with_next():
    flow, other = augmented_flow(seed=5), augmented_flow(seed=5)
    dataset = other.dataset()
    assert int(dataset.cardinality()) == 3
    passes = [np.concatenate([x.numpy() for x in dataset]) for _ in range(2)]
    np.testing.assert_array_equal(epochs_of(flow), passes)


def test_datasets_of_every_structure():
    images, extra = np.zeros((5, 4, 4, 3)), np.arange(5)
    generator = ImageDataGenerator()
    kwargs = {"batch_size": 5, "shuffle": False}
    names = np.array(["a", "b", "c", "d", "e"])
    (x, misc), y, weight = next(
        iter(
            generator.flow(
                (images, extra), names, sample_weight=extra / 5, **kwargs
            ).dataset()
        )
    )
    assert x.shape == (5, 4, 4, 3)
    assert misc.numpy().tolist() == extra.tolist()
    assert y.numpy()[1] == b"b"
    np.testing.assert_allclose(weight, extra / 5)
    assert next(iter(generator.flow(images, **kwargs).dataset())).shape == x.shape


def test_threads_get_every_batch_once():
    flow = array_flow(n=40, batch_size=2, shuffle=False)
    labels = []

    def take():
        for _ in range(5):
            labels.extend(next(flow)[1].tolist())

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(labels) == [*range(40)]


def test_images_in_memory_stay_as_they_are():
    images = np.zeros((4, 5, 5, 3), np.uint8)
    flow = ImageDataGenerator().flow(images)
    assert flow.x is images or np.shares_memory(flow.x, images)
    assert next(flow).dtype == np.float32


def test_a_flow_remembers_what_takes_pixels_out_of_their_range():
    images = np.zeros((4, 5, 5, 3))
    flow = ImageDataGenerator(**AUGMENTED, brightness_range=(0.5, 2)).flow(images)
    assert flow.raw_pixels
    assert flow.rescale is None
    flow = ImageDataGenerator(rescale=1 / 255).flow(images)
    assert not flow.raw_pixels
    assert flow.rescale == 1 / 255
    for name in ("samplewise_center", "samplewise_std_normalization"):
        assert not ImageDataGenerator(**{name: True}).flow(images).raw_pixels
    generator = ImageDataGenerator(preprocessing_function=np.negative)
    assert not generator.flow(images).raw_pixels


def test_only_images_that_were_asked_for_are_saved(tmp_path):
    flow = array_flow(n=10, batch_size=1, save_to_dir=tmp_path)
    for _ in range(3):
        next(flow)
    assert len([*tmp_path.iterdir()]) == 3


@pytest.fixture
def with_damage(tmp_path, write_photos):
    write_photos(tmp_path, {"": 4}, "ab", (20, 20))
    whole = (tmp_path / "a" / "1.png").read_bytes()
    (tmp_path / "a" / "1.png").write_bytes(whole[:100])
    (tmp_path / "b" / "2.png").write_text("no image")
    (tmp_path / "b" / "3.tif").write_text("no image")
    return tmp_path


@pytest.mark.filterwarnings("ignore:left out")
def test_damaged_files_are_named_and_left_out(with_damage):
    flow = ImageDataGenerator().flow_from_directory(
        with_damage, (20, 20), batch_size=3, shuffle=False, class_mode="sparse"
    )
    with pytest.warns(UserWarning, match=r"left out .*\.(png|tif): "):
        labels = [next(flow)[1].tolist() for _ in range(3)]
    assert labels == [[0, 0], [0, 1, 1], [1]]
    damaged = {path[len(str(with_damage)) + 1 :] for path in flow.damaged}
    assert damaged == {"a/1.png", "b/2.png", "b/3.tif"}


def test_damage_leaves_the_draws_of_other_images_alone(with_damage):
    def batches():
        flow = ImageDataGenerator(**AUGMENTED).flow_from_directory(
            with_damage, (20, 20), batch_size=9, shuffle=False, class_mode=None, seed=1
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return next(flow)

    with_gaps = batches()
    whole = (with_damage / "a" / "0.png").read_bytes()
    (with_damage / "a" / "1.png").write_bytes(whole)
    np.testing.assert_array_equal(batches()[[0, *range(2, 7)]], with_gaps)


@pytest.mark.filterwarnings("ignore:left out")
def test_a_batch_of_damaged_files_is_an_error_that_names_them(with_damage):
    flow = ImageDataGenerator().flow_from_directory(
        with_damage, (20, 20), batch_size=1, shuffle=False
    )
    next(flow)
    with pytest.raises(ValueError, match=r"1\.png: every image of a batch is damaged"):
        next(flow)


@pytest.mark.filterwarnings("ignore:left out")
@pytest.mark.parametrize("shuffle", [False, True])
def test_a_batch_of_damaged_files_ends_no_training(with_damage, shuffle):
    flow = ImageDataGenerator().flow_from_directory(
        with_damage, (20, 20), batch_size=1, shuffle=shuffle, class_mode="sparse"
    )
    model = keras.Sequential(
        [keras.Input((20, 20, 3)), keras.layers.Flatten(), keras.layers.Dense(2)]
    )
    model.compile("sgd", "mse")
    damaged = ("a/1.png", "b/2.png", "b/3.tif")
    good = [row for row, name in enumerate(flow.filenames) if name not in damaged]
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Your input ran out of data")
        model.fit(flow, epochs=2, validation_data=flow, verbose=0)
        outputs = model.predict(flow, verbose=0)
    assert len(outputs) == (len(flow) if shuffle else len(good))
    labels = [int(label) for _, y in flow.dataset() for label in y]
    if not shuffle:
        assert labels == flow.classes[good].tolist()
    assert set(labels) == {0, 1}


@pytest.mark.filterwarnings("ignore:left out")
def test_formats_read_by_pillow_have_the_pixel_limit_too(tmp_path):
    (tmp_path / "a").mkdir()
    for name, size in {"large.tif": (10, 10), "small.ppm": (9, 11)}.items():
        Image.new("RGB", size).save(tmp_path / "a" / name)
    flow = ImageDataGenerator().flow_from_directory(tmp_path, (10, 10), max_pixels=99)
    assert len(next(flow)[0]) == 1
    assert [*flow.damaged.values()] == ["above the pixel limit (10 x 10)"]
