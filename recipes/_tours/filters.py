"""Image processing: filters, noise, sharpening and edges.

Each linear filter is also a `Conv2D` with a fixed kernel, as OpenCV gives it. A layer
pads with zeros, OpenCV mirrors the border: so the photo is mirrored first.
"""

import cv2
import numpy as np
import pandas as pd
import tensorflow as tf
from _tour import Pictures
from keras import layers


def _as_layer(kernel):
    """A `Conv2D` for grey pictures that holds this kernel and does not train."""
    kernel = np.asarray(kernel, "float32")
    layer = layers.Conv2D(1, kernel.shape, use_bias=False, trainable=False)
    layer.build((None, None, None, 1))
    layer.kernel.assign(kernel[..., None, None])
    return layer


def _by_layer(kernel, picture):
    """The filter of `_as_layer`, with the border mirrored as OpenCV does."""
    height, width = np.shape(kernel)
    # Of an even kernel OpenCV's middle is the later place.
    up, left = height // 2, width // 2
    pads = ((up, height - 1 - up), (left, width - 1 - left))
    padded = np.pad(np.asarray(picture, "float32"), pads, mode="reflect")
    return _as_layer(kernel)(padded[None, ..., None])[0, ..., 0].numpy()


def _by_opencv(kernel, picture):
    kernel = np.asarray(kernel, "float32")
    return cv2.filter2D(np.asarray(picture, "float32"), cv2.CV_32F, kernel)


def _grey(photo):
    return cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)


ROBERTS = ([[-1, 0], [0, 1]], [[0, -1], [1, 0]])
PREWITT = ([[-1, 0, 1]] * 3, [[-1] * 3, [0] * 3, [1] * 3])
SOBEL = ([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], [[-1, -2, -1], [0, 0, 0], [1, 2, 1]])
LAPLACIAN = [[0, 1, 0], [1, -4, 1], [0, 1, 0]]


def mean_filter():
    """A noisy 29 among 145 to 150: the mean with it, without it, and the median."""
    around = np.float32([[145, 146, 150], [147, 29, 148], [149, 150, 145]])
    # Of all nine, the noisy one among them:
    cv2.blur(around, (3, 3))[1, 1]
    # The lesson's 148 is the mean of the eight others, rounded,
    round((around.sum() - 29) / 8)
    # and the median, which the noisy one does not move, is near it.
    np.median(around)


def filters_as_layers(photo):
    """Each linear filter by OpenCV and as a `Conv2D`: the largest difference."""
    grey = np.float32(_grey(photo) / 255)
    gauss = cv2.getGaussianKernel(5, 1.0)
    kernels = {
        "mean 3x3": np.full((3, 3), 1 / 9),
        "mean 5x5": np.full((5, 5), 1 / 25),
        "Gaussian 5x5": gauss @ gauss.T,
        "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
        "Roberts 1": ROBERTS[0],
        "Roberts 2": ROBERTS[1],
        "Prewitt x": PREWITT[0],
        "Prewitt y": PREWITT[1],
        "Sobel x": SOBEL[0],
        "Sobel y": SOBEL[1],
        "Laplacian": LAPLACIAN,
    }
    differences = {
        name: np.abs(_by_layer(kernel, grey) - _by_opencv(kernel, grey)).max()
        for name, kernel in kernels.items()
    }
    differences
    # OpenCV's own functions are these kernels.
    own = {
        "mean 3x3": cv2.blur(grey, (3, 3)),
        "Gaussian 5x5": cv2.GaussianBlur(grey, (5, 5), 1.0),
        "Sobel x": cv2.Sobel(grey, cv2.CV_32F, 1, 0),
        "Sobel y": cv2.Sobel(grey, cv2.CV_32F, 0, 1),
        "Laplacian": cv2.Laplacian(grey, cv2.CV_32F),
    }
    {name: np.abs(own[name] - _by_layer(kernels[name], grey)).max() for name in own}
    # A colour photo takes one kernel for each channel.
    layer = layers.DepthwiseConv2D(3, padding="valid", use_bias=False)
    layer.build((None, None, None, 3))
    layer.set_weights([np.full((3, 3, 3, 1), 1 / 9)])
    x = np.float32(photo / 255)
    blurred = layer(x[None])[0]
    inside = cv2.blur(x, (3, 3))[1:-1, 1:-1]
    np.abs(blurred - inside).max()


def noise_and_filters(photo, seed):
    """Salt and pepper, and Gaussian noise, by four filters: PSNR in dB."""
    rng = np.random.default_rng(seed)
    grey = _grey(photo)
    chance = rng.uniform(size=grey.shape)
    salted = np.where(chance < 0.03, 0, np.where(chance > 0.97, 255, grey))
    noisy = {
        "salt and pepper, 6 %": salted.astype("uint8"),
        "Gaussian, deviation 20": np.clip(
            grey + rng.normal(0, 20, grey.shape), 0, 255
        ).astype("uint8"),
    }
    filters = {
        "none": lambda x: x,
        "mean 3x3": lambda x: cv2.blur(x, (3, 3)),
        "median 3x3": lambda x: cv2.medianBlur(x, 3),
        "Gaussian 5x5": lambda x: cv2.GaussianBlur(x, (5, 5), 1.0),
        "bilateral 7": lambda x: cv2.bilateralFilter(x, 7, 60, 3),
    }
    psnr = {
        kind: {name: cv2.PSNR(grey, clean(x)) for name, clean in filters.items()}
        for kind, x in noisy.items()
    }
    pd.DataFrame(psnr).round(2)
    # PSNR by its formula: 10 log10(255^2 / mean square error)
    error = np.mean((grey - noisy["salt and pepper, 6 %"].astype(float)) ** 2)
    10 * np.log10(255**2 / error)
    parts = {
        f"{kind.split(',')[0]}: {name}": clean(x)
        for kind, x in noisy.items()
        for name, clean in filters.items()
    }
    Pictures({name: part[:200, :200] for name, part in parts.items()})


def sharpening(photo):
    """The photo and what the Laplacian takes out of it; or what a blur leaves out."""
    x = photo.astype("float32")
    kernel = np.float32([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])
    sharp = cv2.filter2D(x, cv2.CV_32F, kernel)
    np.abs(sharp - (x - cv2.Laplacian(x, cv2.CV_32F))).max()
    unsharp = x + 1.0 * (x - cv2.GaussianBlur(x, (0, 0), 2.0))
    Pictures({"photo": photo, "sharpened": sharp, "unsharp mask": unsharp})


def edges(photo):
    """Roberts, Prewitt and Sobel have two kernels, the Laplacian one; and Canny."""
    grey = _grey(photo)

    def strength(kernels):
        return np.hypot(*(_by_opencv(kernel, grey) for kernel in kernels))

    # A step from 0 to 100, seen by each kernel that looks to the right.
    step = np.repeat(np.float32([[0, 0, 100, 100]]), 4, axis=0)
    three = ROBERTS, PREWITT, SOBEL
    [_by_opencv(kernels[0], step)[1, 1:3] for kernels in three]
    # TensorFlow's `sobel_edges` has y first.
    both = tf.image.sobel_edges(tf.cast(grey, tf.float32)[None, ..., None])
    np.abs(both[0, ..., 0, 1] - cv2.Sobel(grey, cv2.CV_32F, 1, 0)).max()
    Pictures(
        {
            "grey": grey,
            "Roberts": strength(ROBERTS) * 2,
            "Prewitt": strength(PREWITT) / 2,
            "Sobel": strength(SOBEL) / 2,
            "Laplacian": np.abs(_by_opencv(LAPLACIAN, grey)) * 2,
            "Canny": cv2.Canny(grey, 100, 200),
        }
    )
