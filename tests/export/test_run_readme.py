import keras
import numpy as np
import pytest

from kerasdl.data._warp import warp_image
from kerasdl.export import run_readme


@pytest.mark.parametrize(
    ("name", "labels"), [("three", ["cats", "dogs", "élans"]), ("two", ["dogs"])]
)
def test_its_code_runs_where_kerasdl_is_not_installed(exported, name, labels):
    bare = exported.bare[name]
    printed = [line.split(": ") for line in bare["readme_prints"].splitlines()]
    # photo.jpg holds the first picture in the model's size.
    expected = 2 * bare["by_keras"][0]
    assert [label for label, _ in printed if label in labels] == 2 * labels
    probabilities = [float(value) for label, value in printed if label in labels]
    np.testing.assert_allclose(probabilities, expected, atol=2e-4)


def test_its_code_is_short(exported):
    lines = [line for line in exported.bare["two"]["readme_code"].splitlines() if line]
    assert len(lines) <= 11


@pytest.mark.parametrize("resize", ["crop", "squash", "pad"])
@pytest.mark.parametrize("size", [(60, 90), (90, 50)])
def test_its_resize_is_the_one_of_the_training(resize, size):
    rows, columns = np.mgrid[0 : 1 : 1j * size[0], 0 : 1 : 1j * size[1]]
    photo = np.stack([255 * rows, 255 * columns, 127 + 0 * rows], axis=-1)
    photo = photo.astype("float32")
    text = run_readme(["a", "b"], (20, 24), resize)
    (line,) = [line for line in text.splitlines() if line.startswith("pixels = ")]
    scope = {"keras": keras, "photo": photo}
    exec(line, scope)
    ours = warp_image(photo, (20, 24), resize)
    # A few of 255 levels: Keras blurs the photo's edge into the borders of `pad`.
    assert np.abs(np.asarray(scope["pixels"]) - ours).mean() < 4


def test_it_states_files_sizes_and_classes():
    text = run_readme(["cats", "dogs"], 96, title="Cats and dogs")
    assert text.startswith("# Cats and dogs\n")
    assert "cats, dogs" in text
    assert "`(batch, 96, 96, 3)`" in text
    assert "uint8 `(1, 96, 96, 3)`" in text
    assert "probability of line 2" in text


def test_an_unknown_resize_is_refused():
    with pytest.raises(ValueError, match="`resize` must be one of 'crop', 'squash'"):
        run_readme(["a", "b"], 96, "stretch")


def test_a_model_card_of_facts():
    text = run_readme(["a", "b"], 8, facts={"network": "tiny", "accuracy": "0.9 test"})
    assert "| network | tiny |\n| accuracy | 0.9 test |" in text
    assert "It answers one of the classes above" in text
    several = run_readme(["a", "b"], 8, multi_label=True, facts={"seed": "1"})
    assert "It answers any of the labels above, or none" in several
    assert "Model card" not in run_readme(["a", "b"], 8)


def test_of_many_classes_the_first_are_named():
    names = [f"class {number}" for number in range(1000)]
    text = run_readme(names, 32)
    assert "class 0, class 1, " in text
    assert "class 49 and 950 more." in text
    assert len(text) < 4000
