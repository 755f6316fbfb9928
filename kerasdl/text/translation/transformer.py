"""A Transformer that translates: encoder, decoder, one table of pieces."""

import math

import keras
from keras import initializers, layers, ops

from kerasdl._checks import check_positive_int
from kerasdl._seeds import DrawnSeeds
from kerasdl.text.attention import positional_encoding

from ._parts import inputs_of_pairs, is_there

MAX_LENGTH = 512  # pieces of a sentence, with its end


def transformer_translator(
    pieces: int,
    width: int = 256,
    heads: int = 8,
    num_layers: int = 2,
    hidden: int = 512,
    dropout: float = 0.1,
    *,
    seed: int | None = None,
) -> keras.Model:
    """The Transformer with normalisation before each part, and tied embeddings.

    One table embeds the pieces of both languages and gives the logits. Of built-in
    layers and ops alone: what is saved of it loads without kerasdl.

    Input: a dict of `source` int32 `(batch, s)`, ids and their end, and `target`
    `(batch, t)`, begin and what is translated so far; 0 is padding. At most 512 each.
    Output: logits of the piece that follows each of `target`, `(batch, t, pieces)`.
    Parameters: 3,660,800 that train, at the defaults with 4,000 pieces.

    Args:
        pieces: of the vocabulary.
        width: of embeddings and layers, a multiple of 2 and of `heads`, at least twice
            as many.
        heads: of each attention.
        num_layers: of encoder and of decoder.
        hidden: units between the two dense layers of a part.
        dropout: of embeddings and of what each part adds.
        seed: of weights and dropout.

    Raises:
        ValueError: an argument is out of range.

    Reference:
        Vaswani et al., 2017, https://arxiv.org/abs/1706.03762; Xiong et al., 2020,
        https://arxiv.org/abs/2002.04745 (normalisation before).
    """
    sizes = {"pieces": pieces, "width": width, "heads": heads}
    for name, value in {**sizes, "num_layers": num_layers, "hidden": hidden}.items():
        check_positive_int(name, value)
    # TensorFlow 2.21 mixes up heads of depth 1 and places, where both are as many.
    if width % heads or width % 2 or width < 2 * heads:
        raise ValueError(
            "`width` must be a multiple of 2 and of `heads`, at least twice as many. "
            f"Received: width={width}, heads={heads}"
        )
    seeds = DrawnSeeds(seed)
    build = _Blocks(width, heads, hidden, dropout, seeds)
    init = initializers.RandomNormal(stddev=width**-0.5, seed=seeds())
    table = layers.ReversibleEmbedding(
        pieces, width, embeddings_initializer=init, name="pieces"
    )
    positions = layers.Embedding(MAX_LENGTH, width, trainable=False, name="positions")
    source, target = inputs_of_pairs()

    def embedded(ids: keras.KerasTensor, name: str) -> keras.KerasTensor:
        places = ops.cumsum(ops.ones_like(ids[:1, :]), axis=1) - 1
        x = table(ids) * math.sqrt(width) + positions(places)
        return layers.Dropout(dropout, seed=seeds(), name=f"{name}_dropout")(x)

    mask = ops.expand_dims(is_there(source), 1)
    x = embedded(source, "source")
    for i in range(num_layers):
        x = build.attention(x, f"encoder{i}_self", attention_mask=mask)
        x = build.dense(x, f"encoder{i}")
    memory = layers.LayerNormalization(name="memory")(x)
    x = embedded(target, "target")
    for i in range(num_layers):
        # Padding is on the right: no place that counts looks at it.
        x = build.attention(x, f"decoder{i}_self", use_causal_mask=True)
        x = build.attention(x, f"decoder{i}_cross", memory, attention_mask=mask)
        x = build.dense(x, f"decoder{i}")
    x = layers.LayerNormalization(name="decoded")(x)
    logits = layers.Activation("linear", dtype="float32", name="logits")(
        table(x, reverse=True)
    )
    inputs = {"source": source, "target": target}
    model = keras.Model(inputs, logits, name="transformer")
    positions.set_weights([positional_encoding(MAX_LENGTH, width)])
    return model


class _Blocks:
    """The parts of a layer: each normalises, computes, and adds what it found."""

    def __init__(
        self, width: int, heads: int, hidden: int, dropout: float, seeds: DrawnSeeds
    ) -> None:
        self.width, self.heads, self.hidden = width, heads, hidden
        self.dropout, self.seeds = dropout, seeds

    def attention(
        self,
        x: keras.KerasTensor,
        name: str,
        memory: keras.KerasTensor | None = None,
        **masks: object,
    ) -> keras.KerasTensor:
        query = layers.LayerNormalization(name=f"{name}_norm")(x)
        look = layers.MultiHeadAttention(
            self.heads,
            self.width // self.heads,
            kernel_initializer=initializers.GlorotUniform(self.seeds()),
            name=name,
        )
        found = look(query, query if memory is None else memory, **masks)
        return self._add(x, found, name)

    def dense(self, x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        found = layers.LayerNormalization(name=f"{name}_norm")(x)
        for part, units, activation in (
            ("hidden", self.hidden, "relu"),
            ("dense", self.width, None),
        ):
            found = layers.Dense(
                units,
                activation,
                kernel_initializer=initializers.GlorotUniform(self.seeds()),
                name=f"{name}_{part}",
            )(found)
        return self._add(x, found, f"{name}_dense")

    def _add(
        self, x: keras.KerasTensor, found: keras.KerasTensor, name: str
    ) -> keras.KerasTensor:
        drop = layers.Dropout(self.dropout, seed=self.seeds(), name=f"{name}_dropout")
        return layers.Add(name=f"{name}_add")([x, drop(found)])
