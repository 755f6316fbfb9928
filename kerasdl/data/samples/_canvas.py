"""A canvas for faces: soft shapes in face units, fur, backgrounds, a camera.

Nothing here knows a cat from a dog, so none of it can tell the classes apart.
"""

import cv2
import numpy as np

Points = list[tuple[float, float]]

# RGB of fur; a coat mixes two of them.
COATS = (
    (52, 47, 46),
    (96, 68, 50),
    (142, 96, 58),
    (205, 136, 72),
    (224, 190, 142),
    (236, 228, 214),
    (132, 130, 134),
    (178, 158, 134),
)


class Canvas:
    """An image with a pose: shapes are given in face units and land turned and scaled.

    In face units x points right, y points down, and a head is about 2 wide and high.

    Attributes:
        planes: float32 RGB in [0, 255], `(3, height, width)`: NumPy blends planes
            several times faster than pixels.
        x: of each pixel in face units, `(height, width)`.
        y: of each pixel in face units, `(height, width)`.
        unit: pixels in a face unit.
    """

    def __init__(self, rng: np.random.Generator, height: int, width: int) -> None:
        self.planes = _background(rng, height, width)
        side = min(height, width)
        self.unit = side * rng.uniform(0.18, 0.31)
        angle = np.deg2rad(np.clip(rng.normal(0, 16), -40, 40))
        stretch, mirror = rng.uniform(0.93, 1.07), rng.choice((-1, 1))
        cos, sin = self.unit * np.cos(angle), self.unit * np.sin(angle)
        self._axes = np.array([[cos * mirror, -sin], [sin * mirror, cos]])
        self._axes *= (stretch, 1 / stretch)
        self._origin = np.array([width, height]) / 2
        self._origin += side * rng.uniform(-0.12, 0.12, 2)
        # Near parts move further than far ones when a head turns or nods.
        self._turn = rng.uniform((-0.3, -0.16), (0.3, 0.16))
        (a, b), (c, d) = np.linalg.inv(self._axes).astype(np.float32)
        dx = np.arange(width, dtype=np.float32) - np.float32(self._origin[0])
        dy = np.arange(height, dtype=np.float32)[:, None] - np.float32(self._origin[1])
        self.x, self.y = a * dx + b * dy, c * dx + d * dy

    def fill(
        self,
        outline: np.ndarray,
        paint: np.ndarray | tuple[float, float, float],
        opacity: float = 1.0,
        blur: float = 0.0,
        depth: float = 0.0,
    ) -> None:
        """Lay `paint`, a colour or an image of the canvas's size, inside `outline`.

        Args:
            outline: `(n, 2)` points in face units.
            paint: RGB in [0, 255], `(3,)` or `(3, height, width)`.
            opacity: in [0, 1].
            blur: softness of the edge, in face units.
            depth: distance in front of the head's centre, in face units.
        """
        points = (outline + depth * self._turn) @ self._axes.T + self._origin
        margin = 2 + int(3 * blur * self.unit)
        size = self.x.shape[::-1]
        low = np.clip(points.min(0).astype(np.int32) - margin, 0, size)
        high = np.clip(points.max(0).astype(np.int32) + margin, 0, size)
        if (low >= high).any():
            return
        mask = np.zeros((high - low)[::-1], np.uint8)
        sixteenths = np.round((points - low) * 16).astype(np.int32)
        cv2.fillPoly(mask, [sixteenths], 255, cv2.LINE_AA, shift=4)
        mask = mask * np.float32(opacity / 255)
        if blur:
            mask = cv2.GaussianBlur(mask, (0, 0), blur * self.unit)
        window = np.s_[:, low[1] : high[1], low[0] : high[0]]
        paint = np.asarray(paint, np.float32)
        paint = paint[window] if paint.ndim == 3 else paint[:, None, None]
        patch = self.planes[window]
        patch += mask * (paint - patch)


def curve(points: Points) -> np.ndarray:
    """Closed quadratic B-spline of `points`; a doubled point stays sharp."""
    here = np.array(points, float)[:, None]
    before, after = np.roll(here, 1, axis=0), np.roll(here, -1, axis=0)
    t = np.linspace(0, 1, 12, endpoint=False)[:, None]
    line = (1 - t) ** 2 * before + (1 + 2 * t * (1 - t)) * here + t**2 * after
    return line.reshape(-1, 2) / 2


def ellipse(x: float, y: float, width: float, height: float) -> np.ndarray:
    """Outline of an ellipse around `(x, y)` with the given half axes."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    return np.stack([x + width * np.cos(angle), y + height * np.sin(angle)], 1)


def stroke(points: Points, thickness: float, taper: float = 1.0) -> np.ndarray:
    """Outline of a line that leaves the first of three points towards the second.

    It ends at the third, `taper` times as thick as it began.
    """
    start, bend, end = np.array(points, float)
    t = np.linspace(0, 1, 16)[:, None]
    line = (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end
    along = (1 - t) * (bend - start) + t * (end - bend)
    offset = _normals(along) * (1 + (taper - 1) * t) * thickness / 2
    return np.concatenate([line + offset, (line - offset)[::-1]])


def furry(rng: np.random.Generator, outline: np.ndarray, size: float) -> np.ndarray:
    """Give `outline` a ragged edge of hairs about `size` long."""
    length = np.linalg.norm(np.diff(outline, axis=0, append=outline[:1]), axis=1)
    at, whole = np.cumsum(length) - length, length.sum()
    hairs = np.arange(0, whole, 0.05)
    line = np.stack([np.interp(hairs, at, axis, period=whole) for axis in outline.T], 1)
    along = np.roll(line, -1, axis=0) - np.roll(line, 1, axis=0)
    return line + _normals(along) * size * rng.uniform(-0.5, 0.5, (len(line), 1))


def coat(rng: np.random.Generator, canvas: Canvas) -> tuple[np.ndarray, np.ndarray]:
    """Draw the fur of one animal, lit as a ball is.

    Returns:
        The patterned fur, and fur of its marking's colour alone, `(3, height, width)`.
    """
    colours = rng.choice(COATS, 2, replace=False)
    colours = colours + rng.normal(0, 10, (2, 1)) + rng.normal(0, 3, (2, 3))
    first, second = colours.astype(np.float32)[..., None, None]
    x, y = canvas.x, canvas.y
    wobble = _noise(rng, x.shape, canvas.unit * 0.5) - 0.5
    share = np.zeros_like(x)
    pattern = rng.choice(("plain", "tabby", "patches", "mask", "blaze"))
    if pattern == "tabby":
        angle = np.arctan2(x, 0.2 - y) + 0.6 * wobble
        share = _step(3 * np.cos(rng.integers(9, 14) * angle) - 1)
        share *= np.clip(2.5 * np.hypot(x, y - 0.2) - 1, 0, 0.8)
    elif pattern == "patches":
        share = _step((_noise(rng, x.shape, canvas.unit * 0.9) - 0.55) * 14)
    elif pattern == "mask":
        share = _step((y + 0.5 * wobble - rng.uniform(-0.1, 0.4)) * 6)
    elif pattern == "blaze":
        half = rng.uniform(0.1, 0.25) + 0.35 * np.clip(y + 0.2, 0, 1)
        share = _step((half - np.abs(x) + 0.2 * wobble) * 16)
    light = 1 + rng.uniform(-0.22, 0.22) * x + rng.uniform(-0.22, 0.05) * y
    light = np.clip(light - 0.13 * (x**2 + 0.7 * y**2), 0.45, 1.4)
    light *= 1 + rng.uniform(0.5, 1.0) * (_hair(rng, x, y) - 0.5)
    return (first + share * (second - first)) * light, second * light


def photograph(rng: np.random.Generator, canvas: Canvas) -> np.ndarray:
    """Apply exposure, tint, focus and grain; uint8 RGB `(height, width, 3)`."""
    gain = (rng.uniform(0.6, 1.2) * rng.uniform(0.94, 1.06, 3)).astype(np.float32)
    focus = 0.3 + 0.002 * rng.exponential() * min(canvas.x.shape)
    image = cv2.merge(list(canvas.planes * gain[:, None, None]))
    image = cv2.GaussianBlur(image, (0, 0), focus)
    grain = rng.standard_normal(canvas.x.shape, np.float32) * rng.uniform(0, 9)
    return np.clip(image + cv2.merge([grain] * 3), 0, 255).astype(np.uint8)


def _background(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A gradient with nothing, blobs, stripes or clouds on it, out of focus."""
    colours = rng.uniform(30, 225, (3, 1)) * 0.55 + rng.uniform(0, 255, (3, 3)) * 0.45
    first, last, other = colours.astype(np.float32)[..., None, None]
    angle = rng.uniform(0, 2 * np.pi)
    x = np.linspace(-0.5, 0.5, width, dtype=np.float32) * np.cos(angle).item()
    y = np.linspace(-0.5, 0.5, height, dtype=np.float32) * np.sin(angle).item()
    ramp = x + y[:, None]
    share = np.zeros_like(ramp)
    kind = rng.choice(("plain", "blobs", "stripes", "clouds"))
    if kind == "blobs":
        for _ in range(rng.integers(6, 16)):
            centre = rng.integers(0, (width, height)).tolist()
            radius = int(rng.uniform(0.03, 0.14) * width)
            cv2.circle(share, centre, radius, rng.uniform(0.3, 1), cv2.FILLED)
    elif kind == "stripes":
        share = _step(np.sin(ramp * rng.uniform(20, 60)) * 6) * rng.uniform(0.3, 1)
    elif kind == "clouds":
        share = _noise(rng, (height, width), width / rng.uniform(3, 12))
    share = cv2.GaussianBlur(share, (0, 0), rng.uniform(0.8, 5))
    planes = first + (ramp + 0.5) * (last - first)
    return planes + share * (other - planes)


def _noise(rng: np.random.Generator, shape: tuple[int, ...], cell: float) -> np.ndarray:
    """Smooth noise in about [0, 1] that varies over `cell` pixels."""
    grid = rng.random([int(side / cell) + 3 for side in shape], np.float32)
    return cv2.resize(grid, shape[::-1], interpolation=cv2.INTER_CUBIC)


def _hair(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Noise in [0, 1] drawn out along lines that lead away from the nose."""
    strands = rng.random((14, 240), np.float32)
    radius, degrees = cv2.cartToPolar(x, y - 0.2, angleInDegrees=True)
    across, along = degrees * (240 / 360), np.minimum(radius * 5, 13)
    return cv2.remap(
        strands, across, along, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
    )


def _normals(along: np.ndarray) -> np.ndarray:
    """Unit vectors at right angles to the directions `along`, `(n, 2)`."""
    normals = along[:, ::-1] * (-1, 1)
    return normals / (np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9)


def _step(x: np.ndarray) -> np.ndarray:
    """A ramp from 0 to 1 as `x` goes from -1 to 1."""
    return np.clip(x * 0.5 + 0.5, 0, 1)
