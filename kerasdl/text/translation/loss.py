"""The loss of the next piece."""

import keras
import tensorflow as tf

from .subwords import PAD


class NextPieceLoss(keras.losses.Loss):
    """Cross-entropy of the next piece, its mean over the pieces that are there.

    With label smoothing e the truth has a share 1 - e, and all pieces e together.

    Args:
        label_smoothing: e, from 0 to below 1.
        name: of the loss.

    Raises:
        ValueError: `label_smoothing` is out of range.

    Reference:
        Szegedy et al., 2016, https://arxiv.org/abs/1512.00567, 7
    """

    def __init__(self, label_smoothing: float = 0.0, name: str = "next_piece") -> None:
        super().__init__(name=name)
        if not 0 <= label_smoothing < 1:
            raise ValueError(
                "`label_smoothing` must be at least 0 and below 1. Received: "
                f"label_smoothing={label_smoothing!r}"
            )
        self.label_smoothing = label_smoothing

    def get_config(self) -> dict[str, object]:
        """What makes an equal one."""
        return {"label_smoothing": self.label_smoothing, "name": self.name}

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """The loss of each piece, `(batch, time)`, whose mean is that of the batch.

        Args:
            y_true: ids `(batch, time)`; 0 is padding.
            y_pred: logits `(batch, time, pieces)`.
        """
        truth = tf.cast(y_true, tf.int32)
        pieces = keras.ops.shape(y_pred)[-1]
        rest = self.label_smoothing / pieces
        shares = tf.one_hot(truth, pieces, 1 - self.label_smoothing + rest, rest)
        losses = tf.nn.softmax_cross_entropy_with_logits(shares, y_pred)
        is_there = tf.cast(truth != PAD, losses.dtype)
        share = tf.maximum(tf.reduce_mean(is_there), keras.config.epsilon())
        return losses * is_there / share
