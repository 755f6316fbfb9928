"""Two GRUs that translate, the second with attention on the first."""

import keras
from keras import initializers, layers, ops

from kerasdl._checks import check_one_of, check_positive_int
from kerasdl._seeds import DrawnSeeds

from ._parts import inputs_of_pairs, is_there

ATTENTIONS = ("bahdanau", "luong")


def gru_translator(
    pieces: int,
    width: int = 256,
    units: int = 320,
    attention: str = "bahdanau",
    dropout: float = 0.2,
    *,
    seed: int | None = None,
) -> keras.Model:
    """A GRU that reads both ways, and one that writes and looks at what was read.

    With "luong" the state of the writing GRU asks by a product, and what it finds joins
    the state. With "bahdanau" it asks by a sum, and what it finds goes into a second
    GRU, whose state joins it: the paper's one GRU would wait for its own state at each
    piece. One table embeds the pieces of both languages and gives the logits. Of
    built-in layers and ops alone.

    Input and output: as of `transformer_translator`, of any length.
    Parameters: 3,478,976 with "bahdanau" and 2,349,696 with "luong", at the defaults
    with 4,000 pieces.

    Args:
        pieces: of the vocabulary.
        width: of embeddings.
        units: of each GRU; those that read have half as many each.
        attention: "bahdanau" or "luong".
        dropout: of embeddings, and before the logits.
        seed: of weights and dropout.

    Raises:
        ValueError: an argument is out of range.

    Reference:
        Bahdanau et al., 2015, https://arxiv.org/abs/1409.0473; Luong et al., 2015,
        https://arxiv.org/abs/1508.04025; Sennrich et al., 2017,
        https://arxiv.org/abs/1703.04357 (two GRUs around the attention)
    """
    for name, value in {"pieces": pieces, "width": width, "units": units}.items():
        check_positive_int(name, value)
    check_one_of("attention", attention, ATTENTIONS)
    if units % 2:
        raise ValueError(f"`units` must be even. Received: units={units}")
    seeds = DrawnSeeds(seed)
    init = initializers.RandomNormal(stddev=width**-0.5, seed=seeds())
    table = layers.ReversibleEmbedding(
        pieces, width, embeddings_initializer=init, name="pieces"
    )
    source, target = inputs_of_pairs()
    mask = is_there(source)

    def embedded(ids: keras.KerasTensor, name: str) -> keras.KerasTensor:
        drop = layers.Dropout(dropout, seed=seeds(), name=f"{name}_dropout")
        return drop(table(ids) * width**0.5)

    def gru(size: int, name: str | None = None, **options: bool) -> layers.GRU:
        return layers.GRU(
            size,
            return_sequences=True,
            kernel_initializer=initializers.GlorotUniform(seeds()),
            recurrent_initializer=initializers.Orthogonal(seed=seeds()),
            name=name,
            **options,
        )

    def dense(size: int, name: str, activation: str | None = None) -> layers.Dense:
        kernel = initializers.GlorotUniform(seeds())
        return layers.Dense(size, activation, kernel_initializer=kernel, name=name)

    read = layers.Bidirectional(gru(units // 2, return_state=True), name="encoder")
    memory, *ends = read(embedded(source, "source"), mask=mask)
    ends = ops.concatenate(ends, axis=-1)
    keys = dense(units, "keys")(memory)
    given = embedded(target, "target")
    start = dense(units, "start", "tanh")(ends)
    state = gru(units, "decoder")(given, initial_state=start)
    look = {"bahdanau": layers.AdditiveAttention, "luong": layers.Attention}[attention]
    query = dense(units, "query")(state) if attention == "bahdanau" else state
    found = look(name="attention")([query, memory, keys], mask=[None, mask])
    if attention == "bahdanau":
        start = dense(units, "second_start", "tanh")(ends)
        both = ops.concatenate([state, found], axis=-1)
        state = gru(units, "second")(both, initial_state=start)
    x = ops.concatenate([state, found], axis=-1)
    x = dense(width, "decoded", "tanh")(x)
    x = layers.Dropout(dropout, seed=seeds(), name="decoded_dropout")(x)
    logits = layers.Activation("linear", dtype="float32", name="logits")(
        table(x, reverse=True)
    )
    inputs = {"source": source, "target": target}
    return keras.Model(inputs, logits, name=f"gru_{attention}")
