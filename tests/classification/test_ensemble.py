import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from kerasdl.classification import ensemble, predict_split
from kerasdl.data import ImageData

SIDE = 6


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for split in ("train", "valid"):
        for label in ("a", "b"):
            (root / split / label).mkdir(parents=True)
            for number in range(5):
                pixels = rng.integers(0, 256, (SIDE, SIDE, 3), dtype="uint8")
                Image.fromarray(pixels).save(root / split / label / f"{number}.png")
    return ImageData.from_folder(root, image_size=SIDE, batch_size=4, seed=0)


def network(seed, outputs=1):
    activation = "sigmoid" if outputs == 1 else "softmax"
    kernel = keras.initializers.RandomNormal(stddev=0.5, seed=seed)
    return keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 3)),
            layers.Rescaling(1 / 255),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dense(outputs, activation=activation, kernel_initializer=kernel),
        ]
    )


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("split", ["train", "valid"])
def test_mean_of_the_probabilities_of_files_and_models(data, outputs, split, tmp_path):
    files, members = [], [network(seed, outputs) for seed in (1, 2, 3)]
    for number, member in enumerate(members[:2]):
        files.append(tmp_path / f"cycle_{number}.weights.h5")
        member.save_weights(files[-1])
    model = network(9, outputs)
    before = model.get_weights()
    found = ensemble(model, [*files, members[2]], data, split, verbose=0)
    single = [predict_split(m, data, split, verbose=0) for m in members]
    expected = np.mean([one.probabilities for one in single], axis=0)
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)
    assert found.probabilities.shape == (10, 2)
    assert found.files == data.files(split)
    np.testing.assert_array_equal(found.labels, data.labels(split))
    for ours, wanted in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, wanted)


def test_a_file_of_another_network_leaves_the_weights(data, tmp_path):
    network(1, outputs=2).save_weights(tmp_path / "other.weights.h5")
    model = network(9)
    before = model.get_weights()
    with pytest.raises(ValueError, match="shape"):
        ensemble(model, [tmp_path / "other.weights.h5"], data, verbose=0)
    for ours, wanted in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, wanted)


def test_refused(data, tmp_path):
    with pytest.raises(ValueError, match="`members` must hold weights files or models"):
        ensemble(network(1), [], data)
    with pytest.raises(ValueError, match="must hold files that are there.*no.weights"):
        ensemble(network(1), [tmp_path / "no.weights.h5"], data)
    with pytest.raises(ValueError, match="`verbose` must be one of"):
        ensemble(network(1), [network(2)], data, verbose=2)
    with pytest.raises(ValueError, match="outputs"):
        ensemble(network(1), [network(2, outputs=3)], data, verbose=0)
