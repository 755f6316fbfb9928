"""Networks that translate, a piece at a time: what they keep between two of them."""

import math
from typing import Any, Protocol

import keras
import tensorflow as tf

from .subwords import PAD

State = Any  # a nest of tensors `(batch, beams, ...)`


class Steps(Protocol):
    """A network, asked for one piece after the other.

    Several translations of a sentence, its beams, are asked at once.

    Attributes:
        max_length: pieces of a sentence that it has places for.
    """

    max_length: float

    def start(self, source: tf.Tensor, beams: int) -> tuple[Any, State]:
        """Read `source` `(batch, s)`; return what is read, and a first state."""
        ...

    def step(
        self, pieces: tf.Tensor, place: tf.Tensor, memory: Any, state: State
    ) -> tuple[tf.Tensor, State, tf.Tensor]:
        """Take one more piece of each beam.

        Args:
            pieces: ids `(batch, beams)`.
            place: how many were before.
            memory: as of `start`.
            state: after the piece before.

        Returns:
            Logits of the next piece `(batch, beams, pieces)`, the state, and where it
            looked in the source, `(batch, beams, s)`.
        """
        ...


def steps_of(model: keras.Model) -> Steps:
    """The steps of a `transformer_translator` or `gru_translator`, also from a file.

    Raises:
        ValueError: `model` is something else.
    """
    names = {layer.name for layer in model.layers}
    for kind in (TransformerSteps, RecurrentSteps):
        if kind.NEEDED <= names:
            return kind(model)
    raise ValueError(
        "`model` must be as `transformer_translator` or `gru_translator` builds it. "
        f"Received: model={model.name!r} of other layers"
    )


class TransformerSteps:
    """Of a `transformer_translator`: keys and values of all pieces so far are kept."""

    NEEDED = frozenset({"pieces", "positions", "memory", "decoded", "decoder0_cross"})

    def __init__(self, model: keras.Model) -> None:
        self.layer = model.get_layer
        self.names = [
            layer.name.removesuffix("_cross")
            for layer in model.layers
            if layer.name.endswith("_cross")
        ]
        self.encoder = keras.Model(model.input["source"], self.layer("memory").output)
        self.max_length = self.layer("positions").input_dim

    def start(self, source: tf.Tensor, beams: int) -> tuple[Any, State]:
        """As of `Steps`."""
        read = self.encoder(source, training=False)
        unseen = tf.where(source == PAD, -1e9, 0.0)[:, None, None, :]
        crosses, state = [], []
        for name in self.names:
            cross, own = self.layer(f"{name}_cross"), self.layer(f"{name}_self")
            crosses.append(
                (_heads(cross.key_dense(read)), _heads(cross.value_dense(read)))
            )
            shape = (tf.shape(source)[0], beams, own.num_heads, 0, own.key_dim)
            state.append((tf.zeros(shape), tf.zeros(shape)))
        return (crosses, unseen), state

    def step(
        self, pieces: tf.Tensor, place: tf.Tensor, memory: Any, state: State
    ) -> tuple[tf.Tensor, State, tf.Tensor]:
        """As of `Steps`."""
        crosses, unseen = memory
        table = self.layer("pieces")
        x = table(pieces) * table.output_dim**0.5 + self.layer("positions")(place)
        kept = []
        for name, (read_keys, read_values), (keys, values) in zip(
            self.names, crosses, state, strict=True
        ):
            own, cross = self.layer(f"{name}_self"), self.layer(f"{name}_cross")
            y = self.layer(f"{name}_self_norm")(x)
            keys = tf.concat([keys, own.key_dense(y)[:, :, :, None]], axis=3)
            values = tf.concat([values, own.value_dense(y)[:, :, :, None]], axis=3)
            kept.append((keys, values))
            query = own.query_dense(y)[:, :, :, None] * own.key_dim**-0.5
            weights = tf.nn.softmax(tf.matmul(query, keys, transpose_b=True))
            x += own.output_dense(tf.matmul(weights, values)[:, :, :, 0])
            query = cross.query_dense(self.layer(f"{name}_cross_norm")(x))
            query = _heads(query) * cross.key_dim**-0.5
            scores = tf.matmul(query, read_keys, transpose_b=True) + unseen
            weights = tf.nn.softmax(scores)
            x += cross.output_dense(_heads(tf.matmul(weights, read_values)))
            y = self.layer(f"{name}_hidden")(self.layer(f"{name}_norm")(x))
            x += self.layer(f"{name}_dense")(y)
        logits = table(self.layer("decoded")(x), reverse=True)
        return logits, kept, tf.reduce_mean(weights, axis=1)


def _heads(x: tf.Tensor) -> tf.Tensor:
    """`(batch, time, heads, depth)` with heads before time, or back."""
    return tf.transpose(x, (0, 2, 1, 3))


class RecurrentSteps:
    """Of a `gru_translator`: states of its GRUs are kept."""

    NEEDED = frozenset({"pieces", "encoder", "keys", "start", "decoder", "decoded"})
    max_length = math.inf

    def __init__(self, model: keras.Model) -> None:
        self.layer = model.get_layer
        self.has_second = any(layer.name == "second" for layer in model.layers)
        self.starts = ["start", "second_start"][: 1 + self.has_second]
        outputs = [self.layer(name).output for name in self.starts]
        memory = self.layer("encoder").output[0]
        keys = self.layer("keys").output
        self.encoder = keras.Model(model.input["source"], [memory, keys, *outputs])

    def start(self, source: tf.Tensor, beams: int) -> tuple[Any, State]:
        """As of `Steps`."""
        memory, keys, *starts = self.encoder(source, training=False)
        state = [tf.repeat(start[:, None], beams, axis=1) for start in starts]
        return (memory, keys, source != PAD), state

    def step(
        self, pieces: tf.Tensor, place: tf.Tensor, memory: Any, state: State
    ) -> tuple[tf.Tensor, State, tf.Tensor]:
        """As of `Steps`."""
        read, keys, mask = memory
        table = self.layer("pieces")
        first = self._advance(
            "decoder", table(pieces) * table.output_dim**0.5, state[0]
        )
        query = self.layer("query")(first) if self.has_second else first
        found, weights = self.layer("attention")(
            [query, read, keys], mask=[None, mask], return_attention_scores=True
        )
        kept = [first]
        if self.has_second:
            both = tf.concat([first, found], axis=-1)
            kept.append(self._advance("second", both, state[1]))
        x = self.layer("decoded")(tf.concat([kept[-1], found], axis=-1))
        return table(x, reverse=True), kept, weights

    def _advance(self, name: str, x: tf.Tensor, state: tf.Tensor) -> tf.Tensor:
        """One step of a GRU, of each beam."""
        batch, beams, units = *tf.unstack(tf.shape(state)[:2]), state.shape[-1]
        rows = tf.reshape(x, (-1, x.shape[-1])), tf.reshape(state, (-1, units))
        new, _ = self.layer(name).cell(rows[0], [rows[1]])
        return tf.reshape(new, (batch, beams, units))
