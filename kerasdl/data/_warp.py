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
    scale_y, scale_x = _scales(source_size, image_size, resize)
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

    Example:
        ```
        small = kd.data.warp_image(photo, (24, 24), "squash")
        ```
    """
    size = image.shape[:2]
    matrix = placement(size, image_size, resize)
    image = averaged(image, image_size, resize)
    if image.shape[:2] != size:
        matrix = placement(image.shape[:2], size, "squash") @ matrix
    if transform is not None:
        matrix = matrix @ transform
    border = BORDERS["constant" if resize == "pad" else fill_mode]
    return sampled(image, matrix, image_size, cv2.INTER_LINEAR, border, out=out)


def sampled(
    image: np.ndarray,
    matrix: np.ndarray,
    image_size: tuple[int, int],
    kernel: int,
    border: int,
    fill: float = 0.0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """View of `image_size` whose pixels lie at `matrix` in `image`.

    Args:
        image: `(height, width, channels)`.
        matrix: 3x3, from a pixel of the result to one of `image`.
        image_size: `(height, width)` of the result.
        kernel: one of OpenCV's interpolations.
        border: one of OpenCV's borders.
        fill: the value of a constant border.
        out: array to write the result to, in its shape and dtype.
    """
    # OpenCV samples four channels in half the time of three, to the same pixels.
    widened = kernel == cv2.INTER_LINEAR and image.shape[2] == 3
    widened = widened and image.dtype in (np.uint8, np.float32)
    result = cv2.warpAffine(
        cv2.cvtColor(image, cv2.COLOR_RGB2RGBA) if widened else image,
        matrix[:2],
        image_size[::-1],
        dst=None if widened else out,
        flags=kernel | cv2.WARP_INVERSE_MAP,
        borderMode=border,
        borderValue=(fill,) * 4,
    )
    if widened:
        return cv2.cvtColor(result, cv2.COLOR_RGBA2RGB, dst=out)
    return result.reshape(*image_size, -1)  # OpenCV drops a single channel


def averaged(image: np.ndarray, image_size: tuple[int, int], resize: str) -> np.ndarray:
    """Average whole pixels of `image` along an axis that is to be at least halved."""
    height, width = image.shape[:2]
    scale_y, scale_x = _scales((height, width), image_size, resize)
    smaller = _shrunk(height, scale_y), _shrunk(width, scale_x)
    if smaller == (height, width):
        return image
    smaller_image = cv2.resize(image, smaller[::-1], interpolation=cv2.INTER_AREA)
    return smaller_image.reshape(*smaller, -1)  # OpenCV drops a single channel


def _scales(
    source_size: tuple[int, int], image_size: tuple[int, int], resize: str
) -> tuple[float, float]:
    """Pixels of the source, down and across, that become one of the output."""
    (source_h, source_w), (h, w) = source_size, image_size
    scales = source_h / h, source_w / w
    if resize == "squash":
        return scales
    scale = (min if resize == "crop" else max)(scales)
    return scale, scale


def _shrunk(side: int, scale: float) -> int:
    """Whole pixels that `side` is averaged to when `scale` of its pixels become one."""
    return max(side // int(max(scale, 1)), 1)
