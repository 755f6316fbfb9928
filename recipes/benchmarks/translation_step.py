"""A training step of both translators here, and of the same networks in PyTorch.

    python recipes/benchmarks/translation_step.py

Made-up ids: 128 pairs of 16 pieces, 4,000 pieces in the vocabulary, Adam. The
Transformer has a width of 256 and 2 + 2 layers of 512 (`nn.Transformer`, normalised
before each part), the GRUs 256 and 320 units (`nn.GRU`); embeddings are tied in all.
All run in turns, in one process and on all processors. Needs PyTorch, of the extra
`bench`.
"""

import math
import os
from functools import partial

import numpy as np
from _in_turns import milliseconds, parse_rounds

import kerasdl as kd

GOAL = 0.7
PIECES, WIDTH, UNITS, HIDDEN, HEADS, LAYERS = 4000, 256, 320, 512, 8, 2
NETWORKS = ("transformer", "gru")


def parse_args(argv=None):
    return parse_rounds(argv, __doc__, steps=2, batch_size=128, library="torch")


def made_up(batch_size):
    """Sources, targets and what follows them."""
    rng = np.random.default_rng(0)
    source, target = (rng.integers(4, PIECES, (batch_size, 16)) for _ in "ab")
    given = np.concatenate([np.full((batch_size, 1), 2), target[:, :-1]], axis=1)
    return source, given, target


def ours(name, batch):
    """A function that trains some steps."""
    import keras
    import tensorflow as tf

    source, given, truth = (rows.astype("int32") for rows in batch)
    text = kd.text
    if name == "transformer":
        model = text.transformer_translator(
            PIECES, WIDTH, HEADS, LAYERS, HIDDEN, seed=1
        )
    else:
        model = text.gru_translator(PIECES, WIDTH, UNITS, "luong", seed=1)
    model.compile(keras.optimizers.Adam(1e-3), text.translation.NextPieceLoss(0.1))
    kd.train.faster_steps(model)  # as `fit_cycles` does it
    options = tf.data.Options()
    options.autotune.enabled = False
    batches = tf.data.Dataset.from_tensors(({"source": source, "target": given}, truth))
    batches = batches.cache().with_options(options)
    return lambda steps: model.fit(batches.repeat(steps), shuffle=False, verbose=0)


def theirs(name, batch):
    """The same in PyTorch."""
    import torch
    from torch import nn

    torch.set_num_threads(os.cpu_count())
    torch.manual_seed(0)
    source, given, truth = (torch.from_numpy(rows) for rows in batch)
    table = nn.Embedding(PIECES, WIDTH)

    class Transformer(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = table
            self.body = nn.Transformer(
                d_model=WIDTH,
                nhead=HEADS,
                num_encoder_layers=LAYERS,
                num_decoder_layers=LAYERS,
                dim_feedforward=HIDDEN,
                batch_first=True,
                norm_first=True,
            )
            # Ours drops some of embeddings and of what parts add, and nothing inside.
            self.drop = nn.Dropout(0.1)
            for layer in (*self.body.encoder.layers, *self.body.decoder.layers):
                layer.dropout = nn.Identity()
            for part in self.body.modules():
                if isinstance(part, nn.MultiheadAttention):
                    part.dropout = 0.0
            self.waves = torch.from_numpy(
                kd.text.attention.positional_encoding(16, WIDTH)
            )

        def forward(self, source, given):
            causal = nn.Transformer.generate_square_subsequent_mask(given.shape[1])
            x, y = (
                self.drop(self.table(ids) * math.sqrt(WIDTH) + self.waves)
                for ids in (source, given)
            )
            padding = source == 0
            found = self.body(
                x,
                y,
                tgt_mask=causal,
                src_key_padding_mask=padding,
                memory_key_padding_mask=padding,
                tgt_is_causal=True,
            )
            return found @ self.table.weight.T

    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = table
            self.reads = nn.GRU(WIDTH, UNITS // 2, batch_first=True, bidirectional=True)
            self.writes = nn.GRU(WIDTH, UNITS, batch_first=True)
            self.keys, self.start = nn.Linear(UNITS, UNITS), nn.Linear(UNITS, UNITS)
            self.out = nn.Linear(2 * UNITS, WIDTH)
            self.drop = nn.Dropout(0.2)

        def forward(self, source, given):
            x, y = (self.drop(self.table(ids) * WIDTH**0.5) for ids in (source, given))
            memory, ends = self.reads(x)
            start = torch.tanh(self.start(torch.cat([*ends], dim=-1)))
            state, _ = self.writes(y, start[None])
            scores = state @ self.keys(memory).transpose(1, 2)
            scores = scores.masked_fill((source == 0)[:, None], -1e9)
            found = scores.softmax(dim=-1) @ memory
            x = torch.tanh(self.out(torch.cat([state, found], dim=-1)))
            return self.drop(x) @ self.table.weight.T

    model = {"transformer": Transformer, "gru": Recurrent}[name]().train()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    loss_of = nn.CrossEntropyLoss(ignore_index=0, label_smoothing=0.1)

    def train(steps):
        for _ in range(steps):
            optimizer.zero_grad()
            loss = loss_of(model(source, given).flatten(0, 1), truth.flatten())
            loss.backward()
            optimizer.step()
        loss.item()

    return train


def main(argv=None):
    args = parse_args(argv)
    import torch._dynamo  # noqa: F401 - it brings an LLVM that must come first

    kd.runtime.start()
    batch = made_up(args.batch_size)
    ways = {}
    for name in NETWORKS:
        for way, make in {"kerasdl": ours, "torch": theirs}.items():
            ways[name, way] = partial(make(name, batch), args.steps)
    found = milliseconds(ways, args.rounds, args.steps)
    for name in NETWORKS:
        mine, other = found[name, "kerasdl"], found[name, "torch"]
        ratios = [a / b for a, b in zip(mine, other, strict=True)]
        verdict = "reached" if ratios[0] <= GOAL else "MISSED"
        print(
            f"{name}: kerasdl {mine[0]:.0f} ms a step ({mine[1]:.0f} of processor), "
            f"PyTorch {other[0]:.0f} ({other[1]:.0f}); ratio {ratios[0]:.2f} "
            f"({ratios[1]:.2f}), goal {GOAL} {verdict}"
        )


if __name__ == "__main__":
    main()
