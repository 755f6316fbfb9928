import warnings

import cv2
import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from kerasdl.classification import Predictor, tta
from kerasdl.data import Augment, ImageData, ImageError, image_folder

SIDE = 16
AUGMENT = Augment(rotation_range=20, horizontal_flip=True, brightness=0.1)


def position_model(outputs, activation, size=(SIDE, SIDE)):
    """Every pixel of every picture with a weight of its own."""
    model = keras.Sequential(
        [
            keras.Input((*size, 3)),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(outputs, activation=activation),
        ]
    )
    rng = np.random.default_rng(outputs)
    kernel = rng.normal(0, 0.1, model.layers[-1].kernel.shape)
    model.layers[-1].set_weights([kernel, np.zeros(outputs)])
    return model


MODELS = {
    "sigmoid": position_model(1, "sigmoid"),
    "softmax": position_model(2, "softmax"),
    "multi-label": position_model(2, "sigmoid"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three splits of two classes, three photos each, of several sizes."""
    root = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for split in ("train", "valid", "test"):
        for label in ("cats", "dogs"):
            (root / split / label).mkdir(parents=True)
            for number in range(3):
                size = (20 + 7 * number, 30)
                pixels = rng.integers(0, 256, (*size, 3), dtype="uint8")
                Image.fromarray(pixels).save(root / split / label / f"{number}.png")
    return root


def photos(folder, batch_size=4, size=SIDE, augment=AUGMENT, **options):
    options = {"test": "test", "seed": 3, **options}
    return ImageData.from_folder(
        folder, image_size=size, batch_size=batch_size, augment=augment, **options
    )


def plain_pixels(data, split="valid"):
    rows = range(len(data.files(split)))
    return np.stack([data.read(split, row) for row in rows]).astype("float32")


def two_columns(outputs):
    return np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs


def crops(images):
    """7/8 of 16 is 14: corners and centre, enlarged by OpenCV."""
    for y, x in ((0, 0), (0, 2), (2, 0), (2, 2), (1, 1)):
        parts = [image[y : y + 14, x : x + 14] for image in images]
        yield np.stack([cv2.resize(part, (SIDE, SIDE)) for part in parts])


BY_HAND = {
    "flip": lambda x: [x, x[:, :, ::-1]],
    "dihedral": lambda x: [
        np.rot90(half, turns, axes=(1, 2))
        for half in (x, x[:, ::-1])
        for turns in range(4)
    ],
    "five_crop": lambda x: list(crops(x)),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("views", BY_HAND)
def test_a_fixed_set_is_the_mean_of_views_made_by_hand(folder, views, model):
    data = photos(folder)
    seen = BY_HAND[views](plain_pixels(data))
    outputs = np.mean([model.predict_on_batch(x) for x in seen], axis=0)
    result = tta(model, data, augment=views, verbose=0)
    np.testing.assert_allclose(result.probabilities, two_columns(outputs), atol=1e-5)


@pytest.mark.parametrize("split", ["train", "valid", "test"])
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_random_views_are_those_of_the_training_pipeline(folder, model, split):
    data = photos(folder)
    dataset, _ = image_folder(
        folder / split, SIDE, augment=AUGMENT, shuffle=False, seed=7
    )
    epochs = [next(iter(dataset))[0] for _ in range(4)]  # one batch each
    views = [plain_pixels(data, split), *epochs[1:]]
    outputs = np.mean([model.predict_on_batch(x) for x in views], axis=0)
    result = tta(model, data, 3, split=split, verbose=0, seed=7)
    np.testing.assert_allclose(result.probabilities, two_columns(outputs), atol=1e-5)
    assert result.files == data.files(split)
    assert result.labels.tolist() == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize("augment", [None, "flip", "five_crop"])
def test_beta_is_the_weight_of_the_plain_view(folder, augment):
    model, data = MODELS["softmax"], photos(folder)

    def result(beta):
        found = tta(model, data, augment=augment, beta=beta, verbose=0, seed=1)
        return found.probabilities

    plain = model.predict_on_batch(plain_pixels(data))
    np.testing.assert_allclose(result(1), plain, atol=1e-6)
    expected = 0.4 * plain + 0.6 * result(0)
    np.testing.assert_allclose(result(0.4), expected, atol=1e-6)
    share = {None: 1 / 5, "flip": 1 / 2, "five_crop": 0}[augment]
    expected = share * plain + (1 - share) * result(0)
    np.testing.assert_allclose(result(None), expected, atol=1e-6)


def test_the_plain_view_is_what_the_predictor_says(folder):
    data = photos(folder)
    result = tta(MODELS["sigmoid"], data, beta=1, verbose=0, seed=0)
    predictor = Predictor(MODELS["sigmoid"], data.class_names, SIDE)
    expected = predictor.predict(data.paths("valid")).probabilities
    np.testing.assert_allclose(result.probabilities, expected, atol=1e-6)


def test_draws_depend_on_the_seed_and_not_on_the_batches(folder):
    model = MODELS["softmax"]

    def result(batch_size, seed):
        data = photos(folder, batch_size)
        return tta(model, data, verbose=0, seed=seed).probabilities

    expected = result(4, 1)
    np.testing.assert_allclose(result(1, 1), expected, atol=1e-6)
    np.testing.assert_allclose(result(64, 1), expected, atol=1e-6)
    assert np.abs(result(4, 2) - expected).max() > 1e-3


def test_dihedral_does_not_see_how_a_photo_is_turned(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), "uint8")
    for split in ("train", "valid"):
        for label in ("a", "b"):
            (tmp_path / split / label).mkdir(parents=True)
            for turns in range(4):
                path = tmp_path / split / label / f"{turns}.png"
                turned = np.rot90(pixels if label == "a" else pixels[::-1], turns)
                Image.fromarray(turned).save(path)
    data = photos(tmp_path, test=None)
    result = tta(MODELS["softmax"], data, augment="dihedral", verbose=0)
    assert np.ptp(result.probabilities, axis=0).max() < 1e-5
    assert np.ptp(MODELS["softmax"].predict_on_batch(plain_pixels(data))[:, 0]) > 0.01


@pytest.mark.parametrize("augment", [AUGMENT, "flip"])
@pytest.mark.parametrize("batch_size", [1, 4])
def test_a_damaged_photo_is_named_and_left_out(tmp_path, folder, augment, batch_size):
    import shutil

    whole = tta(MODELS["softmax"], photos(folder), 2, augment, verbose=0, seed=1)
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / "valid" / "cats" / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n cut")
    data = photos(tmp_path, batch_size)
    with pytest.warns(UserWarning, match=r"left out .*cats/1\.png: truncated"):
        result = tta(MODELS["softmax"], data, 2, augment, verbose=0, seed=1)
    assert result.files == whole.files[:1] + whole.files[2:]
    assert result.labels.tolist() == [0, 0, 1, 1, 1]
    np.testing.assert_allclose(
        result.probabilities, np.delete(whole.probabilities, 1, axis=0), atol=1e-6
    )
    strict = photos(tmp_path, batch_size, on_error="raise")
    with pytest.raises(ImageError, match=r"cats/1\.png"):
        tta(MODELS["softmax"], strict, 2, augment, verbose=0, seed=1)


def test_rows_of_labels_come_back_as_rows(folder):
    rows = np.array([[1, 0], [1, 1], [0, 1], [0, 0], [1, 0], [1, 1]])
    images = plain_pixels(photos(folder)).round().astype("uint8")
    data = ImageData.from_arrays(images, rows, (images, rows), augment=AUGMENT, seed=0)
    result = tta(MODELS["multi-label"], data, verbose=0, seed=0)
    assert result.labels.tolist() == rows.tolist()
    expected = np.mean((result.probabilities > 0.5) == rows)
    assert result.accuracy == pytest.approx(expected)


def test_progress_is_shown_unless_it_is_not_wanted(folder, capfd):
    data = photos(folder)
    capfd.readouterr()
    tta(MODELS["softmax"], data, augment="flip", verbose=0)
    assert "".join(capfd.readouterr()) == ""
    tta(MODELS["softmax"], data, 2, verbose=1, seed=0)
    assert "3 views of valid: 6 of 6" in capfd.readouterr().err


def test_a_fresh_seed_is_printed_where_something_is_drawn(folder, capsys):
    data = photos(folder)
    capsys.readouterr()
    tta(MODELS["softmax"], data, 1, verbose=0)
    assert "seed=" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_aug": 0}, "`n_aug` must be an integer of at least 1"),
        ({"beta": 1.5}, r"`beta` must be None or in \[0, 1\]. Received: beta=1.5"),
        ({"augment": "turn"}, "`augment` must be one of 'flip', 'dihedral', 'five_cr"),
        ({"augment": "none"}, "`augment` must be given .* augment='none'"),
        ({"augment": 3}, "`augment` must be a preset's name, an Augment, or None"),
        ({"split": "dev"}, "`split` must be one of 'train', 'valid', 'test'"),
        ({"verbose": 2}, "`verbose` must be one of 0, 1"),
    ],
)
def test_bad_arguments_are_refused(folder, arguments, message):
    with pytest.raises(ValueError, match=message):
        tta(MODELS["softmax"], photos(folder), **arguments)


def test_what_does_not_fit_the_data_is_refused(folder):
    with pytest.raises(ValueError, match="Received: augment=None, data.augment=None"):
        tta(MODELS["softmax"], photos(folder, augment=None))
    oblong = photos(folder, size=(8, 12))
    model = position_model(2, "softmax", (8, 12))
    with pytest.raises(ValueError, match=r"pictures are square.*= \(8, 12\)"):
        tta(model, oblong, augment="dihedral")
    with pytest.raises(ValueError, match=r"`class_names` must be as many.*3 outputs"):
        tta(position_model(3, "softmax"), photos(folder))


def test_nothing_warns_about_whole_photos(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tta(MODELS["softmax"], photos(folder), 1, verbose=0, seed=0)
