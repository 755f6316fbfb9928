"""What ImageData makes of its splits: folds, sizes, balance."""

import warnings

import keras
import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold

from kerasdl.batches.epoch_order import epoch_length, epoch_order
from kerasdl.data import ImageData

SIZE = 6
COUNTS = (12, 6, 4)


@pytest.fixture(scope="module")
def images():
    """The red of each image is its number, the green its class."""
    images = np.zeros((sum(COUNTS), SIZE, SIZE, 3), np.uint8)
    images[..., 0] = np.arange(len(images))[:, None, None]
    images[..., 1] = np.repeat(range(3), COUNTS)[:, None, None]
    return images


def build(images, **options):
    options = {"valid": 0.25, "batch_size": 4, "seed": 5, **options}
    names = np.repeat(["ant", "bee", "cow"], COUNTS)
    return ImageData.from_arrays(images, names, **options)


def one_pass(dataset):
    return tuple(
        np.concatenate(a) for a in zip(*dataset.as_numpy_iterator(), strict=True)
    )


def numbers(dataset):
    return one_pass(dataset)[0][:, 0, 0, 0].astype(int)


# Cross-validation


def test_folds_are_disjoint_stratified_and_cover_everything(images):
    data = build(images, test=images[:3])
    folds = list(data.folds(4))
    assert len(folds) == 4
    seen = []
    for fold in folds:
        train, valid = sorted(numbers(fold.train)), list(numbers(fold.valid))
        assert sorted(train + valid) == list(range(22))
        seen += valid
        assert fold.counts().loc["valid"].tolist()[0] == 3
        assert fold.counts().loc["valid"].between(1, 3).all()
        assert len(fold.files("test")) == 3
        assert fold.class_names == data.class_names
        np.testing.assert_array_equal(fold.labels("valid"), images[valid, 0, 0, 1])
    assert sorted(seen) == list(range(22))


def test_folds_are_those_of_scikit_learn(images):
    data = build(images)
    files = data.files("train") + data.files("valid")
    labels = np.concatenate([data.labels("train"), data.labels("valid")])
    expected = StratifiedKFold(3, shuffle=True, random_state=5).split(labels, labels)
    for fold, (_, rows) in zip(data.folds(3), expected, strict=True):
        assert fold.files("valid") == [files[row] for row in rows]


def test_folds_of_several_labels(images):
    hot = np.stack([np.ones(22), np.arange(22) % 2, np.arange(22) % 3 == 0], axis=1)
    data = ImageData.from_arrays(images, hot, seed=1)
    seen = [file for fold in data.folds(3) for file in fold.files("valid")]
    assert sorted(map(int, seen)) == list(range(22))
    for fold in data.folds(3):
        # 22, 11 and 8 photos in three parts
        np.testing.assert_allclose(
            fold.counts().loc["valid"], hot.sum(axis=0) / 3, atol=1.5
        )


@pytest.mark.parametrize("k", [1, 5])
def test_too_many_or_too_few_folds(images, k):
    with pytest.raises(ValueError, match=rf"`k` must be.*k={k} \(4 of 'cow'\)"):
        build(images).folds(k)


def test_leave_one_out(images):
    folds = list(build(images).leave_one_out())
    assert len(folds) == 22
    assert sorted(int(fold.files("valid")[0]) for fold in folds) == list(range(22))
    for fold in folds[:2]:
        assert len(fold.files("valid")) == 1
        assert len({*fold.files("train"), *fold.files("valid")}) == 22


# Sizes


def test_another_size_of_the_same_photos(images):
    small = build(images, augment="side_on", oversample=True)
    large = small.with_image_size((8, 10))
    assert (small.image_size, large.image_size) == ((SIZE, SIZE), (8, 10))
    assert large.train.element_spec[0].shape == (None, 8, 10, 3)
    for split in small.splits:
        assert large.files(split) == small.files(split)
        np.testing.assert_array_equal(large.labels(split), small.labels(split))
    for name in ("augment", "batch_size", "class_names", "seed", "oversample"):
        assert getattr(large, name) == getattr(small, name)
    # The order is the seed's, whatever the size.
    np.testing.assert_array_equal(one_pass(large.train)[1], one_pass(small.train)[1])
    with pytest.raises(ValueError, match="`image_size` must be one side or"):
        small.with_image_size(0)


# Imbalance


def test_an_oversampled_epoch_shows_each_class_equally_often(images):
    data = build(images, oversample=True)
    assert data.counts().loc["train"].tolist() == [9, 4, 3]
    assert data.train.cardinality() == 7  # 27 photos in batches of 4
    own = [
        np.array(data.files("train"), int)[data.labels("train") == c] for c in (1, 2)
    ]
    drawn = []
    for _ in range(4):
        pixels, labels = one_pass(data.train)
        seen = pixels[:, 0, 0, 0].astype(int)
        np.testing.assert_array_equal(labels.sum(axis=0), [9, 9, 9])
        np.testing.assert_array_equal(labels.argmax(axis=1), pixels[:, 0, 0, 1])
        times = np.bincount(seen, minlength=22)
        assert sorted(times[own[0]]) == [2, 2, 2, 3]
        assert (times[own[1]] == 3).all()
        drawn.append(tuple(seen))
    assert len(set(drawn)) == 4
    # Another photo of the four is shown a third time.
    assert len({tuple(np.bincount(seen, minlength=22)) for seen in drawn}) > 1
    np.testing.assert_array_equal(numbers(data.valid), np.int64(data.files("valid")))


def test_an_oversampled_run_resumes_exactly(images):
    options = {"oversample": True, "augment": "side_on"}
    whole = build(images, **options)
    passes = [one_pass(whole.train)[0] for _ in range(3)]
    resumed = build(images, **options)
    resumed.start_epoch(2)
    np.testing.assert_array_equal(one_pass(resumed.train)[0], passes[2])


def test_copies_of_a_photo_are_augmented_by_themselves(images):
    noise = np.random.default_rng(0).integers(0, 256, images.shape, dtype=np.uint8)
    data = build(noise, oversample=True, augment="side_on")
    pixels, _ = one_pass(data.train)
    assert len({image.tobytes() for image in pixels}) == 27


def test_an_order_without_balance_is_a_permutation():
    order = epoch_order(50, None, 1, 0)
    assert sorted(order) == list(range(50))
    assert epoch_length(50, None) == 50


def test_class_weights_let_each_class_count_alike(images):
    data = build(images)
    weights = data.class_weights()
    counts = data.counts().loc["train"].tolist()
    assert list(weights) == [0, 1, 2]
    np.testing.assert_allclose(list(weights.values()), [16 / (3 * c) for c in counts])


@pytest.mark.parametrize("label_mode", ["int", "categorical", "binary"])
def test_fit_takes_the_class_weights(images, label_mode):
    """One step of plain SGD on a full batch moves as the weighted loss says."""
    kept = images[: COUNTS[0] + COUNTS[1]]
    data = ImageData.from_arrays(
        kept,
        kept[:, 0, 0, 1],
        valid=(kept[:1], [0]),
        label_mode=label_mode,
        batch_size=len(kept),
        seed=1,
    )
    weights = data.class_weights()
    assert weights == {0: 18 / 24, 1: 18 / 12}
    is_binary = label_mode == "binary"
    units, activation = (1, "sigmoid") if is_binary else (2, "softmax")
    loss = {
        "int": "sparse_categorical_crossentropy",
        "categorical": "categorical_crossentropy",
        "binary": "binary_crossentropy",
    }[label_mode]

    def trained(loss, **options):
        inputs = keras.Input((SIZE, SIZE, 3))
        x = keras.layers.GlobalAveragePooling2D()(inputs)
        zeros = {"kernel_initializer": "zeros", "activation": activation}
        model = keras.Model(inputs, keras.layers.Dense(units, **zeros)(x))
        model.compile(optimizer=keras.optimizers.SGD(1e-3), loss=loss)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.fit(data.train, verbose=0, shuffle=False, **options)
        return model.layers[-1].get_weights()[0]

    truth = kept[:, 0, 0, 1].astype(int)
    x = kept.mean(axis=(1, 2))
    factor = np.array([weights[label] for label in truth])[:, None] / len(kept)
    # All outputs are 1/2 at first; the gradient of either loss is output - truth.
    wrong = 0.5 - (truth[:, None] if is_binary else np.eye(2)[truth])
    expected = -1e-3 * x.T @ (factor * wrong)
    np.testing.assert_allclose(
        trained(loss, class_weight=weights), expected, rtol=1e-4, atol=1e-7
    )
    assert not np.allclose(trained(loss), expected, rtol=1e-2, atol=1e-7)


def test_weights_that_make_no_sense(images):
    hot = np.stack([np.ones(22), np.arange(22) % 2], axis=1)
    data = ImageData.from_arrays(images, hot, seed=1)
    with pytest.raises(ValueError, match="`class_weights` needs one label a photo"):
        data.class_weights()
    with pytest.raises(ValueError, match="`oversample` needs one label a photo"):
        ImageData.from_arrays(images, hot, oversample=True, seed=1)
    labels = np.arange(22) % 2
    data = ImageData.from_arrays(images, labels, class_names=["a", "b", "c"], seed=1)
    with pytest.raises(ValueError, match="training photos of each class.*none of 'c'"):
        data.class_weights()
