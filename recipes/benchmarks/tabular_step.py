"""A training step of entity embeddings here, and of fastai's TabularLearner.

    python recipes/benchmarks/tabular_step.py

A made-up table of the lesson's columns: 22 of categories, Store's 1,115 values among
them, and 16 numbers; dense layers of 1000 and 500, batch 512, Adam. Both go through
the same rows with their own loaders, in turns, in one process and on all processors.
Needs fastai, of the extra `bench`.
"""

import numpy as np
import pandas as pd
from _in_turns import milliseconds, parse_rounds

import kerasdl as kd

GOAL = 1.5
# Categories of the lesson's columns.
VALUES = (
    *(1115, 7, 3, 12, 31, 2, 25, 26, 4, 3, 4, 23, 8, 12, 52, 22),
    *(6, 6, 3, 3, 8, 8),
)
NUMBERS = 16
LAYERS, DROPOUT, EMBEDDING_DROPOUT = (1000, 500), (0.001, 0.01), 0.04


def parse_args(argv=None):
    return parse_rounds(argv, __doc__, steps=160, batch_size=512, library="fastai")


def made_up(rows):
    """A table whose target follows from two of its columns."""
    rng = np.random.default_rng(0)
    columns = {
        f"category{place}": rng.integers(0, count, rows)
        for place, count in enumerate(VALUES)
    }
    columns |= {
        f"number{place}": rng.normal(size=rows).astype("float32")
        for place in range(NUMBERS)
    }
    frame = pd.DataFrame(columns)
    # Every value is there, so that both have the same tables.
    for place, count in enumerate(VALUES):
        frame.loc[: count - 1, f"category{place}"] = np.arange(count)[:rows]
    frame["target"] = (frame["number0"] + frame["category1"] / 7).astype("float32")
    return frame


def names():
    categories = [f"category{place}" for place in range(len(VALUES))]
    return categories, [f"number{place}" for place in range(NUMBERS)]


def ours(frame, batch_size):
    """A function that trains one epoch."""
    data = kd.tabular.TableData.from_frame(
        frame, "target", *names(), valid=[0], batch_size=batch_size, seed=1
    )
    model = kd.tabular.entity_embeddings(
        data, LAYERS, DROPOUT, EMBEDDING_DROPOUT, seed=1
    )
    model.compile(optimizer="adam", loss="mse")
    return lambda: model.fit(data.train, epochs=1, verbose=0)


def fastai(frame, batch_size):
    """A function that trains one epoch."""
    from fastai.tabular import all as library

    table = library.TabularPandas(
        frame,
        [library.Categorify, library.Normalize],
        *names(),
        y_names="target",
        y_block=library.RegressionBlock(),
        splits=(list(range(1, len(frame))), [0]),
    )
    loaders = table.dataloaders(bs=batch_size, device="cpu")
    sizes = [(count + 1, min(50, (count + 1) // 2)) for count in VALUES]
    model = library.TabularModel(
        sizes,
        NUMBERS,
        1,
        list(LAYERS),
        ps=list(DROPOUT),
        embed_p=EMBEDDING_DROPOUT,
    )
    learn = library.TabularLearner(loaders, model, loss_func=library.MSELossFlat())
    learn.remove_cb(library.ProgressCallback)

    def epoch():
        with learn.no_logging(), learn.no_bar():
            learn.fit(1, 1e-3)

    return epoch


def main(argv=None):
    args = parse_args(argv)
    kd.runtime.start()
    frame = made_up(args.steps * args.batch_size + 1)
    ways = {
        "kerasdl": ours(frame, args.batch_size),
        "fastai": fastai(frame, args.batch_size),
    }
    medians = milliseconds(ways, args.rounds, args.steps)
    for name, (wall, cpu) in medians.items():
        print(f"{name:>8}: {wall:.1f} ms a step, {cpu:.1f} ms of processor")
    ratios = [b / a for a, b in zip(medians["kerasdl"], medians["fastai"], strict=True)]
    verdict = "reached" if ratios[0] >= GOAL else "MISSED"
    print(
        f"fastai / kerasdl {ratios[0]:.2f} (processor {ratios[1]:.2f}), goal {GOAL} "
        f"{verdict}"
    )


if __name__ == "__main__":
    main()
