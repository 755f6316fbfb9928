"""Affine sampling: one warp takes a decoded photo to its augmented, resized view.

A matrix is 3x3 and maps (x, y, 1) of an output pixel to a source pixel, pixel
centres at integers; composing two transforms is one matrix product.
"""

import cv2
import numpy as np

RESIZE_MODES = ("crop", "squash", "pad")
# Keras's `fill_mode` names for what lies outside the image.
BORDERS = {
    "constant": cv2.BORDER_CONSTANT,
    "nearest": cv2.BORDER_REPLICATE,
    "reflect": cv2.BORDER_REFLECT,
    "wrap": cv2.BORDER_WRAP,
}


def placement(
    source_size: tuple[int, int], image_size: tuple[int, int], resize: str
) -> np.ndarray:
    """Matrix that fits a source of (height, width) to an output of `image_size`.

    `crop` fills the output and cuts what sticks out, `pad` shows everything between
    borders, both keep the aspect ratio and the centre; `squash` stretches.
    """
    scale_y, scale_x = (s / o for s, o in zip(source_size, image_size, strict=True))
    if resize == "crop":
        scale_x = scale_y = min(scale_x, scale_y)
    elif resize == "pad":
        scale_x = scale_y = max(scale_x, scale_y)
    (source_h, source_w), (h, w) = source_size, image_size
    return np.array(
        [
            [scale_x, 0, (source_w - 1) / 2 - scale_x * (w - 1) / 2],
            [0, scale_y, (source_h - 1) / 2 - scale_y * (h - 1) / 2],
            [0, 0, 1],
        ]
    )


def warp_image(
    image: np.ndarray,
    image_size: tuple[int, int],
    resize: str = "crop",
    transform: np.ndarray | None = None,
    fill_mode: str = "nearest",
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Resize `image` to `image_size`, after `transform` in output pixels if given.

    Bilinear. An axis that is at least halved is first averaged over whole pixels, since
    bilinear sampling alone skips pixels there.

    Args:
        image: `(height, width, channels)`, uint8 or float32.
        image_size: `(height, width)` of the result.
        resize: one of `RESIZE_MODES`.
        transform: 3x3 matrix from a pixel of the result to a pixel of the plain,
            resized view.
        fill_mode: what lies outside the photo, one of `BORDERS`; with `pad` it is
            always black, so that augmented and plain views have the same borders.
        out: array to write the result to, in its shape and dtype.

    Returns:
        `(*image_size, channels)` in the dtype of `image`.
    """
    size, channels = image.shape[:2], image.shape[2]
    image = averaged(image, image_size, resize)
    matrix = placement(image.shape[:2], size, "squash")
    matrix = matrix @ placement(size, image_size, resize)
    if transform is not None:
        matrix = matrix @ transform
    result = cv2.warpAffine(
        image,
        matrix[:2],
        image_size[::-1],
        dst=out,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=BORDERS["constant" if resize == "pad" else fill_mode],
    )
    return result.reshape(*image_size, channels)  # OpenCV drops a single channel


def averaged(image: np.ndarray, image_size: tuple[int, int], resize: str) -> np.ndarray:
    """Average whole pixels of `image` along an axis that is to be at least halved."""
    height, width = image.shape[:2]
    matrix = placement((height, width), image_size, resize)
    smaller = _shrunk(height, matrix[1, 1]), _shrunk(width, matrix[0, 0])
    if smaller == (height, width):
        return image
    return cv2.resize(image, smaller[::-1], interpolation=cv2.INTER_AREA)


def _shrunk(side: int, scale: float) -> int:
    """Whole pixels that `side` is averaged to when `scale` of its pixels become one."""
    return max(side // int(max(scale, 1)), 1)
