import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from scipy import ndimage

from kerasdl.data._warp import placement, warp_image

SIZES = [
    ((60, 90), (24, 24)),  # source, result: smaller, larger, both
    ((90, 61), (24, 36)),
    ((17, 25), (48, 40)),
    ((30, 200), (45, 45)),
    ((50, 50), (50, 50)),
]


def smooth_picture(height, width, dtype="float32"):
    """Waves of a few periods: bilinear and area sampling agree closely on them."""
    y, x = np.mgrid[:height, :width] / max(height, width)
    waves = [np.sin(5 * x + 2 * y), np.cos(4 * y - x), np.sin(3 * x * y)]
    return (127.5 + 120 * np.stack(waves, -1)).astype(dtype)


def marked_picture(height, width):
    """Black, with the corners and the middle in colours."""
    picture = np.zeros((height, width, 3), np.uint8)
    y, x = height // 2, width // 2
    picture[0, 0], picture[0, -1] = (255, 0, 0), (0, 255, 0)
    picture[-1, 0], picture[-1, -1] = (0, 0, 255), (255, 255, 0)
    picture[y - 1 : y + 1, x - 1 : x + 1] = 255
    return picture


@pytest.mark.parametrize(("source", "size"), SIZES)
def test_squash_covers_the_edges_of_both(source, size):
    matrix = placement(source, size, "squash")
    corners = [[-0.5, size[1] - 0.5], [-0.5, size[0] - 0.5], [1, 1]]  # x, y
    expected = [[-0.5, source[1] - 0.5], [-0.5, source[0] - 0.5], [1, 1]]
    np.testing.assert_allclose(matrix @ corners, expected)


@pytest.mark.parametrize(("source", "size"), SIZES)
@pytest.mark.parametrize("resize", ["crop", "pad"])
def test_crop_and_pad_keep_the_aspect_ratio_and_the_centre(source, size, resize):
    matrix = placement(source, size, resize)
    assert matrix[0, 0] == matrix[1, 1]
    centre = (size[1] - 1) / 2, (size[0] - 1) / 2, 1
    expected = (source[1] - 1) / 2, (source[0] - 1) / 2, 1
    np.testing.assert_allclose(matrix @ centre, expected)
    shown = np.array(size) * matrix[0, 0]  # of the source's height and width
    left = np.array(source) - shown
    assert np.isclose(left, 0).any()
    assert (left > -1e-9).all() if resize == "crop" else (left < 1e-9).all()


def test_whole_blocks_of_pixels_become_pixels():
    small = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    blocks = small.repeat(3, axis=0).repeat(3, axis=1)
    np.testing.assert_array_equal(warp_image(blocks, (5, 7)), small)


@pytest.mark.parametrize("size", [(8, 8), (12, 12), (37, 37), (64, 64), (50, 70)])
@pytest.mark.parametrize("resize", ["crop", "squash", "pad"])
def test_corners_and_centre_do_not_shift(size, resize):
    picture = marked_picture(24, 24)
    result = warp_image(picture, size, resize).astype(int)
    # The picture's mirror image must give the mirror image of the result.
    mirrored = warp_image(picture[::-1, ::-1].copy(), size, resize).astype(int)
    np.testing.assert_allclose(mirrored[::-1, ::-1], result, atol=2)
    if resize == "squash" or size[0] == size[1]:
        assert result[0, 0].argmax() == 0
        assert result[0, -1].argmax() == 1
        assert result[-1, 0].argmax() == 2
        assert result[-1, -1].argmin() == 2


def test_a_view_of_the_same_size_is_the_picture(rng):
    picture = rng.integers(0, 256, (20, 31, 3), dtype=np.uint8)
    for resize in ("crop", "squash", "pad"):
        np.testing.assert_array_equal(warp_image(picture, (20, 31), resize), picture)


@pytest.mark.parametrize(("source", "size"), SIZES)
def test_squash_agrees_with_tensorflow(source, size):
    picture = smooth_picture(*source)
    expected = tf.image.resize(picture, size, antialias=True).numpy()
    np.testing.assert_allclose(warp_image(picture, size, "squash"), expected, atol=3)


@pytest.mark.parametrize(("source", "size"), SIZES)
def test_crop_agrees_with_pillow(source, size):
    picture = smooth_picture(*source, "uint8")
    scale = min(source[0] / size[0], source[1] / size[1])
    shown = np.array(size) * scale
    top, left = (source - shown) / 2  # Pillow takes a box of fractions of a pixel
    box = (left, top, left + shown[1], top + shown[0])
    expected = Image.fromarray(picture).resize(
        size[::-1], Image.Resampling.BILINEAR, box
    )
    result = warp_image(picture, size, "crop").astype(int)
    np.testing.assert_allclose(result, expected, atol=4)


# Borders of whole pixels, as TensorFlow has them.
@pytest.mark.parametrize(
    ("source", "size"), [((60, 90), (54, 54)), ((32, 16), (64, 64)), ((9, 9), (36, 60))]
)
def test_pad_agrees_with_tensorflow(source, size):
    picture = smooth_picture(*source)
    expected = tf.image.resize_with_pad(picture, *size, antialias=True).numpy()
    result = warp_image(picture, size, "pad")
    photo = expected.any(-1)
    # At the border itself ours is blended with black, as a turned photo's is.
    inside, outside = (ndimage.binary_erosion(a, iterations=2) for a in (photo, ~photo))
    assert inside.any()
    assert outside.any()
    np.testing.assert_allclose(result[inside], expected[inside], atol=3)
    assert (result[outside] == 0).all()


def test_thin_stripes_become_grey_instead_of_other_stripes():
    stripes = np.zeros((160, 160, 3), np.uint8)
    stripes[:, ::2] = 255
    for picture in (stripes, stripes.swapaxes(0, 1)):
        result = warp_image(np.ascontiguousarray(picture), (20, 20))
        np.testing.assert_allclose(result, 127.5, atol=1)
    # One axis is shrunk, the other is not.
    result = warp_image(stripes, (160, 20), "squash")
    np.testing.assert_allclose(result, 127.5, atol=1)


# SciPy's "wrap" and "constant" have other rules than these at the edge.
FILL_MODES = {
    "nearest": "nearest",
    "reflect": "reflect",
    "wrap": "grid-wrap",
    "constant": "grid-constant",
}


@pytest.mark.parametrize("fill_mode", FILL_MODES)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 0.05), ("uint8", 4)])
def test_a_transform_agrees_with_scipy(fill_mode, dtype, tolerance):
    picture = smooth_picture(40, 56, dtype)
    transform = np.array([[0.9, -0.4, 9.3], [0.5, 1.1, -6.2], [0, 0, 1]])
    result = warp_image(picture, (40, 56), "crop", transform, fill_mode)
    matrix = transform[[1, 0, 2]][:, [1, 0, 2]]  # rows and columns for x and y
    expected = [
        ndimage.affine_transform(
            channel, matrix, order=1, mode=FILL_MODES[fill_mode], output="float64"
        )
        for channel in np.moveaxis(picture, -1, 0)
    ]
    # Where the picture jumps to its fill a rounded position makes a large difference.
    error = np.abs(result - np.moveaxis(expected, 0, -1))
    assert np.quantile(error, 0.99) < tolerance
    assert error.mean() < tolerance / 4
    assert result.dtype == dtype


@pytest.mark.parametrize("fill_mode", FILL_MODES)
@pytest.mark.parametrize("dtype", ["float32", "uint8", "float64", "uint16", "int16"])
def test_three_channels_have_the_values_of_each_by_itself(fill_mode, dtype, rng):
    picture = rng.integers(0, 256, (61, 83, 3)).astype(dtype)
    for transform in (None, np.array([[0.9, -0.4, 9.3], [0.5, 1.1, -6.2], [0, 0, 1]])):
        options = {"transform": transform, "fill_mode": fill_mode}
        together = warp_image(picture, (40, 47), **options)
        singly = [
            warp_image(picture[:, :, [channel]], (40, 47), **options)
            for channel in range(3)
        ]
        np.testing.assert_array_equal(together, np.concatenate(singly, axis=2))


def test_a_transform_is_in_pixels_of_the_result():
    picture = smooth_picture(300, 300)
    plain = warp_image(picture, (60, 60))
    shift = np.array([[1, 0, 5], [0, 1, -3], [0, 0, 1]])
    shifted = warp_image(picture, (60, 60), transform=shift)
    np.testing.assert_allclose(shifted[3:, :-5], plain[:-3, 5:], atol=0.1)


@pytest.mark.parametrize("fill_mode", FILL_MODES)
def test_pad_stays_black_under_every_fill_mode(fill_mode):
    white = np.full((20, 40, 3), 255, np.uint8)
    identity = np.eye(3)
    result = warp_image(white, (40, 40), "pad", identity, fill_mode)
    assert (result[:9] == 0).all()
    assert (result[-9:] == 0).all()
    assert (result[11:-11] == 255).all()


def test_a_single_channel_stays_an_axis():
    picture = smooth_picture(40, 40)[:, :, :1]
    for size in ((40, 40), (10, 10), (50, 30)):
        assert warp_image(picture, size).shape == (*size, 1)


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (40000, 2)])
def test_narrow_pictures(shape):
    picture = np.full((*shape, 3), 77, np.uint8)
    for resize in ("crop", "squash"):
        assert (warp_image(picture, (16, 12), resize) == 77).all()
    assert warp_image(picture, (16, 12), "pad").max() <= 77


def test_the_result_is_written_to_out():
    batch = np.zeros((2, 8, 8, 3), np.uint8)
    result = warp_image(np.full((20, 20, 3), 9, np.uint8), (8, 8), out=batch[1])
    assert np.shares_memory(result, batch)
    assert (batch[1] == 9).all()
    assert (batch[0] == 0).all()
