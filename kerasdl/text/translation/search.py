"""The likeliest translations: greedy and beam search, each one graph."""

from collections.abc import Callable

import tensorflow as tf

from .steps import State, Steps
from .subwords import BEGIN, END, PAD, UNKNOWN

Search = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
# Of the penalty that short translations have an advantage without: of 0.6, 1.0, 1.2 and
# 1.4 the two last had the highest BLEU on multi30k's `val`, German to English.
LENGTH_POWER = 1.2
_NEVER = -1e9


def make_search(
    steps: Steps, beams: int = 1, shape: tuple[int | None, int | None] = (None, None)
) -> Search:
    """A `tf.function` that takes sources and a length, and returns translations.

    It keeps keys, values and states, so each piece is computed once. With one beam it
    takes the likeliest piece each time, with several it keeps as many translations;
    theirs is the best of `sum of log p / ((5 + length) / 6)^1.2`. A translation of pad,
    unknown or begin is none.

    Args:
        steps: of a network.
        beams: kept translations of each sentence.
        shape: of `source`; None is any.

    Returns:
        Takes `source` int32 `(batch, s)`, with ends, padded by 0, and the number of
        pieces after which it stops; returns int32 `(batch, t)`, ends among them.

    Reference:
        Wu et al., 2016, https://arxiv.org/abs/1609.08144, equation 14 (the penalty)
    """
    signature = [
        tf.TensorSpec(shape, tf.int32, name="source"),
        tf.TensorSpec((), tf.int32, name="max_length"),
    ]
    search = _greedy if beams == 1 else _beam

    @tf.function(input_signature=signature)
    def translate(source: tf.Tensor, max_length: tf.Tensor) -> tf.Tensor:
        return search(steps, source, max_length, beams)

    return translate


def _greedy(
    steps: Steps, source: tf.Tensor, max_length: tf.Tensor, _: int
) -> tf.Tensor:
    batch = tf.shape(source)[0]
    memory, state = steps.start(source, 1)
    last = tf.fill((batch, 1), BEGIN)
    found = tf.zeros((batch, 0), tf.int32)
    is_done = tf.zeros((batch, 1), tf.bool)

    def goes_on(place: tf.Tensor, *loop: tf.Tensor) -> tf.Tensor:
        return (place < max_length) & ~tf.reduce_all(loop[2])

    def advance(
        place: tf.Tensor,
        last: tf.Tensor,
        found: tf.Tensor,
        is_done: tf.Tensor,
        state: State,
    ) -> tuple:
        logits, state, _ = steps.step(last, place, memory, state)
        best = tf.argmax(logits + _forbidden(logits), axis=-1, output_type=tf.int32)
        last = tf.where(is_done, PAD, best)
        found = tf.concat([found, last], axis=1)
        return place + 1, last, found, is_done | (last == END), state

    loop = (tf.constant(0), last, found, is_done, state)
    return tf.while_loop(goes_on, advance, loop, _open_shapes(loop))[2]


def _beam(
    steps: Steps, source: tf.Tensor, max_length: tf.Tensor, beams: int
) -> tf.Tensor:
    batch = tf.shape(source)[0]
    memory, state = steps.start(source, beams)
    # At first all beams are one: the others begin out of reach.
    scores = tf.repeat([[0.0] + [_NEVER] * (beams - 1)], batch, axis=0)
    last = tf.fill((batch, beams), BEGIN)
    found = tf.zeros((batch, beams, 0), tf.int32)
    lengths = tf.zeros((batch, beams), tf.int32)
    is_done = tf.zeros((batch, beams), tf.bool)

    def goes_on(place: tf.Tensor, *loop: tf.Tensor) -> tf.Tensor:
        _, _, is_done, scores, lengths, _ = loop
        # What goes on can at best keep its sum, at the largest length.
        ended = tf.where(is_done, scores / _penalty(lengths), _NEVER)
        open_ = tf.where(is_done, _NEVER, scores / _penalty(max_length))
        best, hope = (tf.reduce_max(part, axis=1) for part in (ended, open_))
        return (place < max_length) & tf.reduce_any(best < hope)

    def advance(
        place: tf.Tensor,
        last: tf.Tensor,
        found: tf.Tensor,
        is_done: tf.Tensor,
        scores: tf.Tensor,
        lengths: tf.Tensor,
        state: State,
    ) -> tuple:
        logits, state, _ = steps.step(last, place, memory, state)
        number = tf.shape(logits)[-1]
        logs = tf.nn.log_softmax(logits) + _forbidden(logits)
        # What has ended goes on with one padding, which costs nothing.
        padding = tf.where(tf.range(number) == PAD, 0.0, _NEVER)
        logs = tf.where(tf.expand_dims(is_done, -1), padding, logs)
        sums = tf.expand_dims(scores, -1) + logs
        grown = lengths + tf.cast(tf.logical_not(is_done), tf.int32)
        ranks = sums / tf.expand_dims(_penalty(grown), -1)
        _, places = tf.math.top_k(tf.reshape(ranks, (batch, -1)), beams)
        parents, last = places // number, places % number

        def of_parents(x: tf.Tensor) -> tf.Tensor:
            return tf.gather(x, parents, axis=1, batch_dims=1)

        scores = tf.gather(tf.reshape(sums, (batch, -1)), places, batch_dims=1)
        found = tf.concat([of_parents(found), tf.expand_dims(last, -1)], axis=2)
        is_done = of_parents(is_done) | (last == END)
        state = tf.nest.map_structure(of_parents, state)
        return place + 1, last, found, is_done, scores, of_parents(grown), state

    loop = (tf.constant(0), last, found, is_done, scores, lengths, state)
    loop = tf.while_loop(goes_on, advance, loop, _open_shapes(loop))
    _, _, found, is_done, scores, lengths, _ = loop
    # What has not ended is taken where nothing has.
    ranks = scores / _penalty(lengths) + tf.where(is_done, 0.0, _NEVER)
    return tf.gather(found, tf.argmax(ranks, axis=1), axis=1, batch_dims=1)


def _penalty(lengths: tf.Tensor) -> tf.Tensor:
    return ((5.0 + tf.cast(lengths, tf.float32)) / 6.0) ** LENGTH_POWER


def _forbidden(logits: tf.Tensor) -> tf.Tensor:
    """Added to logits: no translation has such pieces."""
    number = tf.range(tf.shape(logits)[-1])
    is_one = tf.reduce_any(number[:, None] == [PAD, UNKNOWN, BEGIN], axis=1)
    return tf.where(is_one, _NEVER, 0.0)


def _open_shapes(loop: tuple) -> tuple:
    """Shapes of which batch, beams and time may change; ranks and widths stay."""

    def shape(x: tf.Tensor) -> tf.TensorShape:
        sizes = x.shape.as_list()
        # Ids of pieces grow in their last axis, keys and values before their width.
        open_ = {0, 1, 2} if x.dtype.is_integer else {0, 1, 3}
        sizes = [None if axis in open_ else size for axis, size in enumerate(sizes)]
        return tf.TensorShape(sizes)

    return tf.nest.map_structure(shape, loop)
