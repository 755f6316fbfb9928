"""Non-maximum suppression of built-in ops: class by class, batched, of fixed shapes."""

from typing import Any

from keras import ops

from .boxes import pairwise_iou

ROUNDS = 12


def suppressed(
    boxes: Any,
    scores: Any,
    max_answers: int = 100,
    candidates: int = 300,
    iou_threshold: float = 0.6,
    min_score: float = 0.001,
    beside: Any = None,
) -> dict[str, Any]:
    """The best answers of each picture, without those that a better one covers.

    An answer falls to a better one of its class that stands, if their IoU is above the
    threshold: what a loop over sorted answers finds. Here all are looked at together,
    some rounds long: after a round more, answers whose chain of better ones is a link
    longer are right, and longer chains than `ROUNDS` do not come about.

    Args:
        boxes: of all places, `(batch, places, 4)`.
        scores: of all classes, `(batch, places, classes)`.
        max_answers: of a picture.
        candidates: places and classes with the best scores that are looked at.
        iou_threshold: in (0, 1).
        min_score: what is below counts as no answer.
        beside: what else is known of the places, `(batch, places, k)`.

    Returns:
        "boxes" `(batch, n, 4)`, "scores" and "labels" `(batch, n)` and "count"
        `(batch,)`: the first `count` are answers, in falling order; the others are
        boxes of zeros with score 0 and label -1. With `beside` its rows of the answers,
        "beside" `(batch, n, k)`.

    Reference:
        Zheng et al., 2020, Cluster-NMS, https://arxiv.org/abs/2005.03572, section 3.3
    """
    count, classes = scores.shape[1:]
    candidates = min(candidates, count * classes)
    max_answers = min(max_answers, candidates)
    flat = ops.reshape(scores, (-1, count * classes))
    best, index = ops.top_k(flat, candidates)
    labels = index % classes
    places = index // classes
    found = _taken(boxes, places)
    same = ops.equal(ops.expand_dims(labels, 1), ops.expand_dims(labels, 2))
    covers = (pairwise_iou(found, found) > iou_threshold) & same
    # Row i, column j: whether i, which is better, would take j out.
    covers = ops.triu(ops.cast(covers, "float32"), k=1)
    stands = ops.ones_like(best)
    for _ in range(ROUNDS):
        taken_out = ops.max(covers * ops.expand_dims(stands, 2), axis=1)
        stands = 1.0 - taken_out
    kept = ops.where((stands > 0) & (best >= min_score), best, 0.0)
    best, order = ops.top_k(kept, max_answers)
    is_answer = best > 0
    answers = {
        "boxes": ops.where(ops.expand_dims(is_answer, 2), _taken(found, order), 0.0),
        "scores": best,
        "labels": ops.where(
            is_answer, ops.cast(ops.take_along_axis(labels, order, axis=1), "int32"), -1
        ),
        "count": ops.sum(ops.cast(is_answer, "int32"), axis=1),
    }
    if beside is not None:
        answers["beside"] = _taken(_taken(beside, places), order)
    return answers


def _taken(boxes: Any, index: Any) -> Any:
    """Rows of `(batch, n, width)` at `(batch, k)`."""
    index = ops.repeat(ops.expand_dims(index, 2), boxes.shape[-1], axis=2)
    return ops.take_along_axis(boxes, index, axis=1)
