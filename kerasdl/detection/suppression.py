"""Non-maximum suppression of built-in ops: class by class, batched, of fixed shapes."""

from typing import Any

from keras import ops

from .boxes import pairwise_iou

ROUNDS = 12
CANDIDATES, IOU, VOTE = 300, 0.6, 3.0
_SQUARES = 3
_LEAST = 1e-3  # score that votes, at least, so that no box of some area has none


def suppressed(
    boxes: Any,
    scores: Any,
    max_answers: int = 100,
    candidates: int = CANDIDATES,
    iou_threshold: float = IOU,
    min_score: float = 0.001,
    beside: Any = None,
    vote: float | None = None,
) -> dict[str, Any]:
    """The best answers of each picture, without those that a better one covers.

    An answer falls to a better one of its class that stands, if their IoU is above the
    threshold: what a loop over sorted answers finds. Here all are looked at together,
    some rounds long: after a round more, answers whose chain of better ones is a link
    longer are right. Beyond `ROUNDS` links, as of scores that fall along a fence, some
    stand that a loop would take out.

    Args:
        boxes: of all places, `(batch, places, 4)`.
        scores: of all classes, `(batch, places, classes)`.
        max_answers: of a picture.
        candidates: places and classes with the best scores that are looked at.
        iou_threshold: in (0, 1).
        min_score: what is below counts as no answer.
        beside: what else is known of the places, `(batch, places, k)`.
        vote: makes the box of an answer the mean of all of its class, weighted by this
            power of their scores and a high one of their IoU with it; None leaves it.

    Returns:
        "boxes" `(batch, n, 4)`, "scores" and "labels" `(batch, n)` and "count"
        `(batch,)`: the first `count` are answers, in falling order; the others are
        boxes of zeros with score 0 and label -1. With `beside` its rows of the answers,
        "beside" `(batch, n, k)`.

    Reference:
        Zheng et al., 2020, Cluster-NMS, https://arxiv.org/abs/2005.03572, section 3.3;
        votes: Gidaris & Komodakis, 2015, https://arxiv.org/abs/1505.01749, section 5,
        by IoU as He et al., 2019, https://arxiv.org/abs/1809.08545, section 3.3
    """
    count, classes = scores.shape[1:]
    candidates = min(candidates, count * classes)
    max_answers = min(max_answers, candidates)
    flat = ops.reshape(scores, (-1, count * classes))
    best, index = ops.top_k(flat, candidates)
    labels = index % classes
    places = index // classes
    found = taken(boxes, places)
    same = ops.equal(ops.expand_dims(labels, 1), ops.expand_dims(labels, 2))
    overlaps = pairwise_iou(found, found) * ops.cast(same, "float32")
    # Whether row i, which is better, takes out j.
    covers = ops.triu(ops.cast(overlaps > iou_threshold, "float32"), k=1)
    stands = ops.ones_like(best)
    for _ in range(ROUNDS):
        taken_out = ops.max(covers * ops.expand_dims(stands, 2), axis=1)
        stands = 1.0 - taken_out
    kept = ops.where((stands > 0) & (best >= min_score), best, 0.0)
    if vote is not None:
        found = voted(found, overlaps, ops.expand_dims(best, 1), vote)
    parts = {"boxes": found, "labels": labels}
    if beside is not None:
        parts["beside"] = taken(beside, places)
    return ranked(kept, parts, max_answers)


def ranked(scores: Any, parts: dict[str, Any], max_answers: int) -> dict[str, Any]:
    """The best answers in falling order, as `suppressed` returns them.

    Args:
        scores: `(batch, n)`; 0 is no answer.
        parts: what else is known of them: "labels" `(batch, n)`, others with an axis
            more.
        max_answers: of a picture.
    """
    best, order = ops.top_k(scores, max_answers)
    is_answer = best > 0
    answers = {name: taken(part, order) for name, part in parts.items()}
    answers["boxes"] = ops.where(ops.expand_dims(is_answer, 2), answers["boxes"], 0.0)
    answers["labels"] = ops.where(is_answer, ops.cast(answers["labels"], "int32"), -1)
    answers["scores"] = best
    answers["count"] = ops.sum(ops.cast(is_answer, "int32"), axis=1)
    return answers


def voted(boxes: Any, overlaps: Any, scores: Any, power: float) -> Any:
    """Each box as the mean of all, of those most that are good and lie like it.

    Args:
        boxes: `(batch, n, 4)`.
        overlaps: IoU of each two, `(batch, n, n)`, 0 of those that have no vote.
        scores: of each for the class of each, `(batch, n, n)`, or `(batch, 1, n)`.
        power: of the scores; that of the IoU is 8.
    """
    for _ in range(_SQUARES):
        overlaps = ops.square(overlaps)
    weights = overlaps * ops.maximum(scores, _LEAST) ** power
    total = ops.sum(weights, axis=-1, keepdims=True)
    mean = ops.matmul(weights, boxes) / ops.maximum(total, _LEAST**power)
    return ops.where(total > 0, mean, boxes)  # no area overlaps not even itself


def taken(rows: Any, index: Any) -> Any:
    """What `(batch, n, ...)` has at `(batch, k)`."""
    count = rows.shape[1]
    # All pictures' rows beneath one another: TFLite copies each as a whole.
    first = (ops.cumsum(ops.ones_like(index[:, :1]), axis=0) - 1) * count
    flat = ops.reshape(rows, (-1, *rows.shape[2:]))
    return ops.take(flat, index + first, axis=0)
