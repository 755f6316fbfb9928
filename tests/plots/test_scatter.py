import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image
from scipy import ndimage

from kerasdl import plots
from kerasdl._figure import BLUE
from kerasdl.plots.scatter import place_labels


def shared_area(one, other):
    """Of two boxes, each left, bottom, right, top."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0) * max(height, 0)


@pytest.mark.parametrize("spread", [300, 60, 25, 0])
def test_labels_cover_no_label_and_no_point(spread, rng):
    points = np.array([450, 300]) + spread * rng.uniform(-1, 1, (20, 2))
    sizes = np.column_stack([rng.uniform(40, 130, 20), np.full(20, 15)])
    corners = place_labels(points, sizes, (0, 0, 900, 600))
    boxes = np.hstack([corners, corners + sizes])
    assert boxes.min() >= 0
    assert (boxes[:, 2:] <= (900, 600)).all()
    dots = np.hstack([points - 5, points + 5])
    for number, box in enumerate(boxes):
        others = [*boxes[number + 1 :], *dots]
        assert sum(shared_area(box, other) for other in others) == 0


def test_a_label_alone_is_at_the_right_of_its_point():
    (corner,) = place_labels([(100, 100)], [(50, 14)], (0, 0, 900, 600))
    np.testing.assert_allclose(corner, (108, 93))
    (corner,) = place_labels(
        [(100, 100)], [(50, 14)], (0, 0, 140, 600)
    )  # no room there
    np.testing.assert_allclose(corner, (100 - 8 - 50, 93))


def middles_of_points(path):
    picture = np.asarray(Image.open(path).convert("RGB"), int)
    colour = np.round(np.array(to_rgb(BLUE)) * 255)
    regions, count = ndimage.label(np.abs(picture - colour).max(axis=-1) <= 1)
    middles = ndimage.center_of_mass(regions > 0, regions, range(1, count + 1))
    return sorted((x, y) for y, x in middles)


def test_equal_factors_are_equally_far_apart_on_logarithmic_axes(tmp_path):
    path = tmp_path / "points.png"
    names = ["small", "medium", "large"]
    plots.save_scatter(
        names, [1, 10, 100], [5, 20, 80], path=path, xlabel="x", ylabel="y", log="xy"
    )
    first, second, third = np.array(middles_of_points(path))
    np.testing.assert_allclose(second - first, third - second, atol=1.5)
    assert second[0] > first[0] and second[1] < first[1]  # rows count downwards
    plots.save_scatter(
        names, [1, 10, 100], [5, 20, 80], path=path, xlabel="x", ylabel="y", log="x"
    )
    first, second, third = np.array(middles_of_points(path))
    assert (second - first)[1] * 4 == pytest.approx((third - second)[1], rel=0.05)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], [], []), "`x` and `y` must be one for each of at least one name"),
        ((["a", "b"], [1, 2], [1]), "Received: 2, 1 for 2 names"),
    ],
)
def test_nothing_or_not_enough_to_draw(arguments, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        plots.save_scatter(*arguments, tmp_path / "points.png", "x", "y")
    assert not list(tmp_path.iterdir())


def test_axes_that_cannot_be(tmp_path):
    path = tmp_path / "points.png"
    with pytest.raises(ValueError, match="`log` must be one of '', 'x', 'y', 'xy'"):
        plots.save_scatter(["a"], [1], [1], path=path, xlabel="x", ylabel="y", log="z")
    with pytest.raises(ValueError, match="`y` must be above 0 on a log.* Received: 0"):
        plots.save_scatter(
            ["a", "b"], [1, 1], [2, 0], path=path, xlabel="x", ylabel="y", log="y"
        )
