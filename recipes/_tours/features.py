"""Image processing: morphology, and features made by hand."""

import cv2
import keras
import numpy as np
from _tour import Pictures
from skimage.feature import hog, local_binary_pattern


def _grey(photo):
    return cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)


def _corners(finder, grey):
    """Corners and what describes them; OpenCV has None where there are none."""
    corners, described = finder.detectAndCompute(grey, None)
    if described is None:
        kind = "uint8" if finder.descriptorType() == cv2.CV_8U else "float32"
        described = np.zeros((0, finder.descriptorSize()), kind)
    return corners, described


def morphology(photo):
    """Shapes grow, shrink, lose what is small, and close."""
    _, shape = cv2.threshold(_grey(photo), 0, 255, cv2.THRESH_OTSU)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
    eroded, dilated = cv2.erode(shape, disc), cv2.dilate(shape, disc)
    opened = cv2.morphologyEx(shape, cv2.MORPH_OPEN, disc)
    closed = cv2.morphologyEx(shape, cv2.MORPH_CLOSE, disc)
    outline = cv2.morphologyEx(shape, cv2.MORPH_GRADIENT, disc)
    # Opening is erosion, then dilation; the outline is their difference.
    np.array_equal(opened, cv2.dilate(eroded, disc))
    np.array_equal(outline, dilated - eroded)
    # A square's dilation is maximum pooling by steps of 1.
    square = cv2.dilate(shape, np.ones((3, 3)))[1:-1, 1:-1]
    pool = keras.layers.MaxPooling2D(3, strides=1)
    pooled = pool(shape[None, ..., None].astype("float32"))[0, ..., 0]
    np.array_equal(square, pooled)
    parts = {"eroded": eroded, "dilated": dilated, "opened": opened}
    Pictures({"by Otsu": shape, **parts, "closed": closed, "outline": outline})


def a_small_shape():
    """A square of 3 in a field of 7: smaller by a ring, larger by a ring."""
    shape = np.zeros((7, 7), "uint8")
    shape[2:5, 2:5] = 1
    ones = np.ones((3, 3), "uint8")
    shape
    cv2.erode(shape, ones)
    cv2.dilate(shape, ones)


def hog_features(photo):
    """Histograms of gradients' directions, in cells of 16 pixels."""
    grey = _grey(photo)
    values, picture = hog(
        grey,
        orientations=9,
        pixels_per_cell=(16, 16),
        cells_per_block=(2, 2),
        visualize=True,
    )
    rows, columns = (side // 16 for side in grey.shape)
    # Blocks of 2x2 cells overlap; each cell has nine directions.
    len(values) == (rows - 1) * (columns - 1) * 2 * 2 * 9
    strongest = np.percentile(picture, 99.5)
    Pictures({"grey": grey, "HOG": picture * (255 / strongest)})


def lbp_features(photo):
    """Local binary patterns: which of eight neighbours are at least as light."""
    grey = _grey(photo)
    patterns = local_binary_pattern(grey, 8, 1, method="default")
    # A bit for each neighbour: in a flat patch all eight are set.
    patch = np.full((3, 3), 7, "uint8")
    local_binary_pattern(patch, 8, 1)[1, 1]
    # Dark at the right: the first bit goes, and the second and the last, whose places,
    # on a circle, lie between it and another pixel.
    patch[1, 2] = 0
    local_binary_pattern(patch, 8, 1)[1, 1]
    uniform = local_binary_pattern(grey, 8, 1, method="uniform")
    np.bincount(uniform.ravel().astype(int)) / grey.size
    Pictures({"grey": grey, "LBP": patterns, "uniform": uniform * 25})


def gabor_filters(photo):
    """Waves under a bell, in four directions: each answers to edges across it."""
    grey = np.float32(_grey(photo))
    directions = {"0": 0.0, "45": np.pi / 4, "90": np.pi / 2, "135": 3 * np.pi / 4}
    # Size, deviation, direction, wavelength, roundness and phase.
    kernels = {
        name: cv2.getGaborKernel((15, 15), 3.0, angle, 8.0, gamma=0.5, psi=np.pi / 2)
        for name, angle in directions.items()
    }
    # An odd wave sums to nothing: it does not see plain areas.
    {name: abs(kernel.sum()) < 1e-3 for name, kernel in kernels.items()}
    Pictures({f"kernel {n}": 128 + 120 * kernel for n, kernel in kernels.items()})
    answers = {n: cv2.filter2D(grey, cv2.CV_32F, k) for n, k in kernels.items()}
    Pictures({f"across {n}": np.abs(answer) / 8 for n, answer in answers.items()})


def sift_features(photo):
    """Spots of any size, 128 numbers each; they find each other at half the size."""
    grey = _grey(photo)
    # SURF is patented, and in none of OpenCV's packages.
    sift = cv2.SIFT_create(nfeatures=300)
    spots, numbers = _corners(sift, grey)
    numbers.shape
    half = cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    others, their_numbers = _corners(sift, half)
    matcher = cv2.BFMatcher(cv2.NORM_L2, crossCheck=True)
    matches = sorted(
        matcher.match(numbers, their_numbers), key=lambda match: match.distance
    )

    def is_right(match):
        spot, found = spots[match.queryIdx].pt, others[match.trainIdx].pt
        return np.hypot(*(np.array(spot) - 2 * np.array(found))) < 5

    [sum(map(is_right, matches[:50])), len(matches[:50])]
    # A circle as large as the spot, and its direction.
    rich = cv2.DRAW_MATCHES_FLAGS_DRAW_RICH_KEYPOINTS
    drawn = cv2.drawKeypoints(photo, spots, None, (255, 0, 0), rich)
    both = cv2.drawMatches(grey, spots, half, others, matches[:30], outImg=None)
    Pictures({"spots": drawn, "matches": both})


def orb_features(photo):
    """Corners with a direction and 256 bits each; they find each other after a turn."""
    grey = _grey(photo)
    orb = cv2.ORB_create(nfeatures=300)
    corners, bits = _corners(orb, grey)
    bits.shape
    turned = cv2.rotate(grey, cv2.ROTATE_90_CLOCKWISE)
    others, their_bits = _corners(orb, turned)
    matcher = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True)
    matches = sorted(matcher.match(bits, their_bits), key=lambda match: match.distance)

    # Where a corner stands after the turn: (x, y) -> (height - 1 - y, x).
    def is_right(match):
        x, y = corners[match.queryIdx].pt
        found = np.array(others[match.trainIdx].pt)
        return np.hypot(*(found - (len(grey) - 1 - y, x))) < 5

    [sum(map(is_right, matches[:50])), len(matches[:50])]
    drawn = cv2.drawKeypoints(photo, corners, None, (255, 0, 0), 4)
    both = cv2.drawMatches(grey, corners, turned, others, matches[:30], outImg=None)
    Pictures({"corners": drawn, "matches": both})
