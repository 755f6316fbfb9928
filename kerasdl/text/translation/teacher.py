"""Scheduled teacher forcing: more and more of a network's own pieces go into it."""

import keras
import tensorflow as tf

from .subwords import PAD


class OwnPieces(keras.layers.Layer):
    """Put what a network would have written in place of some of the true pieces.

    Of training alone: no saved model holds it.

    Args:
        seed: of what is replaced.
        name: of the layer.
    """

    def __init__(self, seed: int | None = None, name: str = "own_pieces") -> None:
        super().__init__(name=name)
        self.seed = seed
        self._draws = keras.random.SeedGenerator(seed)
        self.truth = self.add_weight(
            name="truth", shape=(), initializer="ones", trainable=False
        )

    def get_config(self) -> dict[str, object]:
        """What makes an equal one."""
        return {"seed": self.seed, "name": self.name}

    def call(
        self, target: tf.Tensor, logits: tf.Tensor, training: bool = False
    ) -> tf.Tensor:
        """The target, as it is or, in training, with pieces replaced.

        Args:
            target: ids `(batch, t)`, begin and true pieces.
            logits: `(batch, t, pieces)`, found with the true pieces.
            training: whether to replace any.
        """
        if not training:
            return target
        guesses = tf.cast(tf.argmax(logits[:, :-1], axis=-1), target.dtype)
        own = tf.concat([target[:, :1], guesses], axis=1)
        drawn = keras.random.uniform(tf.shape(target), seed=self._draws)
        is_kept = (drawn < self.truth) | (target == PAD)
        return tf.where(is_kept, target, own)


def with_own_pieces(model: keras.Model, *, seed: int | None = None) -> keras.Model:
    """A network for training that shares the weights of `model`.

    It asks `model` with the true pieces, replaces some of them by what that answers,
    and asks again: so a piece at a time is waited for nowhere, as in the lesson. How
    many stay true is set by `TeacherForcing`; at first it is all.

    Args:
        model: as `gru_translator` or `transformer_translator` builds it.
        seed: of what is replaced.

    Reference:
        Bengio et al., 2015, https://arxiv.org/abs/1506.03099; Mihaylova & Martins,
        2019, https://arxiv.org/abs/1906.07651 (two passes)
    """
    source, target = model.input["source"], model.input["target"]
    first = model({"source": source, "target": target})
    mixed = OwnPieces(seed)(target, first)
    logits = model({"source": source, "target": mixed})
    inputs = {"source": source, "target": target}
    return keras.Model(inputs, logits, name=f"{model.name}_with_own_pieces")


class TeacherForcing(keras.callbacks.Callback):
    """Let the share of true pieces fall in a line, from 1 to `final`.

    A function of the batches that the optimizer has seen, so it goes on after a kill.

    Args:
        final: share at the end, from 0 to 1.
        num_steps: batches of the whole training.

    Raises:
        ValueError: `final` is out of range; in `fit`, the model is not one of
            `with_own_pieces`.
    """

    def __init__(self, final: float, num_steps: int) -> None:
        super().__init__()
        if not 0 <= final <= 1:
            raise ValueError(f"`final` must be from 0 to 1. Received: final={final!r}")
        self.final, self.num_steps = final, num_steps

    def on_train_begin(self, logs: dict | None = None) -> None:  # noqa: D102
        found = [one for one in self.model.layers if isinstance(one, OwnPieces)]
        if len(found) != 1:
            raise ValueError(
                "`TeacherForcing` needs a model of `with_own_pieces`. Received: "
                f"model={self.model.name!r}"
            )
        self._layer = found[0]

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:  # noqa: D102
        done = int(self.model.optimizer.iterations) / self.num_steps
        self._layer.truth.assign(1 - (1 - self.final) * min(done, 1.0))
