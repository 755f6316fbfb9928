"""From raw answers to final ones, inside a plain Keras model."""

from typing import Any

import keras
from keras import ops

from .mask_rcnn import ROI_MASKS, SIDE
from .masks import STRIDE, SURE, mask_size
from .prototypes import COEFFICIENTS, PROTOTYPES, mask_logits, within
from .roi_align import pasted_masks
from .suppression import CANDIDATES, IOU, VOTE, ranked, suppressed

PARTS = ("boxes", "logits")
MAX_ANSWERS = 100  # to a picture


def with_answers(
    model: keras.Model,
    max_answers: int = MAX_ANSWERS,
    candidates: int = CANDIDATES,
    iou_threshold: float = IOU,
    min_score: float = 0.001,
    vote: float | None = VOTE,
) -> keras.Model:
    """A model that shares the weights of a detector and answers with boxes.

    It is of built-in layers and ops alone: what is saved of it loads without kerasdl.

    Args:
        model: a detector with layers "boxes" and "logits", such as `fcos` makes.
        max_answers: of a picture.
        candidates: places and classes with the best scores that are looked at.
        iou_threshold: as in `suppressed`.
        min_score: what is below counts as no answer.
        vote: as in `suppressed`: of six networks on 40 photos of raccoons the cube of
            the scores makes a mean mAP of .601 of .586, of one on 149 pets .604 of
            .588.

    Returns:
        Takes what `model` takes; returns the dict of `suppressed`, boxes cut to the
        picture; of a detector with masks also "masks" `(batch, n, rows, columns)`,
        probabilities at a quarter of the picture's size, 0 outside of the box that
        their place had before others voted. Their scores are those of the boxes times
        the mean probability of what the mask covers, or its highest where it covers
        nothing.

    Raises:
        ValueError: `model` is no such detector.
    """
    check_detector(model)
    boxes, scores = found_by(model)
    names = {layer.name for layer in model.layers}
    beside = next((name for name in (COEFFICIENTS, ROI_MASKS) if name in names), None)
    known = None
    if beside:  # masks lie in boxes that are not cut, and of no vote
        parts = [model.get_layer(part).output for part in (beside, PARTS[0])]
        known = ops.concatenate(parts, axis=-1)
    answers = suppressed(
        boxes,
        scores,
        max_answers,
        candidates,
        iou_threshold=iou_threshold,
        min_score=min_score,
        beside=known,
        vote=vote,
    )
    if beside:
        answers["masks"] = _masks(model, beside, answers, model.input_shape[1:3])
        answers = by_masks(answers, min_score)
    return keras.Model(model.inputs, answers, name=f"{model.name}_answers")


def found_by(model: keras.Model) -> tuple[Any, Any]:
    """Boxes of all places of a detector, cut to its picture, and scores."""
    boxes, logits = (model.get_layer(part).output for part in PARTS)
    height, width = model.input_shape[1:3]
    low = ops.maximum(boxes, 0.0)
    x = ops.minimum(low[..., 0::2], float(width))
    y = ops.minimum(low[..., 1::2], float(height))
    parts = [x[..., :1], y[..., :1], x[..., 1:], y[..., 1:]]
    return ops.concatenate(parts, axis=-1), ops.sigmoid(logits)


def check_detector(model: keras.Model) -> None:
    """Raise ValueError unless `model` has layers that give boxes and logits."""
    names = {layer.name for layer in model.layers}
    if missing := [part for part in PARTS if part not in names]:
        raise ValueError(
            "`model` must be a detector with layers 'boxes' and 'logits'. Received: "
            f"model={model.name!r}, without {', '.join(missing)}"
        )


def _masks(
    model: keras.Model, kind: str, answers: Any, image_size: tuple[int, int]
) -> Any:
    """Probabilities of the masks of answers, at a quarter of the picture's size."""
    size, count = mask_size(image_size), answers["scores"].shape[1]
    beside = answers.pop("beside")
    own, places = beside[..., :-4], beside[..., -4:]
    if kind == ROI_MASKS:
        own = ops.reshape(ops.sigmoid(own), (-1, count, SIDE, SIDE))
        shown = pasted_masks(own, places, size, float(STRIDE))
    else:
        maps = model.get_layer(PROTOTYPES).output
        flat = ops.reshape(maps, (-1, size[0] * size[1], maps.shape[3]))
        shown = ops.reshape(ops.sigmoid(mask_logits(own, flat)), (-1, count, *size))
    return shown * within(widened(places), size)


def widened(boxes: Any) -> Any:
    """Boxes of a stride at least: between the squares of a mask none is lost."""
    low, high = boxes[..., :2], boxes[..., 2:]
    half = ops.maximum(high - low, float(STRIDE)) / 2
    middle = (low + high) / 2
    return ops.concatenate([middle - half, middle + half], axis=-1)


def by_masks(answers: Any, min_score: float) -> Any:
    """Answers whose scores are those of their boxes times how sure their masks are.

    That is the mean probability of what a mask covers; of one that covers nothing the
    highest.

    Args:
        answers: as `suppressed` returns them, with "masks".
        min_score: what is below counts as no answer.
    """
    masks, count = answers["masks"], answers["scores"].shape[1]
    covered = ops.cast(masks > SURE, "float32")
    area = ops.sum(covered, axis=(2, 3))
    mean = ops.sum(masks * covered, axis=(2, 3)) / ops.maximum(area, 1.0)
    sure = ops.where(area > 0, mean, ops.max(masks, axis=(2, 3)))
    scores = answers["scores"] * sure
    kept = ops.where(scores >= min_score, scores, 0.0)
    parts = {name: answers[name] for name in ("boxes", "labels", "masks")}
    answers = ranked(kept, parts, count)
    is_answer = ops.cast(answers["scores"] > 0, "float32")
    answers["masks"] = answers["masks"] * ops.reshape(is_answer, (-1, count, 1, 1))
    return answers
