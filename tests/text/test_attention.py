"""Attention from formulas beside Keras's layers of the same weights."""

import numpy as np
import pytest
from keras import layers

from kerasdl.text import attention

MASK = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool)


@pytest.fixture
def sides(rng):
    """What asks `(2, 3, 4)`, and what is looked at `(2, 5, 4)`."""
    return tuple(rng.normal(size=(2, n, 4)).astype("float32") for n in (3, 5))


@pytest.mark.parametrize("mask", [None, MASK])
def test_additive_attention_is_keras(sides, mask):
    layer = layers.AdditiveAttention()
    theirs = layer([*sides], mask=[None, mask], return_attention_scores=True)
    ours = attention.additive_attention(*sides, layer.get_weights()[0], mask)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("mask", [None, MASK])
def test_multiplicative_attention_is_keras(sides, mask):
    theirs = layers.Attention()(
        [*sides], mask=[None, mask], return_attention_scores=True
    )
    ours = attention.multiplicative_attention(*sides, mask=mask)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_a_general_score_has_a_matrix_between(sides, rng):
    kernel = rng.normal(size=(4, 4))
    query, value = sides
    ours = attention.multiplicative_attention(query, value, kernel)[0]
    theirs = layers.Attention()([(query @ kernel).astype("float32"), value])
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("mask", [None, MASK[:, None, :]])
def test_multi_head_attention_is_keras(sides, mask, rng):
    layer = layers.MultiHeadAttention(2, 3, value_dim=5)
    layer.build((None, 3, 4), (None, 5, 4))
    layer.set_weights([rng.normal(size=w.shape) for w in layer.get_weights()])
    theirs = layer(*sides, attention_mask=mask, return_attention_scores=True)
    ours = attention.multi_head_attention(*sides, layer.get_weights(), mask)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_a_causal_mask_is_that_of_keras(sides, rng):
    value = sides[1]
    layer = layers.MultiHeadAttention(2, 3)
    theirs = layer(value, value, use_causal_mask=True)
    mask = attention.causal_mask(5)
    ours = attention.multi_head_attention(value, value, layer.get_weights(), mask)[0]
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert mask[0].sum() == 15 and not mask[0, 0, 1:].any()


def test_positions_are_told_by_the_papers_waves():
    found = attention.positional_encoding(50, 6)
    expected = [np.sin(7 / 10000 ** (2 * i / 6)) for i in range(3)]
    expected += [np.cos(7 / 10000 ** (2 * i / 6)) for i in range(3)]
    np.testing.assert_allclose(found[7], expected, rtol=1e-6)
    # The product of two depends on their distance alone.
    products = found @ found.T
    np.testing.assert_allclose(products[3, 8], products[20, 25], rtol=1e-5)
    with pytest.raises(ValueError, match="`depth` must be even. Received: depth=5"):
        attention.positional_encoding(4, 5)
