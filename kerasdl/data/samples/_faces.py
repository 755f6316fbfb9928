"""Faces of cats and dogs: what makes the one or the other, and nothing else.

No part tells them apart alone: a few cats have folded ears, a few dogs pricked ones,
whiskers or bright eyes.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ._canvas import Canvas, Points, coat, curve, ellipse, furry, photograph, stroke

SIDES = (-1, 1)
DARK = (34, 27, 26)
WHITE = (250, 250, 250)
PINK = (214, 138, 134)
TONGUE = (222, 110, 118)
BROWN = (112, 70, 38)
IRISES = ((196, 178, 60), (128, 168, 84), (206, 140, 48), (96, 152, 190))


def draw_face(
    rng: np.random.Generator, animal: str, height: int, width: int
) -> np.ndarray:
    """Draw the face of a "cat" or a "dog"; uint8 RGB `(height, width, 3)`."""
    canvas = Canvas(rng, height, width)
    fur, marking = coat(rng, canvas)
    _shoulders(rng, canvas, fur)
    parts = _cat if animal == "cat" else _dog
    parts(rng, canvas, fur, marking)
    return photograph(rng, canvas)


def draw_head(
    rng: np.random.Generator, animal: str, side: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a head alone, of a "cat" or a "dog", to be put into a scene.

    Returns:
        Colours, float32 `(3, side, side)`, and where the head is, `(side, side)`.
    """
    canvas = Canvas(rng, side, side)
    before = canvas.planes.copy()
    fur, marking = coat(rng, canvas)
    (_cat if animal == "cat" else _dog)(rng, canvas, fur, marking)
    return canvas.planes, abs(canvas.planes - before).max(axis=0) > 1


def _cat(
    rng: np.random.Generator, canvas: Canvas, fur: np.ndarray, marking: np.ndarray
) -> None:
    """A round head, slit pupils, a short muzzle with a small nose, whiskers."""
    kinds: Any = (_pricked_ears, _folded_ears)
    ears = rng.choice(kinds, p=(0.93, 0.07))
    jowl = (rng.uniform(0.95, 1.1), rng.uniform(0.25, 0.4))
    head = [(0, -0.9), (0.62, -0.85), (0.95, -0.25), jowl, (0.55, 0.85), (0, 0.92)]
    _head(rng, canvas, fur, half=head, ears=ears, ear_fur=fur)
    _slit_eyes(rng, canvas)

    for side in SIDES:
        cheek = ellipse(side * 0.17, 0.42, 0.24, 0.2)
        canvas.fill(cheek, marking * 1.1, 0.8, 0.05, 0.4)
    canvas.fill(ellipse(0, 0.62, 0.16, 0.12), marking * 1.05, 0.7, 0.04, 0.4)
    nose = _both_sides([(0.13, 0.24), (0.04, rng.uniform(0.35, 0.39))])
    canvas.fill(nose, PINK if rng.random() < 0.5 else DARK, depth=0.5)
    canvas.fill(stroke([(0, 0.35), (0, 0.4), (0, 0.46)], 0.03), DARK, 0.85, depth=0.45)
    for side in SIDES:
        lip = [(0, 0.46), (side * 0.1, 0.58), (side * 0.25, 0.5)]
        canvas.fill(stroke(lip, 0.035, 0.4), DARK, 0.85, depth=0.45)
    _whiskers(rng, canvas, rng.uniform(0.75, 1.4))


def _dog(
    rng: np.random.Generator, canvas: Canvas, fur: np.ndarray, marking: np.ndarray
) -> None:
    """A long head, round eyes, a long muzzle with a big nose, often a tongue."""
    kinds: Any = (_hanging_ears, _folded_ears, _pricked_ears)
    ears = rng.choice(kinds, p=(0.63, 0.3, 0.07))
    ear_fur = (marking if rng.random() < 0.5 else fur) * rng.uniform(0.75, 1.1)
    jaw, crown = rng.uniform(0.5, 0.65), rng.uniform(0.72, 0.86)
    brow = [(0, -0.95), (0.6, -0.92), (crown, -0.3), (crown, 0.2)]
    _head(
        rng,
        canvas,
        fur,
        half=[*brow, (jaw, 0.85), (0, 1.05)],
        ears=ears,
        ear_fur=ear_fur,
    )
    _round_eyes(rng, canvas)

    muzzle = _both_sides([(0, 0), (0.3, 0.08), (0.48, 0.5), (0.36, 0.95), (0, 1.02)])
    canvas.fill(muzzle + (0, 0.05), DARK, 0.3, blur=0.06, depth=0.4)
    canvas.fill(muzzle, marking * 1.08, 0.9, blur=0.04, depth=0.45)
    if rng.random() < 0.45:
        tongue = _both_sides([(0.15, 0.72), (0.17, rng.uniform(1.05, 1.3))])
        canvas.fill(tongue, TONGUE, depth=0.5)
    canvas.fill(stroke([(0, 0.4), (0, 0.6), (0, 0.7)], 0.04), DARK, 0.85, depth=0.55)
    for side in SIDES:
        lip = [(0, 0.68), (side * 0.22, 0.86), (side * 0.4, 0.62)]
        canvas.fill(stroke(lip, 0.05, 0.4), DARK, 0.85, depth=0.5)
    nose = _both_sides([(0.1, 0.13), (rng.uniform(0.2, 0.26), 0.2), (0.1, 0.45)])
    canvas.fill(nose, DARK, depth=0.65)
    canvas.fill(ellipse(0.02, 0.22, 0.08, 0.03), WHITE, 0.4, 0.015, 0.65)
    if rng.random() < 0.1:
        _whiskers(rng, canvas, rng.uniform(0.7, 1.0))


def _shoulders(rng: np.random.Generator, canvas: Canvas, fur: np.ndarray) -> None:
    chest = ellipse(rng.uniform(-0.2, 0.2), 2.1, rng.uniform(0.85, 1.1), 1.75)
    canvas.fill(furry(rng, chest, 0.07), fur * 0.8, depth=-0.5)
    canvas.fill(ellipse(0, 0.75, 0.8, 0.4), DARK, 0.45, blur=0.12, depth=-0.2)


def _head(
    rng: np.random.Generator,
    canvas: Canvas,
    fur: np.ndarray,
    half: Points,
    ears: Callable[..., None],
    ear_fur: np.ndarray,
) -> None:
    """The head, in front of ears that stand and behind ears that hang over it."""
    if ears is _pricked_ears:
        ears(rng, canvas, fur, ear_fur)
    canvas.fill(furry(rng, _both_sides(half), 0.07), fur)
    if ears is not _pricked_ears:
        ears(rng, canvas, fur, ear_fur)


def _whiskers(rng: np.random.Generator, canvas: Canvas, reach: float) -> None:
    shade, opacity = WHITE if rng.random() < 0.5 else DARK, rng.uniform(0.2, 0.85)
    for side in SIDES:
        for y in np.linspace(0.36, 0.52, rng.integers(3, 5)):
            x, end = reach + rng.normal(0, 0.1), 3 * y - 0.84 + rng.normal(0, 0.06)
            whisker = [(side * 0.22, y), (side * 0.7, y - 0.1), (side * x, end)]
            canvas.fill(stroke(whisker, 0.028, 0.3), shade, opacity, depth=0.4)


def _pricked_ears(
    rng: np.random.Generator, canvas: Canvas, fur: np.ndarray, ear_fur: np.ndarray
) -> None:
    spread, top = rng.uniform(0.62, 0.85), -rng.uniform(1.2, 1.5)
    skin = np.array(PINK) * rng.uniform(0.65, 1.05)
    for side in SIDES:
        tip = (side * spread, top)
        ear = [(side * 0.9, -0.15), tip, tip, (side * 0.12, -0.8), (side * 0.5, 0.0)]
        canvas.fill(furry(rng, curve(ear), 0.05), ear_fur, depth=-0.2)
        tip = (side * spread, top + 0.2)
        hollow = [(side * 0.8, -0.4), tip, tip, (side * 0.34, -0.78)]
        canvas.fill(curve(hollow), skin, 0.8, blur=0.03, depth=-0.2)


def _folded_ears(
    rng: np.random.Generator, canvas: Canvas, fur: np.ndarray, ear_fur: np.ndarray
) -> None:
    out, low = rng.uniform(0.95, 1.25), -rng.uniform(0.35, 0.6)
    for side in SIDES:
        tip = (side * out, low)
        base = [(0.3, -0.85), (0.6, -1.3), (0.95, -1.1), (0.85, -0.3)]
        base = [(side * x, y) for x, y in base]
        canvas.fill(furry(rng, curve(base), 0.05), fur * 0.9)
        flap = [(0.45, -1.15), (0.75, -1.3), (1.1, -1.0)]
        flap = [*((side * x, y) for x, y in flap), tip, tip, (side * 0.7, -0.7)]
        canvas.fill(furry(rng, curve(flap), 0.05), ear_fur * 0.9)


def _hanging_ears(
    rng: np.random.Generator, canvas: Canvas, fur: np.ndarray, ear_fur: np.ndarray
) -> None:
    out, low = rng.uniform(1.0, 1.25), rng.uniform(0.3, 0.95)
    ear = [
        (0.4, -0.9),
        (0.85, -0.96),
        (out, -0.3),
        (out + 0.05, low - 0.1),
        (out - 0.2, low + 0.1),
        (0.78, 0.1),
        (0.72, -0.5),
    ]
    for side in SIDES:
        outline = furry(rng, curve(ear), 0.07) * (side, 1)
        canvas.fill(outline + (0, 0.05), DARK, 0.35, blur=0.06)
        canvas.fill(outline, ear_fur, depth=-0.1)


def _slit_eyes(rng: np.random.Generator, canvas: Canvas) -> None:
    iris = rng.choice(IRISES) + rng.normal(0, 10, 3)
    slit, open_, tilt = rng.uniform((0.03, 0.12, 0), (0.16, 0.2, 0.1))
    lids = [(-0.26, tilt), (-0.1, -open_), (0.14, -1.1 * open_)]
    lids = curve([*lids, (0.3, -tilt), (0.12, open_), (-0.1, open_)])
    for side in SIDES:
        eye = (side * 0.41, -0.1)
        canvas.fill(lids * (1.2 * side, 1.2) + eye, DARK, 0.9, blur=0.02, depth=0.25)
        canvas.fill(lids * (side, 1) + eye, iris, depth=0.25)
        canvas.fill(ellipse(*eye, slit, open_ * 0.85), DARK, depth=0.25)
        _glint(canvas, eye)


def _round_eyes(rng: np.random.Generator, canvas: Canvas) -> None:
    size = rng.uniform(0.13, 0.18)
    iris = BROWN if rng.random() < 0.8 else rng.choice(IRISES)
    for side in SIDES:
        eye = (side * 0.36, -0.14)
        canvas.fill(ellipse(*eye, size * 1.35, size * 1.2), DARK, 0.8, 0.03, 0.25)
        canvas.fill(ellipse(*eye, size, size), iris, depth=0.25)
        canvas.fill(ellipse(*eye, size * 0.65, size * 0.65), DARK, depth=0.25)
        _glint(canvas, eye)


def _glint(canvas: Canvas, eye: tuple[float, float]) -> None:
    canvas.fill(ellipse(eye[0] + 0.06, eye[1] - 0.06, 0.035, 0.035), WHITE, depth=0.25)


def _both_sides(half: Points) -> np.ndarray:
    """Curve along the right half of an outline, top to bottom, and back mirrored."""
    return curve([*half, *((-x, y) for x, y in half[::-1] if x)])
