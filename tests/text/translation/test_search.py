"""Searches with kept states beside slower ones that compute all anew."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasdl.text.translation import make_search, steps_of

SOURCE = np.array([[5, 6, 7, 3], [8, 3, 0, 0]], "int32")
LENGTH = 4


def log_shares(model, source, target):
    """Logarithms of the shares of the next piece, of no forbidden one."""
    given = {"source": source[None], "target": np.array([target], "int32")}
    logits = model(given)[0, -1].numpy().astype(float)
    logs = logits - np.log(np.exp(logits - logits.max()).sum()) - logits.max()
    logs[:3] = -np.inf
    return logs


def greedy(model, source):
    target = [2]
    while len(target) <= LENGTH and target[-1] != 3:
        target.append(int(log_shares(model, source, target).argmax()))
    return target[1:]


def beam(model, source, beams):
    """A beam search in plain words: all continuations, the best by their penalty."""

    def rank(found):
        target, total = found
        return total / ((5 + len(target) - 1) / 6) ** 1.2

    kept = [([2], 0.0)]
    for _ in range(LENGTH):
        grown = []
        for target, total in kept:
            if target[-1] == 3:
                grown.append((target, total))
                continue
            logs = log_shares(model, source, target)
            grown += [
                ([*target, piece], total + logs[piece]) for piece in range(3, len(logs))
            ]
        kept = sorted(grown, key=rank, reverse=True)[:beams]
        ended = [found for found in kept if found[0][-1] == 3]
        open_ = [total for target, total in kept if target[-1] != 3]
        hope = max(open_, default=-np.inf) / ((5 + LENGTH) / 6) ** 1.2
        if ended and max(map(rank, ended)) >= hope:
            break
    ended = [found for found in kept if found[0][-1] == 3]
    return max(ended or kept, key=rank)[0][1:]


def rows(found):
    return [[piece for piece in row if piece] for row in found.numpy().tolist()]


def test_greedy_search_is_that_without_kept_states(tiny):
    search = make_search(steps_of(tiny))
    found = rows(search(tf.constant(SOURCE), tf.constant(LENGTH)))
    assert found == [greedy(tiny, source) for source in SOURCE]
    search(tf.constant(SOURCE[:1, :2]), tf.constant(3))
    assert search.experimental_get_tracing_count() == 1


def test_beam_search_is_that_in_plain_words(tiny, eagerly):
    # An end must be likely at times, or nothing would be to choose.
    table = tiny.get_layer("pieces")
    (before,) = table.get_weights()
    search = make_search(steps_of(tiny), 2)
    for lift in (1.0, 3.0):
        weights = before.copy()
        weights[3] *= lift
        table.set_weights([weights])
        found = search(tf.constant(SOURCE), tf.constant(LENGTH))
        assert rows(found) == [beam(tiny, source, 2) for source in SOURCE]
    table.set_weights([before])


def test_one_beam_of_several_finds_at_least_as_much(tiny, eagerly):
    def total(target, source):
        found = [2, *target]
        return sum(
            log_shares(tiny, source, found[:place])[found[place]]
            for place in range(1, len(found))
        )

    steps = steps_of(tiny)
    given = tf.constant(SOURCE), tf.constant(1)
    for one, several, source in zip(
        rows(make_search(steps)(*given)),
        rows(make_search(steps, 4)(*given)),
        SOURCE,
        strict=True,
    ):
        assert total(several, source) >= total(one, source) - 1e-6


def test_other_networks_are_refused():
    inputs = keras.Input((3,))
    with pytest.raises(ValueError, match="as `transformer_translator` or `gru_"):
        steps_of(keras.Model(inputs, keras.layers.Dense(2)(inputs)))
